//! `model-router score`: what the routing model says of prompts, without a policy.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use clap::Parser;
use model_router::catalog::{Catalog, Effort, Skill, sigmoid};
use model_router::predict::{Predictor, Prompt};
use serde::{Deserialize, Serialize};

use crate::learn::ability::with_outcomes;
use crate::learn::pack::About;

/// Arguments.
#[derive(Parser)]
pub struct Args {
    /// Models of the catalog (`gpt-5`, at an effort: `gpt-5:high`) or of the training data (named in the error on an unknown one)
    #[arg(long, value_delimiter = ',', required = true)]
    models: Vec<String>,
    /// A weights file; absent: the one that is compiled in
    #[arg(long)]
    weights: Option<std::path::PathBuf>,
}

/// A line of input; other members are ignored.
#[derive(Deserialize)]
struct Line {
    id: String,
    prompt: String,
}

/// A line of output.
#[derive(Serialize)]
struct Scored<'a> {
    id: &'a str,
    task: &'static str,
    /// Log odds.
    difficulty: f64,
    /// Of the answer, without reasoning.
    output_tokens: u32,
    /// Probability of a good answer.
    quality: BTreeMap<&'a str, f64>,
}

/// Scores the prompts on standard input, one line of JSON each.
pub fn run(args: &Args) -> Result<()> {
    let predictor = crate::source::predictor(args.weights.as_deref())?;
    let skills = skills(&args.models, predictor)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (line, number) in std::io::stdin().lock().lines().zip(1..) {
        let line = line.with_context(|| format!("line {number}"))?;
        if line.trim().is_empty() {
            continue;
        }
        // serde_json's messages quote no values of a struct's strings, so no text of a prompt gets into an error.
        let line: Line = serde_json::from_str(&line).map_err(|error| {
            anyhow::anyhow!(
                "line {number}: an object with the strings id and prompt is expected, column {}",
                error.column()
            )
        })?;
        let reading = predictor.read_prompt(&Prompt::question(&line.prompt));
        let quality = |skill: &Skill| sigmoid(skill.over(&reading.tasks) - reading.difficulty);
        let names = args.models.iter().map(String::as_str);
        let scored = Scored {
            id: &line.id,
            task: reading.task().name(),
            difficulty: reading.difficulty,
            output_tokens: reading.answer_tokens.ceil() as u32,
            quality: names.zip(skills.iter().map(quality)).collect(),
        };
        serde_json::to_writer(&mut out, &scored)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Abilities of models by name, out of the catalog or the training data.
fn skills(names: &[String], predictor: &Predictor) -> Result<Vec<Skill>> {
    let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
    let about: About = serde_json::from_value(predictor.weights().about().map_err(anyhow::Error::msg)?)?;
    let one = |name: &String| {
        let (model, effort) =
            name.split_once(':').map_or((name.as_str(), None), |(model, effort)| (model, Some(effort)));
        let effort =
            effort.map(|name| Effort::from_name(name).with_context(|| format!("there is no effort named {name}")));
        if let Some(abilities) = catalog.get(model).and_then(|facts| facts.abilities.as_ref()) {
            return Ok(*abilities.at(effort.transpose()?));
        }
        match about.pool.get(with_outcomes(model)) {
            Some(ability) => Ok(Skill(*ability)),
            None => bail!(
                "{model} is neither in the catalog nor in the training data, which has: {}",
                about.pool.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            ),
        }
    };
    names.iter().map(one).collect()
}
