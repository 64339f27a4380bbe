//! A decision that explains itself.
//!
//! Owns the shape of an explanation, and nothing that decides: it shows what [`crate::routing::route`] did. Never holds
//! message text.

use crate::attempt::{Brief, PublishedSession, Slot};
use crate::catalog::Task;
use crate::content_filter;
use crate::decide::{Candidate, Exclusion, Memory, Plan, Rest, Shadow, best_quality, in_band};
use crate::policy::Policy;
use crate::predict::Prompt;
use crate::request::{Api, Request, Shape};
use crate::response::error::ErrorReply;
use crate::routing::{Call, Routed, route};
use serde::Serialize;

/// What was decided on a request, and why.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Explanation {
    /// There is a plan.
    Decision(Box<Decision>),
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
    /// The policy that decided, where it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Router; `None` where the client named a model.
    pub router: Option<String>,
    /// Mode, or `direct`.
    pub mode: String,
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
    /// The conversation, where the router keeps them on a model.
    pub session_affinity: Option<SessionRow>,
    /// What the policy that does not serve this conversation would do, where there is a candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowRow>,
    /// Whether the content filter would be asked first; here it is not.
    pub content_filter: bool,
    /// How long the decision took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_microseconds: Option<u64>,
}

/// A conversation, as shown.
#[derive(Debug, Serialize)]
pub struct SessionRow {
    /// `adaptive`, `sticky` or `none`.
    pub strategy: String,
    /// By what it was recognised.
    pub source: String,
    /// The model that it is on; `None` where it is new.
    pub model: Option<String>,
    /// What becomes of it if slot 1 answers; `None` where it was not recognised.
    pub decision: Option<&'static str>,
}

impl SessionRow {
    fn of(session: &PublishedSession, plan: &Plan, name: &dyn Fn(usize) -> String) -> Self {
        let first = plan.candidates.first().map_or_else(String::new, |first| name(first.model));
        SessionRow {
            strategy: session.strategy.clone(),
            source: session.source.clone(),
            model: Some(session.model.clone()).filter(|model| !model.is_empty()),
            decision: session.outcome(&first),
        }
    }
}

/// The decision of a policy that does not serve, as shown.
#[derive(Debug, Serialize)]
pub struct ShadowRow {
    /// The policy.
    pub policy: String,
    /// `same`, `other_provider`, `other_model` or `refused`.
    pub agreement: &'static str,
    /// Its model of slot 1; `None` where it refuses, as for the next three.
    pub model: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// Predicted quality, 0..=1.
    pub quality: Option<f64>,
    /// Expected cost in USD.
    pub cost_usd: Option<f64>,
    /// Why that model, or why none.
    pub reason: &'static str,
}

impl ShadowRow {
    fn of(shadow: &Shadow, serving: &Policy, plan: &Plan) -> Self {
        let first = shadow.first();
        let model = first.and_then(|first| shadow.policy.models.get(first.model));
        let place = first.and_then(|first| first.place(shadow.policy));
        ShadowRow {
            policy: shadow.policy.label().to_owned(),
            agreement: shadow.agreement(serving, plan),
            model: model.map(|model| model.name.clone()),
            provider: place.map(|(_, provider)| provider.name.clone()),
            quality: first.map(|first| first.prediction.quality),
            cost_usd: first.and_then(|first| first.cost),
            reason: shadow.decided.as_ref().map_or_else(|code| *code, |plan| plan.reason.code()),
        }
    }
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
    /// For how many more milliseconds it rests after a failure; `None` where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_milliseconds: Option<u64>,
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
pub fn explain(policy: &Policy, call: &Call, body: &[u8], memory: Memory) -> Explanation {
    match route(policy, call, body, memory) {
        Ok(routed) => Explanation::Decision(Box::new(decision(policy, call, &routed))),
        Err(reply) => refused(&reply, call.shape),
    }
}

impl Explanation {
    /// Notes how long the decision took; whoever has a clock knows.
    pub fn took(&mut self, microseconds: u64) {
        if let Explanation::Decision(decision) = self {
            decision.decision_microseconds = Some(microseconds);
        }
    }
}

/// Explains an error.
pub fn refused(reply: &ErrorReply, shape: Shape) -> Explanation {
    let body: serde_json::Value = serde_json::from_str(&reply.body(shape)).unwrap_or_default();
    Explanation::Refused { status: reply.status, error: body.get("error").cloned().unwrap_or_default() }
}

fn decision(main: &Policy, call: &Call, routed: &Routed) -> Decision {
    let Routed { policy, shadow, request, terms, plan, brief } = routed;
    let band = terms.band;
    let name = |model: usize| policy.models.get(model).map_or_else(String::new, |model| model.name.clone());
    Decision {
        policy: policy.name.clone(),
        router: terms.router.map(|router| router.name.clone()),
        mode: brief.mode.clone(),
        band,
        model: plan.candidates.first().map_or_else(String::new, |first| name(first.model)),
        reason: plan.reason.code(),
        input_tokens: request.input_tokens,
        prompt: prompt_row(policy, request, plan),
        candidates: rows(policy, plan, band, brief),
        excluded: plan
            .excluded
            .iter()
            // What a consumer may not use is not shown to it either.
            .filter(|(model, _)| call.caller.may_use_model(policy, *model))
            .map(|(model, why)| ExcludedRow { model: name(*model), reason: why.code() })
            .collect(),
        session_affinity: brief.session.as_ref().map(|session| SessionRow::of(session, plan, &name)),
        shadow: shadow.as_ref().map(|shadow| ShadowRow::of(shadow, policy, plan)),
        content_filter: content_filter::for_request(main, call, routed).is_some(),
        decision_microseconds: None,
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

fn rows(policy: &Policy, plan: &Plan, band: f64, brief: &Brief) -> Vec<CandidateRow> {
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
            rests_milliseconds: match candidate.rest {
                Rest::Resting(left) => Some(left),
                Rest::None | Rest::Due => None,
            },
            dropped: slot.map(|slot| slot.drop.clone()).unwrap_or_default(),
            renamed: slot.map(|slot| slot.rename.clone()).unwrap_or_default(),
        })
    };
    plan.candidates.iter().enumerate().filter_map(row).collect()
}

