//! The `route` plugin: downstream, once per client request.
//!
//! Owns the hold on the request until the decision is published, and what the client is told about it. Never touches a
//! provider's body.

use super::host;
use super::metrics::Metrics;
use super::property;
use crate::attempt::{Attempted, Brief};
use crate::decide::Caller;
use crate::policy::Policy;
use crate::request::Shape;
use crate::response::error::ErrorReply;
use crate::routing::{Head, HeadView, Routed, head, route};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use std::rc::Rc;

const REQUEST: MapType = MapType::HttpRequestHeaders;
const RESPONSE: MapType = MapType::HttpResponseHeaders;
/// Headers that only Envoy and this filter may set; a client's are removed.
const INTERNAL: [&str; 2] = ["x-model-router-", "x-envoy-"];

/// One client request.
pub struct RouteContext {
    policy: Rc<Policy>,
    metrics: Rc<Metrics>,
    shape: Shape,
    state: State,
    /// What takes the place of the body of Envoy's own response.
    replacement: Option<String>,
}

enum State {
    /// Headers have not come, or the request is none of the router's business.
    Idle,
    /// Held until the body is there.
    Reading { deployment: Option<String>, caller: Caller },
    /// The plan is published.
    Routed(Box<Decision>),
    /// Answered by this plugin.
    Refused,
}

/// What the response and the metrics need of the plan.
struct Decision {
    router: String,
    mode: &'static str,
    reason: &'static str,
    first_model: String,
    stream: bool,
    /// When the body was there, in nanoseconds since 1970.
    began: u64,
    status: u16,
    attempted: Attempted,
}

impl RouteContext {
    pub fn new(policy: Rc<Policy>, metrics: Rc<Metrics>) -> Self {
        RouteContext { policy, metrics, shape: Shape::OpenAi, state: State::Idle, replacement: None }
    }

    fn refuse(&mut self, error: &ErrorReply) -> Action {
        self.metrics.add("rejected_total", &[("reason", error.code)], 1);
        self.state = State::Refused;
        let headers = [("content-type", "application/json"), ("x-model-router-reason", error.code)];
        host::send_reply(error.status, &headers, &error.body(self.shape));
        Action::Pause
    }

    /// Takes the whole body, decides, and lets the request go on to slot 1.
    fn decide(&mut self, size: usize) -> Action {
        let State::Reading { deployment, caller } = std::mem::replace(&mut self.state, State::Idle) else {
            return Action::Continue;
        };
        let began = host::now();
        let body = match size {
            0 => Vec::new(),
            _ => host::buffer(BufferType::HttpRequestBody, 0, size),
        };
        let policy = Rc::clone(&self.policy);
        match route(&policy, deployment.as_deref(), &body, caller) {
            Err(error) => self.refuse(&error),
            Ok(routed) => {
                let asked = deployment.as_deref().or(routed.request.model.as_deref()).unwrap_or_default();
                let consumer = caller.consumer(&policy).map_or("", |consumer| &consumer.name);
                publish(&routed.brief, asked, consumer);
                self.metrics.observe("decision_microseconds", &[], host::now().saturating_sub(began) / 1000);
                self.state = State::Routed(Box::new(Decision::of(routed, began)));
                Action::Continue
            }
        }
    }

    /// A response that Envoy made itself becomes an error of the API that was called.
    fn replace_envoys_error(&mut self, status: u16) {
        if status < 400 || host::property(&["response", "code_details"]).as_deref() == Some(b"via_upstream") {
            return;
        }
        let error = ErrorReply::of_envoy(status);
        let body = error.body(self.shape);
        host::set_header(RESPONSE, "content-type", Some("application/json"));
        host::set_header(RESPONSE, "content-length", Some(&body.len().to_string()));
        self.replacement = Some(body);
        if let State::Reading { .. } = self.state {
            self.metrics.add("rejected_total", &[("reason", error.code)], 1);
            host::set_header(RESPONSE, "x-model-router-reason", Some(error.code));
        }
    }
}

impl Decision {
    fn of(routed: Routed, began: u64) -> Self {
        let Brief { router, mode, reason, slots, request, .. } = routed.brief;
        let first_model = slots.into_iter().next().map(|slot| slot.model).unwrap_or_default();
        let attempted = Attempted::default();
        Decision { router, mode, reason, first_model, stream: request.stream, began, status: 0, attempted }
    }

