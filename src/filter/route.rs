//! The `route` plugin: downstream, once per client request; and the `both` plugin, which is this one with an attempt inside.
//!
//! Owns the hold on the request until the decision is published, and what is answered without a provider. Never touches
//! a provider's body. What a content filter does in between is in [`super::checking`], what becomes of the response in
//! [`super::telling`].

use super::attempt::AttemptContext;
use super::checking::Asked;
use super::cooling;
use super::host;
use super::limiter;
use super::memory;
use super::metrics::Metrics;
use super::outcome::Decision;
use super::property;
use crate::attempt::{Brief, CLOUD_HEADERS};
use crate::content_filter::{for_request, question};
use crate::decide::{Charge, Memory, Rest, Session, Shadow};
use crate::explain::{Log, explain};
use crate::policy::{Policy, Timeouts};
use crate::request::{BETAS, Shape};
use crate::response::error::ErrorReply;
use crate::routing::{Call, Head, Routed, head, joined, route};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use std::rc::Rc;

const REQUEST: MapType = MapType::HttpRequestHeaders;
/// Headers that only Envoy and this filter may set; a client's are removed.
const INTERNAL: [&str; 2] = ["x-model-router-", "x-envoy-"];
/// Where the `both` plugin sends the request: for a route's `cluster_header`, or for routes that match it.
const CLUSTER_HEADER: &str = "x-model-router-cluster";

/// One client request.
pub struct RouteContext {
    pub(super) policy: Rc<Policy>,
    pub(super) metrics: Rc<Metrics>,
    pub(super) shape: Shape,
    pub(super) state: State,
    /// What the request counts for, where the policy has limits.
    pub(super) charge: Option<Charge>,
    /// What takes the place of the body of Envoy's own response.
    pub(super) replacement: Option<String>,
    /// The attempt at slot 1, where there is no `attempt` plugin.
    attempt: Option<AttemptContext>,
    /// The response has its headers.
    pub(super) told: bool,
}

pub(super) enum State {
    /// Headers have not come, or the request is none of the router's business.
    Idle,
    /// Held until the body is there.
    Reading(Box<Call>),
    /// Decided, and held until the content filter has answered.
    Asking(Box<Asked>),
    /// The plan is published.
    Routed(Box<Decision>),
    /// Answered by this plugin.
    Answered,
}

/// A request whose plan is made and not yet published.
pub(super) struct Decided {
    pub brief: Brief,
    pub session: Option<Session>,
    pub timeouts: Timeouts,
    charge: Option<Charge>,
    /// When the body was there, in nanoseconds since 1970.
    pub began: u64,
    /// Its length.
    size: usize,
}

impl RouteContext {
    pub fn new(policy: Rc<Policy>, metrics: Rc<Metrics>) -> Self {
        let state = State::Idle;
        let shape = Shape::OpenAi;
        RouteContext { policy, metrics, shape, state, charge: None, replacement: None, attempt: None, told: false }
    }

    /// The `both` plugin, with a policy that plans one attempt.
    pub fn with_attempt(policy: Rc<Policy>, metrics: Rc<Metrics>) -> Self {
        let attempt = Some(AttemptContext::downstream(Rc::clone(&metrics)));
        RouteContext { attempt, ..RouteContext::new(policy, metrics) }
    }

    fn answer(&mut self, text: &str) -> Action {
        self.state = State::Answered;
        host::send_reply(200, &[("content-type", "application/json"), ("x-model-router-reason", "local")], text);
        Action::Pause
    }

    pub(super) fn refuse(&mut self, error: &ErrorReply) -> Action {
        self.metrics.add("rejected_total", &[("reason", error.code)], 1);
        self.state = State::Answered;
        let headers = [("content-type", "application/json"), ("x-model-router-reason", error.code)];
        host::send_reply(error.status, &headers, &error.body(self.shape));
        Action::Pause
    }

    /// Takes the whole body, decides, and lets the request go on to slot 1.
    fn decide(&mut self, size: usize) -> Action {
        let State::Reading(call) = std::mem::replace(&mut self.state, State::Idle) else { return Action::Continue };
        let began = host::now();
        let body = match size {
            0 => Vec::new(),
            _ => host::buffer(BufferType::HttpRequestBody, 0, size),
        };
        let policy = Rc::clone(&self.policy);
        if call.explain {
            let memory = Memory { recall: &memory::recall, cooldowns: &cooling::look() };
            let mut explanation = explain(&policy, &call, &body, memory);
            explanation.took(host::now().saturating_sub(began) / 1000);
            return self.answer(&serde_json::to_string(&explanation).unwrap_or_default());
        }
        match settled(&policy, &call, &body) {
            Err(error) => self.refuse(&error),
            Ok(routed) => self.decided(&policy, &call, routed, (began, size)),
        }
    }

