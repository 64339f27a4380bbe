//! The `route` plugin: downstream, once per client request.
//!
//! Owns the hold on the request until the decision is published, and what the client is told about it. Never touches a
//! provider's body.

use super::host;
use super::metrics::Metrics;
use super::property;
use crate::attempt::Brief;
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
    started: u64,
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
    mode: String,
    reason: String,
    first_model: String,
    stream: bool,
}

impl RouteContext {
    pub fn new(policy: Rc<Policy>, metrics: Rc<Metrics>) -> Self {
        RouteContext { policy, metrics, shape: Shape::OpenAi, started: 0, state: State::Idle, replacement: None }
    }

    fn refuse(&mut self, error: &ErrorReply) -> Action {
        self.metrics.add("rejected_total", &[("reason", error.code)], 1);
        self.state = State::Refused;
        let headers = [("content-type", "application/json"), ("x-model-router-reason", error.code)];
        host::set_property(property::REASON, error.code.as_bytes());
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
                self.state = State::Routed(Box::new(Decision::of(routed)));
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

    /// Tells the client what the attempts have left.
    fn describe(&self, decision: &Decision, status: u16) {
        let model = left(property::MODEL);
        let attempts = left(property::ATTEMPT);
        let trace = left(property::TRACE).unwrap_or_default();
        let failover = failed_before(&trace).map(|failure| format!("failover_{failure}"));
        let set = |name: &str, value: Option<&str>| host::set_header(RESPONSE, name, value);
        set("x-model-router-model", model.as_deref());
        set("x-model-router-router", Some(decision.router.as_str()).filter(|name| !name.is_empty()));
        set("x-model-router-mode", Some(&decision.mode));
        set("x-model-router-attempts", Some(attempts.as_deref().unwrap_or("0")));
        set("x-model-router-dropped", left(property::DROPPED).as_deref());
        set("x-model-router-reason", Some(failover.as_deref().unwrap_or(&decision.reason)));
        if decision.stream && status == 200 {
            // The attempt holds the headers until the first token is there.
            let waited = host::now().saturating_sub(self.started) / 1_000_000;
            let model = [("model", model.as_deref().unwrap_or_default())];
            self.metrics.observe("time_to_first_token_milliseconds", &model, waited);
        }
    }
}

impl Decision {
    fn of(routed: Routed) -> Self {
        let Brief { router, mode, reason, slots, request, .. } = routed.brief;
        let first_model = slots.into_iter().next().map(|slot| slot.model).unwrap_or_default();
        Decision { router, mode, reason, first_model, stream: request.stream }
    }
}

/// Leaves the plan where Envoy's matcher, the attempts and the access log find it.
fn publish(brief: &Brief, asked: &str, consumer: &str) {
    if let Some(first) = brief.slots.first() {
        host::set_property(property::CLUSTER, first.cluster.as_bytes());
    }
    host::set_property(property::BRIEF, &serde_json::to_vec(brief).unwrap_or_default());
    let request_model = asked.get(..128).unwrap_or(asked);
    let fields = [
        (property::REQUEST_MODEL, request_model),
        (property::ROUTER, &brief.router),
        (property::MODE, &brief.mode),
        (property::REASON, &brief.reason),
        (property::CONSUMER, consumer),
    ];
    fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .for_each(|(name, value)| host::set_property(name, value.as_bytes()));
    // Envoy's limit would otherwise let it start slots again from the first.
    let retries = brief.slots.len().saturating_sub(1).to_string();
    host::set_header(REQUEST, "x-envoy-max-retries", Some(&retries));
    host::clear_route_cache();
}

/// A value that the attempts have left.
fn left(name: &str) -> Option<String> {
    String::from_utf8(host::property(&[name])?).ok().filter(|value| !value.is_empty())
}

impl Context for RouteContext {}

impl HttpContext for RouteContext {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.started = host::now();
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
        let status = response_status();
        match &self.state {
            State::Idle | State::Refused => return Action::Continue,
            State::Reading { .. } => {}
            State::Routed(decision) => self.describe(decision, status),
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
        let outcome = match (response_status(), left(property::ATTEMPT).as_deref()) {
            (200..=299, Some("1")) => "ok",
            (200..=299, _) => "failover",
            (400..=499, _) => "client_error",
            (0, _) => "cancelled",
            _ => "error",
        };
        let model = left(property::MODEL).unwrap_or_else(|| decision.first_model.clone());
        let labels =
            [("router", &*decision.router), ("mode", &*decision.mode), ("model", &*model), ("outcome", outcome)];
        self.metrics.add("requests_total", &labels, 1);
    }
}

/// 0 where there is no response.
fn response_status() -> u16 {
    host::header(RESPONSE, ":status").and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// How the attempt before the last one ended: `503` of `gpt-5-mini=503,gpt-5=200`.
fn failed_before(trace: &str) -> Option<&str> {
    let (before, _) = trace.rsplit_once(',')?;
    before.rsplit_once('=').map(|(_, result)| result)
}
