//! Medians → Markdown.

use crate::cells::{
    Cell, Round, Spread, cpu_per_event, cpu_per_request, median, p50, quantile, rate, requests_per_second,
};
use crate::config::Side;
use crate::litellm;
use crate::targets::Target;
use anyhow::Context as _;
use std::path::Path;
use std::process::Command;

const MIB: f64 = 1_048_576.0;

/// Resident memory of an Envoy, in bytes.
pub struct Memory {
    /// Which.
    pub side: Side,
    /// Before the bodies.
    pub before: u64,
    /// After them.
    pub after: u64,
}

/// Where and with what this was measured.
pub fn heading(envoy: &Path) -> anyhow::Result<()> {
    let version = output(Command::new(envoy).arg("--version"))?;
    // `PROGRAM  version: REVISION/1.40.0/Clean/RELEASE/BoringSSL`
    let version = version.rsplit_once("version:").and_then(|(_, words)| words.split('/').nth(1)).unwrap_or(&version);
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let kernel = output(Command::new("uname").arg("-sr"))?;
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    println!("\n## Envoy with the filter against bare Envoy\n");
    println!(
        "{date}, Envoy {version}, {count} × {}, {kernel}. {}",
        model.trim_start_matches([' ', '\t', ':']),
        load()?
    );
    Ok(())
}

/// The load average: high numbers at the start spoil a measurement.
fn load() -> anyhow::Result<String> {
    let average = std::fs::read_to_string("/proc/loadavg")?;
    Ok(format!("Load average {}.", average.split(' ').take(3).collect::<Vec<_>>().join(" ")))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The table of requests.
pub fn requests<'c>(cells: impl Iterator<Item = &'c Cell>) {
    println!("\n### Requests\n");
    println!(
        "| body | conn. | p50 µs: bare, filter, added | p99 µs: bare, filter | requests/s: bare, filter, ratio | CPU µs/request: bare, filter | CPU added (lowest–highest round) | added CPU / bare CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for cell in cells {
        let (bare, filter) = (cell.base(), cell.of(Side::Filter));
        let p99 = |round: &Round| quantile(round, 0.99);
        let (rate_bare, rate_filter) = (median(bare, requests_per_second), median(filter, requests_per_second));
        let (cpu_bare, cpu_filter) = (median(bare, cpu_per_request), median(filter, cpu_per_request));
        let added = cell.added(cpu_per_request);
        println!(
            "| {} | {} | {:.0}, {:.0}, {:+.0} | {:.0}, {:.0} | {rate_bare:.0}, {rate_filter:.0}, {:.2} | {cpu_bare:.0}, {cpu_filter:.0} | {} | {:.2} |",
            cell.name,
            cell.connections,
            median(bare, p50),
            median(filter, p50),
            cell.added(p50).median,
            median(bare, p99),
            median(filter, p99),
            rate_filter / rate_bare,
            whole(added),
            added.median / cpu_bare,
        );
    }
}

/// The table of what stands between bare Envoy and the filter.
pub fn steps(cells: &[&Cell]) {
    println!("\n### From bare Envoy to the filter, 2 kB\n");
    println!("| | conn. | p50 µs | requests/s | CPU µs/request | CPU added (lowest–highest round) |");
    println!("|---|---|---|---|---|---|");
    for cell in cells {
        for side in cell.sides() {
            let rounds = cell.of(*side);
            println!(
                "| {} | {} | {:.0} | {:.0} | {:.0} | {} |",
                title(*side),
                cell.connections,
                median(rounds, p50),
                median(rounds, requests_per_second),
                median(rounds, cpu_per_request),
                added_or_nothing(cell, *side, cpu_per_request),
            );
        }
    }
}

/// Empty for the side that others are compared with.
fn added_or_nothing(cell: &Cell, side: Side, of: impl Fn(&Round) -> f64) -> String {
    if cell.sides().first() == Some(&side) { String::new() } else { whole(cell.added_on(side, of)) }
}

fn title(side: Side) -> &'static str {
    match side {
        Side::Bare => "bare Envoy",
        Side::Idle => "with two plugins that do nothing",
        Side::Empty => "with two that hold the body and set one header",
        Side::ExtProc => "with an external processor that does nothing",
        Side::Machinery => "the filter's configuration with those two",
        Side::Filter => "the filter",
        Side::Direct => "the provider itself",
        Side::LiteLlm => "LiteLLM's proxy",
    }
}

