//! `model-router evaluate-model`: every figure that is claimed of the routing model, measured anew.
//!
//! Owns the tables and who may train on what. Evaluation data never trains: each table trains its own model without
//! the prompts that it reports on.

mod flips;
mod modes;
pub mod pooled;
mod routellm;
mod table;
mod tasks;
mod unseen;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use crate::learn::corpus::Corpus;
use crate::learn::fit::hash;
use table::Table;

/// Arguments.
#[derive(Parser)]
pub struct Args {
    /// Directory of the training data
    #[arg(long)]
    data: PathBuf,
    /// Directory of the evaluation data
    #[arg(long)]
    eval: PathBuf,
    /// The project's own training prompts
    #[arg(long, default_value = "cli/data/prompts.jsonl")]
    prompts: PathBuf,
    /// Directory of the labelled prompts
    #[arg(long, default_value = "cli/data")]
    labels: PathBuf,
    /// Runs, each with a seed of its own, from 1
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Only these tables: pooled, sources, routellm, unseen, tasks, modes, flips
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write the tables into this file, between the marks `<!-- routing -->`, instead of to standard output
    #[arg(long)]
    into: Option<PathBuf>,
}

/// What every table works on.
pub struct Bench {
    /// Training data, prompts of one's own at its end.
    pub corpus: Corpus,
    /// Seeds.
    pub seeds: Vec<u64>,
    args: Args,
}

impl Bench {
    /// Whether a prompt has outcomes.
    pub fn has_outcomes(&self) -> Vec<bool> {
        let mut has = vec![false; self.corpus.data.prompts.len()];
        self.corpus.data.outcomes.iter().for_each(|outcome| has[outcome.prompt as usize] = true);
        has
    }
}

/// Whether a prompt belongs to the fifth that a run holds out.
pub fn is_held_out(seed: u64, prompt: usize) -> bool {
    hash(hash(seed) ^ prompt as u64).is_multiple_of(5)
}

/// A table's name and what makes it.
type Maker = (&'static str, fn(&Bench) -> Result<Vec<Table>>);

const TABLES: [Maker; 7] = [
    ("pooled", pooled::held_out),
    ("sources", pooled::left_out),
    ("routellm", routellm::tables),
    ("unseen", unseen::tables),
    ("tasks", tasks::tables),
    ("modes", modes::tables),
    ("flips", flips::tables),
];

/// Measures and prints or writes the tables.
pub fn run(args: Args) -> Result<()> {
    let corpus = Corpus::read(&args.data, Some(&args.prompts))?;
    let bench = Bench { corpus, seeds: (1..=args.seeds).collect(), args };
    let mut text = String::new();
    for (name, make) in TABLES {
        if bench.args.only.is_empty() || bench.args.only.iter().any(|only| only == name) {
            let start = std::time::Instant::now();
            for table in make(&bench).with_context(|| format!("table {name}"))? {
                text.push_str(&table.markdown());
            }
            eprintln!("{name}: {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    match &bench.args.into {
        None => print!("{text}"),
        Some(path) => {
            let old = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let new = table::between(&old, "<!-- routing -->", &text)
                .with_context(|| format!("{}: the marks <!-- routing --> are missing", path.display()))?;
            std::fs::write(path, new)?;
        }
    }
    Ok(())
}
