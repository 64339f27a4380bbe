//! `model-router train`: outcomes → weights.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use crate::evaluate::pooled::record;
use crate::learn::corpus::Corpus;
use crate::learn::fit::fit;
use crate::learn::pack::{About, Source, pack};

/// Arguments.
#[derive(Parser)]
pub struct Args {
    /// Directory with prompts.jsonl.gz and outcomes.csv.gz, or a file of `prompt,model,score` (CSV or JSON lines)
    #[arg(long)]
    data: PathBuf,
    /// Further prompts with task_type and difficulty (0 to 3), JSON lines; this project's are cli/data/prompts.jsonl.
    /// Without any labels, tasks are not told apart
    #[arg(long)]
    prompts: Option<PathBuf>,
    /// Licences of the sources: JSON, name → licence
    #[arg(long)]
    licences: Option<PathBuf>,
    /// Seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What `explain` calls these weights
    #[arg(long, default_value = "own")]
    version: String,
    /// Where the weights go
    #[arg(long)]
    out: PathBuf,
}

/// Trains and writes the weights.
pub fn run(args: &Args) -> Result<()> {
    let corpus = Corpus::read(&args.data, args.prompts.as_deref())?;
    let used = vec![true; corpus.data.prompts.len()];
    eprintln!("{} prompts, {} outcomes of {} models", used.len(), corpus.data.outcomes.len(), corpus.data.models.len());
    let fitted = fit(&corpus, &used, args.seed)?;
    let licences: BTreeMap<String, String> = match &args.licences {
        Some(path) => serde_json::from_reader(std::fs::File::open(path).with_context(|| path.display().to_string())?)?,
        None => BTreeMap::new(),
    };
    let pool = corpus.data.models.iter().cloned().zip(fitted.scaled.abilities.iter().copied()).collect();
    let metrics = record(&corpus, args.seed)?;
    eprintln!("on a fifth held out: {metrics}");
    let about = About { data: sources(&corpus, &licences), seed: args.seed, metrics, pool };
    let weights = pack(&corpus, &fitted, &args.version, &about)?;
    let bytes = weights.bytes().map_err(anyhow::Error::msg)?;
    std::fs::write(&args.out, &bytes).with_context(|| args.out.display().to_string())?;
    eprintln!("{}: {} bytes, {} tree nodes", args.out.display(), bytes.len(), weights.trees.len());
    Ok(())
}

fn sources(corpus: &Corpus, licences: &BTreeMap<String, String>) -> Vec<Source> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for prompt in &corpus.data.prompts {
        counts.entry(&prompt.source).or_default().0 += 1;
    }
    for outcome in &corpus.data.outcomes {
        let source = &corpus.data.prompts[outcome.prompt as usize].source;
        counts.entry(source).or_default().1 += 1;
    }
    let source = |(name, (prompts, outcomes)): (&str, (usize, usize))| Source {
        name: name.to_owned(),
        licence: licences.get(name).cloned(),
        prompts,
        outcomes,
    };
    counts.into_iter().map(source).collect()
}
