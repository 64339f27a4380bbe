//! What is sent: the same conversations through each API, and streams of each kind.

use crate::config::{CHAT_ONLY, FORGETFUL};
use crate::conversation::{Language, request, response_request};
use bytes::Bytes;
use serde_json::{Value, json};

/// Sizes of bodies.
pub const SIZES: [(usize, &str); 3] = [(2 << 10, "2 kB"), (64 << 10, "64 kB"), (1 << 20, "1 MB")];
/// The router of envoy/envoy.yaml that the measurements ask.
const ROUTER: &str = "model-router";
/// Served by a provider that speaks both APIs.
const NATIVE: &str = "gpt-4.1-mini";
/// With these a client gets the details of the decision, and names its session.
const OPTED_IN: &[(&str, &str)] = &[
    ("foundry-features", "ModelRouterControls=V1Preview"),
    ("x-ms-session-id", "3f9b2c74-8d51-4e0a-9c6f-5a7e1d20b843"),
];
/// Tokens of the mock provider's usual answer.
const TOKENS: usize = 32;
/// Bytes of the mock provider's tokens in a text without spaces.
const TOKEN: usize = 12;

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

/// The same for a provider to which it has to be translated.
pub fn translated(size: usize) -> Call {
    Call::responses(response_request(CHAT_ONLY, size, Language::English, &Value::Null))
}

/// A Chat stream with so many choices, whose usage is asked for or not.
pub fn chat_stream(choices: usize, usage: bool) -> Call {
    let options = if usage { json!({"include_usage": true}) } else { Value::Null };
    let more = json!({"stream": true, "n": choices, "stream_options": options});
    Call::chat(request(NATIVE, 2 << 10, Language::English, &more))
}

/// A Responses stream with as many tokens as a Chat stream with so many choices.
pub fn responses_stream(choices: usize) -> Call {
    Call::responses(response_request(NATIVE, 2 << 10, Language::English, &long_answer(choices)))
}

/// The same, translated from a Chat stream.
pub fn translated_stream(choices: usize) -> Call {
    Call::responses(response_request(CHAT_ONLY, 2 << 10, Language::English, &long_answer(choices)))
}

/// What makes the mock provider answer at length. The Responses API has no choices, but a schema can ask for long texts
/// in a few bytes, of which a response repeats its request's.
fn long_answer(choices: usize) -> Value {
    // The mock provider makes no text of more than 4096 bytes, and no list of more than 16.
    let text = json!({"type": "string", "minLength": 4 * TOKENS * TOKEN});
    let texts = json!({"type": "array", "minItems": choices / 4, "items": text});
    let schema = json!({"type": "object", "properties": {"texts": texts}, "required": ["texts"],
        "additionalProperties": false});
    // The limit would cut it off.
    json!({"stream": true, "max_output_tokens": 8192,
        "text": {"format": {"type": "json_schema", "name": "texts", "schema": schema}}})
}
