//! The figures: sums over the decisions of a batch.
//!
//! Owns what is reported, as one value that tables, JSON and the page all show. Never decides and never formats.

use super::batch::Prompt;
use super::case::Case;
use super::outcome::{Estimate, Outcome, Outcomes};
use model_router::catalog::Task;
use model_router::policy::{ModelId, Policy};
use serde::Serialize;
use std::collections::BTreeMap;

/// Width of a bar of the histogram, in log odds.
const STEP: f64 = 0.5;

/// Everything that is known of a batch.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The policy's file, as given.
    pub policy: String,
    /// The router.
    pub router: String,
    /// Prompts in the batch.
    pub prompts: usize,
    /// The subsets that are compared.
    pub subsets: Vec<Subset>,
    /// One per mode and subset.
    pub cases: Vec<CaseReport>,
    /// What it would be to send every prompt to one model, the cheapest first: every model of any subset.
    pub always: Vec<Always>,
    /// Prompts by difficulty.
    pub difficulty: Vec<Bin>,
}

/// A subset.
#[derive(Debug, Serialize)]
pub struct Subset {
    /// A short name: the model where there is one only.
    pub name: String,
    /// Its models.
    pub models: Vec<String>,
}

/// The batch in one mode with one subset.
#[derive(Debug, Serialize)]
pub struct CaseReport {
    /// `balanced`, `band 0.03`
    pub mode: String,
    /// Relative quality that may be given up for a cheaper model.
    pub band: f64,
    /// Index into [`Report::subsets`].
    pub subset: usize,
    /// Prompts that a model would answer.
    pub decided: usize,
    /// Mean predicted quality, 0..=1.
    pub quality: Option<f64>,
    /// Mean expected cost of 1,000 prompts in USD.
    pub cost_per_1000: Option<f64>,
    /// Quality, relative to the eligible model of best predicted quality on each prompt.
    pub relative_quality: Option<f64>,
    /// Cost, relative to the same.
    pub relative_cost: Option<f64>,
    /// The models of the subset, in the order of [`Report::always`].
    pub models: Vec<ModelRow>,
    /// The tasks that occur.
    pub tasks: Vec<TaskRow>,
    /// Prompts that would be refused, by reason.
    pub refused: Vec<Refused>,
}

/// What a model gets in a case.
#[derive(Debug, Serialize)]
pub struct ModelRow {
    /// Model.
    pub model: String,
    /// Prompts that it would answer.
    pub prompts: usize,
    /// Share of the prompts that are decided.
    pub share: f64,
    /// Mean predicted quality on them; `None` where it gets no prompt.
    pub quality: Option<f64>,
    /// Mean expected cost of 1,000 of them in USD.
    pub cost_per_1000: Option<f64>,
}

/// How the prompts of a task are spread.
#[derive(Debug, Serialize)]
pub struct TaskRow {
    /// Task.
    pub task: &'static str,
    /// Prompts of the task that are decided.
    pub prompts: usize,
    /// In the order of [`CaseReport::models`].
    pub models: Vec<Share>,
}

/// A model's share.
#[derive(Debug, Serialize)]
pub struct Share {
    /// Model.
    pub model: String,
    /// 0..=1
    pub share: f64,
}

/// Prompts that would be refused for the same reason.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// The error's code.
    pub reason: &'static str,
    /// How many.
    pub prompts: usize,
    /// The first line of the input among them.
    pub first_line: usize,
}

/// One model for every prompt.
#[derive(Debug, Serialize)]
pub struct Always {
    /// Model.
    pub model: String,
    /// Prompts that it can take; the means are over these.
    pub prompts: usize,
    /// Mean predicted quality.
    pub quality: f64,
    /// Mean expected cost of 1,000 prompts in USD.
    pub cost_per_1000: f64,
}

/// A bar of a histogram.
#[derive(Debug, Serialize)]
pub struct Bin {
    /// Lower end.
    pub from: f64,
    /// Upper end, exclusive.
    pub to: f64,
    /// How many.
    pub prompts: usize,
}

