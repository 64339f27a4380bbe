//! Prompts of the training sources that were held out: at random, and a whole source at a time.

use anyhow::Result;
use serde_json::{Value, json};

use super::table::{Table, cell};
use super::{Bench, is_held_out};
use crate::learn::corpus::Corpus;
use crate::learn::data::Data;
use crate::learn::fit::{Fitted, Read, fit};
use crate::learn::metrics::{apgr, auc};

const TIERS: &str = "Within each source, the weaker tier is the lower half of its models by mean score, the stronger \
    tier the upper third; a prompt's outcome in a tier is the mean over its models, and the tier fails below 0.5. AUC: \
    does predicted quality of the weaker tier tell where it fails. APGR: ranked by predicted gain of the stronger tier. \
    Mean over the seeds ± half of the 95 % confidence interval.";

/// Models of the two tiers of a source, and each prompt's mean score in them.
pub struct Tiers {
    /// For each prompt: score of the weaker tier, score of the stronger tier; `None` without outcomes.
    pub scores: Vec<Option<(f64, f64)>>,
    /// For each prompt's source: models of the weaker and of the stronger tier.
    members: Vec<(Vec<u16>, Vec<u16>)>,
    source: Vec<usize>,
}

impl Tiers {
    /// The tiers of all sources.
    pub fn of(data: &Data) -> Tiers {
        let mut names: Vec<&str> = data.prompts.iter().map(|prompt| prompt.source.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let place = |name: &str| names.binary_search(&name).unwrap_or(0);
        let source: Vec<usize> = data.prompts.iter().map(|prompt| place(&prompt.source)).collect();
        let mut sums = vec![vec![(0.0, 0.0); data.models.len()]; names.len()];
        for outcome in &data.outcomes {
            let (sum, count) = &mut sums[source[outcome.prompt as usize]][usize::from(outcome.model)];
            *sum += f64::from(outcome.score);
            *count += 1.0;
        }
        let members: Vec<(Vec<u16>, Vec<u16>)> = sums.iter().map(|sums| split(sums)).collect();
        let mut scores = vec![((0.0, 0.0), (0.0, 0.0)); data.prompts.len()];
        for outcome in &data.outcomes {
            let prompt = outcome.prompt as usize;
            let (weak, strong) = &members[source[prompt]];
            let (low, high) = &mut scores[prompt];
            for (tier, place) in [(weak, low), (strong, high)] {
                if tier.contains(&outcome.model) {
                    place.0 += f64::from(outcome.score);
                    place.1 += 1.0;
                }
            }
        }
        let mean = |((low, lows), (high, highs)): ((f64, f64), (f64, f64))| {
            (lows > 0.0 && highs > 0.0).then(|| (low / lows, high / highs))
        };
        Tiers { scores: scores.into_iter().map(mean).collect(), members, source }
    }

    /// Predicted quality of the weaker and of the stronger tier on a prompt.
    pub fn predicted(&self, prompt: usize, read: &Read, fitted: &Fitted) -> (f64, f64) {
        let (weak, strong) = &self.members[self.source[prompt]];
        let mean = |models: &[u16]| {
            let quality = |model: &u16| Fitted::quality(read, &fitted.scaled.abilities[usize::from(*model)]);
            models.iter().map(quality).sum::<f64>() / models.len().max(1) as f64
        };
        (mean(weak), mean(strong))
    }
}

fn split(sums: &[(f64, f64)]) -> (Vec<u16>, Vec<u16>) {
    let mut order: Vec<u16> = (0..sums.len() as u16).filter(|model| sums[usize::from(*model)].1 > 0.0).collect();
    let mean = |model: &u16| sums[usize::from(*model)].0 / sums[usize::from(*model)].1;
    order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    let third = order.len() - order.len() / 3;
    (order[..order.len() / 2].to_vec(), order[third..].to_vec())
}

/// What one run says of some prompts.
struct Measured {
    auc: f64,
    apgr: f64,
    length_auc: f64,
    length_apgr: f64,
}

fn measure(corpus: &Corpus, tiers: &Tiers, fitted: &Fitted, prompts: &[usize]) -> Measured {
    let (mut low, mut gain, mut length) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fails, mut weak, mut strong) = (Vec::new(), Vec::new(), Vec::new());
    for &prompt in prompts {
        let Some((a, b)) = tiers.scores[prompt] else { continue };
        let read = fitted.read(&corpus.texts[prompt], &corpus.hand[prompt]);
        let (p, q) = tiers.predicted(prompt, &read, fitted);
        low.push(-p);
        gain.push(q - p);
        length.push(corpus.data.prompts[prompt].prompt.len() as f64);
        fails.push(a < 0.5);
        weak.push(a);
        strong.push(b);
    }
    Measured {
        auc: auc(&low, &fails),
        apgr: apgr(&gain, &weak, &strong),
        length_auc: auc(&length, &fails),
        length_apgr: apgr(&length, &weak, &strong),
    }
}

