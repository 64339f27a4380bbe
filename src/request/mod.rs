//! Reads a request: which API, which model, and what it needs.
//!
//! Owns the paths of the known APIs, the JSON reader and the view of a body as spans. Never decides where a request
//! goes and never changes a byte.

mod chat;
mod content;
mod controls;
mod conversation;
mod count;
mod form;
pub mod json;
mod members;
mod messages;
mod named;
mod path;
mod responses;
mod state;

pub use chat::read_chat;
pub use controls::{Controls, SessionControls, is_session_id, read_controls};
pub use conversation::{Conversation, Texts};
pub use form::{boundary, read_form};
pub use members::read_members;
pub(crate) use members::string_member;
pub use messages::{BETAS, betas, is_beta, read_messages};
pub use named::read_named;
pub(crate) use path::{COUNT_TOKENS, percent_decode};
pub use path::{Endpoint, Kept, Target, shape_of_unknown, target};
pub use responses::read_responses;
pub use state::{State, Thought, marks};

use json::{JsonError, Span};
use std::borrow::Cow;

/// A model API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// Any other that names its model: embeddings and the like.
    Other,
}

/// Whose shape errors take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    OpenAi,
    Azure,
    Anthropic,
}

/// A member of the body's outermost object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key's text between its quotes.
    pub key: Span,
    /// The value, strings with their quotes.
    pub value: Span,
}

impl Member {
    /// The key's value. `body` is the body it was read from.
    pub fn name<'a>(&self, body: &'a [u8]) -> Cow<'a, str> {
        let raw = self.key.of(body);
        json::Text { span: self.key, escaped: raw.contains(&b'\\') }.value(body)
    }
}

/// The outermost object of a body: enough to edit it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Length of the body in bytes; spans belong to a body of this length only.
    pub length: usize,
    /// Offset of the first byte inside the object's brace.
    pub inside: usize,
    /// In the order of the body; no key occurs twice.
    pub list: Vec<Member>,
}

impl Members {
    /// The member of this name.
    pub fn get(&self, body: &[u8], name: &str) -> Option<&Member> {
        self.list.iter().find(|member| member.name(body) == name)
    }
}

/// What deciding and rewriting need to know of a request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The API that was called.
    pub api: Api,
    /// The bytes that spans point into.
    pub body: &'a [u8],
    /// Members of the outermost object.
    pub members: Members,
    /// `model` of the body; the path's deployment beats it.
    pub model: Option<Cow<'a, str>>,
    /// Whether the answer is a stream of events.
    pub stream: bool,
    /// Whether the client asked for usage in the stream.
    pub include_usage: bool,
    /// Whether the answer is made in the background, to be fetched later.
    pub background: bool,
    /// Requested limit of output tokens.
    pub max_output: Option<u32>,
    /// Reasoning effort, as sent.
    pub effort: Option<Cow<'a, str>>,
    /// The type of a Messages request's `thinking`, as sent: `enabled`, `adaptive`, `disabled`.
    pub thinking: Option<Cow<'a, str>>,
    /// Features in beta that a client of Messages asks for, each once and fit for a header.
    pub betas: Vec<String>,
    /// What a model must be able to take.
    pub needs: Needs,
    /// What of a Chat Completions request not every provider takes.
    pub corners: Corners,
    /// Estimated input tokens: messages, tools, images.
    pub input_tokens: u32,
    /// Messages, or items, in the conversation.
    pub messages: u32,
    /// Where the texts stand that tell what is asked.
    pub conversation: Conversation,
    /// What it refers to that one provider keeps.
    pub state: State,
    /// The conversation is text in messages, and nothing else: any API can express it.
    pub plain_input: bool,
    /// `previous_response_id`, as sent.
    pub previous_response: Option<Cow<'a, str>>,
    /// The id of `conversation`, as sent.
    pub kept_conversation: Option<Cow<'a, str>>,
}

impl<'a> Request<'a> {
    /// A request of which nothing is read yet.
    fn new(api: Api, body: &'a [u8]) -> Self {
        Request {
            api,
            body,
            members: Members::default(),
            model: None,
            stream: false,
            include_usage: false,
            background: false,
            max_output: None,
            effort: None,
            thinking: None,
            betas: Vec::new(),
            needs: Needs::default(),
            corners: Corners::default(),
            input_tokens: 0,
            messages: 0,
            conversation: Conversation::default(),
            state: State::default(),
            plain_input: true,
            previous_response: None,
            kept_conversation: None,
        }
    }
}

/// What a model must be able to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Image parts.
    pub images: bool,
    /// Audio parts, or an answer that is to be spoken.
    pub audio: bool,
    /// At least one tool.
    pub tools: bool,
    /// `response_format: json_schema`.
    pub json_schema: bool,
    /// `response_format: json_object`.
    pub json_object: bool,
    /// File parts: documents, as a rule.
    pub files: bool,
    /// An image or a document of a Messages request is to be fetched from a URL.
    pub urls: bool,
    /// `tool_choice` leaves no answer without a call.
    pub forced_tool: bool,
    /// The last message is the assistant's, for the model to go on with.
    pub prefill: bool,
}

/// Members of a Chat Completions request that some providers, or other APIs, do not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corners {
    /// A message, not a tool's, has a `name`.
    pub names: bool,
    /// A message has `reasoning_content`.
    pub reasoning: bool,
    /// A message has `thinking_blocks`.
    pub thinking_blocks: bool,
    /// A message is the developer's.
    pub developer: bool,
    /// A message, a part or a tool has `cache_control`.
    pub cache_marks: bool,
    /// The tools say `strict`, whatever its value.
    pub strict_tools: bool,
    /// The assistant called tools in a message without reasoning.
    pub silent_calls: bool,
    /// In Messages: the turn that the model is to go on with has called tools without thinking.
    pub unsigned_calls: bool,
}

/// Why a body cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing was sent.
    Empty,
    /// Not JSON.
    Json(JsonError),
    /// JSON, but not this API's request.
    Invalid {
        /// The member that is wrong: `messages[2].content`.
        param: String,
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl ReadError {
    /// The member that is wrong, where one can be named.
    pub fn param(&self) -> Option<&str> {
        match self {
            ReadError::Invalid { param, .. } => Some(param),
            _ => None,
        }
    }

    /// Stable machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::Empty | ReadError::Json(_) => "invalid_json",
            ReadError::Invalid { .. } => "invalid_request",
        }
    }
}

impl core::fmt::Display for ReadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ReadError::Empty => f.write_str("The request has no body; a JSON object is expected."),
            ReadError::Json(error) => write!(f, "The body is not valid JSON: {error}."),
            ReadError::Invalid { param, rule } => write!(f, "'{param}' {rule}."),
        }
    }
}

impl From<JsonError> for ReadError {
    fn from(error: JsonError) -> Self {
        ReadError::Json(error)
    }
}

#[cfg(test)]
mod tests;
