//! What the filter decides on each prompt of the batch.
//!
//! Owns the parallel run over the prompts, and what is kept of a plan. The decision itself is
//! [`model_router::routing::route`].

use super::batch::Prompt;
use super::case::Case;
use model_router::catalog::Task;
use model_router::decide::Memory;
use model_router::decide::{Caller, Candidate, Plan};
use model_router::policy::ModelId;
use model_router::request::Api;
use model_router::routing::{Call, route};
use rayon::prelude::*;

/// What is expected of a model on a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Which model.
    pub model: ModelId,
    /// Predicted quality, 0..=1.
    pub quality: f64,
    /// Expected cost in USD.
    pub cost: f64,
}

/// A decision, as far as the report needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The most likely task.
    pub task: Task,
    /// Log odds that a model of score 50 fails.
    pub difficulty: f64,
    /// The decision.
    pub chosen: Estimate,
    /// The eligible model of the best predicted quality; of equals the cheapest.
    pub best: Estimate,
    /// Every eligible model, once.
    pub eligible: Vec<Estimate>,
}

/// A decision for each prompt in the batch's order, or the code of the refusal.
pub type Outcomes = Vec<Result<Outcome, &'static str>>;

/// Decides every prompt.
pub fn decide(case: &Case, prompts: &[Prompt]) -> Outcomes {
    let decide =
        |prompt: &Prompt| match route(&case.policy, &Call::of(Api::Chat, Caller::Anyone), &prompt.body, Memory::NONE) {
            Ok(routed) => outcome(&routed.plan).ok_or("no_eligible_model"),
            Err(reply) => Err(reply.code),
        };
    prompts.par_iter().map(decide).collect()
}

fn outcome(plan: &Plan) -> Option<Outcome> {
    let chosen = estimate(plan.candidates.first()?);
    let mut eligible: Vec<Estimate> = Vec::new();
    for candidate in &plan.candidates {
        if eligible.iter().all(|known| known.model != candidate.model) {
            eligible.push(estimate(candidate));
        }
    }
    let worse = |a: &&Estimate, b: &&Estimate| a.quality.total_cmp(&b.quality).then(b.cost.total_cmp(&a.cost));
    let best = *eligible.iter().max_by(worse)?;
    Some(Outcome { task: plan.reading.task(), difficulty: plan.reading.difficulty, chosen, best, eligible })
}

fn estimate(candidate: &Candidate) -> Estimate {
    // A router's pool has only models with a price.
    let cost = candidate.cost.unwrap_or_default();
    Estimate { model: candidate.model, quality: candidate.prediction.quality, cost }
}
