//! The `attempt` plugin: upstream, once per attempt, on the client's original body.
//!
//! Owns the rewriting of the request for this attempt's candidate, the hold on the answer until it is known to be one,
//! and the accounts. Never decides which model comes next: the plan has done that.

use super::accounts;
use super::host;
use super::metrics::Metrics;
use super::property;
use crate::attempt::{Attempted, Brief, Slot, about, body_for, details};
use crate::edit::apply;
use crate::policy::Dialect;
use crate::request::Api;
use crate::response::frames::Frames;
use crate::response::refusal::{self, LONGEST_ERROR};
use crate::response::stream::{Events, First};
use crate::response::wait::wait;
use crate::response::{Answer, Failure, Treatment, read_answer};
use crate::translate::About;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use std::rc::Rc;

const REQUEST: MapType = MapType::HttpRequestHeaders;
const RESPONSE: MapType = MapType::HttpResponseHeaders;
/// An answer that is no stream is held until it is whole, up to this many bytes; a longer one goes on unread.
const LONGEST_ANSWER: usize = 8 << 20;

/// One attempt.
pub struct AttemptContext {
    metrics: Rc<Metrics>,
    work: Option<Work>,
    reply: Reply,
    /// The attempt has been counted.
    counted: bool,
    /// Bytes of the held answer that have been seen.
    read: usize,
}

/// What is to be done: the plan and this attempt's place in it.
struct Work {
    brief: Brief,
    slot: Slot,
    attempted: Attempted,
    /// What the translation of the answer has to know; `None`: it is not translated.
    about: Option<About>,
}

/// The state of the answer.
enum Reply {
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
    /// Held until its first event, then passed event by event. `frames`: it is no text, and becomes one.
    Stream { events: Box<Events>, frames: Option<Box<Frames>>, held: bool, passed: Vec<u8> },
    /// Held answer turned out to be an error; what still comes is dropped.
    Failed,
}

impl AttemptContext {
    pub fn new(metrics: Rc<Metrics>) -> Self {
        AttemptContext { metrics, work: None, reply: Reply::Awaited, counted: false, read: 0 }
    }

    fn rewrite_body(&mut self, size: usize) -> Action {
        let Some(Work { brief, slot, about: answered, .. }) = &mut self.work else { return Action::Continue };
        let body = host::buffer(BufferType::HttpRequestBody, 0, size);
        let Ok(sent) = body_for(&body, &brief.request, slot) else {
            return misconfigured("A filter between the two plugins has made the body unreadable.");
        };
        if slot.translate.is_some() {
            *answered = Some(about(&body, &brief.request, slot, host::now() / 1_000_000_000));
        }
        host::set_header(REQUEST, "content-length", Some(&sent.len().to_string()));
        host::set_buffer(BufferType::HttpRequestBody, size, &sent);
        Action::Continue
    }

