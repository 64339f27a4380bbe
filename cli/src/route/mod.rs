//! `model-router route`: where a batch of prompts would go, from the filter's own code.
//!
//! Owns the arguments and the order of the steps: read the batch, decide it in every case, sum up, show. Never shows
//! text of a prompt, and calls no provider.

mod batch;
mod case;
mod chart;
mod outcome;
mod page;
mod report;
mod text;

use crate::source;
use anyhow::Context as _;
use case::{Case, ModeArg};
use model_router::policy::Policy;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `route`.
#[derive(clap::Args)]
pub struct Args {
    /// A policy (YAML or JSON), or an Envoy configuration that holds one; its consumers are left aside
    #[arg(long)]
    policy: PathBuf,

    /// Let the policy's candidate decide, instead of the policy itself
    #[arg(long)]
    candidate: bool,

    /// The router that decides; absent: the first of the policy
    #[arg(long)]
    router: Option<String>,

    /// `quality`, `balanced`, `cost`, or a band of your own such as `band=0.03`; repeat for several. Absent: the first
    /// three
    #[arg(long = "mode", value_name = "MODE", value_parser = ModeArg::parse)]
    modes: Vec<ModeArg>,

    /// Models that may answer, `a,b,c`, instead of the router's own subset; repeat for several
    #[arg(long = "subset", value_name = "MODELS")]
    subsets: Vec<String>,

    /// Also write a page with charts
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// JSON to standard output instead of tables
    #[arg(long)]
    json: bool,
}

/// Reads prompts from standard input, one JSON object per line, and shows how the router would spread them.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    source::policy(&args.policy)?;
    let (_, document) = source::read(&args.policy)?.into_iter().next().context("no policy")?;
    let document = case::one_policy(document, args.candidate)?;
    let policy = Policy::from_value(&document).map_err(|_| anyhow::anyhow!("the candidate is no policy of its own"))?;
    let router = case::router(&policy, args.router.as_deref())?;
    let cases = case::cases(&document, router, &args.modes, &args.subsets)?;
    let name = policy.routers.get(router).map_or("", |router| router.name.as_str());
    let prompts = batch::read(std::io::stdin().lock(), name)?;
    let report = report(args, name, &cases, &prompts);
    if let Some(path) = &args.html {
        let page = page::render(&report)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{}", text::show(&report)),
    }
    Ok(ExitCode::SUCCESS)
}

fn report(args: &Args, router: &str, cases: &[Case], prompts: &[batch::Prompt]) -> Report {
    let outcomes: Vec<_> = cases.iter().map(|case| outcome::decide(case, prompts)).collect();
    let which = if args.candidate { " (candidate)" } else { "" };
    let policy = format!("{}{which}", args.policy.display());
    report::report(policy, router.to_owned(), cases, prompts, &outcomes)
}
