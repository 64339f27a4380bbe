//! Reads `cooldown` and `timeouts`.
//!
//! Owns their bounds and defaults. Never measures time: Envoy's timers do.

use super::fields::section;
use super::node::{Fields, Node};

/// How long a model rests after it failed, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldown {
    /// After the first failure; each further one doubles it.
    pub initial: u64,
    /// At most, unless the provider asked for more.
    pub maximum: u64,
}

/// Bounds of time until another model is tried, in milliseconds; `None`: what Envoy's route says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Of one attempt, until the first token of a stream is there.
    pub first_token: Option<u64>,
    /// Of one attempt, until an answer that is no stream is whole.
    pub answer: Option<u64>,
    /// Of the whole request, all attempts together.
    pub total: Option<u64>,
}

section! {
    /// How long a model rests after it failed: it is ranked last, and used only when nothing else is left.
    COOLDOWN "cooldown" {
        /// After the first failure; each further one doubles it.
        initial_seconds: "seconds, from 0.001" = "1", "0.5";
        /// At most, unless a provider asks for more; 0: models do not rest.
        maximum_seconds: "seconds, up to a day" = "60", "300";
    }
}

section! {
    /// How long something may take, by Envoy's timers.
    TIMEOUTS "timeouts" {
        /// Until the first token of a stream is there; then the next model is tried.
        first_token_seconds: "seconds, up to a day" = "(what Envoy's route says: 120)", "20";
        /// Until an answer that is no stream is whole; then the next model is tried.
        answer_seconds: "seconds, up to a day" = "(what Envoy's route says: 120)", "60";
        /// Of a request, all its attempts together.
        total_seconds: "seconds, up to a day" = "(what Envoy's route says: 600)", "180";
    }
}

const BOUNDS: [&str; 3] = ["first_token_seconds", "answer_seconds", "total_seconds"];
const DEFAULT: Cooldown = Cooldown { initial: 1000, maximum: 60_000 };
/// A day, in seconds.
const LONGEST: f64 = 86_400.0;

/// How long models rest after they failed; `None`: they do not.
pub(super) fn cooldown(root: &Fields<'_>) -> Option<Cooldown> {
    let Some(fields) = root.get("cooldown").and_then(|node| node.object(&COOLDOWN)) else { return Some(DEFAULT) };
    let seconds = |name, least: f64| {
        let within = |number: f64| (least..=LONGEST).contains(&number);
        fields.get(name).and_then(|field| milliseconds(&field, &format!("{least} to {LONGEST} seconds"), within))
    };
    let maximum = seconds("maximum_seconds", 0.0);
    let initial = seconds("initial_seconds", 0.001);
    match (initial, maximum) {
        (_, Some(0)) => None,
        (Some(initial), Some(maximum)) if initial > maximum => {
            fields.node.fail("initial_seconds must not be more than maximum_seconds");
            None
        }
        _ => {
            let maximum = maximum.unwrap_or(DEFAULT.maximum.max(initial.unwrap_or(0)));
            Some(Cooldown { initial: initial.unwrap_or(DEFAULT.initial).min(maximum), maximum })
        }
    }
}

/// The bounds of time.
pub(super) fn timeouts(root: &Fields<'_>) -> Timeouts {
    let Some(fields) = root.get("timeouts").and_then(|node| node.object(&TIMEOUTS)) else { return Timeouts::default() };
    let bound = |name| {
        let within = |number: f64| number > 0.0 && number <= LONGEST;
        fields
            .get(name)
            .and_then(|field| milliseconds(&field, &format!("more than 0, up to {LONGEST} seconds"), within))
    };
    let [first_token, answer, total] = BOUNDS.map(bound);
    for (name, part) in BOUNDS.iter().zip([first_token, answer]) {
        if part.zip(total).is_some_and(|(part, total)| part > total) {
            fields.node.fail(format!("{name} must not be more than total_seconds"));
        }
    }
    Timeouts { first_token, answer, total }
}

pub(super) fn milliseconds(node: &Node<'_>, what: &str, within: impl Fn(f64) -> bool) -> Option<u64> {
    // The bounds keep the cast exact.
    node.number(what, within).map(|seconds| (seconds * 1000.0).ceil() as u64)
}
