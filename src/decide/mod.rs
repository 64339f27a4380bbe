//! Decides which models serve a request, in which order, and says why the others do not.
//!
//! Owns who may ask for what, eligibility, expected cost, modes and ranking. Pure and deterministic: the same request
//! and policy give the same plan. Never touches bytes or headers.

pub mod affinity;
mod asked;
mod charge;
pub mod cooldown;
pub mod cost;
mod eligible;
mod kept;
mod parameters;
mod rank;
pub mod rollout;
mod terms;
mod thinking;

pub use affinity::Session;
use affinity::{Recall, Recalled};
pub use asked::{Asked, Caller, asked, resolve_model};
pub use charge::Charge;
pub use cooldown::{Cooldowns, Rest};
pub use eligible::{Exclusion, Question, Translations, Way};
pub use kept::{Keeper, keeper};
pub use parameters::{Changes, changes};
pub use rank::{best_quality, in_band};
pub use rollout::Shadow;
pub use terms::Terms;
pub use thinking::{Thinking, output_limit};

use crate::origin::Origin;
use crate::policy::{Mode, ModelId, Policy, Provider, ProviderId, Served};
use crate::predict::{Prediction, Reading, predict};
use crate::request::{Api, Request};

/// What is remembered of earlier requests.
#[derive(Clone, Copy)]
pub struct Memory<'m> {
    /// Of conversations.
    pub recall: Recall<'m>,
    /// Of failures.
    pub cooldowns: &'m Cooldowns,
}

impl Memory<'_> {
    /// Nothing is remembered.
    pub const NONE: Memory<'static> = Memory { recall: &|_| Recalled::Nothing, cooldowns: &Cooldowns::NONE };
}

/// A model at a provider, eligible for this request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which model.
    pub model: ModelId,
    /// Index into the model's `served_by`.
    pub served: usize,
    /// Expected outcome.
    pub prediction: Prediction,
    /// Expected cost in USD; `None` where no price is known (only for a model asked for by name).
    pub cost: Option<f64>,
    /// Whether it rests there after a failure.
    pub rest: Rest,
}

impl Candidate {
    /// Where this candidate is served.
    pub fn place<'a>(&self, policy: &'a Policy) -> Option<(&'a Served, &'a Provider)> {
        let served = policy.models.get(self.model)?.served_by.get(self.served)?;
        Some((served, policy.providers.get(served.provider)?))
    }
}

/// Why slot 1 is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client named this model.
    Direct,
    /// The best predicted quality.
    Best,
    /// Cheaper than the best and within the band.
    CheapestInBand,
    /// Nothing else was eligible.
    OnlyEligible,
    /// The conversation stays on its model.
    Affinity,
    /// What would have been first rests after a failure.
    Cooldown,
}

impl Reason {
    /// The code that clients see.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Direct => "direct",
            Reason::Best => "best",
            Reason::CheapestInBand => "cheapest_in_band",
            Reason::OnlyEligible => "only_eligible",
            Reason::Affinity => "affinity",
            Reason::Cooldown => "cooldown",
        }
    }
}

/// The ranked candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Index of the router; `None` where the client named a model.
    pub router: Option<usize>,
    /// All candidates. The first is the decision, the next `max_attempts - 1` are failover. Never empty.
    pub candidates: Vec<Candidate>,
    /// Why slot 1.
    pub reason: Reason,
    /// What the prompt asks for.
    pub reading: Reading,
    /// The conversation, where a router keeps them.
    pub session: Option<Session>,
    /// Models that are not eligible, with the reason.
    pub excluded: Vec<(ModelId, Exclusion)>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// No `model` in path or body.
    NoModel,
    /// Neither a router nor a model has this name.
    UnknownModel(String),
    /// The caller is no consumer of this policy, or may not use this name.
    NotAllowed(String),
    /// A control of the request that breaks a rule, and the rule.
    Control(String, &'static str),
    /// A router's name where only a model's will do.
    NeedsModel,
    /// No provider that may be reached keeps what has this id.
    NotKept(String),
    /// A member that refers to what some provider keeps, and nothing tells which.
    Unbound(String),
    /// No model is left.
    NothingEligible {
        /// Why each fell out.
        excluded: Vec<(ModelId, Exclusion)>,
        /// The member of the request that only some providers can serve.
        cause: Option<String>,
        /// The member that holds the prompt.
        input: &'static str,
    },
}

/// The mode's name as metrics and headers show it; requests by model name have none.
pub fn mode_name(terms: &Terms) -> &'static str {
    match (terms.router, terms.mode) {
        (None, _) => "direct",
        (_, Mode::Quality) => "quality",
        (_, Mode::Balanced) => "balanced",
        (_, Mode::Cost) => "cost",
        (_, Mode::Band) => "band",
    }
}

/// What the prompt of a request asks for; it is the same under every policy.
pub fn reading(policy: &Policy, request: &Request) -> Reading {
    match request.api {
        // Quality is a matter of prompts.
        Api::Other => Reading::default(),
        _ => policy.predictor.read(request),
    }
}

