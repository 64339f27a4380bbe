//! What the client is told: the response's headers, and errors of Envoy and its limits in the client's API.
//!
//! Owns the response as the route plugin sees it. Never touches a provider's body.

use super::host;
use super::limiter;
use super::outcome::from_provider;
use super::route::{RouteContext, State};
use crate::response::error::ErrorReply;
use proxy_wasm::types::{Action, MapType};

const RESPONSE: MapType = MapType::HttpResponseHeaders;

impl RouteContext {
    /// Gives the response its headers.
    pub(super) fn tell(&mut self, end_of_stream: bool) -> Action {
        self.told = true;
        let status = match self.state {
            State::Idle | State::Answered => return Action::Continue,
            State::Reading(_) | State::Asking(_) | State::Routed(_) => host::header(RESPONSE, ":status"),
        };
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
        if let Some(error) = self.limited(status) {
            if end_of_stream {
                return self.give_body(&error);
            }
            self.replace_body(&error);
            return Action::Continue;
        }
        if let State::Routed(decision) = &mut self.state {
            decision.describe(status, &self.metrics);
        }
        if end_of_stream && status >= 400 {
            let error = ErrorReply::new(status, "empty_answer", "The provider's answer was empty.");
            return self.give_body(&error);
        }
        self.replace_envoys_error(status);
        Action::Continue
    }

    /// The attempt here has let go of the headers that it held.
    pub(super) fn tell_late(&mut self) {
        if !self.told {
            self.tell(false);
        }
    }

    /// A failure that ended with its headers gets the body that clients expect.
    fn give_body(&self, error: &ErrorReply) -> Action {
        const TOLD: [&str; 4] = ["x-model-router-", "x-should-retry", "retry-after", "x-ratelimit-"];
        let told = |name: &str| TOLD.iter().any(|prefix| name.starts_with(prefix));
        let headers = host::headers(RESPONSE);
        let kept = host::pairs(&headers).into_iter().filter(|(name, _)| told(name));
        let headers: Vec<_> = kept.chain([("content-type", "application/json")]).collect();
        host::send_reply(error.status, &headers, &error.body(self.shape));
        Action::Pause
    }

    /// A response that Envoy made itself becomes an error of the API that was called.
    fn replace_envoys_error(&mut self, status: u16) {
        if status < 400 || from_provider() {
            return;
        }
        let error = ErrorReply::of_envoy(status);
        self.replace_body(&error);
        if let State::Reading(_) | State::Asking(_) = self.state {
            self.state = State::Answered;
            self.metrics.add("rejected_total", &[("reason", error.code)], 1);
            host::set_header(RESPONSE, "x-model-router-reason", Some(error.code));
        }
    }

    fn replace_body(&mut self, error: &ErrorReply) {
        let body = error.body(self.shape);
        host::set_header(RESPONSE, "content-type", Some("application/json"));
        host::set_header(RESPONSE, "content-length", Some(&body.len().to_string()));
        self.replacement = Some(body);
    }

    /// The error of a request that a limit has kept from every provider.
    fn limited(&mut self, status: u16) -> Option<ErrorReply> {
        let charge = self.charge?;
        limiter::tidy();
        let details = if status < 400 { None } else { host::property(&["response", "code_details"]) };
        let error = limiter::refused(&details?, charge, &self.metrics)?;
        self.state = State::Answered;
        Some(error)
    }
}
