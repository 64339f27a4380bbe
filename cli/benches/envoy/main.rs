//! What the filter adds to Envoy: bare Envoy and Envoy with envoy/envoy.yaml, side by side on one core, the load and
//! the mock provider on the other. Between the two stand Envoys with plugins, and with an external processor, that do
//! nothing; beside them LiteLLM's proxy. Prints Markdown; BENCHMARKS.md says how to read it.
//!
//! | module | owns |
//! |---|---|
//! | [`calls`] | what is sent |
//! | [`config`] | envoy/envoy.yaml → what each Envoy runs with |
//! | [`ext_proc`] | the external processor |
//! | [`litellm`] | LiteLLM's proxy: how it runs |
//! | [`process`] | processes: starting, measuring and, whatever happens, stopping them |
//! | [`load`] | requests, and what the client sees of their answers |
//! | [`cells`] | what is measured side by side: rounds → medians |
//! | [`parts`] | which cells there are |
//! | [`soak`] | the part of very many requests |
//! | [`report`] | medians → tables |
//! | [`targets`] | what the medians are held against |

mod calls;
mod cells;
mod config;
// Chinese is for the other benchmark.
#[allow(dead_code)]
#[path = "../../../benches/common/conversation.rs"]
mod conversation;
mod ext_proc;
mod litellm;
mod load;
mod parts;
mod process;
mod report;
mod soak;
mod targets;

use anyhow::{Context as _, bail};
use clap::Parser;
use config::Side;
use process::{Servers, Setting};
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};

/// The command line.
#[derive(Parser)]
struct Args {
    /// The Envoy to measure
    #[arg(long, env = "ENVOY")]
    envoy: PathBuf,
    /// Rounds; each measures every cell on both Envoys
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Milliseconds per cell, side and round
    #[arg(long, default_value_t = 1000)]
    milliseconds: u64,
    /// Bodies of 1 MB before memory is looked at
    #[arg(long, default_value_t = 1000)]
    bodies: usize,
    /// Translated streams over which memory is looked at
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Requests of the soak
    #[arg(long, default_value_t = 1_000_000)]
    requests: usize,
    /// The soak ends earlier when it has taken so long
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Only these parts
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// A smoke run: short rounds, whose numbers mean little
    #[arg(long)]
    quick: bool,
    /// Be the external processor on this port, and measure nothing
    #[arg(long, hide = true)]
    ext_proc: Option<u16>,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the measurements.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Requests,
    Streams,
    Memory,
    Litellm,
    Claude,
    Affinity,
    /// Takes minutes: only when it is asked for, or quick
    Soak,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        if self.parts.is_empty() { part != Part::Soak || self.quick } else { self.parts.contains(&part) }
    }
}

/// Of each connection's stream of a paced provider: events per second.
const PACE: u32 = 400;

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.quick {
        (args.rounds, args.milliseconds, args.bodies, args.streams, args.requests) = (2, 250, 100, 1000, 2000);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(port) = args.ext_proc {
        return runtime.block_on(ext_proc::serve(port));
    }
    // This process and, inherited, all that it starts but the Envoys, which get the other core.
    process::pin_self(1).context("two cores are needed: one for Envoy, one for everything else")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            // Processes end with the future that owns them, whichever branch comes first.
            result = measure(&args) => result,
            _ = terminate.recv() => bail!("terminated"),
            _ = interrupt.recv() => bail!("interrupted"),
        }
    })
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the CLI has no parent directory")?;
    let yaml = std::fs::read_to_string(root.join("envoy/envoy.yaml"))?;
    let setting = Setting { root, program: &args.envoy, yaml: &yaml };
    let both = [Side::Bare, Side::Filter];
    let mut targets = Vec::new();
    report::heading(&args.envoy)?;
    // Each part has servers of its own: what one leaves in memory is not there for the next.
    if args.wants(Part::Requests) {
        let servers = Servers::start(&setting, 0, &parts::STEPS).await?;
        targets.extend(parts::requests(args, &servers).await?);
    }
    if args.wants(Part::Streams) {
        let servers = Servers::start(&setting, 0, &both).await?;
        targets.extend(parts::streams(args, &servers, "many events per chunk", 32, 1).await?);
        let servers = Servers::start(&setting, PACE, &both).await?;
        // Each answer of the paced provider takes about half a second.
        targets.extend(parts::streams(args, &servers, "one event per chunk", 4, 2).await?);
    }
    if args.wants(Part::Memory) {
        let servers = Servers::start(&setting, 0, &both).await?;
        targets.push(parts::memory(args, &servers).await?);
    }
    if args.wants(Part::Soak) {
        let servers = Servers::start(&setting, 0, &[Side::Filter]).await?;
        targets.push(soak::soak(args, &servers).await?);
    }
    if args.wants(Part::Litellm) {
        let servers = Servers::start(&setting, 0, &parts::GATEWAYS).await?;
        targets.push(parts::gateways(args, &servers).await?);
    }
    if args.wants(Part::Claude) {
        let servers = Servers::start(&setting, 0, &both).await?;
        targets.push(parts::claude(args, &servers).await?);
    }
    if args.wants(Part::Affinity) {
        let servers = Servers::start(&setting, 0, &both).await?;
        targets.extend(parts::affinity(args, &servers).await?);
    }
    targets::print(&targets);
    report::footer()
}
