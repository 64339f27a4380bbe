//! Which models rest after they failed, known to all workers of one Envoy.
//!
//! Owns where the table lies and that no change of it is lost. Never decides how long anything rests.

use super::host;
use super::metrics::Metrics;
use crate::attempt::Slot;
use crate::decide::Cooldowns;
use crate::policy::Cooldown;

const KEY: &str = "model_router.cooldowns";
/// How often a change is tried that another worker came before.
const TRIES: usize = 8;

/// The table as it is now.
pub fn look() -> Cooldowns {
    read().map_or(Cooldowns::NONE, |(table, _)| table)
}

/// A model has failed at a provider. `wait`: how long it asks to be left alone, in milliseconds.
pub fn failed(metrics: &Metrics, model: &str, place: u64, wait: Option<u64>, limits: Option<Cooldown>) {
    let Some(limits) = limits else { return };
    change(|table| {
        table.failed(place, wait, limits);
        true
    });
    metrics.add("cooldowns_total", &[("model", model)], 1);
}

/// A model has answered.
pub fn succeeded(slot: &Slot) {
    if slot.failed_lately {
        change(|table| table.succeeded(slot.place()));
    }
}

/// Takes the trial of a place that is due; `false` where another request has it.
pub fn try_again(place: u64) -> bool {
    change(|table| table.try_again(place))
}

fn read() -> Option<(Cooldowns, u32)> {
    let (value, version) = host::shared(KEY)?;
    Some((Cooldowns::read(&value, now()), version))
}

/// Changes the table, unless `by` finds that there is nothing to change.
fn change(by: impl Fn(&mut Cooldowns) -> bool) -> bool {
    for _ in 0..TRIES {
        let (mut table, version) = read().unwrap_or_else(|| (Cooldowns::read(&[], now()), 0));
        if !by(&mut table) {
            return false;
        }
        if host::set_shared(KEY, &table.to_bytes(), version) {
            return true;
        }
    }
    false
}

/// Milliseconds since 1970.
fn now() -> u64 {
    host::now() / 1_000_000
}