fn row(name: &str, runs: &[Measured]) -> Vec<String> {
    let of = |value: fn(&Measured) -> f64| cell(&runs.iter().map(value).collect::<Vec<_>>());
    vec![
        name.to_owned(),
        of(|run| run.auc),
        of(|run| run.apgr),
        of(|run| run.length_auc),
        of(|run| run.length_apgr),
        "0.5 / 0.5".to_owned(),
    ]
}

const HEAD: [&str; 6] = ["prompts", "AUC weak fails", "APGR", "AUC, length alone", "APGR, length alone", "random"];

/// One run with a fifth of the prompts held out, for the record that goes with the weights.
///
/// # Errors
/// As [`fit`].
pub fn record(corpus: &Corpus, seed: u64) -> Result<Value> {
    let tiers = Tiers::of(&corpus.data);
    let held = |prompt: usize| tiers.scores[prompt].is_some() && is_held_out(seed, prompt);
    let used: Vec<bool> = (0..tiers.scores.len()).map(|prompt| !held(prompt)).collect();
    let prompts: Vec<usize> = (0..used.len()).filter(|prompt| !used[*prompt]).collect();
    let measured = measure(corpus, &tiers, &fit(corpus, &used, seed)?, &prompts);
    let short = |value: f64| (1000.0 * value).round() / 1000.0;
    Ok(json!({
        "held_out_prompts": prompts.len(),
        "auc_weak_fails": short(measured.auc),
        "apgr": short(measured.apgr),
        "auc_length_alone": short(measured.length_auc),
        "apgr_length_alone": short(measured.length_apgr),
    }))
}

/// A fifth of the prompts held out.
pub fn held_out(bench: &Bench) -> Result<Vec<Table>> {
    let tiers = Tiers::of(&bench.corpus.data);
    let has = bench.has_outcomes();
    let names = sources(bench, &has);
    let mut runs: Vec<(String, Vec<Measured>)> = Vec::new();
    for seed in &bench.seeds {
        let held = |prompt: usize| has[prompt] && is_held_out(*seed, prompt);
        let used: Vec<bool> = (0..has.len()).map(|prompt| !held(prompt)).collect();
        let fitted = fit(&bench.corpus, &used, *seed)?;
        for name in [""].into_iter().chain(names.iter().map(String::as_str)) {
            let prompt = |prompt: &usize| {
                held(*prompt) && (name.is_empty() || bench.corpus.data.prompts[*prompt].source == name)
            };
            let prompts: Vec<usize> = (0..has.len()).filter(prompt).collect();
            let title = if name.is_empty() { "**all, pooled**".to_owned() } else { name.to_owned() };
            let measured = measure(&bench.corpus, &tiers, &fitted, &prompts);
            match runs.iter_mut().find(|(known, _)| *known == title) {
                Some((_, list)) => list.push(measured),
                None => runs.push((title, vec![measured])),
            }
        }
    }
    let mut table = Table::new("Held-out prompts", &format!("A fifth of the prompts is held out. {TIERS}"), &HEAD);
    runs.iter().for_each(|(name, runs)| table.row(row(name, runs)));
    Ok(vec![table])
}

/// A whole source held out.
pub fn left_out(bench: &Bench) -> Result<Vec<Table>> {
    let tiers = Tiers::of(&bench.corpus.data);
    let has = bench.has_outcomes();
    let note = format!("The model is trained without the source that it is measured on. {TIERS}");
    let mut table = Table::new("One source left out", &note, &HEAD);
    let mut means: Vec<Vec<f64>> = vec![Vec::new(); 4];
    for name in sources(bench, &has) {
        let inside = |prompt: usize| bench.corpus.data.prompts[prompt].source == name;
        let used: Vec<bool> = (0..has.len()).map(|prompt| !inside(prompt)).collect();
        let prompts: Vec<usize> = (0..has.len()).filter(|prompt| inside(*prompt)).collect();
        let mut runs = Vec::new();
        for seed in &bench.seeds {
            // Abilities of models that occur nowhere else stay at the mean; only the ranking is measured.
            let fitted = fit(&bench.corpus, &used, *seed)?;
            runs.push(measure(&bench.corpus, &tiers, &fitted, &prompts));
        }
        let values: [fn(&Measured) -> f64; 4] =
            [|run| run.auc, |run| run.apgr, |run| run.length_auc, |run| run.length_apgr];
        for (mean, value) in means.iter_mut().zip(values) {
            mean.push(runs.iter().map(value).sum::<f64>() / runs.len() as f64);
        }
        table.row(row(&name, &runs));
    }
    let mean = |values: &Vec<f64>| format!("{:.3}", values.iter().sum::<f64>() / values.len() as f64);
    let cells = means.iter().map(mean);
    table.row(["**mean**".to_owned()].into_iter().chain(cells).chain(["0.5 / 0.5".to_owned()]));
    Ok(vec![table])
}

/// Names of the sources with outcomes.
fn sources(bench: &Bench, has: &[bool]) -> Vec<String> {
    let prompts = bench.corpus.data.prompts.iter().zip(has);
    let mut names: Vec<String> = prompts.filter(|(_, has)| **has).map(|(prompt, _)| prompt.source.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
