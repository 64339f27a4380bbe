//! Decides which models serve a request, in which order, and says why the others do not.
//!
//! Owns who may ask for what, eligibility, expected cost, modes and ranking. Pure and deterministic: the same request
//! and policy give the same plan. Never touches bytes or headers.

mod asked;
pub mod cost;
mod eligible;
mod rank;

pub use asked::{Asked, Caller, asked};
pub use eligible::Exclusion;
pub use rank::{best_quality, in_band};

use crate::policy::{Mode, ModelId, Policy, Provider, Served};
use crate::predict::{Prediction, Reading, predict};
use crate::request::Request;

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
}

impl Reason {
    /// The code that clients see.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Direct => "direct",
            Reason::Best => "best",
            Reason::CheapestInBand => "cheapest_in_band",
            Reason::OnlyEligible => "only_eligible",
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
    /// No model is left; why each fell out.
    NothingEligible(Vec<(ModelId, Exclusion)>),
}

/// The mode's name as metrics and headers show it; requests by model name have none.
pub fn mode_name(policy: &Policy, plan: &Plan) -> &'static str {
    match plan.router.and_then(|router| policy.routers.get(router)).map(|router| router.mode) {
        Some(Mode::Quality) => "quality",
        Some(Mode::Balanced) => "balanced",
        Some(Mode::Cost) => "cost",
        Some(Mode::Band) => "band",
        None => "direct",
    }
}

/// Makes the plan of a request for what was asked.
///
/// # Errors
/// [`Refusal::NothingEligible`] where no model can serve it.
pub fn plan(policy: &Policy, request: &Request, asked: Asked, caller: Caller) -> Result<Plan, Refusal> {
    let (models, router) = match asked {
        Asked::Model(model) => (model..model + 1, None),
        Asked::Router(router) => (0..policy.models.len(), Some(router)),
    };
    let rules = router.and_then(|router| policy.routers.get(router));
    let (band, fee) = rules.map_or((0.0, 0.0), |router| (router.band, router.fee));
    let reading = policy.predictor.read(request);
    let mut ranked = Vec::new();
    let mut excluded = Vec::new();
    for (id, model) in policy.models.iter().enumerate().filter(|(id, _)| models.contains(id)) {
        if let Some(exclusion) = eligible::check(policy, request, id, rules, caller) {
            excluded.push((id, exclusion));
            continue;
        }
        let prediction = predict(&reading, request, model);
        let cost = |price| cost::expected(price, fee, request.input_tokens, 0, &prediction);
        ranked.push(Candidate { model: id, served: 0, prediction, cost: model.price.as_ref().map(cost) });
    }
    let reason = match (rank::rank(policy, &mut ranked, band), router) {
        (_, None) => Reason::Direct,
        (reason, Some(_)) => reason,
    };
    let zone = rules.and_then(|router| router.data_zone.as_deref());
    let places = |candidate: &Candidate| {
        let model = policy.models.get(candidate.model)?;
        let candidate = *candidate;
        let places = eligible::places(policy, request, model, zone);
        Some(places.map(move |served| Candidate { served, ..candidate }))
    };
    let candidates: Vec<_> = ranked.iter().filter_map(places).flatten().collect();
    match candidates.is_empty() {
        true => Err(Refusal::NothingEligible(excluded)),
        false => Ok(Plan { router, candidates, reason, reading, excluded }),
    }
}

#[cfg(test)]
mod tests;