/// Sums up. `outcomes` are those of `prompts`, one list for each of `cases`.
pub fn report(policy: String, router: String, cases: &[Case], prompts: &[Prompt], outcomes: &[Outcomes]) -> Report {
    let (order, always) = cases.first().map(|case| always(&case.policy, outcomes)).unwrap_or_default();
    let reports = cases.iter().zip(outcomes);
    let reports = reports.map(|(case, outcomes)| case_report(case, &order, prompts, outcomes)).collect();
    let difficulty = difficulty(outcomes);
    let subsets = subsets(cases, &order);
    Report { policy, router, prompts: prompts.len(), subsets, cases: reports, always, difficulty }
}

/// Sum of quality and cost over some prompts.
#[derive(Clone, Copy, Default)]
struct Sum {
    prompts: usize,
    quality: f64,
    cost: f64,
}

impl Sum {
    fn of<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> Sum {
        let mut sum = Sum::default();
        estimates.into_iter().for_each(|estimate| sum.add(estimate));
        sum
    }

    fn add(&mut self, estimate: &Estimate) {
        self.prompts += 1;
        self.quality += estimate.quality;
        self.cost += estimate.cost;
    }

    fn quality(&self) -> Option<f64> {
        ratio(self.quality, self.prompts as f64)
    }

    fn cost_per_1000(&self) -> Option<f64> {
        ratio(1000.0 * self.cost, self.prompts as f64)
    }
}

/// `None` where there is nothing to divide.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// What was chosen, relative to the best; free models cost as much as each other.
fn relative(chosen: f64, best: f64) -> Option<f64> {
    if chosen == best { Some(1.0) } else { ratio(chosen, best) }
}

/// Every model that some case could choose, the cheapest first.
fn always(policy: &Policy, outcomes: &[Outcomes]) -> (Vec<ModelId>, Vec<Always>) {
    let mut sums: BTreeMap<ModelId, Sum> = BTreeMap::new();
    for prompt in 0..outcomes.first().map_or(0, Vec::len) {
        // What is expected of a model does not depend on the case.
        let mut known: BTreeMap<ModelId, Estimate> = BTreeMap::new();
        for outcome in outcomes.iter().filter_map(|outcomes| outcomes.get(prompt)?.as_ref().ok()) {
            outcome.eligible.iter().for_each(|estimate| _ = known.entry(estimate.model).or_insert(*estimate));
        }
        known.values().for_each(|estimate| sums.entry(estimate.model).or_default().add(estimate));
    }
    let row = |(model, sum): (ModelId, Sum)| {
        let always = Always {
            model: name(policy, model),
            prompts: sum.prompts,
            quality: sum.quality()?,
            cost_per_1000: sum.cost_per_1000()?,
        };
        Some((model, always))
    };
    let mut rows: Vec<_> = sums.into_iter().filter_map(row).collect();
    rows.sort_by(|(_, a), (_, b)| a.cost_per_1000.total_cmp(&b.cost_per_1000).then_with(|| a.model.cmp(&b.model)));
    rows.into_iter().unzip()
}

fn name(policy: &Policy, model: ModelId) -> String {
    policy.models.get(model).map(|model| model.name.clone()).unwrap_or_default()
}

/// The models of a case in the common order; those that could answer no prompt last.
fn pool(case: &Case, order: &[ModelId]) -> Vec<ModelId> {
    let mut pool: Vec<ModelId> = case.pool().collect();
    pool.sort_by_key(|model| order.iter().position(|known| known == model).unwrap_or(order.len()));
    pool
}

