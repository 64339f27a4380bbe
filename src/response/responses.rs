//! Responses: a whole answer, a list of items, or one event of a stream.
//!
//! Owns where ids stand that a client may send back, when an event is an answer, and where model, usage and error lie.
//! Never looks into tools or the parts of a message: an id in there means nothing outside of its answer, and a
//! `call_id` must stay what the model has made it.

use super::chat::model_name;
use super::splice::{DETAILS, Splices};
use super::stream::{Broken, End, Fate, First, Handler, Known, Output};
use super::usage::read_usage;
use super::{Answer, Failure, Treatment};
use crate::decide::cost::Usage;
use crate::request::Api;
use crate::request::json::{JsonError, Kind, Reader, Span};
use crate::request::string_member;

/// Reads a complete answer. `existing`: that the response has failed is what the client asked to know.
pub(super) fn read_answer(body: &[u8], existing: bool, splices: &mut Splices) -> Result<Answer, Failure> {
    let mut reader = Reader::new(body);
    let read = Response::read(&mut reader, splices).and_then(|response| reader.end().map(|()| response));
    let response = read.map_err(|_| Failure::without_body("malformed"))?;
    match (response.error, response.status) {
        (Some(error), Status::None) => Err(Failure::of_enveloped(error.of(body))),
        (Some(error), Status::Failed) if !existing => Err(Failure::of_bare(error.of(body))),
        _ => {
            response.place_details(0, splices);
            Ok(Answer { model: response.model(body), usage: response.usage(body) })
        }
    }
}

/// A stream of events.
pub(super) struct Stream {
    existing: bool,
    rewrites: bool,
}

impl Stream {
    pub(super) fn new(treatment: &Treatment) -> Self {
        let rewrites = treatment.mark.is_some() || treatment.details.is_some();
        Stream { existing: treatment.existing, rewrites }
    }

    /// What an event says of the stream; `None` where everything is still open.
    fn judge(&self, event: &Event, payload: &[u8]) -> Option<First> {
        let response = event.response.as_ref();
        Some(match (event.name.map(|name| name.of(payload)), event.error) {
            // The specification has it flat; OpenAI itself sends an envelope with a type.
            (Some(b"error") | None, Some(error)) => First::Failed(Failure::of_enveloped(error.of(payload))),
            (Some(b"error"), None) => First::Failed(Failure::of_bare(payload)),
            (Some(b"response.failed"), _) if !self.existing => {
                let error = response.and_then(|response| response.error).map(|error| error.of(payload));
                First::Failed(Failure::of_bare(error.unwrap_or(b"{}")))
            }
            (Some(b"response.created" | b"response.in_progress" | b"response.queued"), _) => {
                let goes_on = self.existing || response.is_some_and(|response| response.background);
                return goes_on.then_some(First::Good);
            }
            (Some(_), _) => First::Good,
            (None, None) => return None,
        })
    }
}

impl Handler for Stream {
    fn rewrites(&self) -> bool {
        self.rewrites
    }

    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate {
        let Ok(event) = Event::read(payload, &mut output.splices) else {
            output.splices.clear();
            known.fail(Broken::Malformed, || Failure::without_body("malformed"));
            return Fate::Kept;
        };
        if let Some(response) = &event.response {
            known.note(|| response.model(payload), response.usage(payload));
        }
        if known.is_open()
            && let Some(first) = self.judge(&event, payload)
        {
            known.decide(|| first);
        } else if event.name.map_or(event.error.is_some(), |name| name.of(payload) == b"error") {
            known.fail(Broken::Error, || Failure::without_body("error_in_200"));
        }
        known.done |= event.is_last(payload);
        Fate::Kept
    }

    fn cut_off(&self, output: &mut Output) {
        // Who asks again for what is kept may be told less than all of it.
        if !self.existing {
            output.replace(b"event: error\ndata: ", &Failure::cut_off(Api::Responses));
        }
    }

    // `[DONE]` is no part of this API; where a proxy sends it, it answers nothing.
    fn end(&mut self, _end: End, _known: &mut Known, _output: &mut Output) -> Fate {
        Fate::Kept
    }
}

/// The members that are read of an event.
#[derive(Default)]
struct Event {
    /// `type`, without its quotes.
    name: Option<Span>,
    response: Option<Response>,
    error: Option<Span>,
}

