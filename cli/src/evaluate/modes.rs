//! What the modes give up and what they save, on outcomes that were held out.

use std::collections::HashMap;

use anyhow::{Context, Result};
use model_router::policy::Mode;
use model_router::predict::{rounded, tokens};
use serde::Deserialize;

use super::table::{Table, cell};
use super::{Bench, is_held_out};
use crate::learn::fit::{Fitted, fit};

const NOTE: &str = "A fifth of the prompts is held out; every model of the pool has an outcome on each. *Quality* is the \
    mean score, relative to always calling the model that was best on the training prompts; *cost* likewise, at list \
    prices of 2024 (`cli/data/pool_prices.csv`) and the measured length of the answers. *Same shares at random* is the \
    quality of calling each model as often, but not on these prompts: what the choice of prompts is worth.";

/// A model of a pool.
#[derive(Clone, Deserialize)]
struct Priced {
    model: String,
    pool: String,
    /// USD per million tokens.
    input: f64,
    output: f64,
}

/// A held-out prompt with the outcome of each model of the pool.
struct Case {
    prompt: usize,
    score: Vec<f64>,
    /// USD, as it came out.
    cost: Vec<f64>,
    input: f64,
}

/// What one mode came to in one run.
#[derive(Clone)]
struct Outcome {
    quality: f64,
    cost: f64,
    random: f64,
    shares: Vec<f64>,
}

/// All pools.
pub fn tables(bench: &Bench) -> Result<Vec<Table>> {
    let path = bench.args.labels.join("pool_prices.csv");
    let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
    let priced: Vec<Priced> =
        reader.deserialize().collect::<Result<_, _>>().with_context(|| path.display().to_string())?;
    let mut table =
        Table::new("Modes", NOTE, &["pool", "mode", "quality", "cost", "same shares at random", "most used"]);
    for pool in ["ZeroEval", "ZeroEval without o1-mini", "MMLU-Pro"] {
        let models: Vec<Priced> = priced.iter().filter(|model| model.pool == pool).cloned().collect();
        measure(bench, pool, &models, &mut table)?;
    }
    Ok(vec![table])
}

fn measure(bench: &Bench, pool: &str, models: &[Priced], table: &mut Table) -> Result<()> {
    let data = &bench.corpus.data;
    let place =
        |model: &Priced| data.models.iter().position(|known| *known == model.model).context(model.model.clone());
    let ids: Vec<usize> = models.iter().map(place).collect::<Result<_>>()?;
    let cases = cases(bench, models, &ids);
    let modes = [("quality", Mode::Quality), ("balanced", Mode::Balanced), ("cost", Mode::Cost)];
    let mut runs: Vec<Vec<Outcome>> = vec![Vec::new(); modes.len()];
    let mut best_names = Vec::new();
    for seed in &bench.seeds {
        let held = |prompt: usize| is_held_out(*seed, prompt);
        let used: Vec<bool> = (0..data.prompts.len()).map(|prompt| !held(prompt)).collect();
        let fitted = fit(&bench.corpus, &used, *seed)?;
        let (tests, known): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| held(case.prompt));
        let best = (0..ids.len()).max_by(|a, b| mean(&known, *a).total_cmp(&mean(&known, *b))).unwrap_or(0);
        best_names.push(models[best].model.clone());
        for ((_, mode), runs) in modes.iter().zip(&mut runs) {
            runs.push(play(bench, &fitted, &tests, models, &ids, mode.band().unwrap_or(0.0), best));
        }
    }
    for ((name, _), runs) in modes.iter().zip(&runs) {
        let of = |value: fn(&Outcome) -> f64| cell(&runs.iter().map(value).collect::<Vec<_>>());
        let cells = [of(|run| run.quality), of(|run| run.cost), of(|run| run.random), most_used(models, runs)];
        table.row([pool.to_owned(), (*name).to_owned()].into_iter().chain(cells));
    }
    best_names.dedup();
    table.row([pool, "always best", "1", "1", "1", &best_names.join(", ")].map(str::to_owned));
    Ok(())
}