fn subsets(cases: &[Case], order: &[ModelId]) -> Vec<Subset> {
    let mut subsets: Vec<Subset> = Vec::new();
    for case in cases {
        if case.subset < subsets.len() {
            continue;
        }
        let models: Vec<String> = pool(case, order).into_iter().map(|model| name(&case.policy, model)).collect();
        let name = match (&case.only, models.as_slice()) {
            (None, _) => "own pool".to_owned(),
            (Some(_), [only]) => format!("only {only}"),
            (Some(_), _) => format!("subset {}", case.subset + 1),
        };
        subsets.push(Subset { name, models });
    }
    subsets
}

fn case_report(case: &Case, order: &[ModelId], prompts: &[Prompt], outcomes: &Outcomes) -> CaseReport {
    let pool = pool(case, order);
    let decided: Vec<&Outcome> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    let chosen = Sum::of(decided.iter().map(|outcome| &outcome.chosen));
    let best = Sum::of(decided.iter().map(|outcome| &outcome.best));
    CaseReport {
        mode: case.mode.clone(),
        band: case.band(),
        subset: case.subset,
        decided: decided.len(),
        quality: chosen.quality(),
        cost_per_1000: chosen.cost_per_1000(),
        relative_quality: relative(chosen.quality, best.quality).filter(|_| best.prompts > 0),
        relative_cost: relative(chosen.cost, best.cost).filter(|_| best.prompts > 0),
        models: pool.iter().map(|model| model_row(&case.policy, *model, &decided)).collect(),
        tasks: Task::NAMES.iter().filter_map(|(name, task)| task_row(case, &pool, name, *task, &decided)).collect(),
        refused: refused(prompts, outcomes),
    }
}

fn model_row(policy: &Policy, model: ModelId, decided: &[&Outcome]) -> ModelRow {
    let own = decided.iter().map(|outcome| &outcome.chosen).filter(|chosen| chosen.model == model);
    let sum = Sum::of(own);
    ModelRow {
        model: name(policy, model),
        prompts: sum.prompts,
        share: share(sum.prompts, decided.len()),
        quality: sum.quality(),
        cost_per_1000: sum.cost_per_1000(),
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// `None` where no prompt is of this task.
fn task_row(
    case: &Case,
    pool: &[ModelId],
    name_of_task: &'static str,
    task: Task,
    decided: &[&Outcome],
) -> Option<TaskRow> {
    let own: Vec<&Outcome> = decided.iter().copied().filter(|outcome| outcome.task == task).collect();
    let row = |model: &ModelId| {
        let count = own.iter().filter(|outcome| outcome.chosen.model == *model).count();
        Share { model: name(&case.policy, *model), share: share(count, own.len()) }
    };
    let models = pool.iter().map(row).collect();
    (!own.is_empty()).then_some(TaskRow { task: name_of_task, prompts: own.len(), models })
}

fn refused(prompts: &[Prompt], outcomes: &Outcomes) -> Vec<Refused> {
    let mut refused: Vec<Refused> = Vec::new();
    for (prompt, outcome) in prompts.iter().zip(outcomes) {
        let Err(reason) = outcome else { continue };
        match refused.iter_mut().find(|known| known.reason == *reason) {
            Some(known) => known.prompts += 1,
            None => refused.push(Refused { reason, prompts: 1, first_line: prompt.line }),
        }
    }
    refused
}

/// Prompts by difficulty, without gaps; those that no case decides are left out.
fn difficulty(outcomes: &[Outcomes]) -> Vec<Bin> {
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    for prompt in 0..outcomes.first().map_or(0, Vec::len) {
        let mut known = outcomes.iter().filter_map(|outcomes| outcomes.get(prompt)?.as_ref().ok());
        if let Some(outcome) = known.next() {
            *counts.entry((outcome.difficulty / STEP).floor() as i32).or_default() += 1;
        }
    }
    let (Some(first), Some(last)) = (counts.keys().next(), counts.keys().next_back()) else { return Vec::new() };
    let bin = |at: i32| Bin {
        from: f64::from(at) * STEP,
        to: f64::from(at + 1) * STEP,
        prompts: counts.get(&at).copied().unwrap_or_default(),
    };
    (*first..=*last).map(bin).collect()
}
