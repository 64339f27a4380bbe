//! What the filter adds to Envoy: bare Envoy and Envoy with envoy/envoy.yaml, side by side on one core, the load and
//! the mock provider on the other. Prints Markdown; BENCHMARKS.md says how to read it.
//!
//! | module | owns |
//! |---|---|
//! | [`config`] | envoy/envoy.yaml → what the two Envoys run with |
//! | [`process`] | processes: starting, measuring and, whatever happens, stopping them |
//! | [`load`] | requests, and what the client sees of their answers |
//! | [`report`] | rounds → medians → tables |

mod config;
// Chinese is for the other benchmark.
#[allow(dead_code)]
#[path = "../../../benches/common/conversation.rs"]
mod conversation;
mod load;
mod process;
mod report;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use clap::Parser;
use conversation::{Language, request};
use load::{Load, Until};
use process::{Pair, Process, Side};
use report::{Cell, Memory, Round};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
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
    /// A smoke run: short rounds, whose numbers mean little
    #[arg(long)]
    quick: bool,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Of each connection's stream of a paced provider: events per second.
const PACE: u32 = 400;

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.quick {
        (args.rounds, args.milliseconds, args.bodies) = (2, 250, 100);
    }
    // This process and, inherited, the mock providers; the Envoys get the other core.
    process::pin_self(1).context("two cores are needed: one for Envoy, one for everything else")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
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
    report::heading(&args.envoy)?;
    {
        let mock = Process::mock(root, 0).await?;
        let pair = Pair::start(root, &args.envoy, &yaml, mock.port).await?;
        memory(args, &pair).await?;
        requests(args, &pair).await?;
        streams(args, &pair, "many events per chunk", 32).await?;
    }
    let mock = Process::mock(root, PACE).await?;
    let pair = Pair::start(root, &args.envoy, &yaml, mock.port).await?;
    streams(args, &pair, "one event per chunk", 4).await?;
    report::footer()
}

/// A thousand bodies of 1 MB through the filter: what stays?
async fn memory(args: &Args, pair: &Pair) -> anyhow::Result<()> {
    let body = chat(1 << 20);
    let mut found = Vec::new();
    for side in [Side::Bare, Side::Filter] {
        let envoy = pair.of(side);
        // Envoy's own buffers and caches, which the first requests fill.
        load(pair, side, &chat(2 << 10), 4, Until::Count(200)).await?;
        let before = envoy.process.rss()?;
        load(pair, side, &body, 4, Until::Count(args.bodies)).await?;
        found.push(Memory { side, before, after: envoy.process.rss()? });
    }
    let metrics = load::get(pair.of(Side::Filter).admin, "/stats/prometheus").await?;
    report::memory(args.bodies, &found, &metrics)
}

async fn requests(args: &Args, pair: &Pair) -> anyhow::Result<()> {
    let mut cells = Vec::new();
    for (size, name) in [(2 << 10, "2 kB"), (64 << 10, "64 kB"), (1 << 20, "1 MB")] {
        for connections in [1, 16] {
            cells.push(Cell::new(name, connections, chat(size)));
        }
    }
    // Until V8 has compiled what is hot.
    let warm = Until::Elapsed(Duration::from_millis(2 * args.milliseconds));
    load(pair, Side::Filter, &chat(2 << 10), 16, warm).await?;
    rounds(args, pair, &mut cells, args.rounds, 1).await?;
    report::requests(&cells)
}

async fn streams(args: &Args, pair: &Pair, name: &str, choices: u32) -> anyhow::Result<()> {
    let mut cells = Vec::new();
    for (options, usage) in [(json!({"include_usage": true}), "asked for"), (Value::Null, "taken out again")] {
        let more = json!({"stream": true, "n": choices, "stream_options": options});
        let body = request("gpt-4.1-mini", 2 << 10, Language::English, &more);
        cells.push(Cell::new(usage, 16, body.into()));
    }
    load(pair, Side::Filter, &cells[0].body, 16, Until::Elapsed(Duration::from_millis(args.milliseconds))).await?;
    // Each answer of the paced provider takes about half a second.
    rounds(args, pair, &mut cells, args.rounds.div_ceil(2), 2).await?;
    report::streams(name, &cells)
}

/// Measures every cell on both sides, in an order that is reversed each round.
async fn rounds(args: &Args, pair: &Pair, cells: &mut [Cell], rounds: usize, times: u64) -> anyhow::Result<()> {
    let time = Until::Elapsed(Duration::from_millis(args.milliseconds * times));
    for round in 0..rounds {
        for cell in cells.iter_mut() {
            let mut order = [Side::Bare, Side::Filter];
            if round % 2 == 1 {
                order.reverse();
            }
            for side in order {
                let process = &pair.of(side).process;
                let before = process.cpu()?;
                let seen = load(pair, side, &cell.body, cell.connections, time).await?;
                let cpu = process.cpu()?.saturating_sub(before);
                cell.of(side).push(Round { seen, cpu });
            }
        }
    }
    Ok(())
}

fn chat(size: usize) -> Bytes {
    request("model-router", size, Language::English, &Value::Null).into()
}

async fn load(pair: &Pair, side: Side, body: &Bytes, connections: usize, until: Until) -> anyhow::Result<load::Seen> {
    let load = Load { port: pair.of(side).port, body: body.clone(), connections, until };
    let seen = load.run().await.with_context(|| format!("under load, Envoy {side:?}"))?;
    ensure!(seen.requests > 0, "Envoy {side:?} answered nothing");
    Ok(seen)
}
