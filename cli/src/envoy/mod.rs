//! `model-router envoy`: the complete Envoy configuration of a policy.
//!
//! | | |
//! |---|---|
//! | [`settings`], [`tracing`] | the policy's part `envoy` |
//! | [`clusters`] | providers as clusters and secrets |
//! | [`identity`] | who is calling |
//! | [`limits`] | limits as rate limit filters |
//! | [`render`] | the templates beside this file, filled in |
//!
//! Owns which files are written, and how. Never judges the policy: that is the filter's code; nor what Envoy makes of the
//! result: that is for its `--mode validate`.

mod clusters;
mod identity;
mod limits;
mod render;
mod settings;
mod tracing;

pub use settings::Settings;

use anyhow::Context;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long Envoy gets for new clusters before the listener that uses them: it took 15 ms, on a busy machine.
const HEAD_START: Duration = Duration::from_millis(500);

/// Arguments of `envoy`.
#[derive(clap::Args)]
pub struct Args {
    /// A policy file (YAML or JSON)
    #[arg(long)]
    policy: PathBuf,
    /// Where to write the configuration [default: standard output]
    #[arg(long, short, conflicts_with = "xds")]
    output: Option<PathBuf>,
    /// A folder for Envoy to watch: envoy.yaml to start it with, and the files with listeners, clusters and keys that it takes up
    /// when they change
    #[arg(long)]
    xds: Option<PathBuf>,
    /// Write the configuration of the rate limit service here instead: its limits, for a policy with
    /// envoy.rate_limit.service
    #[arg(long, conflicts_with_all = ["xds", "output"])]
    rate_limits: Option<PathBuf>,
}

/// Writes what was asked for, whole files only.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.policy).with_context(|| args.policy.display().to_string())?;
    let from = render::From { file: &args.policy, text: &text };
    if let Some(path) = &args.rate_limits {
        return replace(path, &render::rate_limits(&from)?).map(drop);
    }
    let Some(folder) = &args.xds else {
        let configuration = render::complete(&from)?;
        return match &args.output {
            Some(path) => replace(path, &configuration).map(|_| ()),
            None => Ok(std::io::stdout().write_all(configuration.as_bytes())?),
        };
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let folder = folder.canonicalize()?;
    let mut fresh = false;
    for (name, content) in render::watched(&from, &folder)? {
        // Envoy takes files up in any order: without a head start a request may look for a cluster that is not there yet.
        if name == "lds.yaml" && fresh {
            std::thread::sleep(HEAD_START);
        }
        fresh |= replace(&folder.join(name), &content)?;
    }
    Ok(())
}

/// Whether anything has changed. Envoy sees renames, and must never see half a file; what stays as it was is not touched, so
/// that Envoy does nothing.
fn replace(path: &Path, content: &str) -> anyhow::Result<bool> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    let name = path.file_name().with_context(|| format!("{} is no file", path.display()))?;
    let mut next = name.to_owned();
    next.push(".new");
    let next = path.with_file_name(next);
    std::fs::write(&next, content).with_context(|| next.display().to_string())?;
    std::fs::rename(&next, path).with_context(|| path.display().to_string())?;
    Ok(true)
}