/// What the access log says of a decision; empty where there is nothing to say.
#[derive(Debug, Default)]
pub struct Log {
    /// The likeliest task.
    pub task: &'static str,
    /// Log odds that a model of score 50 fails.
    pub difficulty: String,
    /// The slots in their order: model, cluster, predicted quality and expected USD of each.
    pub plan: String,
    /// Models that this request left out, and why.
    pub excluded: String,
    /// By what the conversation was recognised.
    pub affinity_source: String,
    /// Slot 1 of the policy that does not serve, in the form of the plan, or the code of its refusal.
    pub shadow: String,
}

impl Log {
    /// The decision in short.
    pub fn of(routed: &Routed) -> Log {
        let Routed { policy, shadow, request, plan, brief, .. } = routed;
        if request.api == Api::Other {
            return Log::default();
        }
        let slot = |(candidate, slot): (&Candidate, &Slot)| in_short(candidate, &slot.model, &slot.cluster);
        let slots: Vec<String> = plan.candidates.iter().zip(&brief.slots).map(slot).collect();
        // What the policy leaves out is the same for every request.
        let of_request = plan.excluded.iter().filter(|(_, why)| !matches!(why, Exclusion::Outside(_)));
        let reason = |(id, why): &(usize, Exclusion)| Some([&policy.models.get(*id)?.name, ":", why.code()].concat());
        let excluded: Vec<String> = of_request.filter_map(reason).collect();
        Log {
            task: plan.reading.task().name(),
            difficulty: fixed(plan.reading.difficulty, 2),
            plan: slots.join(","),
            excluded: excluded.join(","),
            affinity_source: brief.session.as_ref().map(|session| session.source.clone()).unwrap_or_default(),
            shadow: shadow.as_ref().map(shadow_in_short).unwrap_or_default(),
        }
    }
}

fn in_short(candidate: &Candidate, model: &str, cluster: &str) -> String {
    let cost = candidate.cost.map_or_else(|| "unknown".into(), |cost| fixed(cost, 6));
    [model, "@", cluster, ":", &fixed(candidate.prediction.quality, 3), ":", &cost].concat()
}

fn shadow_in_short(shadow: &Shadow) -> String {
    let first = || {
        let first = shadow.first()?;
        let (_, provider) = first.place(shadow.policy)?;
        Some(in_short(first, &shadow.policy.models.get(first.model)?.name, &provider.cluster))
    };
    first().unwrap_or_else(|| shadow.decided.as_ref().err().copied().unwrap_or_default().to_owned())
}

/// A number with so many decimals. From whole numbers: each request needs a dozen, and the decimals of others take long.
pub fn fixed(number: f64, decimals: u32) -> String {
    let one = 10u64.pow(decimals);
    let all = (number.abs() * one as f64).round() as u64;
    let sign = if number < 0.0 && all > 0 { "-" } else { "" };
    // The leading one keeps the zeros.
    let behind = (one + all % one).to_string();
    [sign, &(all / one).to_string(), ".", behind.get(1..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::fixed;

    #[test]
    fn numbers_have_their_decimals() {
        let shown = [0.0, 0.985, 12.0, 0.00012, 1234.5678, 99.999, -0.3, -0.001].map(|number| fixed(number, 2));
        assert_eq!(shown, ["0.00", "0.99", "12.00", "0.00", "1234.57", "100.00", "-0.30", "0.00"]);
        assert_eq!((fixed(0.00012, 6), fixed(0.98, 3)), ("0.000120".into(), "0.980".into()));
    }
}
