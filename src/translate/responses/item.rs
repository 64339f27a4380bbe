//! The items of a response's output: what they have gathered, and how they are written.

use crate::translate::json::{Escaped, Object, array, compact, write_number};

/// An item of the output. Texts are kept as they came, escaped.
#[derive(Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// How far it has come.
    pub status: Status,
    /// A call has exactly one, its input.
    pub parts: Vec<Part>,
}

/// What an item is.
#[derive(Debug)]
pub enum ItemKind {
    /// What the model thought.
    Reasoning,
    /// What it said.
    Message,
    /// A tool that it called.
    Call {
        /// Tells calls apart that come at the same time.
        index: u64,
        /// The provider's id of the call, or empty.
        id: Vec<u8>,
        /// Name of the tool.
        name: Vec<u8>,
        /// The tool takes free text.
        custom: bool,
    },
}

/// How far an item has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Status {
    InProgress,
    Completed,
    Incomplete,
}

impl Status {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::Completed => "completed",
            Status::Incomplete => "incomplete",
        }
    }
}

/// A part of an item.
#[derive(Debug)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// All of its text so far.
    pub text: Vec<u8>,
    /// Log probabilities, with commas between them but no brackets.
    pub logprobs: Vec<u8>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PartKind {
    Reasoning,
    Text,
    Refusal,
    Arguments,
    Input,
}

impl PartKind {
    /// A part without text yet.
    pub fn empty(self) -> Part {
        Part { kind: self, text: Vec::new(), logprobs: Vec::new() }
    }

    /// Its type inside an item.
    fn name(self) -> &'static str {
        match self {
            PartKind::Reasoning => "reasoning_text",
            PartKind::Text => "output_text",
            PartKind::Refusal => "refusal",
            PartKind::Arguments => "arguments",
            PartKind::Input => "input",
        }
    }

    /// The member that holds its whole text.
    pub fn member(self) -> &'static str {
        match self {
            PartKind::Reasoning | PartKind::Text => "text",
            _ => self.name(),
        }
    }

    /// The event of more text.
    pub fn delta(self) -> &'static str {
        match self {
            PartKind::Reasoning => "response.reasoning_text.delta",
            PartKind::Text => "response.output_text.delta",
            PartKind::Refusal => "response.refusal.delta",
            PartKind::Arguments => "response.function_call_arguments.delta",
            PartKind::Input => "response.custom_tool_call_input.delta",
        }
    }

    /// The event of all text.
    pub fn done(self) -> &'static str {
        match self {
            PartKind::Reasoning => "response.reasoning_text.done",
            PartKind::Text => "response.output_text.done",
            PartKind::Refusal => "response.refusal.done",
            PartKind::Arguments => "response.function_call_arguments.done",
            PartKind::Input => "response.custom_tool_call_input.done",
        }
    }

    /// Whether it is an item's whole content, and has no index in it.
    pub fn is_call(self) -> bool {
        matches!(self, PartKind::Arguments | PartKind::Input)
    }
}

impl Part {
    /// Takes more text.
    pub fn add(&mut self, text: Escaped, logprobs: &[u8]) {
        self.text.extend_from_slice(text);
        if !logprobs.is_empty() {
            if !self.logprobs.is_empty() {
                self.logprobs.push(b',');
            }
            compact(&mut self.logprobs, logprobs);
        }
    }

    /// Writes it as a part of an item.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.text("type", self.kind.name().as_bytes());
        if self.kind == PartKind::Text {
            object.json("annotations", b"[]");
            write_logprobs(&mut object, &self.logprobs);
        }
        object.text(self.kind.member(), &self.text);
        object.close();
    }
}

/// Writes the member `logprobs`, from what stands between its brackets.
pub fn write_logprobs(object: &mut Object, logprobs: &[u8]) {
    let out = object.key("logprobs");
    out.push(b'[');
    compact(out, logprobs);
    out.push(b']');
}

impl Item {
    /// An item without content yet.
    pub fn empty(kind: ItemKind) -> Self {
        let parts = match kind {
            ItemKind::Call { custom: true, .. } => vec![PartKind::Input.empty()],
            ItemKind::Call { .. } => vec![PartKind::Arguments.empty()],
            _ => Vec::new(),
        };
        Item { kind, status: Status::InProgress, parts }
    }

    /// Writes its id: `kind`, then what all ids of the response have in common, then its place.
    pub fn write_id(&self, out: &mut Vec<u8>, stem: &str, place: usize) {
        let kind = match self.kind {
            ItemKind::Reasoning => "rs",
            ItemKind::Message => "msg",
            ItemKind::Call { custom: false, .. } => "fc",
            ItemKind::Call { custom: true, .. } => "ctc",
        };
        out.push(b'"');
        write_tail(out, kind, stem, place);
        out.push(b'"');
    }

    /// Writes it with all it has gathered.
    pub fn write(&self, out: &mut Vec<u8>, stem: &str, place: usize) {
        let mut object = Object::open(out);
        self.write_id(object.key("id"), stem, place);
        let content = |object: &mut Object| array(object.key("content"), &self.parts, |out, part| part.write(out));
        match &self.kind {
            ItemKind::Reasoning => {
                object.json("type", b"\"reasoning\"");
                object.json("summary", b"[]");
                content(&mut object);
            }
            ItemKind::Message => {
                object.json("type", b"\"message\"");
                object.text("status", self.status.name().as_bytes());
                object.json("role", b"\"assistant\"");
                content(&mut object);
            }
            ItemKind::Call { id, name, custom, .. } => {
                object.json("type", if *custom { b"\"custom_tool_call\"" } else { b"\"function_call\"" });
                object.text("status", self.status.name().as_bytes());
                let call_id = object.key("call_id");
                call_id.push(b'"');
                if id.is_empty() {
                    // The client needs one to answer to.
                    write_tail(call_id, "call", stem, place);
                } else {
                    call_id.extend_from_slice(id);
                }
                call_id.push(b'"');
                object.text("name", name);
                for part in &self.parts {
                    object.text(part.kind.member(), &part.text);
                }
            }
        }
        object.close();
    }
}

fn write_tail(out: &mut Vec<u8>, kind: &str, stem: &str, place: usize) {
    for text in [kind, "_", stem, "_"] {
        out.extend_from_slice(text.as_bytes());
    }
    write_number(out, place as u64);
}
