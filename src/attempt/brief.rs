//! What the route plugin leaves for the attempts: the plan, ready to be carried out.
//!
//! Self-contained, so that a policy that changes between the two plugins cannot tear them apart. The request is published
//! first and then each slot with its length, because an attempt reads only its own.

use super::Slot;
use super::publish::{FORM, Publish};
use super::slot::{endpoint_of, path_of};
use crate::catalog::Price;
use crate::decide::affinity::Source;
use crate::decide::{Caller, Keeper, Plan, Question, Session, mode_name};
use crate::origin::{Origin, unmarked};
use crate::policy::{Affinity, Cooldown, Policy, Served};
use crate::request::{Api, Kept, Members, Thought, percent_decode};

/// A plan as published.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Of the request.
    pub request: PublishedRequest,
    /// The policy that decided, or empty where it has no name.
    pub policy: String,
    /// Router, or empty where the client named a model.
    pub router: String,
    /// Mode, or `direct`.
    pub mode: String,
    /// On whose behalf; empty where that is no consumer of the policy.
    pub consumer: String,
    /// Why slot 1 was chosen; no business of an attempt.
    pub reason: &'static str,
    /// USD per million input tokens on top of the price.
    pub fee: f64,
    /// Price of the router's baseline model.
    pub baseline: Option<Price>,
    /// How long models rest after they failed; `None`: they do not.
    pub cooldown: Option<Cooldown>,
    /// The conversation, where the router keeps them.
    pub session: Option<PublishedSession>,
    /// The policy has limits: clients are told of those, and of no provider's.
    pub limited: bool,
    /// When the request was there, in nanoseconds since 1970, where the client wants to be told of the decision.
    pub details: Option<u64>,
    /// In the order of attempts; lines of their own.
    pub slots: Vec<Slot>,
}

/// What attempts need to know of the client's request.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedRequest {
    /// The API that was called.
    pub api: Api,
    /// Where the body's members are; `None`: of the body only marks change, whatever it is.
    pub members: Option<Members>,
    /// The boundary of a form; `None`: the body is JSON.
    pub form: Option<String>,
    /// Headers that tell who the client is, which no provider is told.
    pub private: Vec<String>,
    /// The version of Anthropic's API that the client speaks.
    pub version: Option<String>,
    /// Marks in its ids, which come off: start and end of each.
    pub marks: Vec<(u32, u32)>,
    /// Reasoning that only its maker knows.
    pub thoughts: Vec<Thought>,
    /// The mark of the response or conversation that it continues, empty where that has none; `None`: it continues none.
    pub earlier: Option<String>,
    /// The answer is a stream.
    pub stream: bool,
    /// What answers is nothing that a model says now: a background response, something kept, a count.
    pub later: bool,
}

/// The conversation, as attempts tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSession {
    /// `adaptive`, `sticky` or `none`.
    pub strategy: String,
    /// By what it was recognised; empty: not at all.
    pub source: String,
    /// The model that it was on; empty where it is new.
    pub model: String,
}

impl PublishedSession {
    fn of(session: &Session, policy: &Policy) -> Self {
        let strategy = match session.strategy {
            Affinity::Adaptive => "adaptive",
            Affinity::Sticky => "sticky",
            Affinity::None => "none",
        };
        let model = session.model.and_then(|model| policy.models.get(model));
        PublishedSession {
            strategy: strategy.into(),
            source: session.source.map_or("", Source::code).into(),
            model: model.map(|model| model.name.clone()).unwrap_or_default(),
        }
    }

    /// What became of the conversation when `served` answered; `None` where it was not recognised.
    pub fn outcome(&self, served: &str) -> Option<&'static str> {
        match (self.source.as_str(), self.model.as_str()) {
            ("", _) => None,
            (_, "") => Some("initialize"),
            (_, model) if model == served => Some("retain"),
            _ => Some("switch"),
        }
    }
}

impl Brief {
    /// What attempts read.
    pub fn publish(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        bytes.push(FORM);
        self.put(&mut bytes);
        let mut one = Vec::with_capacity(256);
        for slot in &self.slots {
            one.clear();
            slot.put(&mut one);
            one.len().put(&mut bytes);
            bytes.extend_from_slice(&one);
        }
        bytes
    }

    /// The API that the client called, of what was published.
    pub fn client(published: &[u8]) -> Option<Api> {
        Brief::take(&mut published.strip_prefix(&[FORM])?).map(|brief| brief.request.api)
    }

