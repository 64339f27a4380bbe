//! Two policies at once: which of them serves a request, and what the other one would have done.
//!
//! Owns the rule that a conversation stays with its policy, on every replica and without a memory. Never calls anyone
//! for the policy that does not serve.

use super::affinity::{Ids, Source, fingerprint, key_of, mix, named, with_ends};
use super::{Candidate, Plan};
use crate::origin::{Origin, fnv};
use crate::policy::{Policy, ProviderId, Rollout};
use crate::request::Request;

/// The policy that serves the request, and the other one, where there is a candidate.
pub fn split<'p>(policy: &'p Policy, request: &Request, ids: Ids) -> (&'p Policy, Option<&'p Policy>) {
    match &policy.rollout {
        None => (policy, None),
        Some(rollout) if serves(rollout, request, ids) => (&rollout.policy, Some(policy)),
        Some(rollout) => (policy, Some(&rollout.policy)),
    }
}

/// Whether the candidate serves the request. What follows on a response stays with the policy that made it. Any other
/// conversation has a place from 0 to 99, which does not depend on the percentage: those that are served stay so when it
/// grows.
fn serves(rollout: &Rollout, request: &Request, ids: Ids) -> bool {
    if matches!(rollout.percent, 0 | 100) {
        return rollout.percent == 100;
    }
    let known = named(request, ids);
    if let Some((Source::PreviousResponseId, id)) = known
        && let Some((origin, _)) = Origin::of(id.as_bytes())
    {
        return origin.candidate;
    }
    let number = match known {
        Some((_, id)) => key_of(id),
        None if !request.conversation.opening.is_empty() => fingerprint(request),
        // No conversation that could be known again: each request for itself.
        None => with_ends(0, request.body),
    };
    // The candidate's name, so that the next one does not get the same conversations.
    mix(number, fnv(rollout.policy.label().as_bytes())) % 100 < u64::from(rollout.percent)
}

/// What the policy that does not serve a request would have done with it.
#[derive(Clone, Debug)]
pub struct Shadow<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// Its plan, or the code of its refusal.
    pub decided: Result<Plan, &'static str>,
}

/// The provider, which is the same under both policies, and its name for the model.
fn place<'p>(candidate: &Candidate, policy: &'p Policy) -> Option<(ProviderId, &'p str)> {
    candidate.place(policy).map(|(served, _)| (served.provider, served.deployment.as_str()))
}

/// Expected outcomes of one request under one of two policies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected<'p> {
    /// The policy's name.
    pub policy: &'p str,
    /// Predicted quality in millionths.
    pub quality: u64,
    /// USD in thousand-millionths: a request often costs less than a millionth, and sums must compare.
    pub cost: u64,
}

impl<'p> Shadow<'p> {
    /// Its slot 1.
    pub fn first(&self) -> Option<&Candidate> {
        self.decided.as_ref().ok()?.candidates.first()
    }

    /// Whether it would have been as it was under `serving`.
    pub fn agreement(&self, serving: &Policy, plan: &Plan) -> &'static str {
        let (Some(other), Some(served)) = (self.first(), plan.candidates.first()) else { return "refused" };
        if self.policy.same(serving, served.model) != Some(other.model) {
            return "other_model";
        }
        if place(served, serving) == place(other, self.policy) { "same" } else { "other_provider" }
    }

    /// What both policies expect, where both have a plan with a price.
    pub fn expected(&self, serving: &'p Policy, plan: &Plan) -> Option<[Expected<'p>; 2]> {
        let expected = |policy: &'p Policy, first: &Candidate| {
            let quality = (first.prediction.quality * 1e6).round() as u64;
            Some(Expected { policy: policy.label(), quality, cost: (first.cost? * 1e9).round() as u64 })
        };
        Some([expected(serving, plan.candidates.first()?)?, expected(self.policy, self.first()?)?])
    }
}
