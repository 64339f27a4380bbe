//! A decision that explains itself.
//!
//! Owns the shape of an explanation, and nothing that decides: it shows what [`crate::routing::route`] did. Never holds
//! message text.

use crate::decide::{Caller, Candidate, Plan, best_quality, in_band};
use crate::policy::Policy;
use crate::request::Shape;
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
    /// All eligible models at their providers, in the order in which they would be tried.
    pub candidates: Vec<CandidateRow>,
    /// Models that are not eligible.
    pub excluded: Vec<ExcludedRow>,
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
        candidates: rows(policy, plan, band, brief),
        excluded: plan
            .excluded
            .iter()
            .map(|(model, why)| ExcludedRow { model: name(*model), reason: why.code() })
            .collect(),
    }
}

fn rows(policy: &Policy, plan: &Plan, band: f64, brief: &crate::attempt::Brief) -> Vec<CandidateRow> {
    let best = best_quality(&plan.candidates);
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
            dropped: slot.map(|slot| slot.drop.clone()).unwrap_or_default(),
            renamed: slot.map(|slot| slot.rename.clone()).unwrap_or_default(),
        })
    };
    plan.candidates.iter().enumerate().filter_map(row).collect()
}
