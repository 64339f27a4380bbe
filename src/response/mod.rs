//! Reads answers: is it one, who gave it, what did it take.
//!
//! Owns the judgement of an answer's first bytes, the scanner of event streams, usage, and the shapes of errors that
//! the router itself sends. Never keeps a stream: what it holds is bounded by [`stream::MAX_EVENT`].

mod answer;
pub mod error;
pub mod stream;
pub mod wait;

pub use answer::{Failure, read_answer};

use crate::decide::cost::Usage;

/// What an answer says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `model`: the snapshot that answered.
    pub model: Option<String>,
    /// What it took; `None` where the provider did not say.
    pub usage: Option<Usage>,
}

#[cfg(test)]
mod tests;
