//! What is known of a stream: whether it is an answer, what it says of itself, and what became of it.
//!
//! Owns that each of these is decided once. Never reads an event.

use super::{Answer, Failure};
use crate::decide::cost::Usage;

/// What is known of a stream so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// No event that says anything yet.
    Waiting,
    /// It is an answer.
    Good,
    /// It is an error.
    Failed(Failure),
}

/// What is known of a stream.
pub(super) struct Known {
    first: First,
    /// It came to its proper end.
    pub(super) done: bool,
    /// Its proper end cannot be told, or may have passed unread.
    pub(super) endless: bool,
    broken: Option<Broken>,
    answer: Answer,
}

/// What is wrong with a stream that had begun well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// An event could not be read.
    Malformed,
    /// The provider reported an error.
    Error,
    /// It ended without its proper end.
    Incomplete,
}

impl Broken {
    /// Short code for metrics.
    pub fn code(self) -> &'static str {
        match self {
            Broken::Malformed => "malformed",
            Broken::Error => "error",
            Broken::Incomplete => "incomplete",
        }
    }
}

impl Known {
    /// Nothing yet.
    pub(super) fn new(endless: bool) -> Self {
        Known { first: First::Waiting, done: false, endless, broken: None, answer: Answer::default() }
    }

    pub(super) fn first(&self) -> &First {
        &self.first
    }

    pub(super) fn broken(&self) -> Option<Broken> {
        self.broken
    }

    pub(super) fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Whether nothing has been decided yet.
    pub(super) fn is_open(&self) -> bool {
        self.first == First::Waiting
    }

    /// Decides, unless that has been done.
    pub(super) fn decide(&mut self, first: impl FnOnce() -> First) {
        if self.is_open() {
            self.first = first();
        }
    }

    /// The stream has failed: as an answer, where nothing has been decided, else in its middle.
    pub(super) fn fail(&mut self, broken: Broken, failure: impl FnOnce() -> Failure) {
        match self.first {
            First::Waiting => self.first = First::Failed(failure()),
            First::Good => drop(self.broken.get_or_insert(broken)),
            First::Failed(_) => {}
        }
    }

    /// It ends here. Says whether that is too early, and nobody has told the client.
    pub(super) fn close(&mut self) -> bool {
        self.decide(|| First::Failed(Failure::without_body("empty_stream")));
        let early = !self.done && !self.endless && self.first == First::Good;
        early && *self.broken.get_or_insert(Broken::Incomplete) != Broken::Error
    }

    /// The first model that is named and the last usage hold.
    pub(super) fn note(&mut self, model: impl FnOnce() -> Option<String>, usage: Option<Usage>) {
        if self.answer.model.is_none() {
            self.answer.model = model();
        }
        if usage.is_some() {
            self.answer.usage = usage;
        }
    }
}
