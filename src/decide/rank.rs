//! The order of candidates.

use super::{Candidate, Reason};
use crate::policy::Policy;
use core::cmp::Ordering;

/// Sorts candidates into the order in which they are tried and says why the first is first.
///
/// Inside the band (`quality ≥ (1 − band) · best`): by cost, then quality, then name. Below it: by quality, then cost,
/// then name. A band of 0 therefore means the best first, ties by cost.
pub fn rank(policy: &Policy, candidates: &mut [Candidate], band: f64) -> Reason {
    let best = best_quality(candidates);
    let in_band = |candidate: &Candidate| in_band(candidate, best, band);
    let cost = |candidate: &Candidate| candidate.cost.unwrap_or(f64::INFINITY);
    let name = |candidate: &Candidate| policy.models.get(candidate.model).map(|model| model.name.as_str());
    candidates.sort_by(|a, b| {
        let by_cost = cost(a).total_cmp(&cost(b));
        let by_quality = b.prediction.quality.total_cmp(&a.prediction.quality);
        let order = match (in_band(a), in_band(b)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => by_cost.then(by_quality),
            (false, false) => by_quality.then(by_cost),
        };
        order.then_with(|| name(a).cmp(&name(b)))
    });
    match candidates {
        [_] => Reason::OnlyEligible,
        [first, ..] if first.prediction.quality < best => Reason::CheapestInBand,
        _ => Reason::Best,
    }
}

/// The best predicted quality; 0 where there is no candidate.
pub fn best_quality(candidates: &[Candidate]) -> f64 {
    candidates.iter().map(|candidate| candidate.prediction.quality).fold(0.0, f64::max)
}

/// Whether a candidate is good enough to be chosen for its cost.
pub fn in_band(candidate: &Candidate, best: f64, band: f64) -> bool {
    candidate.prediction.quality >= (1.0 - band) * best
}
