//! `model-router costs`: what requests cost and saved, from Envoy's access log.
//!
//! Owns the arguments and the order of the steps: read the log line by line, add up, show. Memory grows with the groups,
//! not with the log. What it prints of a line that it cannot read is its number and the rule, never its text.

mod bars;
mod days;
mod entry;
mod input;
mod money;
mod page;
mod report;
mod sheet;
mod sums;
mod text;

use anyhow::{Context as _, bail};
use input::Skipped;
use report::{By, Report};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use sums::Tally;

/// Arguments of `costs`.
#[derive(clap::Args)]
pub struct Args {
    /// Access logs, gzipped or not; absent: standard input
    files: Vec<PathBuf>,

    /// What a table is by: `router`, `model`, `consumer`, `day`, or several such as `router,day`; repeat for several
    /// tables. Absent: one by each of them
    #[arg(long, value_name = "NAMES", value_parser = By::parse)]
    by: Vec<By>,

    /// Also write a row for each combination of what the tables are by
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Also write a page with charts
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Reads access logs and shows what their requests cost.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let tables = if args.by.is_empty() { By::each() } else { args.by.clone() };
    let mut tally = Tally::new(report::dimensions(&tables));
    let mut skipped = Skipped::default();
    for source in input::sources(&args.files) {
        source.read(&mut tally, &mut skipped)?;
    }
    eprint!("{}", skipped.show(tally.lines));
    if tally.lines > 0 && tally.lines == skipped.lines {
        bail!("no line is an entry of the access log of envoy/envoy.yaml");
    }
    let report = Report::new(&tables, tally, skipped.lines);
    if let Some(path) = &args.csv {
        sheet::write(&report, path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &args.html {
        let page = page::render(&report)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    std::io::stdout().write_all(text::show(&report).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
