//! Lets a client speak one API and a provider another.
//!
//! Owns the conversion of requests, answers and streams by way of one model of a conversation ([`conversation`]) and of
//! an answer ([`delta`]): each API has a reader and a writer, and none knows another. Texts pass as the bytes they were
//! sent as. Never decides whether to translate, never sends anything.
//!
//! So far: Responses requests to Chat Completions, and its answers back; answers of Messages to either.

mod about;
mod chat;
mod conversation;
mod delta;
mod json;
mod messages;
mod path;
mod responses;
mod stream;

pub use about::About;
pub(crate) use delta::{Delta, Fault};
pub(crate) use messages::{
    Counts as MessagesCounts, event as messages_event, event_type as messages_event_type, whole as messages_answer,
};
pub use stream::Stream;
pub(crate) use stream::answer;

use crate::request::{Members, ReadError};
use path::Stop;

/// What a Responses request becomes.
#[derive(Clone, Copy, Debug)]
pub struct ToChat<'a> {
    /// `model` for the provider.
    pub model: &'a str,
    /// What this model calls its limit of output tokens: `max_completion_tokens` or `max_tokens`.
    pub limit: &'a str,
    /// What this model calls earlier reasoning, where it wants that back: `reasoning_content`. Most refuse it.
    pub reasoning: Option<&'a str>,
    /// Members that this model refuses, in the words of the Responses API: `temperature`, `reasoning.effort`.
    /// `stream_options` keeps the stream from being asked for its usage.
    pub drop: &'a [String],
}

/// Writes a Responses request as a Chat Completions request. `members` are those of the body.
///
/// # Errors
/// [`ReadError`] when the body is no Responses request, or has an [`obstacle`].
pub fn request(body: &[u8], members: &Members, to: &ToChat) -> Result<Vec<u8>, ReadError> {
    let conversation = responses::read(body, members, to.drop, true).map_err(|stop| match stop {
        Stop::Read(error) => error,
        Stop::Obstacle(param) => ReadError::Invalid { param, rule: "cannot be expressed in Chat Completions" },
    })?;
    let ask_usage = !to.drop.iter().any(|name| name == "stream_options");
    let target = chat::Target { model: to.model, limit: to.limit, reasoning: to.reasoning, ask_usage };
    Ok(chat::write(&conversation, &target))
}

/// Names the first thing in a Responses request that Chat Completions cannot express; `None` where it can be translated.
/// `plain_input`: whoever read the request knows that its `input` is no obstacle, and it need not be read again.
///
/// # Errors
/// [`ReadError`] when the body is no Responses request.
pub fn obstacle(body: &[u8], members: &Members, plain_input: bool) -> Result<Option<String>, ReadError> {
    match responses::read(body, members, &[], !plain_input) {
        Ok(_) => Ok(None),
        Err(Stop::Obstacle(name)) => Ok(Some(name)),
        Err(Stop::Read(error)) => Err(error),
    }
}

/// Names the parameters of a Responses request that have no counterpart and are left out without harm to the answer's
/// meaning; top-level or dotted, and fit for a header.
///
/// # Errors
/// [`ReadError`] when an object in the body names a member twice.
pub fn left_out(body: &[u8], members: &Members) -> Result<Vec<String>, ReadError> {
    responses::left_out(body, members)
}

#[cfg(test)]
mod tests;
