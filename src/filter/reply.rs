//! What the `attempt` plugin does to an answer.
//!
//! Owns the hold on it until it is known to be one, and what goes on in its place. Never reads it: [`crate::response`]
//! does.

use super::attempt::{AttemptContext, Work};
use super::host;
use super::property;
use crate::attempt::details;
use crate::edit::apply;
use crate::policy::Dialect;
use crate::request::Api;
use crate::response::frames::Frames;
use crate::response::refusal::{self, LONGEST_ERROR};
use crate::response::stream::{Events, First};
use crate::response::{Answer, Failure, Treatment, read_answer};
use proxy_wasm::types::{Action, BufferType, MapType};

const RESPONSE: MapType = MapType::HttpResponseHeaders;
/// An answer that is no stream is held until it is whole, up to this many bytes; a longer one goes on unread.
const LONGEST_ANSWER: usize = 8 << 20;

/// The state of the answer.
pub(super) enum Reply {
    /// No headers yet.
    Awaited,
    /// Passes as it is.
    Untouched,
    /// Held until it is whole.
    Whole(Box<Treatment>),
    /// Held until its body can be replaced by an error.
    Unreadable,
    /// Held until its error can be put in the words of the client's API.
    Refused { status: u16, readable: bool },
    /// Held until its first event, then passed event by event.
    Stream { stream: Box<Passing>, held: bool },
    /// Held answer turned out to be an error; what still comes is dropped.
    Failed,
}

/// A stream on its way.
pub(super) struct Passing {
    events: Events,
    /// It is no text, and becomes one.
    frames: Option<Frames>,
    /// What is to go on in the place of what came, and has not gone yet.
    passed: Vec<u8>,
}

impl Passing {
    /// Takes the next bytes, and says whether anything goes on in their place.
    fn push(&mut self, chunk: &[u8], is_last: bool) -> bool {
        let Passing { events, frames, passed } = self;
        let mut changed = frames.is_some();
        let text = match frames {
            Some(frames) => frames.push(chunk),
            None => chunk,
        };
        match events.push(text) {
            Some(bytes) => {
                changed = true;
                passed.extend_from_slice(bytes);
            }
            None if changed => passed.extend_from_slice(text),
            None => {}
        }
        if is_last {
            let rest = events.finish();
            changed |= !rest.is_empty();
            passed.extend_from_slice(rest);
        }
        changed
    }
}

impl AttemptContext {
    /// The API that the client called.
    fn client(&self) -> Api {
        self.work.as_ref().map_or(Api::Chat, |work| work.brief.request.api)
    }

