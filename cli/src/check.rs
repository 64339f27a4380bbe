//! `model-router check`: validates a policy with the filter's own code, and shows who may answer for its routers.

use crate::envoy::Settings;
use crate::source;
use anyhow::Context as _;
use model_router::policy::{Policy, changes, pool};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// A policy (YAML or JSON), or an Envoy configuration that holds one
    file: PathBuf,

    /// Also say what joins and leaves the pool of each router, beside this policy; the exit code is 3 where any changes
    #[arg(long, value_name = "OLD_FILE")]
    against: Option<PathBuf>,
}

/// The exit code where nothing is wrong, but a pool is not what it was.
const CHANGED: u8 = 3;

/// Prints every error and warning, and each router's pool; fails where there is an error.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let old = args.against.as_deref().map(source::policy).transpose().context("--against")?;
    for (place, value) in source::read(&args.file)? {
        // The filter leaves this part to us.
        if let Err(error) = Settings::of(&value) {
            println!("error: {place}{error:#}");
            code = ExitCode::FAILURE;
        }
        match Policy::from_value(&value) {
            Ok(policy) => {
                policy.warnings.iter().for_each(|warning| println!("warning: {place}{warning}"));
                let (routers, models, providers) = (policy.routers.len(), policy.models.len(), policy.providers.len());
                show_pools(&place, "", &policy);
                if let Some(rollout) = &policy.rollout {
                    show_pools(&place, "candidate.policy: ", &rollout.policy);
                }
                println!("ok: {routers} routers, {models} models, {providers} providers");
                let changed = old.as_ref().map(|old| changes(old, &policy)).unwrap_or_default();
                changed.iter().for_each(|change| println!("changed: {place}{change}"));
                if !changed.is_empty() && code == ExitCode::SUCCESS {
                    code = ExitCode::from(CHANGED);
                }
            }
            Err(errors) => {
                errors.iter().for_each(|error| println!("error: {place}{error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// A line for each router, which two releases can be compared by: the catalog's versions are part of a release.
fn show_pools(place: &str, which: &str, policy: &Policy) {
    for router in &policy.routers {
        println!("pool: {place}{which}router `{}`: {}", router.name, pool(policy, router).join(", "));
    }
}
