//! What became of a routed request: told to the client in headers, to metrics and to the access log.
//!
//! Never reads a body.

use super::cooling;
use super::host;
use super::memory;
use super::metrics::Metrics;
use super::property;
use crate::attempt::{Attempted, Brief, PublishedSession};
use crate::decide::Session;
use crate::policy::Cooldown;
use proxy_wasm::types::MapType;

const RESPONSE: MapType = MapType::HttpResponseHeaders;

/// What the response and the metrics need of the plan.
pub struct Decision {
    policy: String,
    router: String,
    mode: String,
    consumer: String,
    reason: &'static str,
    first_model: String,
    stream: bool,
    /// The conversation, and what is known of it.
    session: Option<(Session, PublishedSession)>,
    cooldown: Option<Cooldown>,
    /// When the body was there, in nanoseconds since 1970.
    began: u64,
    status: u16,
    attempted: Attempted,
}

impl Decision {
    pub fn of(brief: Brief, session: Option<Session>, began: u64) -> Self {
        let Brief { policy, router, mode, consumer, reason, cooldown, slots, request, .. } = brief;
        let first_model = slots.into_iter().next().map(|slot| slot.model).unwrap_or_default();
        let session = session.zip(brief.session);
        let attempted = Attempted::default();
        Decision {
            policy,
            router,
            mode,
            consumer,
            reason,
            first_model,
            stream: request.stream,
            session,
            cooldown,
            began,
            status: 0,
            attempted,
        }
    }

    /// Tells the client and the access log what the attempts have left.
    pub fn describe(&mut self, status: u16, metrics: &Metrics) {
        self.status = status;
        let left = host::property(&[property::ATTEMPTED]);
        self.attempted = left.and_then(|left| Attempted::read(&left)).unwrap_or_default();
        if let Some(place) = self.attempted.unanswered().filter(|_| status >= 500) {
            // Envoy has answered in the place of the last model, which did not.
            cooling::failed(metrics, &self.attempted.model, place, None, self.cooldown);
        }
        let Attempted { number, model, dropped, .. } = &self.attempted;
        let failover = self.attempted.failure_before().map(|failure| format!("failover_{failure}"));
        set("x-model-router-model", model);
        set("x-model-router-router", &self.router);
        set("x-model-router-mode", &self.mode);
        set("x-model-router-attempts", &number.to_string());
        set("x-model-router-dropped", dropped);
        set("x-model-router-reason", failover.as_deref().unwrap_or(self.reason));
        match status {
            200..=299 => self.succeeded(metrics),
            429 => self.limited(),
            _ => {}
        }
        if failover.is_some() {
            self.attempted.ended(&status.to_string());
            host::set_property(property::TRACE, self.attempted.trace.as_bytes());
        }
    }

    fn succeeded(&self, metrics: &Metrics) {
        let model = self.attempted.model.as_str();
        if self.stream {
            // The attempt holds the headers until the first token is there.
            let waited = host::now().saturating_sub(self.began) / 1_000_000;
            metrics.observe("time_to_first_token_milliseconds", &[("model", model)], waited);
        }
        let Some((session, known)) = &self.session else { return };
        if let Some(outcome) = known.outcome(model) {
            metrics.add("affinity_total", &[("decision", outcome)], 1);
            host::set_property(property::AFFINITY, outcome.as_bytes());
        }
        if let Some(key) = session.key {
            memory::remember(key, model);
        }
        if let Some(token) = session.token(model) {
            set("x-model-router-session", &token);
        }
    }

    /// Every model is at its limit: clients come back when the first of them has room again.
    fn limited(&self) {
        if !self.attempted.limited {
            // The others did not ask for patience: the client need not wait for this one.
            let names = ["retry-after", "retry-after-ms"];
            names.into_iter().filter(|_| self.attempted.number > 0).for_each(|name| set(name, ""));
            return;
        }
        set("x-should-retry", "true");
        if let Some(wait) = self.attempted.wait {
            set("retry-after-ms", &wait.to_string());
            set("retry-after", &wait.div_ceil(1000).to_string());
        }
    }

    /// Counts the client's request.
    pub fn count(&self, metrics: &Metrics) {
        let Decision { policy, router, mode, consumer, first_model, attempted, .. } = self;
        let model = if attempted.model.is_empty() { first_model } else { &attempted.model };
        let labels = [("router", &**router), ("mode", mode), ("model", model), ("outcome", self.outcome())];
        metrics.add_of(policy, "requests_total", &labels, 1);
        if !consumer.is_empty() {
            // Apart from the above, whose labels would multiply.
            metrics.add("consumer_requests_total", &[("consumer", consumer), ("router", router)], 1);
        }
    }

    /// How the client's request ended, as metrics show it.
    fn outcome(&self) -> &'static str {
        match (self.status, self.attempted.number) {
            _ if client_left() => "cancelled",
            (200..=299, 0 | 1) => "ok",
            (200..=299, _) => "failover",
            (400..=499, _) => "client_error",
            (0, _) => "cancelled",
            _ => "error",
        }
    }
}

/// Whether it was the client who ended the request, and not the answer's end, Envoy or a provider: asked once the request
/// is over. Envoy notes this in its flags of the response before anything is torn down, for the attempts to see too; what
/// a provider's connection does to a response that has begun it notes only after that.
pub(super) fn client_left() -> bool {
    /// The client closed its connection (DC in the access log), reset its HTTP/2 stream (DR; but for the code NO_ERROR, which
    /// is no client's to send, and of which Envoy notes nothing), or broke the protocol (DPE).
    const LEFT: u64 = 1 << 14 | 1 << 28 | 1 << 18;
    let flags = host::property(&["response", "flags"]);
    flags.and_then(|bytes| Some(u64::from_le_bytes(*bytes.first_chunk::<8>()?))).is_some_and(|flags| flags & LEFT != 0)
}

/// Whether the response that the client gets is a provider's, and not one that Envoy has made. Not told upstream.
pub(super) fn from_provider() -> bool {
    host::property(&["response", "code_details"]).as_deref() == Some(b"via_upstream")
}

/// Sets a header of the response, or removes it where there is nothing to say.
fn set(name: &str, value: &str) {
    host::set_header(RESPONSE, name, Some(value).filter(|it| !it.is_empty()));
}
