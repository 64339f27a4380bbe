//! Writes an answer as the chunks of a Chat Completions stream.
//!
//! Owns what all chunks have in common, which is written once, and the numbers of calls. Holds nothing of the answer's
//! text: what it keeps does not grow with it.

use super::about::{About, reason, write_redacted, write_thought, write_usage};
use crate::translate::delta::{Delta, Fault, Finish, Usage};
use crate::translate::json::{Object, escape_json, write_number};

/// Calls among which a piece of a call finds its own.
const MOST_OPEN: usize = 512;

/// Turns the deltas of a stream into chunks.
#[derive(Debug)]
pub struct Stream {
    about: About,
    id: Vec<u8>,
    model: Vec<u8>,
    /// What every chunk begins with, up to the value of `choices`; empty until the first one.
    head: Vec<u8>,
    calls: Vec<Call>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    end: Option<End>,
}

#[derive(Debug)]
struct Call {
    /// By which pieces of it name it.
    index: u64,
    has_input: bool,
}

/// How the stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    Failed,
}

impl Stream {
    /// A stream of which nothing has come yet.
    pub fn new(about: About) -> Self {
        Stream {
            about,
            id: Vec::new(),
            model: Vec::new(),
            head: Vec::new(),
            calls: Vec::new(),
            finish: None,
            usage: None,
            end: None,
        }
    }

    /// Takes a step of the answer, and adds the chunks to `out` that it becomes.
    pub fn take(&mut self, delta: Delta, out: &mut Vec<u8>) {
        if self.end.is_some() {
            return;
        }
        match delta {
            Delta::Start(start) => {
                for (kept, said) in [(&mut self.id, start.id), (&mut self.model, start.model)] {
                    if kept.is_empty() {
                        kept.extend_from_slice(said);
                    }
                }
                if start.begun {
                    self.begin(out);
                }
            }
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Fault(fault) => self.fail(&fault, out),
            Delta::End => self.close(out),
            // What comes after its end is not part of the answer.
            _ if self.finish.is_some() => {}
            Delta::Finish(finish) => self.finish = Some(finish),
            Delta::Reasoning(text) => self.delta(out, |delta| delta.text("reasoning_content", text)),
            // The thinking itself has gone already; that it is the rest of it, its place says.
            Delta::Signature(signature) => self.thought(out, |out| write_thought(out, b"", signature)),
            Delta::Redacted(data) => self.thought(out, |out| write_redacted(out, data)),
            Delta::Text { text, .. } => self.delta(out, |delta| delta.text("content", text)),
            Delta::Refusal(text) => self.delta(out, |delta| delta.text("refusal", text)),
            Delta::CallStart { index, id, name, .. } => self.call(index, id, name, out),
            Delta::CallInput { index, input } => self.input(index, false, out, |out| out.extend_from_slice(input)),
            Delta::CallObject { index, input } => self.input(index, false, out, |out| escape_json(out, input.bytes())),
            Delta::CallEnd { index } => self.input(index, true, out, |out| out.extend_from_slice(b"{}")),
        }
    }

    /// No more comes: an answer that has not come to its end has failed.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.end.is_none() {
            let message = b"The provider's stream ended early.".as_slice();
            let kind = Some(b"server_error".as_slice());
            let fault = Fault { kind, code: Some(b"incomplete_answer"), message: Some(message), ..Fault::default() };
            self.fail(&fault, out);
        }
    }

    /// Whether the client has got a whole answer.
    pub fn is_whole(&self) -> bool {
        self.end == Some(End::Whole)
    }

    /// Writes the first chunk, once.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.head.is_empty() {
            return;
        }
        self.about.write_head(&mut self.head, "chat.completion.chunk", &self.id, &self.model);
        self.head.extend_from_slice(b"\"choices\":");
        out.extend_from_slice(b"data: {");
        out.extend_from_slice(&self.about.members);
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
        self.end_choice(None, out);
    }

    /// Writes a chunk with this delta.
    fn delta(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Object)) {
        self.begin(out);
        out.extend_from_slice(b"data: {");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"[{\"index\":0,\"delta\":");
        let mut delta = Object::open(out);
        write(&mut delta);
        delta.close();
        self.end_choice(None, out);
    }

    /// Writes the rest of a chunk behind its delta.
    fn end_choice(&self, reason: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        match reason {
            Some(reason) => {
                for text in [b"\"", reason, b"\""] {
                    out.extend_from_slice(text);
                }
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}]");
        if self.about.include_usage {
            out.extend_from_slice(b",\"usage\":null");
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn thought(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.delta(out, |delta| {
            let out = delta.key("thinking_blocks");
            out.push(b'[');
            write(out);
            out.push(b']');
        });
    }

    fn call(&mut self, index: u64, id: &[u8], name: &[u8], out: &mut Vec<u8>) {
        let place = self.calls.len();
        self.calls.push(Call { index, has_input: false });
        self.delta(out, |delta| {
            write_call(delta, place, |call| {
                call.text("id", id);
                call.json("type", b"\"function\"");
                let mut function = call.object("function");
                function.text("name", name);
                function.json("arguments", b"\"\"");
                function.close();
            });
        });
    }

    /// Passes more to a tool; `if_none`: only where it has got nothing.
    fn input(&mut self, index: u64, if_none: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let old = self.calls.len().saturating_sub(MOST_OPEN);
        let Some((place, call)) = self.calls.iter_mut().enumerate().skip(old).rfind(|(_, call)| call.index == index)
        else {
            return;
        };
        if core::mem::replace(&mut call.has_input, true) && if_none {
            return;
        }
        self.delta(out, |delta| {
            write_call(delta, place, |call| {
                let mut function = call.object("function");
                let arguments = function.key("arguments");
                arguments.push(b'"');
                write(arguments);
                arguments.push(b'"');
                function.close();
            });
        });
    }

    /// Writes the end of a whole answer.
    fn close(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.end = Some(End::Whole);
        out.extend_from_slice(b"data: {");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"[{\"index\":0,\"delta\":{}");
        let finish = self.finish.unwrap_or(Finish::Whole);
        self.end_choice(Some(reason(finish, !self.calls.is_empty())), out);
        if let Some(usage) = self.usage.filter(|_| self.about.include_usage) {
            out.extend_from_slice(b"data: {");
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"[],\"usage\":");
            write_usage(Object::open(out), &usage);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        self.end = Some(End::Failed);
        out.extend_from_slice(b"data: ");
        fault.write(out);
        out.extend_from_slice(b"\n\n");
    }
}

/// Writes a list of one call, whose members behind its number `write` adds.
fn write_call(delta: &mut Object, place: usize, write: impl FnOnce(&mut Object)) {
    let out = delta.key("tool_calls");
    out.push(b'[');
    let mut call = Object::open(out);
    write_number(call.key("index"), place as u64);
    write(&mut call);
    call.close().push(b']');
}
