//! Lets a client speak one API and a provider another.
//!
//! Owns the conversion of requests, answers and streams by way of one model of a conversation ([`conversation`]) and of
//! an answer ([`delta`]): each API has a reader and a writer, and none knows another. Texts pass as the bytes they were
//! sent as. Never decides whether to translate, never sends anything.
//!
//! Requests in Chat Completions and Responses go to Messages, those in Responses to Chat Completions too; answers come
//! back the same way.

mod about;
mod body;
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
    CACHE_MARK, Counts as MessagesCounts, LONG_PREFIX, event as messages_event, event_type as messages_event_type,
    thinking, whole as messages_answer,
};
pub use stream::Stream;
pub(crate) use stream::answer;

use crate::decide::Thinking;
use crate::request::{Api, Members, ReadError};
use conversation::Conversation;
use path::Stop;

/// What a request is in another API than the one that was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translation {
    /// What cannot be expressed; then it cannot be translated.
    pub obstacle: Option<String>,
    /// Where an image or a document is no more than a URL, which not every provider fetches.
    pub url: Option<String>,
    /// Parameters that have no counterpart and are left out without harm to the answer's meaning; top-level or dotted,
    /// and fit for a header.
    pub left_out: Vec<String>,
    /// A tool must be called.
    pub forced: bool,
    /// It has tools that must be kept to the letter.
    pub strict: bool,
    /// Calls whose results came last were made without thinking that can be shown to Messages.
    pub unsigned: bool,
}

/// What a request becomes.
#[derive(Clone, Copy, Debug)]
pub enum To<'a> {
    /// A Chat Completions request.
    Chat(ToChat<'a>),
    /// A Messages request.
    Messages(ToMessages<'a>),
}

/// What a Chat Completions model wants.
#[derive(Clone, Copy, Debug)]
pub struct ToChat<'a> {
    /// `model` for the provider.
    pub model: &'a str,
    /// What this model calls its limit of output tokens: `max_completion_tokens` or `max_tokens`.
    pub limit: &'a str,
    /// What this model calls earlier reasoning, where it wants that back: `reasoning_content`. Most refuse it.
    pub reasoning: Option<&'a str>,
    /// What it calls the effort that is asked for, or [`crate::catalog::DISABLED`]; `None`: as it was sent.
    pub effort: Option<&'a str>,
}

/// What a Messages model and its provider want.
#[derive(Clone, Copy, Debug)]
pub struct ToMessages<'a> {
    /// `model`; `None` where the path names it.
    pub model: Option<&'a str>,
    /// `anthropic_version`, where it stands in the body.
    pub version: Option<&'a str>,
    /// `stream` stands in the body; else the path says so.
    pub stream: bool,
    /// The limit of output tokens of a request that has none.
    pub max_tokens: u32,
    /// How it is asked to think.
    pub thinking: Option<Thinking>,
    /// A long prefix is marked for the prompt cache.
    pub cache_prefix: bool,
}

/// Writes a request of `api` as another API's. `members` are those of the body; those in `drop`, in the words of `api`,
/// are as absent. `stream_options` there keeps a stream from being asked for its usage.
///
/// # Errors
/// [`ReadError`] when the body is no such request, or has an obstacle that reading it shows. [`check`] knows all of them:
/// what is written in spite of one may be no request.
pub fn request(api: Api, body: &[u8], members: &Members, drop: &[String], to: &To) -> Result<Vec<u8>, ReadError> {
    let conversation = read(api, body, members, drop, true).map_err(|stop| match stop {
        Stop::Read(error) => error,
        Stop::Obstacle(param) => ReadError::Invalid { param, rule: "cannot be expressed in the provider's API" },
    })?;
    let drops = |name: &str| drop.iter().any(|dropped| dropped == name);
    Ok(match to {
        To::Chat(to) => chat::write(&conversation, to, !drops("stream_options")),
        To::Messages(to) => {
            let strict = !drops("tools.function.strict") && !drops("tools.strict");
            messages::write(&conversation, to, strict)
        }
    })
}

/// Finds out what a request of `api` is in `wire`. `plain_input`: whoever read the request knows that its messages are
/// no obstacle, and they need not be read again.
///
/// # Errors
/// [`ReadError`] when an object in the body names a member twice.
pub fn check(api: Api, wire: Api, body: &[u8], members: &Members, plain_input: bool) -> Result<Translation, ReadError> {
    if plain_input && members.list.iter().all(|member| PLAIN.contains(&&*member.name(body))) {
        return Ok(Translation::default());
    }
    let obstacle = match read(api, body, members, &[], !plain_input) {
        Ok(conversation) if wire == Api::Messages => {
            let mut translation = messages::check(api, &conversation);
            let lost = left_out(api, wire, body, members)?;
            translation.left_out.splice(0..0, lost);
            return Ok(translation);
        }
        Ok(_) => None,
        Err(Stop::Obstacle(name)) => Some(name),
        // A request that only the translation cannot read is for providers that speak the API.
        Err(Stop::Read(error)) => Some(error.param().unwrap_or("messages").to_owned()),
    };
    Ok(Translation { obstacle, left_out: left_out(api, wire, body, members)?, ..Translation::default() })
}

/// Members of both of OpenAI's APIs that whoever read the request has looked at, and that every API can express.
const PLAIN: [&str; 7] =
    ["model", "messages", "input", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens"];

fn read<'a>(
    api: Api,
    body: &'a [u8],
    members: &Members,
    drop: &[String],
    with_input: bool,
) -> Result<Conversation<'a>, Stop> {
    match api {
        Api::Responses => responses::read(body, members, drop, with_input),
        _ => chat::read_request(body, members, drop, with_input),
    }
}

fn left_out(api: Api, wire: Api, body: &[u8], members: &Members) -> Result<Vec<String>, ReadError> {
    match api {
        Api::Responses => responses::left_out(body, members, wire),
        _ => Ok(chat::left_out(body, members)),
    }
}

/// A name as it may stand in a header: the client chose it.
fn fit(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(plain);
    if fits { name.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests;
