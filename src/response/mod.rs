//! Reads answers: is it one, who gave it, what did it take; and says what of it is changed on its way to the client.
//!
//! Owns the judgement of an answer's first bytes, the scanner of event streams, usage, the marks and details that go
//! into answers, how long a refusal asks to wait, and the shapes of errors that the router itself sends. Never keeps a
//! stream: what it holds is bounded by [`stream::MAX_EVENT`]. Never builds a tree of an answer nor writes one anew.

mod chat;
pub mod error;
mod failure;
pub mod frames;
mod known;
pub mod limited;
mod messages;
pub mod refusal;
mod responses;
mod splice;
pub mod stream;
mod translated;
mod usage;
pub mod wait;

pub use failure::Failure;

use crate::decide::cost::Usage;
use crate::edit::Edit;
use crate::request::Api;
use crate::translate::About;
use splice::Splices;

/// What an answer says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `model`: the snapshot that answered.
    pub model: Option<String>,
    /// What it took; `None` where the provider did not say.
    pub usage: Option<Usage>,
}

/// What is done to an answer on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// The API in which the provider answers. Answers of other endpoints with a `model` and a `usage` read as Chat.
    pub api: Api,
    /// Takes out of a Chat stream the usage that the client did not ask for.
    pub take_out_usage: bool,
    /// What is written into the ids of a Responses answer: [`Origin::mark`](crate::origin::Origin::mark).
    pub mark: Option<String>,
    /// The mark in the id of the response or conversation that the request continues, empty where it has none; `None`:
    /// it continues none.
    pub earlier: Option<String>,
    /// JSON text without line breaks that goes in as `model_selection_details`.
    pub details: Option<String>,
    /// The response exists already, or will go on without this connection (background): its `created` and even its
    /// `failed` are what the client asked for, and no other attempt could give a better answer.
    pub existing: bool,
    /// The client called another API than `api`: what the translation has to know, among it which.
    pub about: Option<About>,
}

impl Treatment {
    /// Changes nothing.
    pub fn new(api: Api) -> Self {
        Treatment { api, take_out_usage: false, mark: None, earlier: None, details: None, existing: false, about: None }
    }
}

/// Reads a complete answer. The edits, mostly none, make of it what the client gets.
///
/// # Errors
/// [`Failure`] where it is no JSON object or carries an error instead of an answer.
pub fn read_answer(body: &[u8], treatment: &Treatment) -> Result<(Answer, Vec<Edit>), Failure> {
    if let Some(about) = &treatment.about {
        return translated::read_answer(body, treatment, about);
    }
    let mut splices = Splices::new(treatment);
    let answer = match treatment.api {
        Api::Messages => messages::read_answer(body, &mut splices),
        Api::Chat | Api::Other => chat::read_answer(body, &mut splices),
        Api::Responses => responses::read_answer(body, treatment.existing, &mut splices),
    }?;
    Ok((answer, splices.edits()))
}

#[cfg(test)]
mod tests;
