//! `model-router check`: validates a policy with the filter's own code.

use crate::envoy::Settings;
use crate::source;
use model_router::policy::Policy;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// A policy (YAML or JSON), or an Envoy configuration that holds one
    file: PathBuf,
}

/// Prints every error and warning; fails where there is an error.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
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
                println!("ok: {routers} routers, {models} models, {providers} providers");
            }
            Err(errors) => {
                errors.iter().for_each(|error| println!("error: {place}{error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
