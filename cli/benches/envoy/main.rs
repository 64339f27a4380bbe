//! What the filter adds to Envoy: bare Envoy and Envoy with envoy/envoy.yaml, side by side on one core, the load and
//! the mock provider on the other. Prints Markdown; BENCHMARKS.md says how to read it.
//!
//! | module | owns |
//! |---|---|
//! | [`calls`] | what is sent |
//! | [`config`] | envoy/envoy.yaml → what the two Envoys run with |
//! | [`process`] | processes: starting, measuring and, whatever happens, stopping them |
//! | [`load`] | requests, and what the client sees of their answers |
//! | [`cells`] | what is measured side by side: rounds → medians |
//! | [`report`] | medians → tables |

mod calls;
mod cells;
mod config;
// Chinese is for the other benchmark.
#[allow(dead_code)]
#[path = "../../../benches/common/conversation.rs"]
mod conversation;
mod load;
mod process;
mod report;

use anyhow::{Context as _, bail, ensure};
use calls::{Call, SIZES};
use cells::{Cell, load, rounds};
use clap::Parser;
use load::Until;
use process::{Mock, Pair, Side};
use report::Memory;
use serde_json::Value;
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
    /// Translated streams over which memory is looked at
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Only these parts
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// A smoke run: short rounds, whose numbers mean little
    #[arg(long)]
    quick: bool,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the measurements.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Memory,
    Requests,
    Claude,
    Affinity,
    Streams,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// Of each connection's stream of a paced provider: events per second.
const PACE: u32 = 400;

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.quick {
        (args.rounds, args.milliseconds, args.bodies, args.streams) = (2, 250, 100, 1000);
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
    let mut targets = Vec::new();
    report::heading(&args.envoy)?;
    {
        let mock = Mock::start(root, 0).await?;
        let pair = Pair::start(root, &args.envoy, &yaml, &mock).await?;
        if args.wants(Part::Memory) {
            memory(args, &pair).await?;
        }
        if args.wants(Part::Requests) {
            targets.extend(requests(args, &pair).await?);
        }
        if args.wants(Part::Claude) {
            targets.push(claude(args, &pair).await?);
        }
        if args.wants(Part::Affinity) {
            targets.extend(affinity(args, &pair).await?);
        }
        if args.wants(Part::Streams) {
            targets.extend(streams(args, &pair, "many events per chunk", 32, 1).await?);
        }
    }
    if args.wants(Part::Streams) {
        let mock = Mock::start(root, PACE).await?;
        let pair = Pair::start(root, &args.envoy, &yaml, &mock).await?;
        // Each answer of the paced provider takes about half a second.
        targets.extend(streams(args, &pair, "one event per chunk", 4, 2).await?);
    }
    report::targets(&targets);
    report::footer()
}

/// Thousands of translated streams and a thousand bodies of 1 MB through the filter: what stays?
async fn memory(args: &Args, pair: &Pair) -> anyhow::Result<()> {
    let admin = pair.of(Side::Filter).admin;
    let stream = calls::translated_stream(4);
    // Streams first: bodies of 1 MB leave free memory, in which what streams leave would not be seen.
    let mut attempt = Vec::new();
    for count in [args.streams / 10, args.streams, args.streams] {
        load(pair, Side::Filter, &stream, 16, Until::Count(count)).await?;
        attempt.push(report::linear_memory(&metrics(admin).await?, "attempt")?);
    }
    report::stream_memory(args.streams, &attempt);

    let mut found = Vec::new();
    for side in [Side::Bare, Side::Filter] {
        let envoy = pair.of(side);
        // Envoy's own buffers and caches, which the first requests fill.
        load(pair, side, &calls::chat(2 << 10), 4, Until::Count(200)).await?;
        let before = envoy.process.rss()?;
        load(pair, side, &calls::chat(1 << 20), 4, Until::Count(args.bodies)).await?;
        found.push(Memory { side, before, after: envoy.process.rss()? });
    }
    report::memory(args.bodies, &found, &metrics(admin).await?)
}

