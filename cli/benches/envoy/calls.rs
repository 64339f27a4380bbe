//! What is sent: the same conversations through each API, and streams of each kind.

use crate::config::{CHAT_ONLY, FORGETFUL};
use crate::conversation::{Language, message_request, request, response_request};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Most requests of clients are about this long.
pub const SMALL: usize = 2 << 10;
/// Where bodies are what costs.
pub const LARGE: usize = 1 << 20;
/// Sizes of bodies.
pub const SIZES: [(usize, &str); 3] = [(SMALL, "2 kB"), (64 << 10, "64 kB"), (LARGE, "1 MB")];
/// The router of envoy/envoy.yaml that the measurements ask.
pub const ROUTER: &str = "model-router";
/// The one that Messages are for.
const CLAUDE_ROUTER: &str = "model-router-claude";
/// Served by a provider that speaks both APIs.
const NATIVE: &str = "gpt-4.1-mini";
/// Served by a provider that speaks Messages.
const CLAUDE: &str = "claude-sonnet-4-5";
/// With these a client gets the details of the decision, and names its session.
const OPTED_IN: &[(&str, &str)] = &[
    ("foundry-features", "ModelRouterControls=V1Preview"),
    ("x-ms-session-id", "3f9b2c74-8d51-4e0a-9c6f-5a7e1d20b843"),
];
/// Tokens of each text of a long answer.
const TOKENS: usize = 32;

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where to.
    pub path: &'static str,
    /// Besides those of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// All of it.
    pub body: Bytes,
}

impl Call {
    fn chat(body: Vec<u8>) -> Self {
        Call { path: "/v1/chat/completions", headers: &[], body: body.into() }
    }

    fn responses(body: Vec<u8>) -> Self {
        Call { path: "/v1/responses", headers: &[], body: body.into() }
    }

    fn messages(body: Vec<u8>) -> Self {
        Call { path: "/v1/messages", headers: &[("anthropic-version", "2023-06-01")], body: body.into() }
    }

    /// The same from a client that wants the details of the decision.
    pub fn opted_in(self) -> Self {
        Call { headers: OPTED_IN, ..self }
    }
}

/// A conversation for the router to decide on.
pub fn chat(size: usize) -> Call {
    Call::chat(request(ROUTER, size, Language::English, &Value::Null))
}

/// The same conversation, for a router that keeps no conversation on its model.
pub fn forgotten(size: usize) -> Call {
    Call::chat(request(FORGETFUL, size, Language::English, &Value::Null))
}

/// The same conversation in the Responses API.
pub fn responses(size: usize) -> Call {
    Call::responses(response_request(ROUTER, size, Language::English, &Value::Null))
}

/// And in the Messages API.
pub fn messages(size: usize) -> Call {
    Call::messages(message_request(CLAUDE_ROUTER, size, Language::English, &Value::Null))
}

/// A Responses request for a provider to which it has to be translated.
pub fn translated(size: usize) -> Call {
    Call::responses(response_request(CHAT_ONLY, size, Language::English, &Value::Null))
}

/// A conversation for a model that speaks OpenAI's dialect.
pub fn rewritten(size: usize) -> Call {
    Call::chat(request(NATIVE, size, Language::English, &Value::Null))
}

/// The same for one to which it has to be translated into Messages.
pub fn for_claude(size: usize) -> Call {
    Call::chat(request(CLAUDE, size, Language::English, &Value::Null))
}

/// A Chat stream of so many texts, whose usage is asked for or not.
pub fn chat_stream(texts: usize, usage: bool) -> Call {
    Call::chat(chat_streamed(NATIVE, texts, usage))
}

/// The same, usage asked for, translated from a Messages stream.
pub fn chat_stream_of_claude(texts: usize) -> Call {
    Call::chat(chat_streamed(CLAUDE, texts, true))
}

/// A Responses stream of as many.
pub fn responses_stream(texts: usize) -> Call {
    Call::responses(responses_streamed(NATIVE, texts))
}

/// The same, translated from a Chat stream.
pub fn translated_stream(texts: usize) -> Call {
    Call::responses(responses_streamed(CHAT_ONLY, texts))
}

/// The same, translated from a Messages stream.
pub fn responses_stream_of_claude(texts: usize) -> Call {
    Call::responses(responses_streamed(CLAUDE, texts))
}

/// A Messages stream of as many.
pub fn messages_stream(texts: usize) -> Call {
    let format = json!({"type": "json_schema", "schema": schema(texts)});
    let more = json!({"stream": true, "max_tokens": LIMIT, "output_config": {"format": format}});
    Call::messages(message_request(CLAUDE, SMALL, Language::English, &more))
}

fn chat_streamed(model: &str, texts: usize, usage: bool) -> Vec<u8> {
    let options = if usage { json!({"include_usage": true}) } else { Value::Null };
    let format = json!({"type": "json_schema", "json_schema": {"name": "texts", "schema": schema(texts)}});
    let more = json!({
        "stream": true, "stream_options": options, "max_completion_tokens": LIMIT, "response_format": format,
    });
    request(model, SMALL, Language::English, &more)
}

fn responses_streamed(model: &str, texts: usize) -> Vec<u8> {
    let format = json!({"type": "json_schema", "name": "texts", "schema": schema(texts)});
    let more = json!({"stream": true, "max_output_tokens": LIMIT, "text": {"format": format}});
    response_request(model, SMALL, Language::English, &more)
}

/// Does not cut a long answer off.
const LIMIT: usize = 8192;

/// What makes the mock provider answer at length, with the same tokens in every API: a schema that asks for many texts
/// in few bytes, because a response repeats its request's. Of Claude no lengths of texts and lists can be asked.
fn schema(texts: usize) -> Value {
    let names: Vec<String> = (0..texts).map(|index| format!("t{index}")).collect();
    let properties: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({"$ref": "#/$defs/text"}))).collect();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false,
        "$defs": {"text": {"type": "string", "const": " token".repeat(TOKENS)}}})
}
