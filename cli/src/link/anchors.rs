//! Models of the catalog that training knows by outcomes: what holds the scale.
//!
//! Owns the list of pairs and how far each is trusted. Never looks at benchmarks.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use model_router::catalog::{Effort, TASKS};
use model_router::predict::weights::Weights;

use super::rows::Measurements;

/// Abilities in log odds by task of the models that training knows.
pub type Pool = BTreeMap<String, [f64; TASKS]>;

/// A model of the catalog, at an effort, beside one of the pool; the last number is the standard deviation of the
/// difference in log odds that one would expect: the few benchmarks of the pool are not all that a model can do (0.4
/// for the same release), the nearest releases differ a little, and others clearly (the catalog has command-r of
/// 08-2024 and o1 of 2024-12).
const PAIRS: [(&str, Effort, &str, f64); 6] = [
    ("gpt-4o", Effort::None, "gpt-4o-2024-08-06", 0.5),
    ("gpt-4o", Effort::None, "gpt-4o-2024-05-13", 0.6),
    ("gpt-4o-mini", Effort::None, "gpt-4o-mini-2024-07-18", 0.4),
    ("command-r", Effort::None, "command-r", 0.8),
    ("command-r", Effort::None, "c4ai-command-r-v01", 0.8),
    ("o1", Effort::Medium, "o1-preview-2024-09-12", 0.8),
];

/// A node whose ability is known from outcomes.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// Place of the node.
    pub node: usize,
    /// Name of the model in the pool.
    pub name: &'static str,
    /// General ability in log odds.
    pub ability: f64,
    /// Its standard deviation.
    pub error: f64,
}

/// The pool of the weights that are compiled in, with their version.
pub fn pool() -> Result<(String, Pool)> {
    let weights = Weights::embedded().map_err(anyhow::Error::msg)?;
    let about = weights.about().map_err(anyhow::Error::msg)?;
    let pool = about.get("pool").context("the weights do not know the models that they were trained on")?;
    Ok((weights.head.version, serde_json::from_value(pool.clone())?))
}

/// The pairs of which both are known.
pub fn anchors(all: &Measurements, pool: &Pool) -> Vec<Anchor> {
    let pair = |(model, effort, name, error): (&str, Effort, &'static str, f64)| {
        let ability = general(pool.get(name)?);
        Some(Anchor { node: all.node(model, effort)?, name, ability, error })
    };
    PAIRS.into_iter().filter_map(pair).collect()
}

/// One figure for abilities by task: their mean without the highest and the lowest.
pub fn general(abilities: &[f64; TASKS]) -> f64 {
    let mut sorted = *abilities;
    sorted.sort_by(f64::total_cmp);
    sorted[1..TASKS - 1].iter().sum::<f64>() / (TASKS - 2) as f64
}

/// By how much each task lies above the general figure for the abler quarter of the pool, in log odds: a property of
/// the difficulties, which run high for some tasks and low for others, so that every model needs it.
pub fn levels(pool: &Pool) -> [f64; TASKS] {
    let mut models: Vec<&[f64; TASKS]> = pool.values().collect();
    models.sort_by(|a, b| general(b).total_cmp(&general(a)));
    models.truncate(models.len().div_ceil(4));
    std::array::from_fn(|task| {
        let mut gaps: Vec<f64> = models.iter().map(|model| model[task] - general(model)).collect();
        gaps.sort_by(f64::total_cmp);
        let median = gaps.get(gaps.len() / 2).copied().unwrap_or(0.0);
        median * gaps.len() as f64 / (gaps.len() as f64 + 2.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_task_does_not_move_the_general_figure() {
        let mut abilities = [1.0; TASKS];
        abilities[6] = 4.0;
        assert_eq!(general(&abilities), 1.0);
        let pool: Pool = (0..40).map(|at| (at.to_string(), abilities)).collect();
        let levels = levels(&pool);
        assert!(levels[6] > 2.0 && levels[6] < 3.0 && levels[0] == 0.0);
    }
}
