//! The `attempt` plugin: upstream, once per attempt, on the client's original body.
//!
//! Owns the rewriting of the request for this attempt's candidate, the hold on the answer until it is known to be one,
//! and the accounts. Never decides which model comes next: the plan has done that.

use super::host;
use super::metrics::Metrics;
use super::property;
use crate::attempt::{Attempted, Brief, Slot, rewrite};
use crate::decide::cost::of_usage;
use crate::edit::apply;
use crate::request::Api;
use crate::response::stream::{Events, First};
use crate::response::{Answer, Failure, Treatment, read_answer};
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
}

/// The state of the answer.
enum Reply {
    /// No headers yet.
    Awaited,
    /// Passes as it is.
    Untouched,
    /// Held until it is whole.
    Whole,
    /// Held until its first event, then passed event by event.
    Stream { events: Box<Events>, held: bool, passed: Vec<u8> },
    /// Held answer turned out to be an error; what still comes is dropped.
    Failed,
}

impl AttemptContext {
    pub fn new(metrics: Rc<Metrics>) -> Self {
        AttemptContext { metrics, work: None, reply: Reply::Awaited, counted: false, read: 0 }
    }

    fn rewrite_body(&self, size: usize) -> Action {
        let Some(Work { brief, slot, .. }) = &self.work else { return Action::Continue };
        let body = host::buffer(BufferType::HttpRequestBody, 0, size);
        match rewrite(&body, &brief.request, slot) {
            Ok(edits) => {
                let edited = apply(&body, &edits);
                host::set_header(REQUEST, "content-length", Some(&edited.len().to_string()));
                host::set_buffer(BufferType::HttpRequestBody, size, &edited);
                Action::Continue
            }
            Err(_) => misconfigured("A filter between the two plugins has made the body unreadable."),
        }
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
        self.count(failure.result);
        self.reply = Reply::Failed;
        let body = failure.body.as_deref().unwrap_or(
            br#"{"error":{"message":"The provider's answer could not be read.","type":"server_error","param":null,"code":"invalid_answer"}}"#,
        );
        host::set_header(RESPONSE, ":status", Some(&failure.status.to_string()));
        if let Some(held) = held {
            host::set_header(RESPONSE, "content-type", Some("application/json"));
            host::set_header(RESPONSE, "content-length", Some(&body.len().to_string()));
            host::set_buffer(BufferType::HttpResponseBody, held, body);
        }
        Action::Continue
    }

    fn treatment(&self) -> Treatment {
        let take_out_usage = self.work.as_ref().is_some_and(|work| work.slot.add_usage);
        Treatment { take_out_usage, ..Treatment::new(Api::Chat) }
    }

    fn whole_answer(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream && size <= LONGEST_ANSWER {
            self.read = size;
            return Action::Pause;
        }
        if !end_of_stream {
            self.reply = Reply::Untouched;
            self.count("200");
            self.account(&Answer::default());
            return Action::Continue;
        }
        let body = host::buffer(BufferType::HttpResponseBody, 0, size);
        match read_answer(&body, &self.treatment()) {
            Ok((answer, edits)) => {
                if !edits.is_empty() {
                    let edited = apply(&body, &edits);
                    host::set_header(RESPONSE, "content-length", Some(&edited.len().to_string()));
                    host::set_buffer(BufferType::HttpResponseBody, size, &edited);
                }
                self.count("200");
                self.account(&answer);
                self.reply = Reply::Untouched;
                Action::Continue
            }
            Err(failure) => self.fail(&failure, Some(size)),
        }
    }

    fn stream_chunk(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Reply::Stream { events, held, passed } = &mut self.reply else { return Action::Continue };
        let fresh = size.saturating_sub(self.read);
        let chunk = match fresh {
            0 => Vec::new(),
            _ => host::buffer(BufferType::HttpResponseBody, self.read, fresh),
        };
        let mut changed = events.push(&chunk).map(|bytes| passed.extend_from_slice(bytes)).is_some();
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

    fn finish_stream(&mut self) {
        if let Reply::Stream { events, .. } = std::mem::replace(&mut self.reply, Reply::Untouched) {
            self.account(events.answer());
        }
    }

    /// Tokens and money of an answer, into metrics and the access log.
    fn account(&self, answer: &Answer) {
        let Some(Work { brief, slot, .. }) = &self.work else { return };
        if let Some(model) = &answer.model {
            host::set_property(property::RESPONSE_MODEL, model.get(..128).unwrap_or(model).as_bytes());
        }
        let model = ("model", slot.model.as_str());
        let Some(usage) = &answer.usage else {
            return self.metrics.add("usage_missing_total", &[model], 1);
        };
        let counts = [
            ("input", usage.input, property::INPUT_TOKENS),
            ("cached_input", usage.cached_input, property::CACHED_TOKENS),
            ("cache_write", usage.cache_write, ""),
            ("output", usage.output, property::OUTPUT_TOKENS),
            ("reasoning", usage.reasoning, property::REASONING_TOKENS),
        ];
        for (kind, tokens, name) in counts {
            self.metrics.add("tokens_total", &[model, ("kind", kind)], tokens);
            if !name.is_empty() && tokens > 0 {
                host::set_property(name, tokens.to_string().as_bytes());
            }
        }
        let Some(price) = &slot.price else { return };
        let router = ("router", brief.router.as_str());
        let cost = of_usage(price, brief.fee, usage);
        self.metrics.add("cost_microdollars_total", &[router, model], microdollars(cost));
        host::set_property(property::COST, format!("{cost:.6}").as_bytes());
        if let Some(baseline) = &brief.baseline {
            let cost = of_usage(baseline, 0.0, usage);
            self.metrics.add("baseline_cost_microdollars_total", &[router], microdollars(cost));
        }
    }
}

/// Whole millionths of a dollar.
fn microdollars(usd: f64) -> u64 {
    (usd * 1e6).round() as u64
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
    Some(Work { brief, slot, attempted })
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
        for (name, value) in work.slot.outgoing() {
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
        let content_type = host::header(RESPONSE, "content-type").unwrap_or_default();
        let encoded = host::header(RESPONSE, "content-encoding").is_some();
        self.reply = match content_type.split(';').next().unwrap_or_default().trim() {
            _ if status != "200" || encoded => Reply::Untouched,
            _ if end_of_stream => return self.fail(&Failure::without_body("empty"), None),
            "text/event-stream" => {
                // Its length is not known once events may be taken out.
                host::set_header(RESPONSE, "content-length", None);
                Reply::Stream { events: Box::new(Events::new(&self.treatment())), held: true, passed: Vec::new() }
            }
            "application/json" => Reply::Whole,
            _ => Reply::Untouched,
        };
        if let Reply::Untouched = self.reply {
            self.count(&status);
            if status == "200" {
                self.account(&Answer::default());
            }
            return Action::Continue;
        }
        Action::Pause
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.reply {
            Reply::Awaited | Reply::Untouched => Action::Continue,
            Reply::Whole => self.whole_answer(size, end_of_stream),
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