    /// Lets the request go, whose whole body is there: rewritten, where no attempt plugin will.
    fn rewrite(&mut self, size: usize) -> Action {
        let Some(attempt) = &mut self.attempt else { return Action::Continue };
        attempt.on_http_request_headers(0, false);
        attempt.on_http_request_body(size, true)
    }

    /// Leaves the decision for the access log, and has the prompt checked if it must be.
    fn decided(&mut self, policy: &Policy, call: &Call, mut routed: Routed, (began, size): (u64, usize)) -> Action {
        note(call, &routed);
        if let Some(shadow) = &routed.shadow {
            compare(&self.metrics, &routed, shadow);
        }
        self.metrics.observe("decision_microseconds", &[], host::now().saturating_sub(began) / 1000);
        routed.brief.details = call.controls.then_some(began);
        let filter = for_request(policy, call, &routed);
        let question = filter.map(|filter| question(&routed.request, filter.model.as_deref()));
        let charge = routed.brief.limited.then(|| Charge::of(&routed.request, &routed.plan));
        let Routed { policy: Policy { timeouts, .. }, brief, plan, .. } = routed;
        let decided = Decided { brief, session: plan.session, timeouts: *timeouts, charge, began, size };
        match filter.zip(question) {
            None => self.send_on(decided),
            Some((filter, question)) => self.check(filter, question, decided),
        }
    }

    /// Leaves the plan for the attempts, and lets the request go.
    pub(super) fn send_on(&mut self, decided: Decided) -> Action {
        let Decided { brief, session, timeouts, charge, began, size } = decided;
        let Some(limits) = Limits::of(timeouts, brief.request.stream, host::now().saturating_sub(began)) else {
            return self.refuse(&ErrorReply::of_envoy(504));
        };
        self.charge(&brief.router, charge);
        self.publish(&brief);
        limits.set();
        self.state = State::Routed(Box::new(Decision::of(brief, session, began)));
        self.rewrite(size)
    }

    /// Leaves word of what the request counts for, where anything is limited.
    fn charge(&mut self, router: &str, charge: Option<Charge>) {
        if let Some(charge) = charge {
            limiter::publish(router, charge);
        }
        self.charge = charge;
    }

    /// Lets a request for something that a provider keeps go there, whatever body it has.
    fn pass_on(&mut self, brief: Brief, end_of_stream: bool) -> Action {
        if !brief.consumer.is_empty() {
            host::set_property(property::CONSUMER, brief.consumer.as_bytes());
        }
        self.charge(&brief.router, brief.limited.then(Charge::default));
        self.publish(&brief);
        self.state = State::Routed(Box::new(Decision::of(brief, None, host::now())));
        self.attempt.as_mut().map_or(Action::Continue, |attempt| attempt.on_http_request_headers(0, end_of_stream))
    }

    /// Leaves the plan where Envoy's route and the attempts find it.
    fn publish(&self, brief: &Brief) {
        let cluster = brief.slots.first().map(|first| first.cluster.as_str()).unwrap_or_default();
        host::set_property(property::CLUSTER, cluster.as_bytes());
        host::set_property(property::BRIEF, &brief.publish());
        if self.attempt.is_some() {
            // A retry is of the same model, as often as Envoy's route says.
            host::set_header(REQUEST, CLUSTER_HEADER, Some(cluster));
        } else {
            // Envoy's limit would otherwise let it start slots again from the first.
            let retries = brief.slots.len().saturating_sub(1).to_string();
            host::set_header(REQUEST, "x-envoy-max-retries", Some(&retries));
        }
        host::clear_route_cache();
    }
}

/// Decides on a body. A model that is due after a failure is tried by one request only: the others decide again.
fn settled<'p, 'a>(policy: &'p Policy, call: &Call, body: &'a [u8]) -> Result<Routed<'p, 'a>, ErrorReply> {
    let decide = || route(policy, call, body, Memory { recall: &memory::recall, cooldowns: &cooling::look() });
    let routed = decide()?;
    let due = routed.plan.candidates.first().is_some_and(|first| first.rest == Rest::Due);
    match routed.brief.slots.first().filter(|_| due) {
        Some(slot) if !cooling::try_again(slot.place()) => decide(),
        _ => Ok(routed),
    }
}

/// Counts whether two policies agree, and what each expects.
fn compare(metrics: &Metrics, Routed { policy, plan, brief, .. }: &Routed, shadow: &Shadow) {
    let router = ("router", brief.router.as_str());
    let agreement = ("agreement", shadow.agreement(policy, plan));
    metrics.add("shadow_requests_total", &[router, ("policy", shadow.policy.label()), agreement], 1);
    for expected in shadow.expected(policy, plan).into_iter().flatten() {
        let labels = [router, ("policy", expected.policy)];
        metrics.add("shadow_cost_nanodollars_total", &labels, expected.cost);
        metrics.add("shadow_quality_millionths_total", &labels, expected.quality);
    }
}

