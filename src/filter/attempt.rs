//! The `attempt` plugin: upstream, once per attempt, on the client's original body; and the same work for slot 1 inside the
//! `both` plugin, downstream.
//!
//! Owns the rewriting of the request for this attempt's candidate, and the accounts; what is done to the answer is in
//! [`super::reply`]. Never decides which model comes next: the plan has done that.

use super::accounts;
use super::cooling;
use super::host;
use super::metrics::Metrics;
use super::outcome::{client_left, from_provider};
use super::property;
use super::reply::Reply;
use crate::attempt::{ACCOUNT_HEADERS, Attempted, Brief, Slot, about, body_for};
use crate::request::{Api, Shape};
use crate::response::error::ErrorReply;
use crate::response::wait::wait;
use crate::response::{Answer, Failure};
use crate::translate::About;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use std::rc::Rc;

const REQUEST: MapType = MapType::HttpRequestHeaders;
const RESPONSE: MapType = MapType::HttpResponseHeaders;

/// One attempt.
pub struct AttemptContext {
    pub(super) metrics: Rc<Metrics>,
    pub(super) work: Option<Work>,
    pub(super) reply: Reply,
    /// In the chain of the client's request, not in that of an attempt.
    downstream: bool,
    /// The attempt has been counted.
    counted: bool,
    /// Bytes of the held answer that have been seen.
    pub(super) read: usize,
}

/// What is to be done: the plan and this attempt's place in it.
pub(super) struct Work {
    pub(super) brief: Brief,
    pub(super) slot: Slot,
    pub(super) attempted: Attempted,
    /// What the translation of the answer has to know; `None`: it is not translated.
    pub(super) about: Option<About>,
}

impl AttemptContext {
    pub fn new(metrics: Rc<Metrics>) -> Self {
        AttemptContext { metrics, work: None, reply: Reply::Awaited, downstream: false, counted: false, read: 0 }
    }

    /// For slot 1, where nothing can be done upstream.
    pub fn downstream(metrics: Rc<Metrics>) -> Self {
        AttemptContext { downstream: true, ..AttemptContext::new(metrics) }
    }

    /// The attempt is over, however it ended.
    pub fn end(&mut self) {
        let is_over = self.counted && !matches!(self.reply, Reply::Stream { .. });
        if self.work.is_some() && !is_over {
            // What was seen of a stream counts, whoever left.
            let left = client_left();
            self.count(if left { "cancelled" } else { "no_response" });
            self.break_off(left);
        }
    }

    /// Lets a reply of Envoy's own pass, which no upstream filter sees. Before the router had the request, nothing was
    /// attempted.
    fn is_envoys_own(&mut self) -> bool {
        let own = self.downstream && !from_provider();
        if own {
            // It may come in the place of an answer that was held.
            self.reply = Reply::Untouched;
        }
        if own && host::property(&["upstream", "request_attempt_count"]).is_none() {
            self.work = None;
            host::set_property(property::ATTEMPTED, &[]);
        }
        own
    }

