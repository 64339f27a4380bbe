//! Paths of model APIs.
//!
//! Owns which path means what, whose error shape it implies, and what a path may name. Never reads a body.

use super::{Api, Shape};
use std::borrow::Cow;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// What is called.
    pub endpoint: Endpoint<'a>,
    /// Whose shape errors take.
    pub shape: Shape,
    /// The deployment in the path, percent-decoded; it beats the body's model.
    pub deployment: Option<Cow<'a, str>>,
    /// The query, without its question mark.
    pub query: &'a str,
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// A model, by a router or by its name.
    Model(Api),
    /// A model by its name, embeddings and the like, or what works on a Responses or Messages request. The path behind
    /// the prefix.
    Named(&'static str),
    /// Something that a provider keeps.
    Kept(Kept<'a>),
    /// The list of routers and models.
    Models,
    /// The entry of this name in that list, percent-decoded.
    Entry(Cow<'a, str>),
    /// Azure's inference API: what answers here.
    Info,
    /// The decision on a request, without sending it.
    Explain,
}

/// Something that a provider keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// `responses` or `conversations`.
    pub collection: &'static str,
    /// Its id as the client knows it; empty for a conversation that is to be made.
    pub id: &'a str,
    /// What follows the id, with its slash: `/cancel`, `/input_items`.
    pub rest: &'a str,
}

impl Kept<'_> {
    /// Whether the API has this method.
    pub fn allows(&self, method: &str) -> bool {
        match (self.collection, self.id, self.rest) {
            ("responses", _, "") => matches!(method, "GET" | "DELETE"),
            ("responses", _, "/cancel") | (_, "", _) => method == "POST",
            ("responses", ..) => method == "GET",
            _ => matches!(method, "GET" | "POST" | "DELETE"),
        }
    }
}

/// Endpoints that take a model's name.
const NAMED: [&str; 10] = [
    "embeddings",
    "completions",
    "moderations",
    "images/generations",
    "images/edits",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "responses/input_tokens",
    "responses/compact",
];

/// What counts the tokens of a Messages request.
pub(crate) const COUNT_TOKENS: &str = "messages/count_tokens";

/// The path of explanations.
pub const EXPLAIN: &str = "/model-router/explain";

/// Reads a `:path` (query included); `None` where it is no model API.
///
/// Prefixes: `/v1`, `/anthropic/v1`, `/openai/v1`, `/openai`, `/models`, `/api/projects/{project}/openai/v1`,
/// `/openai/deployments/{deployment}` or nothing.
pub fn target(path: &str) -> Option<Target<'_>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path == EXPLAIN {
        return Some(Target { endpoint: Endpoint::Explain, shape: Shape::OpenAi, deployment: None, query });
    }
    let (prefix, rest) = split(path)?;
    let has_api_version = query.split('&').any(|pair| pair.starts_with("api-version="));
    let shape = match prefix {
        Prefix::Root if has_api_version => Shape::Azure,
        // Nobody else has these paths.
        Prefix::V1 if is_messages(rest) => Shape::Anthropic,
        Prefix::Anthropic => Shape::Anthropic,
        Prefix::Root | Prefix::V1 => Shape::OpenAi,
        _ => Shape::Azure,
    };
    let endpoint = endpoint(&prefix, rest)?;
    let deployment = match prefix {
        Prefix::Deployment(name) => Some(percent_decode(name)),
        _ => None,
    };
    Some(Target { endpoint, shape, deployment, query })
}

/// Whose shape the error takes that a path is unknown.
pub fn shape_of_unknown(path: &str) -> Shape {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match path.strip_prefix("/anthropic") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Shape::Anthropic,
        _ => Shape::OpenAi,
    }
}

fn is_messages(rest: &str) -> bool {
    rest == "messages" || rest == COUNT_TOKENS
}

#[derive(Clone, Copy, PartialEq)]
enum Prefix<'a> {
    Root,
    V1,
    /// `/anthropic/v1`, where Azure has Anthropic's API.
    Anthropic,
    /// `/openai`, `/openai/v1` and projects.
    Azure,
    /// `/models`, Azure's inference API.
    Inference,
    Deployment(&'a str),
}

