//! The call to a moderation service, between the decision and its publication.
//!
//! Owns the hold on a decided request until the verdict is there, and what becomes of it then. Never reads a prompt or a
//! verdict: [`crate::content_filter`] does.

use super::host;
use super::outcome::Decision;
use super::property;
use super::route::{Decided, RouteContext, State};
use crate::content_filter::{LONGEST_ANSWER, Question, Verdict, content_filter_result};
use crate::policy::{ContentFilter, OnError};
use crate::response::error::ErrorReply;
use log::warn;
use proxy_wasm::types::{Action, BufferType, MapType};
use std::sync::Once;

static NOT_CALLED: Once = Once::new();

/// A decided request whose prompt is being checked.
pub(super) struct Asked {
    decided: Decided,
    on_error: OnError,
    token: u32,
    /// In nanoseconds since 1970.
    since: u64,
}

impl RouteContext {
    /// Asks about the prompt, and holds the request; or says at once what becomes of it.
    pub(super) fn check(&mut self, filter: &ContentFilter, question: Option<Question>, decided: Decided) -> Action {
        let on_error = filter.on_error;
        let Some(question) = question else {
            self.note("skipped", "");
            return self.send_on(decided);
        };
        if !question.whole && on_error == OnError::Reject {
            self.note("failed", "too_long");
            const MESSAGE: &str = "The prompt is longer than what this router's content filter can check.";
            return self.refuse(&ErrorReply::new(413, "request_too_large", MESSAGE));
        }
        let since = host::now();
        let spent = since.saturating_sub(decided.began) / 1_000_000;
        let left = decided.timeouts.total.map_or(filter.timeout, |total| total.saturating_sub(spent).max(1));
        let headers = vec![
            (":method", "POST"),
            (":path", filter.path.as_str()),
            (":authority", filter.authority.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        match host::call(&filter.cluster, headers, &question.body, filter.timeout.min(left)) {
            Some(token) => {
                self.state = State::Asking(Box::new(Asked { decided, on_error, token, since }));
                Action::Pause
            }
            None => {
                // Once, not for each request.
                NOT_CALLED
                    .call_once(|| warn!("content_filter: no call to the cluster `{}` can be made", filter.cluster));
                self.failed("not_called", on_error, decided)
            }
        }
    }

    /// The host has an answer, or none.
    pub(super) fn answered(&mut self, token: u32, headers: usize, size: usize) {
        let asked = match std::mem::replace(&mut self.state, State::Idle) {
            State::Asking(asked) if asked.token == token => asked,
            // Somebody else has answered the client by now.
            other => return self.state = other,
        };
        let took = host::now().saturating_sub(asked.since) / 1_000_000;
        self.metrics.observe("content_filter_milliseconds", &[], took);
        host::set_property(property::CONTENT_FILTER_TIME, took.to_string().as_bytes());
        let action = match verdict(headers, size) {
            Ok(Verdict::Passed) => {
                self.note("passed", "");
                self.send_on(asked.decided)
            }
            Ok(Verdict::Flagged(categories)) => {
                self.note("flagged", &categories.join(","));
                self.refuse(&ErrorReply::of_flagged(content_filter_result(&categories)))
            }
            Err(reason) => self.failed(&reason, asked.on_error, asked.decided),
        };
        if action == Action::Continue {
            host::resume_request();
        }
    }

    fn failed(&mut self, reason: &str, on_error: OnError, decided: Decided) -> Action {
        self.note("failed", reason);
        match on_error {
            OnError::Allow => self.send_on(decided),
            OnError::Reject => {
                const MESSAGE: &str = "The prompt could not be checked by this router's content filter.";
                self.refuse(&ErrorReply::new(503, "content_filter_unavailable", MESSAGE))
            }
        }
    }

    /// Tells metrics and the access log.
    fn note(&self, verdict: &str, detail: &str) {
        self.metrics.add("content_filter_total", &[("verdict", verdict)], 1);
        let colon = if detail.is_empty() { "" } else { ":" };
        host::set_property(property::CONTENT_FILTER, [verdict, colon, detail].concat().as_bytes());
    }

    /// The request is over while its prompt is being checked: its client has left.
    pub(super) fn left_while_asking(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Asking(asked) => {
                let Decided { brief, session, began, .. } = asked.decided;
                self.note("cancelled", "");
                self.state = State::Routed(Box::new(Decision::of(brief, session, began)));
            }
            other => self.state = other,
        }
    }
}

/// The verdict in the answer, or why there is none.
fn verdict(headers: usize, size: usize) -> Result<Verdict, String> {
    let status = match headers {
        0 => None,
        _ => host::header(MapType::HttpCallResponseHeaders, ":status"),
    };
    match status.as_deref() {
        Some("200") if size <= LONGEST_ANSWER => {
            Verdict::read(&host::buffer(BufferType::HttpCallResponseBody, 0, size)).ok_or_else(|| "unreadable".into())
        }
        Some("200") => Err("unreadable".into()),
        Some(status) => Err(status.chars().filter(char::is_ascii_digit).take(3).collect()),
        None => Err("no_answer".into()),
    }
}
