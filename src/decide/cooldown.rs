//! Which models rest after they failed, and for how long.
//!
//! Owns the table that all workers share: how a failure, a success and the passing of time change it. A place (a model at
//! a provider) that rests is ranked last; when its time is over, one request may try it, and what becomes of that one
//! decides for all. Never holds text, never asks for the time.

use crate::policy::Cooldown;

/// The longest that a provider may ask for, in milliseconds.
const LONGEST_WAIT: u64 = 60 * 60 * 1000;
/// How long the answer to a trial is awaited before another one may be made, in milliseconds.
const TRIAL: u64 = 30_000;
/// Places that are remembered, at most.
const MOST: usize = 256;
/// How long after its rest a failure is remembered, in milliseconds.
const FORGOTTEN: u64 = 10 * 60 * 1000;

/// Whether a place rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// It has not failed lately.
    #[default]
    None,
    /// For so many more milliseconds, or until a trial of it has ended.
    Resting(u64),
    /// Its time is over, and nobody has tried it since.
    Due,
}

/// The places that have failed, at a point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cooldowns {
    /// Milliseconds since 1970.
    now: u64,
    list: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// [`crate::origin::Origin::place`].
    place: u64,
    /// Failures in a row.
    failures: u64,
    /// When its rest is over.
    until: u64,
    /// When a trial is given up; 0: there is none.
    trial: u64,
}

const BYTES: usize = 8;
const NUMBERS: usize = 4;

impl Cooldowns {
    /// Nothing has failed.
    pub const NONE: Cooldowns = Cooldowns { now: 0, list: Vec::new() };

    /// Reads what [`Cooldowns::to_bytes`] has written. `now` is in milliseconds since 1970.
    pub fn read(bytes: &[u8], now: u64) -> Self {
        let number = |bytes: &[u8]| Some(u64::from_le_bytes(*bytes.first_chunk::<BYTES>()?));
        let entry = |bytes: &[u8]| {
            let mut numbers = bytes.chunks_exact(BYTES).filter_map(number);
            let mut next = || numbers.next();
            Some(Entry { place: next()?, failures: next()?, until: next()?, trial: next()? })
        };
        let mut list: Vec<Entry> = bytes.chunks_exact(BYTES * NUMBERS).filter_map(entry).collect();
        list.retain(|entry| now < entry.until.saturating_add(FORGOTTEN));
        list.truncate(MOST);
        Cooldowns { now, list }
    }

    /// As the workers share it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.list.iter().flat_map(|entry| [entry.place, entry.failures, entry.until, entry.trial]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// Whether nothing rests.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether this place rests.
    pub fn rest(&self, place: u64) -> Rest {
        let Some(entry) = self.list.iter().find(|entry| entry.place == place) else { return Rest::None };
        match entry.until.max(entry.trial).saturating_sub(self.now) {
            0 => Rest::Due,
            left => Rest::Resting(left),
        }
    }

    /// A place has failed. `wait`: how long its provider asked to leave it alone, in milliseconds.
    pub fn failed(&mut self, place: u64, wait: Option<u64>, limits: Cooldown) {
        let now = self.now;
        let asked = now.saturating_add(wait.unwrap_or(0).min(LONGEST_WAIT));
        if !self.list.iter().any(|entry| entry.place == place) {
            // The one that is due first makes room.
            self.list.sort_by_key(|entry| core::cmp::Reverse(entry.until));
            self.list.truncate(MOST - 1);
            self.list.push(Entry { place, failures: 0, until: 0, trial: 0 });
        }
        let Some(entry) = self.list.iter_mut().find(|entry| entry.place == place) else { return };
        // Requests that were on their way when it began to rest say nothing new.
        if entry.until <= now {
            let doubled = limits.initial.saturating_mul(1 << entry.failures.min(32) as u32).min(limits.maximum);
            entry.failures = entry.failures.saturating_add(1);
            entry.until = now.saturating_add(doubled);
        }
        entry.trial = 0;
        entry.until = entry.until.max(asked);
    }

    /// A place has answered. Says whether that changes anything.
    pub fn succeeded(&mut self, place: u64) -> bool {
        let before = self.list.len();
        self.list.retain(|entry| entry.place != place);
        self.list.len() < before
    }

    /// Takes the trial of a place that is due; `false` where another has taken it.
    pub fn try_again(&mut self, place: u64) -> bool {
        let due = self.rest(place) == Rest::Due;
        let entry = self.list.iter_mut().find(|entry| entry.place == place && due);
        entry.map(|entry| entry.trial = self.now.saturating_add(TRIAL)).is_some()
    }
}
