//! The benchmarks of RouteLLM (arXiv 2406.18665): one strong model, one weak, who gets which prompt.

use anyhow::{Context, Result, bail};

use super::Bench;
use super::table::{Table, cell};
use crate::learn::ability::with_outcomes;
use crate::learn::data::Data;
use crate::learn::fit::{Fitted, fit, hash};
use crate::learn::metrics::{apgr, cpt};

const WEAK: &str = "mixtral-8x7b-instruct-v0.1";
const STRONG: &str = "gpt-4-1106-preview";
const FOLDS: u64 = 5;

const NOTE: &str = "gpt-4-1106-preview against mixtral-8x7b-instruct-v0.1, evaluation prompts never trained on. *Clean*: \
    trained without every prompt whose text the benchmark holds. *Cross-fitted*: prompts of the same benchmark train, \
    other questions of it are measured, in five folds. MT-Bench leaves out prompts marked as contaminated. Random has \
    APGR 0.5, CPT(50) 50, CPT(80) 80.";

/// One benchmark's prompts with both outcomes.
struct Set {
    /// Index into the evaluation data.
    prompts: Vec<usize>,
    weak: Vec<f64>,
    strong: Vec<f64>,
}

/// One run: APGR, CPT(50), CPT(80).
type Run = [f64; 3];

/// All three benchmarks.
pub fn tables(bench: &Bench) -> Result<Vec<Table>> {
    let data = Data::read(&bench.args.eval)?;
    let mut table =
        Table::new("RouteLLM's benchmarks", NOTE, &["benchmark", "training", "prompts", "APGR", "CPT(50)", "CPT(80)"]);
    for name in ["routellm_mmlu", "routellm_gsm8k", "routellm_mtbench"] {
        let set = Set::of(&data, name)?;
        let length: Vec<f64> = set.prompts.iter().map(|prompt| data.prompts[*prompt].prompt.len() as f64).collect();
        let count = set.prompts.len().to_string();
        table.row(row(name, "length alone", &count, &[set.measure(&length)]));
        let mut clean = Vec::new();
        for seed in &bench.seeds {
            clean.push(set.measure(&gains(bench, &data, &set.prompts, *seed, |at| !overlaps(bench, at, name))?));
        }
        table.row(row(name, "clean", &count, &clean));
        if name == "routellm_mmlu" {
            let mut crossed = Vec::new();
            for seed in &bench.seeds {
                crossed.push(set.measure(&cross_fitted(bench, &data, &set, *seed, name)?));
            }
            table.row(row(name, "cross-fitted", &count, &crossed));
        }
    }
    Ok(vec![table])
}

fn row(name: &str, training: &str, count: &str, runs: &[Run]) -> Vec<String> {
    let of = |at: usize| runs.iter().map(|run| run[at]).collect::<Vec<f64>>();
    let percent = |at: usize| format!("{:.1}", of(at).iter().sum::<f64>() / runs.len() as f64);
    let fixed = [name, training, count].map(str::to_owned);
    fixed.into_iter().chain([cell(&of(0)), percent(1), percent(2)]).collect()
}

fn overlaps(bench: &Bench, prompt: usize, name: &str) -> bool {
    bench.corpus.data.prompts[prompt].overlaps.iter().any(|overlap| overlap == name)
}

/// Predicted gain of the strong model on evaluation prompts, by a model trained on the prompts that `may` names.
fn gains(bench: &Bench, data: &Data, prompts: &[usize], seed: u64, may: impl Fn(usize) -> bool) -> Result<Vec<f64>> {
    let used: Vec<bool> = (0..bench.corpus.data.prompts.len()).map(may).collect();
    let fitted = fit(&bench.corpus, &used, seed)?;
    let ability = |name: &str| {
        let at = bench.corpus.data.models.binary_search_by(|known| known.as_str().cmp(name));
        at.map(|at| fitted.scaled.abilities[at]).ok().with_context(|| format!("no outcomes of {name}"))
    };
    let (weak, strong) = (ability(WEAK)?, ability(with_outcomes(STRONG))?);
    let chosen: Vec<_> = prompts.iter().map(|prompt| data.prompts[*prompt].clone()).collect();
    let texts = bench.corpus.texts_of(&chosen);
    let gain = |(text, hand): &(_, _)| {
        let read = fitted.read(text, hand);
        Fitted::quality(&read, &strong) - Fitted::quality(&read, &weak)
    };
    Ok(texts.iter().map(gain).collect())
}

/// Each fold's questions are measured by a model that was trained without these questions.
fn cross_fitted(bench: &Bench, data: &Data, set: &Set, seed: u64, name: &str) -> Result<Vec<f64>> {
    let fold = |text: &str| question_hash(text, seed) % FOLDS;
    let mut gain = vec![0.0; set.prompts.len()];
    for round in 0..FOLDS {
        let inside: Vec<usize> =
            (0..gain.len()).filter(|at| fold(&data.prompts[set.prompts[*at]].prompt) == round).collect();
        let prompts: Vec<usize> = inside.iter().map(|at| set.prompts[*at]).collect();
        let may = |at: usize| !overlaps(bench, at, name) || fold(&bench.corpus.data.prompts[at].prompt) != round;
        let gains = gains(bench, data, &prompts, seed, may)?;
        inside.into_iter().zip(gains).for_each(|(at, value)| gain[at] = value);
    }
    Ok(gain)
}

/// A number that is the same for the same question, whatever its options and their order.
fn question_hash(text: &str, seed: u64) -> u64 {
    let stem = text.split("\nA. ").next().unwrap_or(text);
    let letters = stem.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.take(200).fold(hash(seed), |value, letter| hash(value ^ u64::from(u32::from(letter))))
}

impl Set {
    fn of(data: &Data, name: &str) -> Result<Set> {
        let place = |model: &str| data.models.iter().position(|known| known == model);
        let (Some(weak), Some(strong)) = (place(WEAK), place(STRONG)) else { bail!("{name}: outcomes are missing") };
        let mut outcomes = vec![(None, None); data.prompts.len()];
        for outcome in &data.outcomes {
            let (low, high) = &mut outcomes[outcome.prompt as usize];
            match usize::from(outcome.model) {
                model if model == weak => *low = Some(f64::from(outcome.score)),
                model if model == strong => *high = Some(f64::from(outcome.score)),
                _ => {}
            }
        }
        let mut set = Set { prompts: Vec::new(), weak: Vec::new(), strong: Vec::new() };
        for (at, (prompt, outcome)) in data.prompts.iter().zip(outcomes).enumerate() {
            if let (true, (Some(weak), Some(strong))) =
                (prompt.source == name && !prompt.contaminated_with_arena, outcome)
            {
                set.prompts.push(at);
                set.weak.push(weak);
                set.strong.push(strong);
            }
        }
        Ok(set)
    }

    fn measure(&self, gain: &[f64]) -> Run {
        let cpt = |share| cpt(gain, &self.weak, &self.strong, share);
        [apgr(gain, &self.weak, &self.strong), cpt(0.5), cpt(0.8)]
    }
}