/// What the access log says of a decision.
fn note(call: &Call, routed: &Routed) {
    let asked = call.deployment.as_deref().or(routed.request.model.as_deref()).unwrap_or_default();
    let log = Log::of(routed);
    for (name, value) in [
        (property::REQUEST_MODEL, asked),
        (property::POLICY, routed.policy.label()),
        (property::CONSUMER, &routed.brief.consumer),
        (property::TASK, log.task),
        (property::DIFFICULTY, &log.difficulty),
        (property::PLAN, &log.plan),
        (property::EXCLUDED, &log.excluded),
        (property::AFFINITY_SOURCE, &log.affinity_source),
        (property::SHADOW, &log.shadow),
    ] {
        if !value.is_empty() {
            host::set_property(name, value.as_bytes());
        }
    }
}

/// Envoy's timers for one request, in milliseconds; `None`: what its route says.
struct Limits {
    attempt: Option<u64>,
    total: Option<u64>,
}

impl Limits {
    /// As the policy has them, for a request that has `spent` so many nanoseconds here; `None` where it is over.
    fn of(timeouts: Timeouts, stream: bool, spent: u64) -> Option<Limits> {
        let attempt = if stream { timeouts.first_token } else { timeouts.answer };
        let left = |total: u64| total.checked_sub(spent / 1_000_000).filter(|left| *left > 0);
        let total = match timeouts.total {
            Some(total) => Some(left(total)?),
            None => None,
        };
        Some(Limits { attempt, total })
    }

    fn set(&self) {
        for (name, bound) in
            [("x-envoy-upstream-rq-per-try-timeout-ms", self.attempt), ("x-envoy-upstream-rq-timeout-ms", self.total)]
        {
            if let Some(bound) = bound {
                host::set_header(REQUEST, name, Some(&bound.to_string()));
            }
        }
    }
}

impl Context for RouteContext {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        self.answered(token, headers, size);
    }
}

impl HttpContext for RouteContext {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        #[cfg(feature = "trap")]
        super::trap_if_asked("route");
        let headers = host::headers(REQUEST);
        let headers = host::pairs(&headers);
        let betas = joined(&headers, BETAS);
        let get = |name: &str| match name {
            BETAS => betas.as_deref(),
            _ => headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value),
        };
        let remove = |prefixes: &[&str]| {
            let found = headers.iter().filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
            found.for_each(|(name, _)| host::set_header(REQUEST, name, None));
        };
        remove(&INTERNAL);
        let path = get(":path").and_then(|path| path.split('?').next()).unwrap_or_default();
        host::set_property(property::PATH, path.as_bytes());
        let head = head(&self.policy, &get);
        if !matches!(head, Head::Pass) {
            remove(&CLOUD_HEADERS);
        }
        match head {
            Head::Pass => return Action::Continue,
            Head::Answer(text) => return self.answer(&text),
            Head::Kept(brief) => return self.pass_on(*brief, end_of_stream),
            Head::Refused(shape, error) => {
                self.shape = shape;
                return self.refuse(&error);
            }
            Head::Call(call) => {
                self.shape = call.shape;
                if let Some(operation) = call.operation() {
                    host::set_property(property::OPERATION, operation.as_bytes());
                }
                self.state = State::Reading(call);
            }
        }
        if end_of_stream { self.decide(0) } else { Action::Pause }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match self.state {
            State::Reading(_) if !end_of_stream => Action::Pause,
            State::Reading(_) => self.decide(size),
            State::Asking(_) | State::Answered => Action::Pause,
            State::Routed(_) => match &mut self.attempt {
                Some(attempt) => attempt.on_http_request_body(size, end_of_stream),
                None => Action::Continue,
            },
            State::Idle => Action::Continue,
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        // The body ended without a last callback; whatever is buffered is all of it.
        self.on_http_request_body(usize::MAX, true)
    }

    fn on_http_response_headers(&mut self, count: usize, end_of_stream: bool) -> Action {
        let attempt = self.attempt.as_mut();
        match attempt.map(|attempt| attempt.on_http_response_headers(count, end_of_stream)) {
            Some(Action::Pause) => Action::Pause,
            _ => self.tell(end_of_stream),
        }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if let Some(attempt) = &mut self.attempt {
            if attempt.on_http_response_body(size, end_of_stream) == Action::Pause {
                return Action::Pause;
            }
            self.tell_late();
        }
        if let Some(body) = &mut self.replacement {
            host::set_buffer(BufferType::HttpResponseBody, size, body.as_bytes());
            body.clear();
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, count: usize) -> Action {
        if let Some(attempt) = &mut self.attempt {
            attempt.on_http_response_trailers(count);
            self.tell_late();
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.end();
        }
        self.metrics.note_memory("route");
        self.left_while_asking();
        if let State::Routed(decision) = &self.state {
            decision.count(&self.metrics);
        }
    }
}