/// Conversations through both APIs. Says what became of the target.
async fn requests(args: &Args, pair: &Pair) -> anyhow::Result<Vec<report::Target>> {
    let mut cells = Vec::new();
    let mut models = Vec::new();
    for (size, name) in SIZES {
        let [chat, responses, translated] = [calls::chat(size), calls::responses(size), calls::translated(size)];
        let model = answering(pair, &chat).await?;
        ensure!(model == answering(pair, &responses).await?, "the APIs' requests of {name} go to different models");
        answering(pair, &translated).await.context("a translated request")?;
        models.push(format!("{name} by {model}"));
        cells.extend([1, 16].map(|connections| Cell::new(name, connections, chat.clone())));
        cells.push(Cell::new("Responses", 16, responses));
        cells.push(Cell::new("Responses, translated to Chat", 16, translated).shares_bare());
    }
    // Until V8 has compiled what is hot.
    for call in [calls::chat(2 << 10), calls::responses(2 << 10), calls::translated(2 << 10)] {
        let warm = Until::Elapsed(Duration::from_millis(args.milliseconds));
        load(pair, Side::Filter, &call, 16, warm).await?;
    }
    rounds(pair, &mut cells, args.rounds, Duration::from_millis(args.milliseconds)).await?;
    // Four for each size, as pushed.
    let (sizes, _) = cells.as_chunks::<4>();
    report::requests(sizes.iter().flat_map(|[one, many, ..]| [one, many]));
    report::heading_of_apis(&models.join(", "));
    let rows = sizes.iter().map(|[_, chat, responses, translated]| (chat, [responses, translated]));
    Ok(rows.map(|(chat, others)| report::apis(chat, others)).collect())
}

/// One conversation to a model of OpenAI's dialect and to Claude. Says what became of the target.
async fn claude(args: &Args, pair: &Pair) -> anyhow::Result<report::Target> {
    let (size, name) = (64 << 10, "64 kB");
    let mut cells = [
        Cell::new("rewritten for OpenAI's dialect", 16, calls::rewritten(size)),
        Cell::new("translated for Claude", 16, calls::for_claude(size)).shares_bare(),
    ];
    let time = Duration::from_millis(args.milliseconds);
    for cell in &cells {
        load(pair, Side::Filter, &cell.call, 16, Until::Elapsed(time)).await.with_context(|| cell.name.clone())?;
    }
    rounds(pair, &mut cells, args.rounds, time).await?;
    let [rewritten, translated] = &cells;
    Ok(report::claude(rewritten, translated, name))
}

/// One conversation with and without session affinity, and with details.
async fn affinity(args: &Args, pair: &Pair) -> anyhow::Result<Vec<report::Target>> {
    let (without, with) = (calls::forgotten(2 << 10), calls::chat(2 << 10));
    ensure!(answering(pair, &without).await? == answering(pair, &with).await?, "affinity has changed the model");
    for (call, strategy) in [(&without, "none"), (&with, "adaptive")] {
        let (_, answer) = load::ask(pair.of(Side::Filter).port, &call.clone().opted_in()).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        let found = answer.pointer("/model_selection_details/model_router_details/session_affinity/strategy");
        ensure!(found.is_some_and(|found| found == strategy), "session affinity is not {strategy}: {answer}");
    }
    let mut cells = [
        Cell::new("none", 16, without),
        Cell::new("adaptive", 16, with.clone()).shares_bare(),
        Cell::new("adaptive, with details and a session id", 16, with.opted_in()).shares_bare(),
    ];
    // What is looked for is less than what two rounds differ by: many short ones.
    rounds(pair, &mut cells, args.rounds * 4, Duration::from_millis(args.milliseconds / 2)).await?;
    let [without, with, detailed] = &cells;
    Ok(report::affinity(without, [with, detailed]))
}

/// Streams of each kind, of `texts` texts, `times` as long as other cells. Says what became of the targets.
async fn streams(
    args: &Args,
    pair: &Pair,
    name: &str,
    texts: usize,
    times: u32,
) -> anyhow::Result<Vec<report::Target>> {
    // A translated one comes behind what its provider sends, passed.
    let mut cells = [
        Cell::new("Chat, usage taken out again", 16, calls::chat_stream(texts, false)),
        Cell::new("Chat, usage asked for", 16, calls::chat_stream(texts, true)),
        Cell::new("Responses, translated from Chat", 16, calls::translated_stream(texts)).shares_bare(),
        Cell::new("Responses", 16, calls::responses_stream(texts)),
        Cell::new("Messages", 16, calls::messages_stream(texts)),
        Cell::new("Chat, translated from Messages", 16, calls::chat_stream_of_claude(texts)).shares_bare(),
        Cell::new("Responses, translated from Messages", 16, calls::responses_stream_of_claude(texts)).shares_bare(),
    ];
    let time = Duration::from_millis(args.milliseconds);
    for cell in &cells {
        let warm = Until::Elapsed(time / 2);
        load(pair, Side::Filter, &cell.call, 16, warm).await.with_context(|| format!("{}, {name}", cell.name))?;
    }
    rounds(pair, &mut cells, args.rounds.div_ceil(2), time * times).await?;
    Ok(report::streams(name, &cells))
}

/// The model that answers, with the filter.
async fn answering(pair: &Pair, call: &Call) -> anyhow::Result<String> {
    Ok(load::ask(pair.of(Side::Filter).port, call).await?.0)
}

async fn metrics(admin: u16) -> anyhow::Result<String> {
    load::get(admin, "/stats/prometheus").await
}
