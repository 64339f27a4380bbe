//! From published rows to measurements.
//!
//! Owns what a row is worth: whose it is, at which effort, how much it counts. Never fits anything.
//!
//! # Rules
//! - "not the API model", a chat-tuned sibling: left out.
//! - A successor, a predecessor (`V3.2-Exp`), a revision or another build of the model: counts [`BRIDGE`], and not as
//!   evidence for the model. Where such a row has the name of another of the catalog's models, it counts there in full.
//! - "suspicious zero": counts [`SUSPICIOUS`].
//! - By the vendor: counts [`VENDOR`]; once more where the effort is a guess or "best-case".
//! - With search or a Python tool, or a SimpleQA above 60 %, which no model reaches without search: left out.
//! - LiveBench's later releases repeat scores of earlier ones. A category repeated to the digit is the same answers and
//!   not counted again; the row counts by the share of categories that are new.
//! - The same score twice (a vendor's, in two collections) counts once.

use std::collections::BTreeMap;

use model_router::catalog::{Catalog, Effort, Facts};

use super::benchmarks::{ARENA, ARENA_CODE, CATEGORIES, Kind, Tells, elo, find, odds};
use super::modes::{Control, Mode, mode};
use super::scores::Row;

/// Weight of a row of a close relative.
const BRIDGE: f64 = 0.25;
/// Weight of a row with a task at zero that is likely an error of the harness.
const SUSPICIOUS: f64 = 0.25;
/// Weight of a vendor's own row.
const VENDOR: f64 = 0.5;
/// Least weight of a row of a later release.
const REPEATED: f64 = 0.15;
/// SimpleQA scores above this, in per cent, were made with search.
const SEARCHED: f64 = 60.0;

const ANOTHER: [&str; 2] = ["not the api model", "sibling"];
const RELATIVE: [&str; 8] =
    ["successor", "predecessor", "revision", "terminus", "-exp ", "r1-0528", " build", "not the same model"];
const TOOLS: [&str; 3] = ["search agent", "tool use", "with tools"];

/// A model that has scores.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name in the catalog.
    pub name: String,
    /// Publisher.
    pub publisher: String,
    /// Its default effort.
    pub default: Effort,
    /// Rows of its own, relatives' not counted.
    pub rows: usize,
}

/// One score of one model at one effort.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Place in [`Measurements::nodes`].
    pub node: usize,
    /// Place in [`Measurements::sources`], or in [`Measurements::categories`] for scores by task.
    pub source: usize,
    /// Log odds.
    pub value: f64,
    /// Variance of the value, without what the source measures beside ability.
    pub variance: f64,
    /// How much the row counts, 0..=1.
    pub weight: f64,
}

/// A source: a benchmark in one release.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Name with release.
    pub name: String,
    /// How it rises with ability.
    pub kind: Kind,
    /// What it tells of; empty for general figures.
    pub tells: Tells,
}

/// Everything that the fits need.
#[derive(Default)]
pub struct Measurements {
    /// Models with at least one row, by name.
    pub models: Vec<Model>,
    /// Pairs of a model's place and an effort, each measured or needed.
    pub nodes: Vec<(usize, Effort)>,
    /// Sources of general figures.
    pub sources: Vec<Source>,
    /// Sources of scores by task.
    pub categories: Vec<Source>,
    /// Rows that count for the general ability.
    pub general: Vec<Measurement>,
    /// Scores by task.
    pub by_task: Vec<Measurement>,
}

impl Measurements {
    /// Judges all rows.
    pub fn of(catalog: &Catalog, scores: &BTreeMap<String, Vec<Row>>) -> Measurements {
        let mut all = Measurements::default();
        let mut facts: Vec<&Facts> = catalog.models().iter().collect();
        facts.sort_by(|a, b| a.name.cmp(&b.name));
        for facts in facts {
            let mut rows: Vec<&Row> = scores.get(&facts.name).into_iter().flatten().collect();
            let lent = scores.iter().filter(|(name, _)| **name != facts.name).flat_map(|(_, rows)| rows);
            rows.extend(lent.filter(|row| row.row.as_deref() == Some(&facts.name)));
            all.model(facts, &rows);
        }
        all
    }

    /// The place of a model at an effort.
    pub fn node(&self, model: &str, effort: Effort) -> Option<usize> {
        self.nodes.iter().position(|(at, known)| self.models[*at].name == model && *known == effort)
    }

    fn model(&mut self, facts: &Facts, rows: &[&Row]) {
        let known: Vec<Row> = rows.iter().map(|row| (*row).clone()).collect();
        let control = Control::of(facts, &known);
        let publisher = facts.publisher.clone().unwrap_or_default();
        let model = Model { name: facts.name.clone(), publisher, default: control.default, rows: 0 };
        self.models.push(model);
        let before = self.general.len();
        for row in rows {
            self.row(facts, &control, row, rows);
        }
        if self.general.len() == before {
            self.models.pop();
            return;
        }
        for effort in control.needed() {
            self.place(effort);
        }
    }

