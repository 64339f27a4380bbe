//! A decision that explains itself.
//!
//! Owns the shape of an explanation, and nothing that decides: it shows what [`crate::routing::route`] did. Never holds
//! message text.

use crate::catalog::Task;
use crate::decide::{Caller, Candidate, Plan, best_quality, in_band};
use crate::policy::Policy;
use crate::predict::Prompt;
use crate::request::{Request, Shape};
use crate::response::error::ErrorReply;
use crate::routing::{Routed, route};
use serde::Serialize;

/// What was decided on a request, and why.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Explanation {
    /// There is a plan.
    Decision(Decision),
    /// The error that the client would get.
    Refused {
        /// HTTP status.
        status: u16,
        /// The body.
        error: serde_json::Value,
    },
}

/// A plan with its reasons.
#[derive(Debug, Serialize)]
pub struct Decision {
    /// Router; `None` where the client named a model.
    pub router: Option<String>,
    /// Mode, or `direct`.
    pub mode: &'static str,
    /// Relative quality that may be given up for a cheaper model.
    pub band: f64,
    /// The model of slot 1.
    pub model: String,
    /// Why it is slot 1.
    pub reason: &'static str,
    /// Estimated input tokens.
    pub input_tokens: u32,
    /// What the routing model reads in the prompt.
    pub prompt: PromptRow,
    /// All eligible models at their providers, in the order in which they would be tried.
    pub candidates: Vec<CandidateRow>,
    /// Models that are not eligible.
    pub excluded: Vec<ExcludedRow>,
}

/// What the routing model reads in a prompt, as shown.
#[derive(Debug, Serialize)]
pub struct PromptRow {
    /// The most likely task.
    pub task: &'static str,
    /// Probability of each task that has at least 5 %, the likeliest first.
    pub tasks: Vec<(&'static str, f64)>,
    /// Log odds that a model of score 50 fails on it.
    pub difficulty: f64,
    /// Expected tokens of the answer, without reasoning.
    pub answer_tokens: u32,
    /// What made it easy or difficult, the strongest first: a feature and by how much it raised the difficulty.
    pub features: Vec<(String, f64)>,
    /// Version of the weights.
    pub weights: String,
}

/// A candidate, as shown.
#[derive(Debug, Serialize)]
pub struct CandidateRow {
    /// Place in the plan from 1; `None` beyond the policy's limit of attempts.
    pub slot: Option<usize>,
    /// Model.
    pub model: String,
    /// Provider.
    pub provider: String,
    /// Predicted quality, 0..=1.
    pub quality: f64,
    /// Whether it lies within the band.
    pub in_band: bool,
    /// Expected output tokens, reasoning included.
    pub output_tokens: u32,
    /// Expected cost in USD; `None` where no price is known.
    pub cost_usd: Option<f64>,
    /// How much more it would cost than slot 1, in USD; negative where it would cost less.
    pub extra_cost_usd: Option<f64>,
    /// Parameters that would be dropped.
    pub dropped: Vec<String>,
    /// Parameters that would be renamed: from, to.
    pub renamed: Vec<(String, String)>,
}

/// A model that is not eligible, as shown.
#[derive(Debug, Serialize)]
pub struct ExcludedRow {
    /// Model.
    pub model: String,
    /// Short stable code.
    pub reason: &'static str,
}

/// Decides as for a real request, and explains.
pub fn explain(policy: &Policy, deployment: Option<&str>, shape: Shape, body: &[u8], caller: Caller) -> Explanation {
    match route(policy, deployment, body, caller) {
        Ok(routed) => Explanation::Decision(decision(policy, &routed)),
        Err(reply) => refused(&reply, shape),
    }
}

/// Explains an error.
pub fn refused(reply: &ErrorReply, shape: Shape) -> Explanation {
    let body: serde_json::Value = serde_json::from_str(&reply.body(shape)).unwrap_or_default();
    Explanation::Refused { status: reply.status, error: body.get("error").cloned().unwrap_or_default() }
}

fn decision(policy: &Policy, Routed { request, plan, brief }: &Routed) -> Decision {
    let router = plan.router.and_then(|router| policy.routers.get(router));
    let band = router.map_or(0.0, |router| router.band);
    let name = |model: usize| policy.models.get(model).map_or_else(String::new, |model| model.name.clone());
    Decision {
        router: router.map(|router| router.name.clone()),
        mode: brief.mode,
        band,
        model: plan.candidates.first().map_or_else(String::new, |first| name(first.model)),
        reason: plan.reason.code(),
        input_tokens: request.input_tokens,
        prompt: prompt_row(policy, request, plan),
        candidates: rows(policy, plan, band, brief),
        excluded: plan
            .excluded
            .iter()
            .map(|(model, why)| ExcludedRow { model: name(*model), reason: why.code() })
            .collect(),
    }
}

/// Features that are shown, at most.
const SHOWN: usize = 8;

fn prompt_row(policy: &Policy, request: &Request, plan: &Plan) -> PromptRow {
    let reading = &plan.reading;
    let short = |value: f64| (1000.0 * value).round() / 1000.0;
    let names = Task::NAMES.iter().zip(reading.tasks);
    let mut tasks: Vec<_> =
        names.map(|((name, _), share)| (*name, short(share))).filter(|(_, share)| *share >= 0.05).collect();
    tasks.sort_by(|a, b| b.1.total_cmp(&a.1));
    let causes = policy.predictor.causes(&Prompt::of(request));
    PromptRow {
        task: reading.task().name(),
        tasks,
        difficulty: short(reading.difficulty),
        answer_tokens: reading.answer_tokens.ceil() as u32,
        features: causes.into_iter().take(SHOWN).map(|cause| (cause.feature, short(cause.raised))).collect(),
        weights: policy.predictor.weights().head.version.clone(),
    }
}

fn rows(policy: &Policy, plan: &Plan, band: f64, brief: &crate::attempt::Brief) -> Vec<CandidateRow> {
    let best = best_quality(&plan.candidates);
    let chosen = plan.candidates.first().and_then(|first| first.cost);
    let row = |(index, candidate): (usize, &Candidate)| {
        let (_, provider) = candidate.place(policy)?;
        let slot = brief.slots.get(index);
        Some(CandidateRow {
            slot: slot.map(|_| index + 1),
            model: policy.models.get(candidate.model)?.name.clone(),
            provider: provider.name.clone(),
            quality: candidate.prediction.quality,
            in_band: in_band(candidate, best, band),
            output_tokens: candidate.prediction.output_tokens,
            cost_usd: candidate.cost,
            extra_cost_usd: candidate.cost.zip(chosen).map(|(cost, chosen)| cost - chosen),
            dropped: slot.map(|slot| slot.drop.clone()).unwrap_or_default(),
            renamed: slot.map(|slot| slot.rename.clone()).unwrap_or_default(),
        })
    };
    plan.candidates.iter().enumerate().filter_map(row).collect()
}