/// Makes the plan of a request for what was asked. `reading` is what its prompt asks for, `session` its conversation,
/// where a router keeps them.
///
/// # Errors
/// [`Refusal::NothingEligible`] where no model can serve it, [`Refusal::Unbound`] where nothing tells which provider
/// keeps what it refers to.
pub fn plan(
    question: &Question,
    reading: Reading,
    asked: Asked,
    mut session: Option<Session>,
) -> Result<Plan, Refusal> {
    let Question { policy, request, terms, .. } = question;
    let excluded = excluded(question, asked);
    let (mut ranked, mut reason) = ranked(question, request, &reading, asked, &excluded);
    if let Some(session) = &mut session {
        if session.replay {
            session.model = replayed(question, asked, &excluded);
        }
        if affinity::keep(session, policy, request, terms, &mut ranked) {
            reason = Reason::Affinity;
        }
    }
    let places = |candidate: &Candidate| {
        let model = policy.models.get(candidate.model)?;
        let candidate = *candidate;
        Some(question.places(model).map(move |served| Candidate { served, ..candidate }))
    };
    let mut candidates: Vec<_> = ranked.iter().filter_map(places).flatten().collect();
    if candidates.is_empty() {
        let cause = request.state.param.clone().or_else(|| question.translations.obstacle());
        let input = if request.api == Api::Responses { "input" } else { "messages" };
        return Err(Refusal::NothingEligible { excluded, cause, input });
    }
    if let Some(param) = unbound(policy, request, &candidates) {
        return Err(Refusal::Unbound(param));
    }
    if rest(question, &mut candidates) && reason != Reason::Direct {
        reason = Reason::Cooldown;
    }
    Ok(Plan { router: asked.router(), candidates, reason, reading, session, excluded })
}

/// Puts those that rest behind all others, and says whether another one is first by that.
fn rest(question: &Question, candidates: &mut [Candidate]) -> bool {
    let Question { policy, cooldowns, .. } = question;
    if cooldowns.is_empty() {
        return false;
    }
    for candidate in candidates.iter_mut() {
        let names = candidate.place(policy).zip(policy.models.get(candidate.model));
        let place = names.map(|((_, provider), model)| Origin::new(&provider.name, &model.name).place());
        candidate.rest = place.map(|place| cooldowns.rest(place)).unwrap_or_default();
    }
    let rests = |candidate: &Candidate| matches!(candidate.rest, Rest::Resting(_));
    let first = candidates.first().map(|first| (first.model, first.served));
    candidates.sort_by_key(rests);
    candidates.first().map(|first| (first.model, first.served)) != first
}

/// Models that are not eligible, with the reason; those that were not asked for are none of them.
fn excluded(question: &Question, asked: Asked) -> Vec<(ModelId, Exclusion)> {
    let models = 0..question.policy.models.len();
    models.filter(|id| asked.includes(*id)).filter_map(|id| Some((id, question.excludes(id)?))).collect()
}

/// The eligible models for `request`, in the order of the mode, and why the first is first.
fn ranked(
    question: &Question,
    request: &Request,
    reading: &Reading,
    asked: Asked,
    excluded: &[(ModelId, Exclusion)],
) -> (Vec<Candidate>, Reason) {
    let Question { policy, terms, .. } = question;
    let fee = terms.router.map_or(0.0, |router| router.fee);
    let eligible = |id: &ModelId| asked.includes(*id) && !excluded.iter().any(|(excluded, _)| excluded == id);
    let candidate = |(model, facts): (ModelId, &crate::policy::Model)| {
        let prediction = predict(reading, request, facts);
        let cost = |price| cost::expected(price, fee, request.input_tokens, 0, &prediction);
        Candidate { model, served: 0, prediction, cost: facts.price.as_ref().map(cost), rest: Rest::None }
    };
    let models = policy.models.iter().enumerate();
    let mut ranked: Vec<_> = models.filter(|(id, _)| eligible(id)).map(candidate).collect();
    let reason = match (rank::rank(policy, &mut ranked, terms.band), asked) {
        (_, Asked::Model(_)) => Reason::Direct,
        (reason, Asked::Router(_)) => reason,
    };
    (ranked, reason)
}

/// The model that the conversation's first message was given to: the same request and policy give the same plan, so a
/// replica that never saw the conversation finds it again.
fn replayed(question: &Question, asked: Asked, excluded: &[(ModelId, Exclusion)]) -> Option<ModelId> {
    let first = affinity::opening(question.request);
    let reading = question.policy.predictor.read(&first);
    let (ranked, _) = ranked(question, &first, &reading, asked, excluded);
    Some(ranked.first()?.model)
}

/// The member that refers to something whose keeper nothing tells, unless there is only one who can be.
fn unbound(policy: &Policy, request: &Request, candidates: &[Candidate]) -> Option<String> {
    let param = request.state.param.as_ref().filter(|_| request.state.origin.is_none())?;
    let provider = |candidate: &Candidate| Some(candidate.place(policy)?.0.provider);
    let mut providers = candidates.iter().filter_map(provider);
    let first: ProviderId = providers.next()?;
    providers.any(|other| other != first).then(|| param.clone())
}

#[cfg(test)]
mod tests;
