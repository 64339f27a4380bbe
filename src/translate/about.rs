//! What the translation of an answer has to know beyond the answer.

use super::{chat, responses};
use crate::request::Members;

/// What the translation of an answer has to know beyond the answer: among it, for which API it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About(pub(super) Client);

/// The API that the client called, and what its answers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Responses(responses::About),
    Chat(chat::About),
}

impl About {
    /// For an answer to the Responses request `body` with these members: what is repeated of it, where there is nothing
    /// the defaults. `mark` goes into the ids; `created`, in seconds since 1970, and `model_fallback` stand where the provider
    /// says neither.
    pub fn new(body: &[u8], members: &Members, mark: String, created: u64, model_fallback: &str) -> Self {
        About(Client::Responses(responses::About::new(body, members, mark, created, model_fallback)))
    }

    /// For an answer to a Chat Completions request. `created` is in seconds since 1970; `model_fallback` stands where the
    /// provider names no model.
    pub fn chat(include_usage: bool, created: u64, model_fallback: &str) -> Self {
        About(Client::Chat(chat::About::new(include_usage, created, model_fallback)))
    }

    /// Adds a member to every response object, or to a whole Chat answer and to the first chunk of a stream. `json` has
    /// no line breaks.
    pub fn add(&mut self, name: &str, json: &str) {
        match &mut self.0 {
            Client::Responses(about) => about.add(name, json),
            Client::Chat(about) => about.add(name, json),
        }
    }
}