/// A path's prefix, and what follows it without a leading slash.
fn split(path: &str) -> Option<(Prefix<'_>, &str)> {
    if let Some(rest) = path.strip_prefix("/openai/deployments/") {
        let (deployment, rest) = rest.split_once('/')?;
        return (!deployment.is_empty()).then_some((Prefix::Deployment(deployment), rest));
    }
    if let Some(rest) = path.strip_prefix("/api/projects/") {
        let (project, rest) = rest.split_once('/')?;
        return Some((Prefix::Azure, rest.strip_prefix("openai/v1/")?)).filter(|_| !project.is_empty());
    }
    let known = [
        ("/openai/v1/", Prefix::Azure),
        ("/openai/", Prefix::Azure),
        ("/v1/", Prefix::V1),
        ("/anthropic/v1/", Prefix::Anthropic),
    ];
    if let Some((prefix, rest)) = known.into_iter().find_map(|(text, prefix)| Some((prefix, path.strip_prefix(text)?)))
    {
        return Some((prefix, rest));
    }
    // `/models/chat/completions` is Azure's inference API, `/models/gpt-5` an entry of the list.
    match path.strip_prefix("/models/") {
        Some(rest @ ("chat/completions" | "embeddings" | "info")) => Some((Prefix::Inference, rest)),
        _ => Some((Prefix::Root, path.strip_prefix('/')?)),
    }
}

fn endpoint<'a>(prefix: &Prefix, rest: &'a str) -> Option<Endpoint<'a>> {
    match rest {
        "messages" if has_messages(prefix) => return Some(Endpoint::Model(Api::Messages)),
        COUNT_TOKENS if has_messages(prefix) => return Some(Endpoint::Named(COUNT_TOKENS)),
        _ if *prefix == Prefix::Anthropic => return listed(rest),
        "chat/completions" => return Some(Endpoint::Model(Api::Chat)),
        "info" if *prefix == Prefix::Inference => return Some(Endpoint::Info),
        _ => {}
    }
    if let Some(named) = NAMED.iter().find(|named| **named == rest) {
        return Some(Endpoint::Named(named));
    }
    if let Prefix::Deployment(_) = prefix {
        return None;
    }
    match rest.split_once('/').unwrap_or((rest, "")) {
        ("models" | "deployments", _) => listed(rest),
        ("info", "") if *prefix == Prefix::Root => Some(Endpoint::Info),
        ("responses", "") if rest == "responses" => Some(Endpoint::Model(Api::Responses)),
        ("responses", id) if !id.is_empty() => kept("responses", id),
        ("conversations", id) if rest == "conversations" || !id.is_empty() => kept("conversations", id),
        _ => None,
    }
}

fn has_messages(prefix: &Prefix) -> bool {
    matches!(prefix, Prefix::V1 | Prefix::Anthropic)
}

/// The list of models, or the entry of one.
fn listed(rest: &str) -> Option<Endpoint<'_>> {
    match rest.split_once('/').unwrap_or((rest, "")) {
        ("models" | "deployments", "") if !rest.ends_with('/') => Some(Endpoint::Models),
        ("models" | "deployments", name) if !name.is_empty() => Some(Endpoint::Entry(percent_decode(name))),
        _ => None,
    }
}

/// `id` or `id/…`; an id has nothing that means something in a path.
fn kept<'a>(collection: &'static str, path: &'a str) -> Option<Endpoint<'a>> {
    let end = path.find('/').unwrap_or(path.len());
    let (id, rest) = path.split_at(end);
    let plain = |text: &str, also: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || also.contains(&byte))
    };
    let known = collection != "responses" || ["", "/cancel", "/input_items"].contains(&rest);
    let good = known && plain(id, b"") && plain(rest, b"/") && (!id.is_empty() || rest.is_empty());
    good.then_some(Endpoint::Kept(Kept { collection, id, rest }))
}

/// Undoes `%41`; what is no valid escape stays, and what is no UTF-8 is replaced.
pub(crate) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escape = after
            .first_chunk::<2>()
            .filter(|_| first == b'%')
            .and_then(|&[high, low]| Some((char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?) as u8));
        match escape {
            Some(byte) => {
                decoded.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => decoded.push(first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}