/// The table of gateways.
pub fn gateways(cells: &[Cell]) {
    println!("\n### Beside LiteLLM's proxy {}, 2 kB\n", litellm::version().unwrap_or_default());
    println!("What is added, is added to calling the mock provider itself.\n");
    println!("| | conn. | p50 µs | p50 added (lowest–highest round) | requests/s | CPU µs/request |");
    println!("|---|---|---|---|---|---|");
    for cell in cells {
        for side in cell.sides() {
            let rounds = cell.of(*side);
            println!(
                "| {} | {} | {:.0} | {} | {:.0} | {:.0} |",
                title(*side),
                cell.connections,
                median(rounds, p50),
                added_or_nothing(cell, *side, p50),
                median(rounds, requests_per_second),
                median(rounds, cpu_per_request),
            );
        }
    }
}

/// Begins the table of both APIs. `models` says who answered.
pub fn heading_of_apis(models: &str) {
    println!("\n### Responses beside Chat, 16 connections\n");
    println!("Answered natively: {models}.\n");
    println!(
        "| body | API | CPU µs/request: bare, filter | CPU added (lowest–highest round) | added, as a multiple of Chat's (lowest–highest round) |"
    );
    println!("|---|---|---|---|---|");
}

/// Its rows for one size: Chat, then the others, the first of which has a target.
pub fn apis(chat: &Cell, others: [&Cell; 2]) -> Target {
    row_of_costs(&format!("{} | Chat", chat.name), chat, None);
    for cell in others {
        row_of_costs(&format!("{} | {}", chat.name, cell.name), cell, Some(cell.added_by(chat, cpu_per_request)));
    }
    let [responses, _] = others;
    let what = format!("A Responses request of {}: CPU added, by what a Chat request adds", chat.name);
    Target::limit(what, responses.added_by(chat, cpu_per_request), 1.2)
}

/// The table of session affinity.
pub fn affinity(without: &Cell, with: [&Cell; 2]) -> Vec<Target> {
    println!("\n### Session affinity and details, a conversation of 2 kB, {} connections\n", without.connections);
    println!(
        "| session affinity | CPU µs/request: bare, filter | CPU added (lowest–highest round) | added, as a multiple of that without (lowest–highest round) |"
    );
    println!("|---|---|---|---|");
    row_of_costs(&without.name, without, None);
    let target = |cell: &Cell| {
        let ratio = cell.added_by(without, cpu_per_request);
        row_of_costs(&cell.name, cell, Some(ratio));
        let what = format!("Session affinity ({}): CPU added, by what is added without", cell.name);
        Target::limit(what, ratio, 1.1)
    };
    with.map(target).into()
}

/// The table of requests to Claude.
pub fn claude(rewritten: &Cell, translated: &Cell, size: &str) -> Target {
    println!("\n### Requests of {size} to Claude, {} connections\n", rewritten.connections);
    println!(
        "| a Chat request | CPU µs/request: bare, filter | CPU added (lowest–highest round) | added, as a multiple of that rewritten (lowest–highest round) |"
    );
    println!("|---|---|---|---|");
    let ratio = translated.added_by(rewritten, cpu_per_request);
    row_of_costs(&rewritten.name, rewritten, None);
    row_of_costs(&translated.name, translated, Some(ratio));
    Target::limit(format!("A Chat request of {size} to Claude: CPU added, by what rewriting it adds"), ratio, 3.0)
}

fn row_of_costs(name: &str, cell: &Cell, ratio: Option<Spread>) {
    let (bare, filter) = (median(cell.base(), cpu_per_request), median(cell.of(Side::Filter), cpu_per_request));
    let ratio = ratio.map_or_else(String::new, fraction);
    println!("| {name} | {bare:.0}, {filter:.0} | {} | {ratio} |", whole(cell.added(cpu_per_request)));
}

fn whole(Spread { lowest, median, highest }: Spread) -> String {
    format!("{median:+.0} ({lowest:.0}–{highest:.0})")
}

fn fraction(Spread { lowest, median, highest }: Spread) -> String {
    format!("{median:.2} ({lowest:.2}–{highest:.2})")
}