impl Event {
    /// Reads in one pass, without allocation but for more splices than any event had before.
    fn read(payload: &[u8], splices: &mut Splices) -> Result<Self, JsonError> {
        let mut reader = Reader::new(payload);
        let mut event = Event::default();
        let mut first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut first)? {
            match (key.span.of(payload), reader.peek()?) {
                (b"type", Kind::String) => event.name = Some(reader.string()?.span),
                (b"response", Kind::Object) => {
                    let before = splices.len();
                    let response = Response::read(&mut reader, splices)?;
                    response.place_details(before, splices);
                    event.response = Some(response);
                }
                (b"item", Kind::Object) => read_item(&mut reader, splices)?,
                (b"item_id", Kind::String) => splices.mark(reader.string()?, payload),
                (b"error", Kind::Object | Kind::String) => event.error = Some(reader.skip()?),
                _ => drop(reader.skip()?),
            }
        }
        reader.end()?;
        Ok(event)
    }

    fn is_last(&self, payload: &[u8]) -> bool {
        let name = self.name.map(|name| name.of(payload));
        matches!(name, Some(b"response.completed" | b"response.incomplete" | b"response.failed"))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    /// The object has no status: it is no response, but a list, a receipt or an error.
    #[default]
    None,
    Failed,
    Other,
}

/// The members that are read of a response, or of what stands in its place.
#[derive(Default)]
struct Response {
    /// Offset of the first byte inside the brace.
    inside: usize,
    model: Option<Span>,
    usage: Option<Span>,
    error: Option<Span>,
    status: Status,
    background: bool,
    has_details: bool,
    is_empty: bool,
}

impl Response {
    fn read(reader: &mut Reader, splices: &mut Splices) -> Result<Self, JsonError> {
        let json = reader.bytes();
        let mut first = true;
        reader.enter_object()?;
        let mut response = Response { inside: reader.offset(), is_empty: true, ..Response::default() };
        while let Some(key) = reader.next_key(&mut first)? {
            response.is_empty = false;
            match (key.span.of(json), reader.peek()?) {
                (b"id" | b"first_id" | b"last_id", Kind::String) => splices.mark(reader.string()?, json),
                (b"previous_response_id" | b"conversation", Kind::String) => {
                    splices.mark_earlier(reader.string()?, json);
                }
                (b"conversation", Kind::Object) => {
                    string_member(reader, "id")?.into_iter().for_each(|id| splices.mark_earlier(id, json));
                }
                // `data` is the list of items of one answer.
                (b"output" | b"data", Kind::Array) => read_items(reader, splices)?,
                (b"model", Kind::String) => response.model = Some(reader.skip()?),
                (b"usage", Kind::Object) => response.usage = Some(reader.skip()?),
                (b"error", Kind::Object | Kind::String) => response.error = Some(reader.skip()?),
                (b"background", Kind::Bool) => response.background = reader.bool()?,
                (b"status", Kind::String) => {
                    let failed = reader.string()?.span.of(json) == b"failed";
                    response.status = if failed { Status::Failed } else { Status::Other };
                }
                (name, _) => {
                    response.has_details |= name == DETAILS.as_bytes();
                    reader.skip()?;
                }
            }
        }
        Ok(response)
    }

    fn model(&self, json: &[u8]) -> Option<String> {
        model_name(self.model?.of(json))
    }

    fn usage(&self, json: &[u8]) -> Option<Usage> {
        read_usage(self.usage?.of(json))
    }

    /// As in Chat, details of a router behind this one stay. `before`: splices that come before this object.
    fn place_details(&self, before: usize, splices: &mut Splices) {
        if !self.has_details {
            splices.details(before, self.inside, self.is_empty);
        }
    }
}

fn read_items(reader: &mut Reader, splices: &mut Splices) -> Result<(), JsonError> {
    let mut first = true;
    reader.enter_array()?;
    while reader.next_item(&mut first)? {
        match reader.peek()? {
            Kind::Object => read_item(reader, splices)?,
            _ => drop(reader.skip()?),
        }
    }
    Ok(())
}

/// An item of input or output. What is encrypted (reasoning, a compacted conversation) can be read by its maker only,
/// so it is as good as an id.
fn read_item(reader: &mut Reader, splices: &mut Splices) -> Result<(), JsonError> {
    let json = reader.bytes();
    let mut first = true;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (key.span.of(json), reader.peek()?) {
            (b"id" | b"encrypted_content", Kind::String) => splices.mark(reader.string()?, json),
            _ => drop(reader.skip()?),
        }
    }
    Ok(())
}