    fn rewrite_body(&mut self, size: usize) -> Action {
        let Some(Work { brief, slot, about: answered, .. }) = &mut self.work else { return Action::Continue };
        let body = host::buffer(BufferType::HttpRequestBody, 0, size);
        let Ok(sent) = body_for(&body, &brief.request, slot) else {
            return misconfigured(brief.request.api, "A filter between the two plugins has made the body unreadable.");
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
    pub(super) fn count(&mut self, result: &str) {
        let Some(Work { slot, attempted, .. }) = &mut self.work else { return };
        if !std::mem::replace(&mut self.counted, true) {
            self.metrics.add("attempts_total", &[("model", &slot.model), ("result", result)], 1);
            if result == "200" {
                cooling::succeeded(slot);
            } else {
                attempted.ended(result);
                leave(attempted);
                host::set_property(property::ERROR, result.as_bytes());
            }
        }
    }

    /// Leaves word of a refusal, and of how long it asks to wait.
    pub(super) fn note_failure(&mut self, status: &str) {
        let header = |name: &str| host::header(RESPONSE, name);
        let wait = (status == "429").then(|| wait(&header, host::now() / 1_000_000_000)).flatten();
        self.failed(status.parse().unwrap_or(0), wait);
    }

    /// The attempt has failed with this status; the model rests, unless the request is to blame.
    pub(super) fn failed(&mut self, status: u16, wait: Option<u64>) {
        let Some(Work { brief, slot, attempted, .. }) = &mut self.work else { return };
        attempted.failed(status, wait);
        if status == 429 || status >= 500 {
            cooling::failed(&self.metrics, &slot.model, slot.place(), wait, brief.cooldown);
        }
    }

    /// What an answer took. What a provider keeps is booked when it is made, as far as it says then what it took.
    pub(super) fn account(&self, answer: &Answer) {
        if let Some(Work { brief, slot, .. }) = self.work.as_ref().filter(|_| !self.is_for_kept()) {
            accounts::book(&self.metrics, brief, slot, answer);
        }
    }
}

/// The plan and this attempt's place in it; leaves word of both.
fn find_work(published: &[u8], metrics: &Metrics, downstream: bool) -> Option<Work> {
    let (cluster, number) = if downstream { (host::property(&[property::CLUSTER])?, 1) } else { attempt_of_envoy()? };
    let (brief, slot) = Brief::at_attempt(published, number, &cluster)?;
    if let Some(next) = &slot.next_cluster {
        host::set_property(property::CLUSTER, next.as_bytes());
    }
    let before = match number {
        1 => Attempted::default(),
        _ => {
            host::set_property(property::ERROR, b"");
            Attempted::read(&host::property(&[property::ATTEMPTED])?).unwrap_or_default()
        }
    };
    if let Some(place) = before.unanswered() {
        cooling::failed(metrics, &before.model, place, None, brief.cooldown);
    }
    let attempted = before.next(number, &slot);
    leave(&attempted);
    host::set_property(property::ATTEMPT_MODEL, slot.model.as_bytes());
    Some(Work { brief, slot, attempted, about: None })
}

/// Where Envoy has sent this attempt, and its number.
fn attempt_of_envoy() -> Option<(Vec<u8>, u64)> {
    let cluster = host::property(&["xds", "cluster_name"])?;
    let number = host::property(&["upstream", "request_attempt_count"])
        .and_then(|bytes| Some(u64::from_le_bytes(*bytes.first_chunk::<8>()?)))
        .unwrap_or(1);
    Some((cluster, number))
}

fn leave(attempted: &Attempted) {
    host::set_property(property::ATTEMPTED, attempted.publish().as_bytes());
}

/// Nothing can be sent to a provider that has not been rewritten for it.
fn misconfigured(client: Api, message: &str) -> Action {
    let error = ErrorReply::new(500, "misconfigured", message);
    let shape = if client == Api::Messages { Shape::Anthropic } else { Shape::OpenAi };
    host::send_reply(error.status, &[("content-type", "application/json")], &error.body(shape));
    Action::Pause
}

impl Context for AttemptContext {
    // Envoy gives upstream filters no log callback; this one comes when the attempt is over, however it ended.
    fn on_done(&mut self) -> bool {
        self.metrics.note_memory("attempt");
        self.end();
        true
    }
}

impl HttpContext for AttemptContext {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        #[cfg(feature = "trap")]
        super::trap_if_asked("attempt");
        // A request without a plan is none of the router's business: the policy lets it pass.
        let Some(brief) = host::property(&[property::BRIEF]) else { return Action::Continue };
        self.work = find_work(&brief, &self.metrics, self.downstream);
        let Some(work) = &self.work else {
            let client = Brief::client(&brief).unwrap_or(Api::Chat);
            return misconfigured(
                client,
                "The cluster of this attempt is not in the plan, or the two plugins are of different builds.",
            );
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
        if self.work.is_none() || self.is_envoys_own() {
            return Action::Continue;
        }
        ACCOUNT_HEADERS.iter().for_each(|name| host::set_header(RESPONSE, name, None));
        let status = host::header(RESPONSE, ":status").unwrap_or_default();
        let action = match (&*status, end_of_stream) {
            ("200", false) => self.good_status(),
            // A receipt of what a provider keeps may be empty.
            ("200", true) if self.is_for_kept() => Action::Continue,
            ("200", true) => self.fail(&Failure::without_body("empty"), None),
            _ => self.refused(&status, end_of_stream),
        };
        // Downstream these are Envoy's own.
        if !self.downstream && self.work.as_ref().is_some_and(|work| work.brief.limited) {
            let headers = host::headers(RESPONSE);
            let quotas = host::pairs(&headers).into_iter().filter(|(name, _)| name.contains("ratelimit"));
            quotas.for_each(|(name, _)| host::set_header(RESPONSE, name, None));
        }
        action
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.take_body(size, end_of_stream)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        // The body ended without a last callback.
        self.on_http_response_body(self.read, true)
    }
}