    /// Tells the client and the access log what the attempts have left.
    fn describe(&mut self, status: u16, metrics: &Metrics) {
        self.status = status;
        let left = host::property(&[property::ATTEMPTED]);
        self.attempted = left.and_then(|left| serde_json::from_slice(&left).ok()).unwrap_or_default();
        let Attempted { number, model, dropped, .. } = &self.attempted;
        let failover = self.attempted.failure_before().map(|failure| format!("failover_{failure}"));
        let set = |name: &str, value: &str| host::set_header(RESPONSE, name, Some(value).filter(|it| !it.is_empty()));
        set("x-model-router-model", model);
        set("x-model-router-router", &self.router);
        set("x-model-router-mode", self.mode);
        set("x-model-router-attempts", &number.to_string());
        set("x-model-router-dropped", dropped);
        set("x-model-router-reason", failover.as_deref().unwrap_or(self.reason));
        if self.stream && status == 200 {
            // The attempt holds the headers until the first token is there.
            let waited = host::now().saturating_sub(self.began) / 1_000_000;
            metrics.observe("time_to_first_token_milliseconds", &[("model", model)], waited);
        }
        if failover.is_some() {
            self.attempted.ended(&status.to_string());
            host::set_property(property::TRACE, self.attempted.trace.as_bytes());
        }
    }

    /// How the client's request ended, as metrics show it.
    fn outcome(&self) -> &'static str {
        match (self.status, self.attempted.number) {
            (200..=299, 0 | 1) => "ok",
            (200..=299, _) => "failover",
            (400..=499, _) => "client_error",
            (0, _) => "cancelled",
            _ => "error",
        }
    }
}

/// Leaves the plan where Envoy's matcher, the attempts and the access log find it.
fn publish(brief: &Brief, asked: &str, consumer: &str) {
    if let Some(first) = brief.slots.first() {
        host::set_property(property::CLUSTER, first.cluster.as_bytes());
    }
    host::set_property(property::BRIEF, &brief.publish());
    host::set_property(property::REQUEST_MODEL, asked.as_bytes());
    if !consumer.is_empty() {
        host::set_property(property::CONSUMER, consumer.as_bytes());
    }
    // Envoy's limit would otherwise let it start slots again from the first.
    let retries = brief.slots.len().saturating_sub(1).to_string();
    host::set_header(REQUEST, "x-envoy-max-retries", Some(&retries));
    host::clear_route_cache();
}

impl Context for RouteContext {}

impl HttpContext for RouteContext {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let headers = host::headers(REQUEST);
        let get = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let internal = headers.iter().filter(|(name, _)| INTERNAL.iter().any(|prefix| name.starts_with(prefix)));
        internal.for_each(|(name, _)| host::set_header(REQUEST, name, None));
        let view = HeadView {
            method: get(":method").unwrap_or_default(),
            path: get(":path").unwrap_or_default(),
            content_type: get("content-type"),
            content_encoding: get("content-encoding"),
        };
        match head(&self.policy, view) {
            Head::Pass => return Action::Continue,
            Head::Refused(shape, error) => {
                self.shape = shape;
                return self.refuse(&error);
            }
            Head::Api(target) => {
                self.shape = target.shape;
                let caller = Caller::identify(&self.policy, get);
                self.state = State::Reading { deployment: target.deployment.map(Into::into), caller };
            }
        }
        if end_of_stream { self.decide(0) } else { Action::Pause }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.state {
            State::Reading { .. } if !end_of_stream => Action::Pause,
            State::Reading { .. } => self.decide(size),
            State::Refused => Action::Pause,
            _ => Action::Continue,
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        // The body ended without a last callback; whatever is buffered is all of it.
        self.decide(usize::MAX)
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let status = match self.state {
            State::Idle | State::Refused => return Action::Continue,
            State::Reading { .. } | State::Routed(_) => host::header(RESPONSE, ":status"),
        };
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
        if let State::Routed(decision) = &mut self.state {
            decision.describe(status, &self.metrics);
        }
        self.replace_envoys_error(status);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _end_of_stream: bool) -> Action {
        if let Some(body) = &mut self.replacement {
            host::set_buffer(BufferType::HttpResponseBody, size, body.as_bytes());
            body.clear();
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        self.metrics.note_memory("route");
        let State::Routed(decision) = &self.state else { return };
        let Decision { router, mode, first_model, attempted, .. } = &**decision;
        let model = if attempted.model.is_empty() { first_model } else { &attempted.model };
        let labels = [("router", &**router), ("mode", mode), ("model", model), ("outcome", decision.outcome())];
        self.metrics.add("requests_total", &labels, 1);
    }
}