/// The table of streams that come as `chunks` says. A translated one has a target: beside the one before it that comes
/// alike and passes, and that shares its rounds on bare Envoy.
pub fn streams(chunks: &str, cells: &[Cell]) -> Vec<Target> {
    println!("\n### Streams, {chunks}\n");
    println!(
        "| stream | conn. | events/answer | events/s: bare, filter | CPU µs/event: bare, filter | CPU added (lowest–highest round) | added, as a multiple of that passed (lowest–highest round) |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut targets = Vec::new();
    let mut passed = None;
    for cell in cells {
        let (bare, filter) = (cell.base(), cell.of(Side::Filter));
        let per_second = |round: &Round| rate(round.seen.events, round);
        let per_answer = |round: &Round| round.seen.events as f64 / round.seen.requests as f64;
        let Spread { lowest, median: added, highest } = cell.added(cpu_per_event);
        let ratio = passed.filter(|_| cell.shares_bare).map(|passed| cell.added_by(passed, cpu_per_event));
        println!(
            "| {} | {} | {:.0} | {:.0}, {:.0} | {:.2}, {:.2} | {added:+.2} ({lowest:.2}–{highest:.2}) | {} |",
            cell.name,
            cell.connections,
            median(bare, per_answer),
            median(bare, per_second),
            median(filter, per_second),
            median(bare, cpu_per_event),
            median(filter, cpu_per_event),
            ratio.map_or_else(String::new, fraction),
        );
        if let Some(ratio) = ratio {
            let what = format!("{}, {chunks}: CPU added per event, by what passing it adds", cell.name);
            targets.push(Target::limit(what, ratio, 2.0));
        } else {
            passed = Some(cell);
        }
    }
    targets
}

/// The table of memory over translated streams: after the first tenth, and after each `streams`.
pub fn stream_memory(streams: usize, found: &[f64]) {
    println!("\n### Linear memory of the `attempt` VM over translated streams of about 140 events, 16 connections\n");
    println!("| streams | MiB |");
    println!("|---|---|");
    for (count, memory) in [streams / 10, streams / 10 + streams, streams / 10 + 2 * streams].iter().zip(found) {
        println!("| {count} | {:.2} |", memory / MIB);
    }
}

/// Memory of the Envoy with the filter after so many requests, in bytes.
pub struct Sample {
    /// So many.
    pub requests: u64,
    /// Linear memory of that plugin's VM.
    pub attempt: f64,
    /// And of that one's.
    pub route: f64,
    /// Of the process.
    pub resident: u64,
}

impl Sample {
    /// Linear memory of the larger VM.
    pub fn larger(&self) -> f64 {
        self.attempt.max(self.route)
    }
}

/// Begins the table of the soak.
pub fn heading_of_soak(connections: usize) {
    println!("\n### Memory over very many mixed requests, {connections} connections\n");
    println!("| requests | linear memory of the `attempt` VM, MiB | of the `route` VM, MiB | resident, MiB |");
    println!("|---|---|---|---|");
}

/// A row of it.
pub fn sample(Sample { requests, attempt, route, resident }: &Sample) {
    println!("| {requests} | {:.2} | {:.2} | {:.1} |", attempt / MIB, route / MIB, *resident as f64 / MIB);
}

/// What it says. `complete`: no time limit came before.
pub fn end_of_soak(warm: &Sample, last: &Sample, complete: bool) {
    let grown = (last.attempt - warm.attempt + last.route - warm.route) / MIB;
    let flat = if grown > 0.0 { format!("**grew** by {grown:.2} MiB") } else { "was flat".into() };
    let limit = if complete { "" } else { " The time limit came before the last request." };
    println!("\nEvery request was answered. After the first {} linear memory {flat}.{limit}", warm.requests);
}

/// Linear memory of a plugin's VM, in bytes, as the filter's metrics have it.
pub fn linear_memory(metrics: &str, plugin: &str) -> anyhow::Result<f64> {
    let label = format!("plugin=\"{plugin}\"");
    let is_it = |line: &&str| line.starts_with("model_router_memory_bytes") && line.contains(&label);
    let line = metrics.lines().find(is_it).context("no model_router_memory_bytes")?;
    let (_, value) = line.rsplit_once(' ').context("a metric without a value")?;
    Ok(value.parse()?)
}

/// The table of memory.
pub fn memory(bodies: usize, found: &[Memory], attempt: f64, route: f64) {
    println!("\n### Memory after {bodies} bodies of 1 MB over 4 connections\n");
    println!("| | before, MiB | after, MiB |");
    println!("|---|---|---|");
    for Memory { side, before, after } in found {
        println!("| resident, {side:?} | {:.1} | {:.1} |", *before as f64 / MIB, *after as f64 / MIB);
    }
    for (plugin, bytes) in [("attempt", attempt), ("route", route)] {
        println!("| linear memory of the `{plugin}` VM | | {:.1} |", bytes / MIB);
    }
}

/// Whether something else ran meanwhile: this benchmark alone brings the load average towards 2.
pub fn footer() -> anyhow::Result<()> {
    println!("\nAt the end: {}", load()?);
    Ok(())
}
