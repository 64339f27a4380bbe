//! What a Chat Completions answer says that its maker did not.

use crate::translate::delta::{Finish, Usage};
use crate::translate::json::{Object, write_number, write_string};

/// What a Chat Completions answer says that its maker did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The client wants usage in the stream.
    pub(super) include_usage: bool,
    /// Seconds since 1970, as they are written.
    pub(super) created: Vec<u8>,
    /// The model's name where the provider says none: a JSON string without its quotes.
    pub(super) model: Vec<u8>,
    /// Other members, ready to be written, with a comma behind each.
    pub(super) members: Vec<u8>,
}

impl About {
    /// Keeps what an answer needs.
    pub fn new(include_usage: bool, created: u64, model_fallback: &str) -> Self {
        let (mut digits, mut model) = (Vec::new(), Vec::new());
        write_number(&mut digits, created);
        write_string(&mut model, model_fallback);
        let model = model.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or_default().to_vec();
        About { include_usage, created: digits, model, members: Vec::new() }
    }

    /// Adds a member. `json` has no line breaks.
    pub fn add(&mut self, name: &str, json: &str) {
        write_string(&mut self.members, name);
        self.members.push(b':');
        self.members.extend_from_slice(json.as_bytes());
        self.members.push(b',');
    }

    /// Writes the members up to `choices`, with a comma behind each.
    pub(super) fn write_head(&self, out: &mut Vec<u8>, object: &str, id: &[u8], model: &[u8]) {
        let mut head = Object::bare(out);
        head.text("id", id);
        head.text("object", object.as_bytes());
        head.json("created", &self.created);
        head.text("model", if model.is_empty() { &self.model } else { model });
        out.push(b',');
    }
}

/// The value of `finish_reason`; `called`: the answer calls tools.
pub(super) fn reason(finish: Finish, called: bool) -> &'static [u8] {
    match finish {
        Finish::Whole if called => b"tool_calls",
        Finish::Whole => b"stop",
        Finish::Length => b"length",
        Finish::Filter => b"content_filter",
    }
}

/// Writes an object of usage.
pub(super) fn write_usage(mut object: Object, Usage { counts, total }: &Usage) {
    object.number("prompt_tokens", counts.input);
    object.number("completion_tokens", counts.output);
    object.number("total_tokens", *total);
    let mut input = object.object("prompt_tokens_details");
    input.number("cached_tokens", counts.cached_input);
    input.number("cache_write_tokens", counts.cache_write);
    input.close();
    let mut output = object.object("completion_tokens_details");
    output.number("reasoning_tokens", counts.reasoning);
    output.close();
    object.close();
}

/// Writes a piece of reasoning as its maker takes it back.
pub(super) fn write_thought(out: &mut Vec<u8>, thinking: &[u8], signature: &[u8]) {
    let mut block = Object::open(out);
    block.json("type", b"\"thinking\"");
    block.text("thinking", thinking);
    block.text("signature", signature);
    block.close();
}

/// Writes a piece of reasoning that only its maker can read.
pub(super) fn write_redacted(out: &mut Vec<u8>, data: &[u8]) {
    let mut block = Object::open(out);
    block.json("type", b"\"redacted_thinking\"");
    block.text("data", data);
    block.close();
}
