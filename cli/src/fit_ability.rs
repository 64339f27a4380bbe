//! `model-router fit-ability`: graded answers of a new model → its abilities, for a policy.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use model_router::catalog::Skill;
use model_router::predict::Prompt;
use serde_json::json;

use crate::learn::ability::{FEWEST, Graded, expected_of, of_graded};
use crate::learn::data::Data;
use crate::learn::metrics::{brier, ece};

/// Arguments.
#[derive(Parser)]
pub struct Args {
    /// Graded prompts: `prompt,score` and, where there are several, `model`; CSV or JSON lines; score from 0 to 1.
    /// About 200 are enough, of the kind that the router will see
    graded: PathBuf,
    /// A weights file; absent: the one that is compiled in
    #[arg(long)]
    weights: Option<PathBuf>,
}

/// Fits and prints one object per model: `abilities` goes into `models[]` of the policy as it is.
pub fn run(args: &Args) -> Result<()> {
    let data = Data::read(&args.graded)?;
    let predictor = crate::source::predictor(args.weights.as_deref())?;
    let readings: Vec<_> =
        data.prompts.iter().map(|prompt| predictor.read_prompt(&Prompt::question(&prompt.prompt))).collect();
    for (model, name) in data.models.iter().enumerate() {
        let answers: Vec<Graded> = data
            .outcomes
            .iter()
            .filter(|outcome| usize::from(outcome.model) == model)
            .map(|outcome| {
                let reading = &readings[outcome.prompt as usize];
                Graded { difficulty: reading.difficulty, tasks: reading.tasks, score: f64::from(outcome.score) }
            })
            .collect();
        ensure!(
            answers.len() >= FEWEST,
            "{name}: {} graded prompts are too few, at least {FEWEST} are needed",
            answers.len()
        );
        let ability = of_graded(&answers);
        let predicted: Vec<f64> = answers.iter().map(|answer| expected_of(answer, &ability)).collect();
        let score: Vec<f64> = answers.iter().map(|answer| answer.score).collect();
        let information: f64 = predicted.iter().map(|p| p * (1.0 - p)).sum();
        println!(
            "{}",
            json!({
                "model": name,
                "abilities": Skill(ability),
                "graded": answers.len(),
                "standard_error": (1000.0 / information.max(0.01).sqrt()).round() / 1000.0,
                "mean_score": score.iter().sum::<f64>() / score.len() as f64,
                "brier": brier(&predicted, &score),
                "ece": ece(&predicted, &score),
            })
        );
    }
    Ok(())
}
