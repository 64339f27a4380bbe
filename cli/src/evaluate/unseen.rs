//! Models that training never saw: their abilities are fitted on 200 graded prompts.

use anyhow::Result;

use super::table::{Table, cell};
use super::{Bench, is_held_out};
use crate::learn::ability::{Graded, expected_of, of_graded};
use crate::learn::fit::{fit, hash};
use crate::learn::metrics::{auc, brier, ece};

/// From weak to strong, of each source.
const MODELS: [&str; 8] = [
    "llama-2-13b-hf",
    "gemma-2-9b-it",
    "mixtral-8x7b-instruct-v0.1",
    "llama-3.1-70b-instruct",
    "gpt-4o-mini-2024-07-18",
    "qwen2.5-72b-instruct",
    "claude-3-5-sonnet-20241022",
    "gpt-4o-2024-05-13",
];
const GRADED: usize = 200;

const NOTE: &str = "All outcomes of these eight models are kept from training. Abilities come from 200 graded prompts; \
    AUC (does predicted quality tell good answers from bad), expected calibration error and Brier score are measured on \
    a fifth of the prompts that trained nothing. *Constant*: the model's own mean on the 200, for every prompt.";

/// One model's figures.
pub fn tables(bench: &Bench) -> Result<Vec<Table>> {
    let data = &bench.corpus.data;
    let place = |name: &str| data.models.iter().position(|known| known == name);
    let unseen: Vec<usize> = MODELS.iter().filter_map(|name| place(name)).collect();
    let mut runs: Vec<[Vec<f64>; 4]> = vec![Default::default(); unseen.len()];
    let mut corpus_outcomes = data.outcomes.clone();
    corpus_outcomes.retain(|outcome| !unseen.contains(&usize::from(outcome.model)));
    let without = bench.corpus.with_outcomes(corpus_outcomes);
    for seed in &bench.seeds {
        let held = |prompt: u32| is_held_out(*seed, prompt as usize);
        let used: Vec<bool> = (0..data.prompts.len() as u32).map(|prompt| !held(prompt)).collect();
        let fitted = fit(&without, &used, *seed)?;
        for (model, run) in unseen.iter().zip(&mut runs) {
            let mut own: Vec<(u64, Graded)> = data
                .outcomes
                .iter()
                .filter(|outcome| usize::from(outcome.model) == *model && held(outcome.prompt))
                .map(|outcome| {
                    let prompt = outcome.prompt as usize;
                    let read = fitted.read(&bench.corpus.texts[prompt], &bench.corpus.hand[prompt]);
                    let order = hash(seed ^ hash(prompt as u64));
                    (order, Graded { difficulty: read.difficulty, tasks: read.tasks, score: f64::from(outcome.score) })
                })
                .collect();
            own.sort_by_key(|(order, _)| *order);
            let (graded, rest) = own.split_at(GRADED.min(own.len() / 2));
            let graded: Vec<Graded> = graded.iter().map(|(_, answer)| *answer).collect();
            let ability = of_graded(&graded);
            let mean = graded.iter().map(|answer| answer.score).sum::<f64>() / graded.len() as f64;
            let score: Vec<f64> = rest.iter().map(|(_, answer)| answer.score).collect();
            let predicted: Vec<f64> = rest.iter().map(|(_, answer)| expected_of(answer, &ability)).collect();
            let good: Vec<bool> = score.iter().map(|score| *score >= 0.5).collect();
            run[0].push(auc(&predicted, &good));
            run[1].push(ece(&predicted, &score));
            run[2].push(brier(&predicted, &score));
            run[3].push(brier(&vec![mean; score.len()], &score));
        }
    }
    let mut table = Table::new("Unseen models", NOTE, &["model", "AUC", "ECE", "Brier", "Brier, constant"]);
    for (model, run) in unseen.iter().zip(&runs) {
        table.row([data.models[*model].clone()].into_iter().chain(run.iter().map(|values| cell(values))));
    }
    let mean = |at: usize| {
        let by_seed = |seed: usize| runs.iter().map(|run| run[at][seed]).sum::<f64>() / runs.len() as f64;
        cell(&(0..bench.seeds.len()).map(by_seed).collect::<Vec<_>>())
    };
    table.row(["**mean**".to_owned()].into_iter().chain((0..4).map(mean)));
    Ok(vec![table])
}
