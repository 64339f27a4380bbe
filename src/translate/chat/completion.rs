//! Writes an answer as one Chat Completions object.
//!
//! Owns what a message gathers before it is written. Texts stay as they came, escaped.

use super::about::{About, reason, write_redacted, write_thought, write_usage};
use crate::translate::delta::{Delta, Finish, Usage};
use crate::translate::json::{Object, array, escape_json};

/// Turns the deltas of a whole answer into a Chat Completions object.
pub struct Whole<'a> {
    about: &'a About,
    id: Vec<u8>,
    model: Vec<u8>,
    content: Vec<u8>,
    refusal: Vec<u8>,
    reasoning: Vec<u8>,
    /// Where in `reasoning` the piece begins that has no signature yet.
    unsigned: usize,
    /// Pieces of reasoning for their maker, written, with commas between them.
    thoughts: Vec<u8>,
    calls: Vec<Call>,
    finish: Finish,
    usage: Option<Usage>,
    has_begun: bool,
    has_failed: bool,
}

struct Call {
    index: u64,
    id: Vec<u8>,
    name: Vec<u8>,
    input: Vec<u8>,
}

impl<'a> Whole<'a> {
    /// An answer of which nothing has been read yet.
    pub fn new(about: &'a About) -> Self {
        Whole {
            about,
            id: Vec::new(),
            model: Vec::new(),
            content: Vec::new(),
            refusal: Vec::new(),
            reasoning: Vec::new(),
            unsigned: 0,
            thoughts: Vec::new(),
            calls: Vec::new(),
            // A whole answer that does not say why it ended did not end early.
            finish: Finish::Whole,
            usage: None,
            has_begun: false,
            has_failed: false,
        }
    }

    /// Takes a step of the answer.
    pub fn take(&mut self, delta: Delta) {
        match delta {
            Delta::Start(start) => {
                self.has_begun |= start.begun;
                self.id.extend_from_slice(start.id);
                self.model.extend_from_slice(start.model);
            }
            Delta::Reasoning(text) => self.reasoning.extend_from_slice(text),
            Delta::Signature(signature) => {
                let thinking = self.reasoning.get(self.unsigned..).unwrap_or_default();
                write_thought(next(&mut self.thoughts), thinking, signature);
                self.unsigned = self.reasoning.len();
            }
            Delta::Redacted(data) => write_redacted(next(&mut self.thoughts), data),
            Delta::Text { text, .. } => self.content.extend_from_slice(text),
            Delta::Refusal(text) => self.refusal.extend_from_slice(text),
            Delta::CallStart { index, id, name, .. } => {
                self.calls.push(Call { index, id: id.to_vec(), name: name.to_vec(), input: Vec::new() });
            }
            Delta::CallInput { index, input } => self.input(index, |into| into.extend_from_slice(input)),
            Delta::CallObject { index, input } => self.input(index, |into| escape_json(into, input.bytes())),
            Delta::CallEnd { index } => self.input(index, |into| {
                if into.is_empty() {
                    into.extend_from_slice(b"{}");
                }
            }),
            Delta::Finish(finish) => self.finish = finish,
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Fault(_) => self.has_failed = true,
            Delta::End => {}
        }
    }

    fn input(&mut self, index: u64, add: impl FnOnce(&mut Vec<u8>)) {
        // An answer is read in its order.
        if let Some(call) = self.calls.last_mut().filter(|call| call.index == index) {
            add(&mut call.input);
        }
    }

    /// The object; `None` where there was no answer.
    pub fn finish(self) -> Option<Vec<u8>> {
        if !self.has_begun || self.has_failed {
            return None;
        }
        let mut out = vec![b'{'];
        out.extend_from_slice(&self.about.members);
        self.about.write_head(&mut out, "chat.completion", &self.id, &self.model);
        out.extend_from_slice(b"\"choices\":[");
        let mut choice = Object::open(&mut out);
        choice.number("index", 0);
        self.write_message(choice.object("message"));
        choice.json("logprobs", b"null");
        choice.text("finish_reason", reason(self.finish, !self.calls.is_empty()));
        choice.close().push(b']');
        if let Some(usage) = &self.usage {
            out.extend_from_slice(b",\"usage\":");
            write_usage(Object::open(&mut out), usage);
        }
        out.push(b'}');
        Some(out)
    }

    fn write_message(&self, mut message: Object) {
        message.json("role", b"\"assistant\"");
        match self.content.is_empty() && (!self.calls.is_empty() || !self.refusal.is_empty()) {
            true => message.json("content", b"null"),
            false => message.text("content", &self.content),
        }
        match self.refusal.as_slice() {
            b"" => message.json("refusal", b"null"),
            refusal => message.text("refusal", refusal),
        }
        if !self.reasoning.is_empty() {
            message.text("reasoning_content", &self.reasoning);
        }
        if !self.thoughts.is_empty() {
            let out = message.key("thinking_blocks");
            out.push(b'[');
            out.extend_from_slice(&self.thoughts);
            out.push(b']');
        }
        if !self.calls.is_empty() {
            array(message.key("tool_calls"), &self.calls, |out, call| {
                let mut object = Object::open(out);
                object.text("id", &call.id);
                object.json("type", b"\"function\"");
                let mut function = object.object("function");
                function.text("name", &call.name);
                function.text("arguments", &call.input);
                function.close();
                object.close();
            });
        }
        message.close();
    }
}

/// The place for the next item of a list.
fn next(list: &mut Vec<u8>) -> &mut Vec<u8> {
    if !list.is_empty() {
        list.push(b',');
    }
    list
}
