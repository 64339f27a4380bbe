//! `model-router link-abilities`: public benchmark scores → abilities of the catalog's models on the trained scale.
//!
//! Owns the order of the steps: judge the rows ([`rows`], [`modes`]), fit general abilities and sources together
//! ([`fit`]) with the models that training knows as anchors ([`anchors`]), add what is special about tasks ([`tasks`]),
//! write ([`linked`]) and show ([`table`]). Nothing is random: the same input gives the same bytes. Never trains and
//! never sets a single number by hand.

mod anchors;
mod benchmarks;
mod fit;
mod linked;
mod modes;
mod rows;
mod scores;
mod solve;
mod table;
mod tasks;
mod unknowns;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use model_router::catalog::Catalog;

use rows::Measurements;

/// Arguments of `link-abilities`.
#[derive(clap::Args)]
pub struct Args {
    /// Public scores: JSON, `scores` → model of the catalog → rows
    #[arg(long)]
    scores: PathBuf,
    /// Where the abilities go
    #[arg(long, default_value = "src/catalog/abilities.json")]
    out: PathBuf,
}

/// Links, writes the file and prints tables for review.
///
/// # Errors
/// When a file cannot be read or written, or no anchor is known.
pub fn run(args: &Args) -> Result<()> {
    let catalog = Catalog::without_abilities().map_err(anyhow::Error::msg)?;
    let all = Measurements::of(&catalog, &scores::read(&args.scores)?);
    let (weights, pool) = anchors::pool()?;
    let anchors = anchors::anchors(&all, &pool);
    ensure!(!anchors.is_empty(), "no model with scores is known to the weights: nothing holds the scale");
    let general = fit::fit(&all, &anchors)?;
    let deviations = tasks::deviations(&all, &general)?;
    let levels = anchors::levels(&pool);
    let mut linked = linked::link(&all, &general, &deviations, &levels);
    let remarks = table::remarks(&catalog, &linked);
    let lent = |name: &str| catalog.get(name).is_some_and(|facts| facts.abilities_like.is_some());
    linked.retain(|model| !lent(&model.name));
    let text = linked::file(&weights, &all, &general, &linked)?;
    std::fs::write(&args.out, &text).with_context(|| args.out.display().to_string())?;
    println!("{}\n\n{}\n\n{}\n", table::sources(&all, &general), table::anchors(&general), table::models(&linked));
    println!("{}", table::rest(&general, &levels));
    remarks.iter().for_each(|remark| println!("{remark}"));
    println!("{}: {} models, {} bytes", args.out.display(), linked.len(), text.len());
    Ok(())
}