    /// Whether the request is for something that a provider keeps.
    fn is_for_kept(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.brief.request.members.is_none())
    }

    /// Counts the attempt once. A failure is left for the next attempt and the route plugin to see.
    fn count(&mut self, result: &str) {
        let Some(Work { slot, attempted, .. }) = &mut self.work else { return };
        if !std::mem::replace(&mut self.counted, true) {
            self.metrics.add("attempts_total", &[("model", &slot.model), ("result", result)], 1);
            if result != "200" {
                attempted.ended(result);
                leave(attempted);
            }
        }
    }

    /// Turns the held answer into an error, so that Envoy's retry policy sees it. `held` bytes are in the buffer; an
    /// answer that ended with its headers has none, and cannot be given any.
    fn fail(&mut self, failure: &Failure, held: Option<usize>) -> Action {
        if let Some(work) = &mut self.work {
            work.attempted.failed(failure.status, None);
        }
        self.count(failure.result);
        self.reply = Reply::Failed;
        host::set_header(RESPONSE, ":status", Some(&failure.status.to_string()));
        if let Some(held) = held {
            let client = self.work.as_ref().map_or(Api::Chat, |work| work.brief.request.api);
            replace_by_error(held, &failure.body_for(client));
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
        replace_by_error(size, &refusal::body(sent.as_deref(), status));
        Action::Continue
    }

    /// A status other than 200.
    fn refused(&mut self, status: &str, end_of_stream: bool) -> Action {
        self.note_failure(status);
        self.count(status);
        self.reply = Reply::Untouched;
        let reworded = |work: &Work| work.about.is_some() && wire(&work.slot, work.brief.request.api) == Api::Messages;
        if !self.work.as_ref().is_some_and(reworded) {
            return Action::Continue;
        }
        let status = status.parse().unwrap_or(502);
        if refusal::status(status) != status {
            host::set_header(RESPONSE, ":status", Some(&refusal::status(status).to_string()));
        }
        if end_of_stream {
            return Action::Continue;
        }
        let readable = host::header(RESPONSE, "content-encoding").is_none();
        self.reply = Reply::Refused { status, readable };
        Action::Pause
    }

    /// What is done to the answer, whose headers are here.
    fn treatment(&mut self) -> Treatment {
        let Some(Work { brief, slot, attempted, about }) = &mut self.work else { return Treatment::new(Api::Chat) };
        let waited = |began| host::now().saturating_sub(began) / 1_000_000;
        Treatment {
            api: wire(slot, brief.request.api),
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
        let Reply::Stream { events, frames, held, passed } = &mut self.reply else { return Action::Continue };
        let fresh = size.saturating_sub(self.read);
        let chunk = match fresh {
            0 => Vec::new(),
            _ => host::buffer(BufferType::HttpResponseBody, self.read, fresh),
        };
        let mut changed = frames.is_some();
        let text = match frames {
            Some(frames) => frames.push(&chunk),
            None => &chunk,
        };
        match events.push(text) {
            Some(bytes) => {
                changed = true;
                passed.extend_from_slice(bytes);
            }
            None if changed => passed.extend_from_slice(text),
            None => {}
        }
        if end_of_stream {
            let rest = events.finish();
            changed |= !rest.is_empty();
            passed.extend_from_slice(rest);
        }
        if *held {
            match events.first() {
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
            host::set_buffer(BufferType::HttpResponseBody, size, passed);
            passed.clear();
        }
        self.count("200");
        if end_of_stream {
            self.finish_stream();
        }
        Action::Continue
    }

    /// An answer that may be one is held until it is known to be one.
    fn good_status(&mut self) -> Action {
        let content_type = host::header(RESPONSE, "content-type").unwrap_or_default();
        let encoded = host::header(RESPONSE, "content-encoding").is_some();
        let translated = self.work.as_ref().is_some_and(|work| work.about.is_some());
        let bedrock = self.work.as_ref().is_some_and(|work| work.slot.dialect == Dialect::BedrockAnthropic);
        match content_type.split(';').next().unwrap_or_default().trim() {
            kind @ ("text/event-stream" | Frames::CONTENT_TYPE)
                if !encoded && (bedrock || kind != Frames::CONTENT_TYPE) =>
            {
                let frames = (kind == Frames::CONTENT_TYPE).then(Box::<Frames>::default);
                if frames.is_some() {
                    host::set_header(RESPONSE, "content-type", Some("text/event-stream"));
                }
                // Its length is not known once events may be taken out.
                host::set_header(RESPONSE, "content-length", None);
                let events = Box::new(Events::new(&self.treatment()));
                self.reply = Reply::Stream { events, frames, held: true, passed: Vec::new() };
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

    /// Leaves word of a refusal, and of how long it asks to wait.
    fn note_failure(&mut self, status: &str) {
        let Some(work) = &mut self.work else { return };
        let header = |name: &str| host::header(RESPONSE, name);
        let wait = (status == "429").then(|| wait(&header, host::now() / 1_000_000_000)).flatten();
        work.attempted.failed(status.parse().unwrap_or(0), wait);
    }

    fn finish_stream(&mut self) {
        if let Reply::Stream { events, .. } = std::mem::replace(&mut self.reply, Reply::Untouched) {
            if let (Some(broken), Some(work)) = (events.broken(), &self.work) {
                let labels = [("model", work.slot.model.as_str()), ("reason", broken.code())];
                self.metrics.add("broken_streams_total", &labels, 1);
            }
            self.account(events.answer());
        }
    }

    /// What an answer took. What a provider keeps is booked when it is made, as far as it says then what it took.
    fn account(&self, answer: &Answer) {
        if let Some(Work { brief, slot, .. }) = self.work.as_ref().filter(|_| !self.is_for_kept()) {
            accounts::book(&self.metrics, brief, slot, answer);
        }
    }
}

/// The API in which the provider answers a request in this one.
fn wire(slot: &Slot, api: Api) -> Api {
    match slot.dialect.is_messages() {
        true => Api::Messages,
        false if slot.translate.is_some() => Api::Chat,
        false => api,
    }
}

/// Puts an error in the place of the `held` bytes.
fn replace_by_error(held: usize, body: &[u8]) {
    host::set_header(RESPONSE, "content-type", Some("application/json"));
    host::set_header(RESPONSE, "content-length", Some(&body.len().to_string()));
    host::set_buffer(BufferType::HttpResponseBody, held, body);
}

/// The plan and this attempt's place in it; leaves word of both.
fn find_work(published: &[u8]) -> Option<Work> {
    let cluster = host::property(&["xds", "cluster_name"])?;
    let number = host::property(&["upstream", "request_attempt_count"])
        .and_then(|bytes| Some(u64::from_le_bytes(*bytes.first_chunk::<8>()?)))
        .unwrap_or(1);
    let (brief, slot) = Brief::at_attempt(published, number, &cluster)?;
    if let Some(next) = &slot.next_cluster {
        host::set_property(property::CLUSTER, next.as_bytes());
    }
    let before = match number {
        1 => Attempted::default(),
        _ => serde_json::from_slice(&host::property(&[property::ATTEMPTED])?).unwrap_or_default(),
    };
    let attempted = before.next(number, &slot);
    leave(&attempted);
    Some(Work { brief, slot, attempted, about: None })
}

fn leave(attempted: &Attempted) {
    host::set_property(property::ATTEMPTED, &serde_json::to_vec(attempted).unwrap_or_default());
}

/// Nothing can be sent to a provider that has not been rewritten for it.
fn misconfigured(message: &str) -> Action {
    let error = crate::response::error::ErrorReply::new(500, "misconfigured", message);
    let headers = [("content-type", "application/json")];
    host::send_reply(error.status, &headers, &error.body(crate::request::Shape::OpenAi));
    Action::Pause
}

impl Context for AttemptContext {
    // Envoy gives upstream filters no log callback; this one comes when the attempt is over, however it ended.
    fn on_done(&mut self) -> bool {
        self.metrics.note_memory("attempt");
        self.count("no_response");
        // A stream that broke off, or a client that left: what was seen counts.
        self.finish_stream();
        true
    }
}

impl HttpContext for AttemptContext {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        // A request without a plan is none of the router's business: the policy lets it pass.
        let Some(brief) = host::property(&[property::BRIEF]) else { return Action::Continue };
        self.work = find_work(&brief);
        let Some(work) = &self.work else {
            return misconfigured("The request has come to a cluster that is not in its plan.");
        };
        for (name, value) in work.slot.outgoing(&work.brief.request) {
            host::set_header(REQUEST, name, value);
        }
        if end_of_stream { Action::Continue } else { Action::Pause }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.work {
            None => Action::Continue,
            Some(_) if end_of_stream => self.rewrite_body(size),
            Some(_) => Action::Pause,
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.rewrite_body(usize::MAX)
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if self.work.is_none() {
            return Action::Continue;
        }
        let status = host::header(RESPONSE, ":status").unwrap_or_default();
        if status != "200" {
            return self.refused(&status, end_of_stream);
        }
        match end_of_stream {
            // A receipt of what a provider keeps may be empty.
            true if self.is_for_kept() => Action::Continue,
            true => self.fail(&Failure::without_body("empty"), None),
            false => self.good_status(),
        }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
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

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        // The body ended without a last callback.
        self.on_http_response_body(self.read, true)
    }
}
