//! `model-router`: the native companion of the filter.

mod check;
mod costs;
mod envoy;
mod evaluate;
mod explain;
mod fit_ability;
mod learn;
mod link;
mod mock;
mod page;
mod reference;
mod route;
mod score;
mod source;
mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The command line.
#[derive(Parser)]
#[command(name = "model-router", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One variant per subcommand; each owns its arguments and its `run`.
#[derive(Subcommand)]
enum Command {
    /// Validate a policy, or an Envoy configuration that holds one, as the filter does at start
    Check(check::Args),
    /// Write the complete Envoy configuration of a policy, whose providers say where they are
    Envoy(envoy::Args),
    /// Say what the filter would decide on the request on standard input, and why; calls nothing
    Explain(explain::Args),
    /// Show how a router would spread a batch of prompts over its models, and what that would cost; calls nothing
    Route(route::Args),
    /// Print every field of the policy: docs/CONFIGURATION.md
    Reference,
    /// Show what requests cost and saved, from Envoy's access log: by router, model, consumer and day
    Costs(costs::Args),
    /// Say of prompts, one line of JSON each, what the routing model says: task, difficulty, quality per model
    Score(score::Args),
    /// Fit the abilities of a new model to graded answers, for `models[].abilities` of a policy
    FitAbility(fit_ability::Args),
    /// Train the routing model on outcomes
    Train(train::Args),
    /// Measure the routing model: every table of BENCHMARKS.md about it
    EvaluateModel(evaluate::Args),
    /// Make the catalog's abilities from public benchmark scores
    LinkAbilities(link::Args),
    /// Stand in for a paid model provider: answers Chat Completions, and fails when told to
    MockProvider(mock::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Envoy(args) => envoy::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Explain(args) => explain::run(&args),
        Command::Route(args) => route::run(&args),
        Command::Reference => reference::run().map(|()| ExitCode::SUCCESS),
        Command::Costs(args) => costs::run(&args),
        Command::Score(args) => score::run(&args).map(|()| ExitCode::SUCCESS),
        Command::FitAbility(args) => fit_ability::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Train(args) => train::run(&args).map(|()| ExitCode::SUCCESS),
        Command::EvaluateModel(args) => evaluate::run(args).map(|()| ExitCode::SUCCESS),
        Command::LinkAbilities(args) => link::run(&args).map(|()| ExitCode::SUCCESS),
        Command::MockProvider(args) => {
            tokio::runtime::Runtime::new()?.block_on(mock::run(args)).map(|()| ExitCode::SUCCESS)
        }
    }
}
