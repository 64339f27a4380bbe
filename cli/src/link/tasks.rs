//! By how much a model is better or worse at a task than its general ability says.
//!
//! Owns the deviations. Takes general abilities as given.
//!
//! For each source with scores by task, a line through its scores over the general abilities; a score's distance from
//! the line, divided by the slope, is a deviation in log odds of ability. For each task the deviations are split into
//! one of the effort (plain modes are worse at mathematics than at chat), one of the model and one of both, each drawn
//! toward 0 as by [`EFFORT`], [`MODEL`] and [`BOTH`]: what a model owns of n scores is thus shrunk by n / (n + 2). The
//! sum stays within [`CAP`].

use anyhow::Result;
use model_router::catalog::TASKS;

use super::benchmarks::Kind;
use super::fit::General;
use super::rows::{Measurement, Measurements, Source};
use super::solve::Normal;
use super::unknowns::EFFORTS;

/// Variance of what an effort does to a task.
const EFFORT: f64 = 0.25;
/// Variance of a model's own.
const MODEL: f64 = 0.15;
/// Variance of a model's own at one effort.
const BOTH: f64 = 0.1;
/// Variance of one source's deviation: twice that of a model's.
const NOISE: f64 = 0.5;
/// Largest deviation, in log odds.
const CAP: f64 = 1.0;
/// Fewest scores that a line is laid through.
const FEWEST: usize = 4;
/// How far a category's slope may be from the common one of the general figures, as a share of that.
const FREE: f64 = 0.5;
/// Least slope, as a share of the common one: below, noise would be blown up.
const LEAST: f64 = 0.5;

/// One deviation: node, tasks with weights, log odds of ability.
struct Deviation<'a> {
    node: usize,
    source: &'a Source,
    weight: f64,
    value: f64,
}

/// Deviations of every node by task.
///
/// # Errors
/// Never, unless numbers are none.
pub fn deviations(all: &Measurements, general: &General) -> Result<Vec<[f64; TASKS]>> {
    let mut found = Vec::new();
    for (at, source) in all.categories.iter().enumerate() {
        let rows: Vec<&Measurement> = all.by_task.iter().filter(|row| row.source == at).collect();
        if rows.len() >= FEWEST {
            residuals(source, &rows, general, &mut found)?;
        }
    }
    let mut deviations = vec![[0.0; TASKS]; all.nodes.len()];
    for task in 0..TASKS {
        for (deviation, value) in deviations.iter_mut().zip(split(all, &found, task)?) {
            deviation[task] = value.clamp(-CAP, CAP);
        }
    }
    Ok(deviations)
}

fn residuals<'a>(
    source: &'a Source,
    rows: &[&Measurement],
    general: &General,
    found: &mut Vec<Deviation<'a>>,
) -> Result<()> {
    let [percent, elo] = general.common;
    let common = if source.kind == Kind::Elo { elo } else { percent };
    let noise = source.kind.noise().powi(2);
    let weight = |row: &Measurement| row.weight / (noise + row.variance);
    let mut normal = Normal::new(2);
    normal.add(&[(1, 1.0)], common, (FREE * common).powi(-2));
    rows.iter().for_each(|row| normal.add(&[(0, 1.0), (1, general.ability[row.node])], row.value, weight(row)));
    let line = normal.factor()?.solution();
    let least = LEAST * common;
    for row in rows {
        let value = (row.value - line[0] - line[1] * general.ability[row.node]) / line[1].max(least);
        found.push(Deviation { node: row.node, source, weight: noise * weight(row), value });
    }
    Ok(())
}

/// What of the deviations at one task is the effort's, the model's and the node's, added up for each node.
fn split(all: &Measurements, found: &[Deviation<'_>], task: usize) -> Result<Vec<f64>> {
    let terms = |node: usize| {
        let (model, effort) = all.nodes[node];
        [(effort as usize, 1.0), (EFFORTS + model, 1.0), (EFFORTS + all.models.len() + node, 1.0)]
    };
    let priors = [(EFFORTS, EFFORT), (all.models.len(), MODEL), (all.nodes.len(), BOTH)];
    let priors: Vec<f64> =
        priors.into_iter().flat_map(|(count, variance)| std::iter::repeat_n(variance, count)).collect();
    let mut normal = Normal::new(priors.len());
    priors.iter().enumerate().for_each(|(at, variance)| normal.add(&[(at, 1.0)], 0.0, 1.0 / variance));
    for deviation in found {
        for (_, share) in deviation.source.tells.iter().filter(|(told, _)| *told as usize == task) {
            normal.add(&terms(deviation.node), deviation.value, deviation.weight * share / NOISE);
        }
    }
    let solution = normal.factor()?.solution();
    let node = |node| terms(node).iter().map(|(at, _)| solution[*at]).sum();
    Ok((0..all.nodes.len()).map(node).collect())
}
