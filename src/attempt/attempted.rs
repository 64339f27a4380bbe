//! How the attempts of a request went so far: what each leaves for the next, and for the route plugin.
//!
//! Never holds an answer.

use super::Slot;

/// How the attempts of a request went so far; each attempt leaves it for the next and for the route plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempted {
    /// Number of the latest attempt, from 1.
    pub number: u64,
    /// Its model.
    pub model: String,
    /// Parameters that it left out, separated by commas.
    pub dropped: String,
    /// Its place, as in [`crate::origin::Origin::place`].
    pub place: u64,
    /// `gpt-5-mini=503,gpt-5`: how each ended. One without a result has none yet, or was followed by another: then
    /// nobody answered it.
    pub trace: String,
    /// All attempts so far, at least one, were told that they are too many.
    pub limited: bool,
    /// The smallest wait, in milliseconds, that any of these was told.
    pub wait: Option<u64>,
}

impl Attempted {
    /// A line for each, in which no line break can stand.
    pub fn publish(&self) -> String {
        let Attempted { number, model, dropped, place, trace, limited, wait } = self;
        let wait = wait.map(|wait| wait.to_string()).unwrap_or_default();
        let limited = if *limited { "limited" } else { "" };
        [&number.to_string(), &**model, dropped, &place.to_string(), trace, limited, &wait].join("\n")
    }

    /// What [`Attempted::publish`] wrote.
    pub fn read(lines: &[u8]) -> Option<Self> {
        let mut lines = core::str::from_utf8(lines).ok()?.split('\n');
        let mut next = || lines.next();
        Some(Attempted {
            number: next()?.parse().ok()?,
            model: next()?.to_owned(),
            dropped: next()?.to_owned(),
            place: next()?.parse().ok()?,
            trace: next()?.to_owned(),
            limited: next()? == "limited",
            wait: next()?.parse().ok(),
        })
    }

    /// The next attempt, after `self`.
    pub fn next(self, number: u64, slot: &Slot) -> Self {
        // Nobody answered an attempt without a result, so it was not told that it is too many.
        let limited = self.limited && self.trace.rsplit(',').next().is_some_and(|last| last.contains('='));
        let mut trace = self.trace;
        if !trace.is_empty() {
            trace = with_result(trace, NO_RESPONSE) + ",";
        }
        Attempted {
            number,
            model: slot.model.clone(),
            place: slot.place(),
            dropped: shown(&slot.drop),
            trace: trace + &slot.model,
            limited,
            wait: self.wait,
        }
    }

    /// Notes a failure's status, and how long a 429 asks to wait.
    pub fn failed(&mut self, status: u16, wait: Option<u64>) {
        let before = self.number <= 1 || self.limited;
        self.limited = before && status == 429;
        self.wait = [self.wait, wait].into_iter().flatten().min();
    }

    /// Notes how the latest attempt ended.
    pub fn ended(&mut self, result: &str) {
        self.trace = with_result(core::mem::take(&mut self.trace), result);
    }

    /// The place of the latest attempt, if nobody has answered it.
    pub fn unanswered(&self) -> Option<u64> {
        let last = self.trace.rsplit(',').next().filter(|last| !last.is_empty())?;
        let result = last.split_once('=').map_or(NO_RESPONSE, |(_, result)| result);
        (result == NO_RESPONSE).then_some(self.place)
    }

    /// How the attempt before the latest one ended; `None` where there was none.
    pub fn failure_before(&self) -> Option<&str> {
        let (before, _) = self.trace.rsplit_once(',')?;
        let last = before.rsplit_once(',').map_or(before, |(_, last)| last);
        last.split_once('=').map(|(_, result)| result)
    }
}

/// Names that a header tells, at most.
const SHOWN: usize = 32;

/// What was left out, as a header tells it.
fn shown(names: &[String]) -> String {
    let more = if names.len() > SHOWN { ",..." } else { "" };
    names.get(..SHOWN).unwrap_or(names).join(",") + more
}

/// What stands in the trace of an attempt that nobody answered.
const NO_RESPONSE: &str = "no_response";

/// The trace with a result for its last attempt, where it has none.
fn with_result(trace: String, result: &str) -> String {
    let last = trace.rsplit(',').next().unwrap_or_default();
    if last.contains('=') { trace } else { [&trace, "=", result].concat() }
}
