//! Very many requests of all kinds through one Envoy with the filter: does memory stay, and is each answered? Never looks
//! at time.

use crate::Args;
use crate::calls::{self, Call, LARGE, SMALL};
use crate::cells::Spread;
use crate::config::Side;
use crate::load::{Load, Until};
use crate::process::Servers;
use crate::report::{self, Sample};
use crate::targets::Target;
use anyhow::{Context as _, ensure};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Looks at memory; each after as many requests.
const SAMPLES: usize = 20;
/// At the same time.
const CONNECTIONS: usize = 16;
/// Texts of a stream: about 140 events.
const TEXTS: usize = 4;

/// What is sent, and how often in a thousand requests.
fn mix() -> Arc<[Call]> {
    const MEDIUM: usize = 16 << 10;
    const LONG: usize = 64 << 10;
    let kinds = [
        (400, calls::chat(SMALL)),
        (150, calls::responses(SMALL)),
        (100, calls::messages(SMALL)),
        (50, calls::translated(SMALL)),
        (80, calls::chat_stream(TEXTS, false)),
        (40, calls::responses_stream(TEXTS)),
        (40, calls::messages_stream(TEXTS)),
        (20, calls::translated_stream(TEXTS)),
        (20, calls::chat_stream_of_claude(TEXTS)),
        (35, calls::chat(MEDIUM)),
        (20, calls::responses(MEDIUM)),
        (15, calls::messages(MEDIUM)),
        (10, calls::chat(LONG)),
        (10, calls::responses(LONG)),
        (6, calls::for_claude(LONG)),
        (2, calls::chat(LARGE)),
        (2, calls::responses(LARGE)),
    ];
    let sorted: Vec<Call> = kinds.into_iter().flat_map(|(count, call)| vec![call; count]).collect();
    // Mixed, and the same each time: a step without a common factor with the length comes to each.
    let mixed = (0..sorted.len()).filter_map(|index| sorted.get(index * 389 % sorted.len()).cloned());
    mixed.collect()
}

/// What the filter counted that a client may not have seen: attempts that another made good, streams that broke.
fn failures(metrics: &str) -> Vec<&str> {
    let failure = |line: &&str| {
        let is = |name: &str| line.starts_with(&format!("model_router_{name}_total"));
        is("attempts") && !line.contains("result=\"200\"")
            || is("requests") && !line.contains("outcome=\"ok\"")
            || is("broken_streams")
            || is("rejected")
    };
    metrics.lines().filter(failure).collect()
}

/// Sends them, and says what became of the target. Fails with the first request that fails.
pub async fn soak(args: &Args, servers: &Servers) -> anyhow::Result<Target> {
    let envoy = servers.of(Side::Filter)?;
    let end = Instant::now() + Duration::from_secs(args.minutes * 60);
    let until = Until::Count(args.requests.div_ceil(SAMPLES));
    let load = Load { port: envoy.port, calls: mix(), connections: CONNECTIONS, until };
    let mut requests = 0;
    let mut samples: Vec<Sample> = Vec::new();
    report::heading_of_soak(CONNECTIONS);
    while samples.len() < SAMPLES && Instant::now() < end {
        let left = end.saturating_duration_since(Instant::now());
        // A little more, because what only takes longer than that is no failure.
        let seen = tokio::time::timeout(left + Duration::from_secs(60), load.run()).await.context("a request hangs");
        let seen = seen.and_then(|seen| seen).with_context(|| format!("after {requests} requests"))?;
        requests += seen.requests;
        let metrics = envoy.metrics().await?;
        let [attempt, route] = ["attempt", "route"].map(|plugin| report::linear_memory(&metrics, plugin));
        let sample = Sample { requests, attempt: attempt?, route: route?, resident: envoy.rss()? };
        report::sample(&sample);
        samples.push(sample);
        let failures = failures(&metrics);
        ensure!(failures.is_empty(), "not all went well within {requests} requests:\n{}", failures.join("\n"));
    }
    let [warm, .., last] = samples.as_slice() else { anyhow::bail!("no time for two samples") };
    report::end_of_soak(warm, last, samples.len() == SAMPLES);
    let what = format!("Linear memory of the larger VM of a worker after {requests} requests");
    Ok(Target::at_most(what, Spread::once(last.larger() / 1e6), 24.0, 12.0).with(" MB", 1))
}
