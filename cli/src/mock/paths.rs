//! Which of the many forms of a provider's paths a request uses (FACTS §8). Reads method and URI only.

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::messages::{self, Call};

/// What a request asks of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A model's answer; the deployment named in the path, if any, wins over the body's model.
    Model {
        /// Of which kind.
        ask: Ask,
        /// Decoded, as it stands in `/openai/deployments/{deployment}/…`.
        deployment: Option<String>,
    },
    /// What the Responses API keeps, and how it is counted.
    State(State),
    /// The Messages API.
    Message(Call),
    /// The list of models.
    Models,
    /// A path of Azure's older API without `api-version`, which Azure does not find.
    NoApiVersion,
    /// `/_mock/{what}`: the mock itself, not the provider.
    Control(String),
    /// Nothing a provider would answer.
    Unknown,
}

/// The kinds of answers that models give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `/chat/completions`.
    Chat,
    /// `/responses`.
    Response,
    /// `/embeddings`.
    Embeddings,
    /// `/completions`.
    Completion,
    /// `/moderations`.
    Moderation,
    /// `/images/generations`.
    Image,
    /// `/audio/transcriptions`.
    Transcription,
}

/// The parts of the Responses API that ask no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// `GET /responses/{id}`.
    Get(String),
    /// `DELETE /responses/{id}`.
    Delete(String),
    /// `POST /responses/{id}/cancel`.
    Cancel(String),
    /// `GET /responses/{id}/input_items`, and its query.
    InputItems(String, String),
    /// `POST /responses/input_tokens`.
    InputTokens,
    /// `POST /conversations`.
    NewConversation,
    /// `GET /conversations/{id}`.
    Conversation(String),
    /// `DELETE /conversations/{id}`.
    DropConversation(String),
}

impl Route {
    /// Whether only a provider with the Responses API has this path.
    pub fn is_responses(&self) -> bool {
        matches!(self, Self::State(_) | Self::Model { ask: Ask::Response, .. })
    }
}

/// The route of a request.
pub fn route(method: &Method, uri: &Uri) -> Route {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let query = uri.query().unwrap_or_default();
    if let Some(call) = messages::call(method, &segments) {
        return Route::Message(call);
    }
    match segments.as_slice() {
        ["_mock", rest @ ..] => Route::Control(rest.join("/")),
        ["openai", "deployments", deployment, rest @ ..] => match ask(method, rest) {
            // Responses names its model in the body only.
            Some(Ask::Response) | None => Route::Unknown,
            Some(_) if !has_api_version(uri) => Route::NoApiVersion,
            Some(ask) => Route::Model { ask, deployment: Some(decoded(deployment)) },
        },
        ["v1", "models"] | ["openai", "v1", "models"] if method == Method::GET => Route::Models,
        ["v1", rest @ ..] | ["openai", "v1", rest @ ..] | ["api", "projects", _, "openai", "v1", rest @ ..] => {
            plain(method, rest, query)
        }
        ["openai", rest @ ..] => match plain(method, rest, query) {
            route if !route.is_responses() => Route::Unknown,
            _ if !has_api_version(uri) => Route::NoApiVersion,
            route => route,
        },
        ["models", rest @ ..] => match plain(method, rest, query) {
            route if route.is_responses() => Route::Unknown,
            route => route,
        },
        rest => plain(method, rest, query),
    }
}

/// The route behind any prefix.
fn plain(method: &Method, rest: &[&str], query: &str) -> Route {
    if let Some(ask) = ask(method, rest) {
        return Route::Model { ask, deployment: None };
    }
    let state = match (method, rest) {
        (&Method::POST, ["responses", "input_tokens"]) => State::InputTokens,
        (&Method::POST, ["responses", id, "cancel"]) => State::Cancel(decoded(id)),
        (&Method::GET, ["responses", id, "input_items"]) => State::InputItems(decoded(id), query.to_owned()),
        (&Method::GET, ["responses", id]) => State::Get(decoded(id)),
        (&Method::DELETE, ["responses", id]) => State::Delete(decoded(id)),
        (&Method::POST, ["conversations"]) => State::NewConversation,
        (&Method::GET, ["conversations", id]) => State::Conversation(decoded(id)),
        (&Method::DELETE, ["conversations", id]) => State::DropConversation(decoded(id)),
        _ => return Route::Unknown,
    };
    Route::State(state)
}

fn ask(method: &Method, rest: &[&str]) -> Option<Ask> {
    if method != Method::POST {
        return None;
    }
    match rest {
        ["chat", "completions"] => Some(Ask::Chat),
        ["responses"] => Some(Ask::Response),
        ["embeddings"] => Some(Ask::Embeddings),
        ["completions"] => Some(Ask::Completion),
        ["moderations"] => Some(Ask::Moderation),
        ["images", "generations"] => Some(Ask::Image),
        ["audio", "transcriptions"] => Some(Ask::Transcription),
        _ => None,
    }
}

/// A segment of a path without percent-encoding.
pub fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn has_api_version(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.strip_prefix("api-version=").is_some_and(|version| !version.is_empty()))
}
