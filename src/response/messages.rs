//! Messages: a whole answer, or one event of a stream, for a client that called it.
//!
//! Owns where details go in, and that errors keep the shape of this API. What an answer says, [`crate::translate`]
//! reads. Never changes anything but for the details.

use super::splice::{DETAILS, Splices};
use super::stream::{Broken, End, Fate, Handler, Known, Output};
use super::translated::{judge, model_name};
use super::{Answer, Failure, Treatment};
use crate::request::Api;
use crate::request::json::{JsonError, Kind, Reader};
use crate::translate::{Delta, MessagesCounts, messages_answer, messages_event};

/// Reads a complete answer. What has no content, as a count of tokens, is an answer too.
pub(super) fn read_answer(body: &[u8], splices: &mut Splices) -> Result<Answer, Failure> {
    let (mut answer, mut failure) = (Answer::default(), None);
    let read = messages_answer(body, &mut |delta| match delta {
        Delta::Start(start) => answer.model = model_name(start.model),
        Delta::Usage(usage) => answer.usage = Some(usage.counts),
        Delta::Fault(fault) => failure = Some(Failure::of_messages(body, &fault)),
        _ => {}
    });
    read.map_err(|_| Failure::without_body("malformed"))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    if splices.has_details() {
        place_details(&mut Reader::new(body), splices).map_err(|_| Failure::without_body("malformed"))?;
    }
    Ok(answer)
}

/// A stream of events.
pub(super) struct Stream {
    counts: MessagesCounts,
    rewrites: bool,
    /// Details are still to go in.
    details: bool,
}

impl Stream {
    pub(super) fn new(treatment: &Treatment) -> Self {
        let details = treatment.details.is_some();
        Stream { counts: MessagesCounts::default(), rewrites: details, details }
    }
}

impl Handler for Stream {
    fn rewrites(&self) -> bool {
        self.rewrites
    }

    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate {
        let read = messages_event(payload, &mut self.counts, &mut |delta| match delta {
            Delta::Fault(fault) => known.fail(Broken::Error, || Failure::of_messages(payload, &fault)),
            delta => judge(&delta, known),
        });
        if read.is_err() {
            known.fail(Broken::Malformed, || Failure::without_body("malformed"));
        } else if self.details && matches!(place_in_message(payload, &mut output.splices), Ok(true)) {
            self.details = false;
        }
        Fate::Kept
    }

    fn cut_off(&self, output: &mut Output) {
        output.replace(b"event: error\ndata: ", &Failure::cut_off(Api::Messages));
    }

    // `[DONE]` is no part of this API; where a proxy sends it, it answers nothing.
    fn end(&mut self, _end: End, _known: &mut Known, _output: &mut Output) -> Fate {
        Fate::Kept
    }
}

/// Puts the details into the object that comes next; those of a router behind this one stay.
fn place_details(reader: &mut Reader, splices: &mut Splices) -> Result<(), JsonError> {
    let json = reader.bytes();
    let (mut first, mut alone, mut has_details) = (true, true, false);
    reader.enter_object()?;
    let inside = reader.offset();
    while let Some(key) = reader.next_key(&mut first)? {
        alone = false;
        has_details |= key.span.of(json) == DETAILS.as_bytes();
        reader.skip()?;
    }
    if !has_details {
        splices.details(0, inside, alone);
    }
    Ok(())
}

/// Puts the details into the message of an event that bears one, and says whether it does.
fn place_in_message(payload: &[u8], splices: &mut Splices) -> Result<bool, JsonError> {
    let mut reader = Reader::new(payload);
    let mut first = true;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        if key.span.of(payload) == b"message" && reader.peek()? == Kind::Object {
            return place_details(&mut reader, splices).map(|()| true);
        }
        reader.skip()?;
    }
    Ok(false)
}
