//! `model-router`: the native companion of the filter.

mod check;
mod evaluate;
mod explain;
mod learn;
mod mock;
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
    /// Say what the filter would decide on the request on standard input, and why; calls nothing
    Explain(explain::Args),
    /// Train the routing model on outcomes
    Train(train::Args),
    /// Measure the routing model: every table of BENCHMARKS.md about it
    EvaluateModel(evaluate::Args),
    /// Stand in for a paid model provider: answers Chat Completions, and fails when told to
    MockProvider(mock::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Train(args) => train::run(&args).map(|()| ExitCode::SUCCESS),
        Command::EvaluateModel(args) => evaluate::run(args).map(|()| ExitCode::SUCCESS),
        Command::MockProvider(args) => {
            tokio::runtime::Runtime::new()?.block_on(mock::run(args)).map(|()| ExitCode::SUCCESS)
        }
    }
}