    /// The place of the last model at an effort.
    fn place(&mut self, effort: Effort) -> usize {
        let node = (self.models.len() - 1, effort);
        self.nodes.iter().position(|known| *known == node).unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    /// Adds a score that counts for the general ability.
    fn general(&mut self, source: Source, measured: Measurement) {
        let source = place(&mut self.sources, source);
        self.general.push(Measurement { source, ..measured });
    }

    /// Adds a score by task.
    fn task(&mut self, source: Source, measured: Measurement) {
        let source = place(&mut self.categories, source);
        self.by_task.push(Measurement { source, ..measured });
    }

    fn row(&mut self, facts: &Facts, control: &Control, row: &Row, rows: &[&Row]) {
        let Some((weight, own)) = worth(facts, row) else { return };
        let mode = mode(row);
        let before = self.general.len();
        if row.benchmark.starts_with("LiveBench") {
            self.livebench(control.effort(mode), row, rows, weight);
        } else if row.benchmark.starts_with("LMArena") {
            self.arena(control.effort(mode), row, weight);
        } else if let Some(benchmark) = find(&row.benchmark) {
            if benchmark.name == "SimpleQA" && row.score > SEARCHED {
                return;
            }
            let guess = mode == Mode::Best || row.text().contains("best-case");
            let weight = if guess { VENDOR * weight } else { weight };
            let node = self.place(control.effort(if guess { Mode::Best } else { mode }));
            let source = Source { name: benchmark.name.to_owned(), kind: Kind::Narrow, tells: benchmark.tells };
            let (value, variance) = odds(row.score, benchmark.items);
            let measured = Measurement { node, source: 0, value, variance, weight };
            let same = |known: &Measurement| {
                (known.node, known.value) == (node, value) && self.sources[known.source].name == source.name
            };
            if !self.general.iter().any(same) {
                self.task(source.clone(), measured.clone());
                self.general(source, measured);
            }
        }
        if let Some(model) = self.models.last_mut().filter(|_| own && self.general.len() > before) {
            model.rows += 1;
        }
    }

    fn livebench(&mut self, effort: Effort, row: &Row, rows: &[&Row], weight: f64) {
        let release = row.release.as_deref().unwrap_or_default();
        let earlier = rows.iter().filter(|other| {
            other.benchmark == row.benchmark
                && other.row == row.row
                && other.release.as_deref() < row.release.as_deref()
        });
        let earlier: Vec<&&Row> = earlier.collect();
        let node = self.place(effort);
        let (mut sum, mut weights, mut new, mut all) = (0.0, 0.0, 0.0, 0.0);
        for category in CATEGORIES {
            let Some(score) = row.category_scores.get(category.name) else { continue };
            let (value, variance) = odds(*score, category.items);
            (sum, weights, all) = (sum + category.weight * value, weights + category.weight, all + 1.0);
            if earlier.iter().any(|other| other.category_scores.get(category.name) == Some(score)) {
                continue;
            }
            new += 1.0;
            let name = format!("LiveBench {release} {}", category.name);
            let source = Source { name, kind: Kind::Narrow, tells: category.tells };
            self.task(source, Measurement { node, source: 0, value, variance, weight });
        }
        let value = if weights > 0.0 { sum / weights } else { odds(row.score, 1.0).0 };
        let share = if all > 0.0 { f64::max(new / all, REPEATED) } else { 1.0 };
        let source = Source { name: format!("LiveBench {release}"), kind: Kind::Broad, tells: &[] };
        self.general(source, Measurement { node, source: 0, value, variance: 0.0, weight: weight * share });
    }

    fn arena(&mut self, effort: Effort, row: &Row, weight: f64) {
        let month: String = row.date.as_deref().unwrap_or_default().chars().take(7).collect();
        let node = self.place(effort);
        let name = format!("LMArena {month}");
        let source = Source { name: name.clone(), kind: Kind::Elo, tells: ARENA };
        let measured = Measurement { node, source: 0, value: elo(row.score), variance: 0.0, weight };
        self.task(source.clone(), measured.clone());
        self.general(source, measured.clone());
        if let Some(rating) = row.coding_elo {
            let source = Source { name: format!("{name} code"), kind: Kind::Elo, tells: ARENA_CODE };
            self.task(source, Measurement { value: elo(rating), ..measured });
        }
    }
}

/// The place of a source in a list, added where it is new.
fn place(sources: &mut Vec<Source>, source: Source) -> usize {
    sources.iter().position(|known| known.name == source.name).unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    })
}

/// How much a row counts for a model and whether it is the model's own; `None`: not at all.
fn worth(facts: &Facts, row: &Row) -> Option<(f64, bool)> {
    let text = format!("{} ", row.text());
    let agent = row.benchmark.to_lowercase().starts_with("swe");
    let bare = text.replace("w/o tool use", "");
    let tools = bare.trim() == "python" || TOOLS.iter().any(|tool| bare.contains(tool));
    if ANOTHER.iter().any(|another| text.contains(another)) || (tools && !agent) {
        return None;
    }
    let mut weight = 1.0;
    let named = row.row.as_deref() == Some(&facts.name);
    // The note of the vendors' collection names one model's predecessor on every row.
    let relative = !named && !text.starts_with("vendor-reported") && RELATIVE.iter().any(|word| text.contains(word));
    if relative {
        weight *= BRIDGE;
    }
    if text.contains("suspicious zero") {
        weight *= SUSPICIOUS;
    }
    if row.self_reported {
        weight *= VENDOR;
    }
    Some((weight, !relative))
}
