//! Chat Completions: a whole answer, or one event of a stream; the same object as far as the router reads it.
//!
//! Owns which of its members are read, when an event is an answer, and the cut that takes out usage. Answers of other
//! endpoints that bear `model` and `usage` read alike (Embeddings). Never looks into a message.

use super::splice::{DETAILS, Splices};
use super::stream::{Broken, End, Fate, First, Handler, Known, Output};
use super::usage::read_usage;
use super::{Answer, Failure};
use crate::decide::cost::Usage;
use crate::request::Api;
use crate::request::json::{JsonError, Kind, Reader, Span};

/// Reads a complete answer.
pub(super) fn read_answer(body: &[u8], splices: &mut Splices) -> Result<Answer, Failure> {
    let object = read_object(body).map_err(|_| Failure::without_body("malformed"))?;
    if let Some(failure) = object.failure(body) {
        return Err(failure);
    }
    object.place_details(splices);
    Ok(Answer { model: object.model(body), usage: object.usage(body) })
}

/// A stream of chunks.
pub(super) struct Chunks {
    /// The client did not ask for usage.
    pub(super) take_out_usage: bool,
    /// Details are still to go in.
    pub(super) details: bool,
    /// Whatever is no error is an answer: the stream of an endpoint with events of its own.
    pub(super) any: bool,
}

impl Handler for Chunks {
    fn rewrites(&self) -> bool {
        self.take_out_usage || self.details
    }

    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate {
        let Ok(object) = read_object(payload) else {
            known.fail(Broken::Malformed, || Failure::without_body("malformed"));
            return Fate::Kept;
        };
        known.note(|| object.model(payload), object.usage(payload));
        // Not every server sends `[DONE]`.
        known.done |= object.is_finished;
        if let Some(error) = object.error() {
            known.fail(Broken::Error, || Failure::of_enveloped(error.of(payload)));
        } else if object.has_choices || object.usage.is_some() || self.any {
            known.decide(|| First::Good);
        }
        if object.has_choices && core::mem::take(&mut self.details) {
            object.place_details(&mut output.splices);
        }
        match object.usage_cut.filter(|_| self.take_out_usage) {
            // The event that was asked for on the client's behalf.
            Some(_) if object.usage.is_some() && !object.has_choices => return Fate::Replaced,
            Some(cut) => output.splices.cut(cut),
            None => {}
        }
        Fate::Kept
    }

    fn end(&mut self, end: End, known: &mut Known, _output: &mut Output) -> Fate {
        if end == End::Done {
            known.done = true;
            known.decide(|| First::Good);
        }
        Fate::Kept
    }

    fn cut_off(&self, output: &mut Output) {
        output.replace(b"data: ", &Failure::cut_off(Api::Chat));
    }
}

/// The members that the router reads of an answer or an event.
#[derive(Default)]
struct Object {
    /// Offset of the first byte inside the brace.
    inside: usize,
    model: Option<Span>,
    usage: Option<Span>,
    error: Option<Span>,
    /// What to cut so that the object has no `usage`.
    usage_cut: Option<Span>,
    has_choices: bool,
    /// A choice has a reason why it ends.
    is_finished: bool,
    has_details: bool,
    is_empty: bool,
}

/// Reads the object's members in one pass, without allocation.
fn read_object(body: &[u8]) -> Result<Object, JsonError> {
    let mut reader = Reader::new(body);
    let (mut first, mut before) = (true, None);
    reader.enter_object()?;
    let mut object = Object { inside: reader.offset(), ..Object::default() };
    // A cut of the first member must reach to the next key.
    let mut cut_to_next = false;
    while let Some(key) = reader.next_key(&mut first)? {
        let quote = key.span.start.saturating_sub(1);
        if let Some(cut) = object.usage_cut.as_mut().filter(|_| core::mem::take(&mut cut_to_next)) {
            cut.end = quote;
        }
        let kind = reader.peek()?;
        let value = reader.skip()?;
        match (key.span.of(body), kind) {
            (b"model", Kind::String) => object.model = Some(value),
            (b"error", Kind::Object | Kind::String) => object.error = Some(value),
            (b"choices", Kind::Array) => {
                object.has_choices = value.of(body).iter().any(|byte| !b"[] \n\r\t".contains(byte));
                object.is_finished = is_finished(value.of(body));
            }
            (b"usage", kind) => {
                object.usage = (kind == Kind::Object).then_some(value);
                object.usage_cut = Some(Span { start: before.unwrap_or(quote), end: value.end });
                cut_to_next = before.is_none();
            }
            (name, _) if name == DETAILS.as_bytes() => object.has_details = true,
            _ => {}
        }
        before = Some(value.end);
    }
    object.is_empty = before.is_none();
    reader.end()?;
    Ok(object)
}

/// Whether a choice says why it ends, which it does behind its delta. In a text the name's quotes would be escaped.
fn is_finished(choices: &[u8]) -> bool {
    const NAME: &str = "\"finish_reason\"";
    let last = core::str::from_utf8(choices).ok().and_then(|text| text.get(text.rfind(NAME)? + NAME.len()..));
    let value = last.and_then(|rest| rest.trim_start().strip_prefix(':'));
    value.is_some_and(|value| value.trim_start().starts_with('"'))
}

impl Object {
    /// The snapshot's name; Azure's first event has an empty one.
    fn model(&self, body: &[u8]) -> Option<String> {
        model_name(self.model?.of(body))
    }

    fn usage(&self, body: &[u8]) -> Option<Usage> {
        read_usage(self.usage?.of(body))
    }

    /// The error that this object carries in place of an answer.
    fn error(&self) -> Option<Span> {
        self.error.filter(|_| !self.has_choices)
    }

    fn failure(&self, body: &[u8]) -> Option<Failure> {
        Some(Failure::of_enveloped(self.error()?.of(body)))
    }

    /// Details that are there already are those of a router behind this one: it knows better what answered.
    fn place_details(&self, splices: &mut Splices) {
        if !self.has_details {
            splices.details(0, self.inside, self.is_empty);
        }
    }
}

/// The value of `model`, a JSON string, unless it is empty.
pub(super) fn model_name(text: &[u8]) -> Option<String> {
    let name = serde_json::from_slice::<String>(text).ok()?;
    (!name.is_empty()).then_some(name)
}