    /// The request's part of what was published, and the slot of attempt `number` (from 1), which Envoy has sent to
    /// `cluster`. An Envoy that does not choose the cluster anew on a retry comes to another cluster than the plan says;
    /// then that cluster's first slot counts. `None` where the cluster is not in the plan.
    pub fn at_attempt(published: &[u8], number: u64, cluster: &[u8]) -> Option<(Brief, Slot)> {
        let mut rest = published.strip_prefix(&[FORM])?;
        let brief = Brief::take(&mut rest)?;
        let mut slots = core::iter::from_fn(|| {
            let length = usize::take(&mut rest)?;
            let (slot, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(slot)
        });
        let read = |mut slot: &[u8]| Slot::take(&mut slot);
        let here = |slot: &Slot| slot.cluster.as_bytes() == cluster;
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let before: Vec<&[u8]> = slots.by_ref().take(index).collect();
        let planned = slots.next().and_then(read).filter(here);
        let slot = planned.or_else(|| before.into_iter().chain(slots).filter_map(read).find(here))?;
        Some((brief, slot))
    }
}

/// Makes ready what the attempts of `plan` need.
pub fn brief(question: &Question, plan: &Plan) -> Brief {
    let Question { policy, request, endpoint, terms, .. } = question;
    let path = endpoint.unwrap_or(endpoint_of(request.api));
    let candidates = plan.candidates.iter().take(policy.max_attempts);
    let mut slots: Vec<Slot> = candidates.filter_map(|candidate| Slot::of(question, candidate, path)).collect();
    let clusters: Vec<String> = slots.iter().skip(1).map(|slot| slot.cluster.clone()).collect();
    slots.iter_mut().zip(clusters).for_each(|(slot, next)| slot.next_cluster = Some(next));
    let earlier = request.previous_response.as_deref().or(request.kept_conversation.as_deref());
    Brief {
        slots,
        policy: policy.label().to_owned(),
        router: terms.router.map_or_else(String::new, |router| router.name.clone()),
        mode: mode_name(terms).to_owned(),
        consumer: name_of(question.caller, policy),
        reason: plan.reason.code(),
        fee: terms.router.map_or(0.0, |router| router.fee),
        baseline: terms.router.and_then(|router| policy.models.get(router.baseline?)?.price.clone()),
        session: plan.session.as_ref().map(|session| PublishedSession::of(session, policy)),
        cooldown: policy.cooldown,
        limited: policy.has_limits(),
        details: None,
        request: PublishedRequest {
            api: request.api,
            stream: request.stream,
            members: Some(request.members.clone()),
            form: None,
            private: private_headers(policy),
            version: None,
            marks: request.state.published_marks(),
            thoughts: request.state.thoughts.clone(),
            earlier: earlier.map(|id| Origin::of(id.as_bytes()).map(|(origin, _)| origin.mark()).unwrap_or_default()),
            later: request.background || (matches!(request.api, Api::Responses | Api::Messages) && endpoint.is_some()),
        },
    }
}

/// The headers by which consumers are told apart.
fn private_headers(policy: &Policy) -> Vec<String> {
    let mut names: Vec<String> = policy.consumer_headers().map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn name_of(caller: Caller, policy: &Policy) -> String {
    caller.consumer(policy).map(|consumer| consumer.name.clone()).unwrap_or_default()
}

/// Makes ready a request for something that a provider keeps: one attempt, in which only marks change.
pub fn brief_for_kept(policy: &Policy, caller: Caller, keeper: &Keeper, kept: &Kept, query: &str) -> Option<Brief> {
    let provider = policy.providers.get(keeper.provider)?;
    let model = keeper.model.and_then(|model| policy.models.get(model));
    let name = model.map_or("", |model| &model.name);
    let served = Served { provider: keeper.provider, deployment: String::new() };
    let slash = if keeper.id.is_empty() { "" } else { "/" };
    let rest: Vec<String> = kept.rest.split('/').map(unmarked).collect();
    let endpoint = format!("{}{slash}{}{}", kept.collection, keeper.id, rest.join("/"));
    let mut slot = Slot::at(provider, &served, &endpoint);
    slot.path = with_query(path_of(provider, "", &endpoint, false), query);
    slot.model = name.to_owned();
    let candidate = Origin::of(kept.id.as_bytes()).is_some_and(|(origin, _)| origin.candidate);
    slot.mark = Origin { candidate, ..Origin::new(&provider.name, name) }.mark();
    let request = PublishedRequest {
        api: Api::Responses,
        members: None,
        form: None,
        private: private_headers(policy),
        version: None,
        marks: Vec::new(),
        thoughts: Vec::new(),
        earlier: None,
        stream: false,
        later: true,
    };
    Some(Brief {
        request,
        policy: policy.label().to_owned(),
        router: String::new(),
        mode: "direct".into(),
        consumer: name_of(caller, policy),
        reason: "kept",
        fee: 0.0,
        baseline: None,
        cooldown: None,
        session: None,
        limited: policy.has_limits(),
        details: None,
        slots: vec![slot],
    })
}

/// A path with the client's query; its API version is the provider's, and so are the ids in it.
fn with_query(mut path: String, query: &str) -> String {
    let is_version = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decode(name).eq_ignore_ascii_case("api-version")
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !is_version(pair)) {
        path.push(if path.contains('?') { '&' } else { '?' });
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        path.push_str(name);
        if pair.len() > name.len() {
            path.push('=');
            path.push_str(&unmarked(value));
        }
    }
    path
}