fn mean(cases: &[&Case], model: usize) -> f64 {
    cases.iter().map(|case| case.score[model]).sum::<f64>() / cases.len().max(1) as f64
}

fn most_used(models: &[Priced], runs: &[Outcome]) -> String {
    let share = |model: usize| runs.iter().map(|run| run.shares[model]).sum::<f64>() / runs.len() as f64;
    let mut order: Vec<usize> = (0..models.len()).collect();
    order.sort_by(|a, b| share(*b).total_cmp(&share(*a)));
    let shown = order.iter().take(4).filter(|model| share(**model) >= 0.01);
    shown.map(|model| format!("{} {:.0} %", models[*model].model, 100.0 * share(*model))).collect::<Vec<_>>().join(", ")
}

/// Prompts on which every model of the pool has an outcome.
fn cases(bench: &Bench, models: &[Priced], ids: &[usize]) -> Vec<Case> {
    let data = &bench.corpus.data;
    let mut found: HashMap<usize, Vec<Option<(f64, u32)>>> = HashMap::new();
    for outcome in &data.outcomes {
        if let Some(at) = ids.iter().position(|id| *id == usize::from(outcome.model)) {
            let row = found.entry(outcome.prompt as usize).or_insert_with(|| vec![None; ids.len()]);
            row[at] = Some((f64::from(outcome.score), outcome.tokens));
        }
    }
    let mut cases = Vec::new();
    for (prompt, row) in found {
        let Some(row) = row.into_iter().collect::<Option<Vec<(f64, u32)>>>() else { continue };
        let input = f64::from(tokens::estimate(data.prompts[prompt].prompt.as_bytes()));
        // Answers without a measured length count as one of ordinary length.
        let length = |tokens: u32| if tokens > 0 { f64::from(tokens) } else { 200.0 };
        let price =
            |((_, tokens), model): (&(f64, u32), &Priced)| (input * model.input + length(*tokens) * model.output) / 1e6;
        let cost = row.iter().zip(models).map(price).collect();
        cases.push(Case { prompt, score: row.iter().map(|(score, _)| *score).collect(), cost, input });
    }
    cases.sort_by_key(|case| case.prompt);
    cases
}

/// Decides every case as the filter does: the cheapest within the band.
fn play(
    bench: &Bench,
    fitted: &Fitted,
    cases: &[&Case],
    models: &[Priced],
    ids: &[usize],
    band: f64,
    best: usize,
) -> Outcome {
    let (mut score, mut cost, mut shares) = (0.0, 0.0, vec![0.0; ids.len()]);
    let count = cases.len().max(1) as f64;
    for case in cases {
        let (text, hand) = (&bench.corpus.texts[case.prompt], &bench.corpus.hand[case.prompt]);
        let read = fitted.read(text, hand);
        let answer = fitted.tokens.answer(text).clamp(0.0, 9.0).exp();
        let quality: Vec<f64> =
            ids.iter().map(|id| rounded(Fitted::quality(&read, &fitted.scaled.abilities[*id]))).collect();
        let highest = quality.iter().copied().fold(0.0, f64::max);
        let expected = |model: &usize| case.input * models[*model].input + answer * models[*model].output;
        let inside = (0..ids.len()).filter(|model| quality[*model] >= (1.0 - band) * highest);
        let chosen = inside.min_by(|a, b| expected(a).total_cmp(&expected(b))).unwrap_or(best);
        score += case.score[chosen];
        cost += case.cost[chosen];
        shares[chosen] += 1.0 / count;
    }
    let always: f64 = cases.iter().map(|case| case.score[best]).sum();
    let always_cost: f64 = cases.iter().map(|case| case.cost[best]).sum();
    let random: f64 = shares.iter().enumerate().map(|(model, share)| share * mean(cases, model)).sum::<f64>() * count;
    Outcome { quality: score / always, cost: cost / always_cost, random: random / always, shares }
}
