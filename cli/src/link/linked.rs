//! The abilities of the catalog's models, and the file that holds them.
//!
//! Owns the last steps (level of each task, no fall with rising effort, what is thin) and the form of
//! `abilities.json`. Fits nothing.

use anyhow::Result;
use model_router::catalog::{Abilities, Effort, Skill, TASKS};
use serde_json::{Map, Value, json};

use super::fit::{General, Line};
use super::rows::{Measurements, Source};
use super::solve::non_decreasing;
use super::unknowns::EFFORTS;

/// Version of the method, kept in the file.
pub const METHOD: &str = "link-1";
/// Fewer rows than this are thin evidence.
const FEWEST: usize = 3;

/// One model.
pub struct Linked {
    /// Name in the catalog.
    pub name: String,
    /// Rows of its own that were used.
    pub rows: usize,
    /// Standard error of the general ability at the default effort, in log odds.
    pub error: f64,
    /// Fewer than three rows of its own.
    pub thin: bool,
    /// Effort without control.
    pub default: Effort,
    /// Skills by effort, rising.
    pub skills: Vec<(Effort, Skill)>,
    /// The efforts of `skills` at which something was measured.
    pub measured: Vec<Effort>,
}

/// Puts the parts together: ability + level of the task + deviation, made non-decreasing in effort.
pub fn link(all: &Measurements, general: &General, deviations: &[[f64; TASKS]], levels: &[f64; TASKS]) -> Vec<Linked> {
    (0..all.models.len()).map(|model| one(model, all, general, deviations, levels)).collect()
}

fn one(at: usize, all: &Measurements, general: &General, deviations: &[[f64; TASKS]], levels: &[f64; TASKS]) -> Linked {
    let model = &all.models[at];
    let mut nodes: Vec<(Effort, usize)> =
        (0..all.nodes.len()).filter(|node| all.nodes[*node].0 == at).map(|node| (all.nodes[node].1, node)).collect();
    nodes.sort();
    let mut skills: Vec<(Effort, Skill)> = nodes.iter().map(|(effort, _)| (*effort, Skill::default())).collect();
    for task in 0..TASKS {
        let value = |node: usize| general.ability[node] + levels[task] + deviations[node][task];
        let steps: Vec<(f64, f64)> =
            nodes.iter().map(|(_, node)| (value(*node), general.error[*node].powi(-2))).collect();
        for ((_, skill), value) in skills.iter_mut().zip(non_decreasing(&steps)) {
            skill.0[task] = value;
        }
    }
    let measured = |node: usize| all.general.iter().any(|row| row.node == node);
    let default = nodes.iter().find(|(effort, _)| *effort == model.default);
    Linked {
        name: model.name.clone(),
        rows: model.rows,
        error: default.map_or(f64::NAN, |(_, node)| general.error[*node]),
        thin: model.rows < FEWEST,
        default: model.default,
        skills,
        measured: nodes.iter().filter(|(_, node)| measured(*node)).map(|(effort, _)| *effort).collect(),
    }
}

impl Linked {
    /// As the catalog keeps it.
    pub fn abilities(&self) -> Abilities {
        let mut by_effort = self.skills.clone();
        let default = by_effort.extract_if(.., |(effort, _)| *effort == self.default).next();
        Abilities { default: default.map(|(_, skill)| skill).unwrap_or_default(), by_effort }
    }
}

/// The file: a line for each source and each model, so that a difference can be read.
///
/// # Errors
/// When a number is none.
pub fn file(weights: &str, all: &Measurements, general: &General, linked: &[Linked]) -> Result<String> {
    let line = |line: &Line| {
        let Source { name, .. } = &all.sources[line.source];
        let [offset, slope, error, residual] = [line.offset, line.slope, line.error, line.residual].map(rounded);
        json!({"source": name, "rows": line.rows, "offset": offset, "slope": slope, "slope_error": error,
            "residual": residual})
    };
    let mut sources: Vec<Value> = general.lines.iter().map(line).collect();
    sources.sort_by_key(|source| source.get("source").map(Value::to_string));
    let anchors = general.anchored.iter().map(|(anchor, linked)| {
        json!({"anchor": anchor.name, "trained": rounded(anchor.ability), "linked": rounded(*linked)})
    });
    let used = |at: &usize| all.nodes.iter().any(|(_, effort)| *effort as usize == *at);
    let steps: Map<String, Value> = (0..EFFORTS)
        .filter(used)
        .map(|at| (Effort::NAMES[at].0.to_owned(), rounded(general.steps[at]).into()))
        .collect();
    let mut text = format!("{{\n\"method\": {},\n\"link\": {{\n", json!(METHOD));
    text += &format!("\"scale_error\": {},\n", rounded(general.scale_error));
    text += &format!("\"weights\": {},\n\"steps\": {},\n", json!(weights), Value::Object(steps));
    text += &format!("\"anchors\": [\n{}\n],\n", lines(anchors));
    text += &format!("\"sources\": [\n{}\n]}},\n\"models\": {{\n", lines(sources));
    text += &lines(linked.iter().map(model));
    text += "\n}}\n";
    Ok(text)
}

fn lines(lines: impl IntoIterator<Item = impl ToString>) -> String {
    lines.into_iter().map(|line| line.to_string()).collect::<Vec<_>>().join(",\n")
}

fn model(linked: &Linked) -> String {
    let facts = json!({"rows": linked.rows, "error": rounded(linked.error), "thin": linked.thin,
        "abilities": linked.abilities()});
    format!("{}: {facts}", json!(linked.name))
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0 + 0.0
}