    /// Takes what has come of the body.
    pub(super) fn take_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.reply {
            Reply::Awaited | Reply::Untouched => Action::Continue,
            Reply::Whole(_) => self.whole_answer(size, end_of_stream),
            Reply::Unreadable => {
                host::set_header(RESPONSE, "content-encoding", None);
                self.fail(&Failure::without_body("unreadable"), Some(size))
            }
            Reply::Refused { .. } => self.reword(size, end_of_stream),
            Reply::Stream { .. } => self.stream_chunk(size, end_of_stream),
            Reply::Failed => {
                host::set_buffer(BufferType::HttpResponseBody, size, &[]);
                Action::Continue
            }
        }
    }

    /// Turns the held answer into an error, so that Envoy's retry policy sees it. `held` bytes are in the buffer; an
    /// answer that ended with its headers has none, and cannot be given any.
    pub(super) fn fail(&mut self, failure: &Failure, held: Option<usize>) -> Action {
        self.failed(failure.status, None);
        self.count(failure.result);
        self.reply = Reply::Failed;
        host::set_header(RESPONSE, ":status", Some(&failure.status.to_string()));
        if let Some(held) = held {
            replace_by_error(held, &failure.body_for(self.client()));
        }
        Action::Continue
    }

    /// Puts the held error in the words of the client's API; of one that is too long, what its status tells.
    fn reword(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Reply::Refused { status, readable } = self.reply else { return Action::Continue };
        if !end_of_stream && size <= LONGEST_ERROR {
            self.read = size;
            return Action::Pause;
        }
        let sent = (readable && end_of_stream && size <= LONGEST_ERROR)
            .then(|| host::buffer(BufferType::HttpResponseBody, 0, size));
        self.reply = Reply::Failed;
        host::set_header(RESPONSE, "content-encoding", None);
        replace_by_error(size, &refusal::body(sent.as_deref(), status, self.client()));
        Action::Continue
    }

    /// A status other than 200.
    pub(super) fn refused(&mut self, status: &str, end_of_stream: bool) -> Action {
        self.note_failure(status);
        self.count(status);
        self.reply = Reply::Untouched;
        let client = self.client();
        let rewords = self.work.as_ref().is_some_and(|work| work.slot.rewords(client));
        let status = status.parse().unwrap_or(502);
        if rewords && refusal::status(status, client) != status {
            host::set_header(RESPONSE, ":status", Some(&refusal::status(status, client).to_string()));
        }
        let header = |name| host::header(RESPONSE, name);
        let is_page = status >= 400 && !refusal::is_json(&header("content-type").unwrap_or_default());
        if end_of_stream || !(rewords || is_page) {
            return Action::Continue;
        }
        let readable = !is_page && header("content-encoding").is_none();
        self.reply = Reply::Refused { status, readable };
        Action::Pause
    }

    /// What is done to the answer, whose headers are here.
    fn treatment(&mut self) -> Treatment {
        let Some(Work { brief, slot, attempted, about }) = &mut self.work else { return Treatment::new(Api::Chat) };
        let waited = |began| host::now().saturating_sub(began) / 1_000_000;
        Treatment {
            api: slot.wire(brief.request.api),
            take_out_usage: slot.add_usage,
            mark: Some(slot.mark.clone()).filter(|mark| !mark.is_empty()),
            earlier: brief.request.earlier.clone(),
            details: brief.details.map(|began| details(brief, attempted, waited(began))),
            existing: brief.request.later,
            about: about.take(),
        }
    }

    fn whole_answer(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream && size <= LONGEST_ANSWER {
            self.read = size;
            return Action::Pause;
        }
        let Reply::Whole(treatment) = std::mem::replace(&mut self.reply, Reply::Untouched) else {
            return Action::Continue;
        };
        if !end_of_stream && treatment.about.is_some() {
            return self.fail(&Failure::without_body("too_long"), Some(size));
        }
        if !end_of_stream {
            self.count("200");
            self.account(&Answer::default());
            return Action::Continue;
        }
        let body = host::buffer(BufferType::HttpResponseBody, 0, size);
        match read_answer(&body, &treatment) {
            Ok((answer, edits)) => {
                if !edits.is_empty() {
                    let edited = apply(&body, &edits);
                    host::set_header(RESPONSE, "content-length", Some(&edited.len().to_string()));
                    host::set_buffer(BufferType::HttpResponseBody, size, &edited);
                }
                self.count("200");
                self.account(&answer);
                Action::Continue
            }
            Err(failure) => self.fail(&failure, Some(size)),
        }
    }

    fn stream_chunk(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Reply::Stream { stream, held } = &mut self.reply else { return Action::Continue };
        let chunk = match size.saturating_sub(self.read) {
            0 => Vec::new(),
            fresh => host::buffer(BufferType::HttpResponseBody, self.read, fresh),
        };
        let changed = stream.push(&chunk, end_of_stream);
        if *held {
            match stream.events.first() {
                First::Waiting => {
                    self.read = size;
                    return Action::Pause;
                }
                First::Failed(failure) => {
                    let failure = failure.clone();
                    return self.fail(&failure, Some(size));
                }
                First::Good => (*held, self.read) = (false, 0),
            }
        }
        if changed {
            host::set_buffer(BufferType::HttpResponseBody, size, &stream.passed);
            stream.passed.clear();
        }
        self.count("200");
        if end_of_stream {
            self.finish_stream();
        }
        Action::Continue
    }

    /// An answer that may be one is held until it is known to be one.
    pub(super) fn good_status(&mut self) -> Action {
        let content_type = host::header(RESPONSE, "content-type").unwrap_or_default();
        let encoded = host::header(RESPONSE, "content-encoding").is_some();
        let translated = self.work.as_ref().is_some_and(|work| work.about.is_some());
        let bedrock = self.work.as_ref().is_some_and(|work| work.slot.dialect == Dialect::BedrockAnthropic);
        match content_type.split(';').next().unwrap_or_default().trim() {
            kind @ ("text/event-stream" | Frames::CONTENT_TYPE)
                if !encoded && (bedrock || kind != Frames::CONTENT_TYPE) =>
            {
                let frames = (kind == Frames::CONTENT_TYPE).then(Frames::default);
                if frames.is_some() {
                    host::set_header(RESPONSE, "content-type", Some("text/event-stream"));
                }
                // Its length is not known once events may be taken out.
                host::set_header(RESPONSE, "content-length", None);
                let events = Events::new(&self.treatment());
                let stream = Box::new(Passing { events, frames, passed: Vec::new() });
                self.reply = Reply::Stream { stream, held: true };
            }
            "application/json" if !encoded => self.reply = Reply::Whole(Box::new(self.treatment())),
            // It cannot be translated, and is no answer of the API that was called.
            _ if translated => self.reply = Reply::Unreadable,
            // Nobody asked for it, but it is an answer.
            _ => {
                self.reply = Reply::Untouched;
                self.count("200");
                self.account(&Answer::default());
                return Action::Continue;
            }
        }
        Action::Pause
    }

    /// The stream ends here, without a last callback: its connection was reset, or the client left.
    pub(super) fn break_off(&mut self, client_left: bool) {
        if let (Reply::Stream { stream, .. }, false) = (&mut self.reply, client_left) {
            // The client's stream is reset too: nothing can be told it.
            stream.events.finish();
        }
        self.finish_stream();
    }

    fn finish_stream(&mut self) {
        if let Reply::Stream { stream, held: false } = std::mem::replace(&mut self.reply, Reply::Untouched) {
            if let (Some(broken), Some(work)) = (stream.events.broken(), &self.work) {
                let labels = [("model", work.slot.model.as_str()), ("reason", broken.code())];
                self.metrics.add("broken_streams_total", &labels, 1);
                host::set_property(property::ERROR, broken.code().as_bytes());
            }
            self.account(stream.events.answer());
        }
    }
}

/// Puts an error in the place of the `held` bytes.
fn replace_by_error(held: usize, body: &[u8]) {
    host::set_header(RESPONSE, "content-type", Some("application/json"));
    host::set_header(RESPONSE, "content-length", Some(&body.len().to_string()));
    host::set_buffer(BufferType::HttpResponseBody, held, body);
}
