//! Rounds → medians → Markdown.

use crate::load::Seen;
use crate::process::Side;
use anyhow::Context as _;
use bytes::Bytes;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// One measurement of one cell on one side.
pub struct Round {
    /// By the client.
    pub seen: Seen,
    /// CPU time of Envoy.
    pub cpu: Duration,
}

/// What is measured: a body and a number of connections.
pub struct Cell {
    name: String,
    /// Of each request.
    pub body: Bytes,
    /// At the same time.
    pub connections: usize,
    bare: Vec<Round>,
    filter: Vec<Round>,
}

/// Resident memory of an Envoy, in bytes.
pub struct Memory {
    /// Which.
    pub side: Side,
    /// Before the bodies.
    pub before: u64,
    /// After them.
    pub after: u64,
}

impl Cell {
    /// A cell without rounds.
    pub fn new(name: &str, connections: usize, body: Bytes) -> Self {
        Cell { name: name.to_owned(), body, connections, bare: Vec::new(), filter: Vec::new() }
    }

    /// Its rounds on one side.
    pub fn of(&mut self, side: Side) -> &mut Vec<Round> {
        match side {
            Side::Bare => &mut self.bare,
            Side::Filter => &mut self.filter,
        }
    }

    /// Lowest, median and highest of what was added, in the unit of `of`, over the pairs of a round.
    fn added(&self, of: impl Fn(&Round) -> f64) -> (f64, f64, f64) {
        let pairs = self.bare.iter().zip(&self.filter);
        let all: Vec<f64> = pairs.map(|(bare, filter)| of(filter) - of(bare)).collect();
        let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (lowest, middle(all), highest)
    }
}

/// Microseconds of Envoy's CPU per request.
fn cpu_per_request(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.requests as f64
}

fn cpu_per_event(round: &Round) -> f64 {
    round.cpu.as_secs_f64() * 1e6 / round.seen.events.max(1) as f64
}

fn quantile(round: &Round, quantile: f64) -> f64 {
    round.seen.latency.value_at_quantile(quantile) as f64
}

fn rate(count: u64, round: &Round) -> f64 {
    count as f64 / round.seen.elapsed.as_secs_f64()
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    middle(rounds.iter().map(of).collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(upper) } else { (at(upper.wrapping_sub(1)) + at(upper)) / 2.0 }
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
pub fn requests(cells: &[Cell]) -> anyhow::Result<()> {
    println!("\n### Requests\n");
    println!(
        "| body | conn. | p50 µs: bare, filter, added | p99 µs: bare, filter | requests/s: bare, filter, ratio | CPU µs/request: bare, filter | CPU added (lowest–highest round) | added CPU / bare CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for cell in cells {
        let (bare, filter) = (&cell.bare, &cell.filter);
        let p50 = |round: &Round| quantile(round, 0.5);
        let p99 = |round: &Round| quantile(round, 0.99);
        let per_second = |round: &Round| rate(round.seen.requests, round);
        let (rate_bare, rate_filter) = (median(bare, per_second), median(filter, per_second));
        let (cpu_bare, cpu_filter) = (median(bare, cpu_per_request), median(filter, cpu_per_request));
        let (lowest, added, highest) = cell.added(cpu_per_request);
        println!(
            "| {} | {} | {:.0}, {:.0}, {:+.0} | {:.0}, {:.0} | {rate_bare:.0}, {rate_filter:.0}, {:.2} | {cpu_bare:.0}, {cpu_filter:.0} | {added:+.0} ({lowest:.0}–{highest:.0}) | {:.2} |",
            cell.name,
            cell.connections,
            median(bare, p50),
            median(filter, p50),
            cell.added(p50).1,
            median(bare, p99),
            median(filter, p99),
            rate_filter / rate_bare,
            added / cpu_bare,
        );
    }
    Ok(())
}

/// The table of streams that come as `chunks` says.
pub fn streams(chunks: &str, cells: &[Cell]) -> anyhow::Result<()> {
    println!("\n### Streams, {chunks}\n");
    println!(
        "| usage | conn. | events/answer | events/s: bare, filter | CPU µs/event: bare, filter | CPU added (lowest–highest round) |"
    );
    println!("|---|---|---|---|---|---|");
    for cell in cells {
        let (bare, filter) = (&cell.bare, &cell.filter);
        let per_second = |round: &Round| rate(round.seen.events, round);
        let per_answer = |round: &Round| round.seen.events as f64 / round.seen.requests as f64;
        let (lowest, added, highest) = cell.added(cpu_per_event);
        println!(
            "| {} | {} | {:.0} | {:.0}, {:.0} | {:.2}, {:.2} | {added:+.2} ({lowest:.2}–{highest:.2}) |",
            cell.name,
            cell.connections,
            median(bare, per_answer),
            median(bare, per_second),
            median(filter, per_second),
            median(bare, cpu_per_event),
            median(filter, cpu_per_event),
        );
    }
    Ok(())
}

/// The table of memory. `metrics` are those of the Envoy with the filter.
pub fn memory(bodies: usize, found: &[Memory], metrics: &str) -> anyhow::Result<()> {
    const MIB: f64 = 1_048_576.0;
    println!("\n### Memory after {bodies} bodies of 1 MB over 4 connections\n");
    println!("| | before, MiB | after, MiB |");
    println!("|---|---|---|");
    for Memory { side, before, after } in found {
        println!("| resident, {side:?} | {:.1} | {:.1} |", *before as f64 / MIB, *after as f64 / MIB);
    }
    for line in metrics.lines().filter(|line| line.starts_with("model_router_memory_bytes")) {
        let (name, value) = line.rsplit_once(' ').context("a metric without a value")?;
        let plugin = name.split('"').nth(1).unwrap_or(name);
        println!("| linear memory of the `{plugin}` VM | | {:.1} |", value.parse::<f64>()? / MIB);
    }
    Ok(())
}

/// Whether something else ran meanwhile: this benchmark alone brings the load average towards 2.
pub fn footer() -> anyhow::Result<()> {
    println!("\nAt the end: {}", load()?);
    Ok(())
}
