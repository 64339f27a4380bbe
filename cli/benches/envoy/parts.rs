//! The parts of the measurement that compare Envoy with the filter to bare Envoy: what each sends, and in which cells.
//! Never what is printed.

use crate::Args;
use crate::calls::{self, Call, LARGE, SIZES, SMALL};
use crate::cells::{Cell, Spread, cpu_per_event, cpu_per_request, load, p50, requests_per_second, rounds};
use crate::config::Side;
use crate::load::{self, Until};
use crate::process::Servers;
use crate::report::{self, Memory};
use crate::targets::Target;
use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use std::time::Duration;

/// Thousands of translated streams and a thousand bodies of 1 MB through the filter: what stays? Says what became of
/// the target.
pub async fn memory(args: &Args, servers: &Servers) -> anyhow::Result<Target> {
    let envoy = servers.of(Side::Filter)?;
    let stream = calls::translated_stream(4);
    // Streams first: bodies of 1 MB leave free memory, in which what streams leave would not be seen.
    let mut attempt = Vec::new();
    for count in [args.streams / 10, args.streams, args.streams] {
        load(servers, Side::Filter, &stream, 16, Until::Count(count)).await?;
        attempt.push(report::linear_memory(&envoy.metrics().await?, "attempt")?);
    }
    report::stream_memory(args.streams, &attempt);

    let mut found = Vec::new();
    for side in [Side::Bare, Side::Filter] {
        let envoy = servers.of(side)?;
        // Envoy's own buffers and caches, which the first requests fill.
        load(servers, side, &calls::chat(SMALL), 4, Until::Count(200)).await?;
        let before = envoy.rss()?;
        load(servers, side, &calls::chat(LARGE), 4, Until::Count(args.bodies)).await?;
        found.push(Memory { side, before, after: envoy.rss()? });
    }
    let metrics = envoy.metrics().await?;
    let attempt = report::linear_memory(&metrics, "attempt")?;
    let route = report::linear_memory(&metrics, "route")?;
    report::memory(args.bodies, &found, attempt, route);
    let what = format!("Linear memory of the larger VM of a worker after {} bodies of 1 MB", args.bodies);
    Ok(Target::at_most(what, Spread::once(attempt.max(route) / 1e6), 24.0, 12.0).with(" MB", 1))
}

/// From bare Envoy to the filter, what comes to it step by step.
pub const STEPS: [Side; 6] = [Side::Bare, Side::Idle, Side::Empty, Side::ExtProc, Side::Machinery, Side::Filter];

/// Conversations through both APIs. Says what became of the targets.
pub async fn requests(args: &Args, servers: &Servers) -> anyhow::Result<Vec<Target>> {
    let mut cells = Vec::new();
    let mut models = Vec::new();
    for (size, name) in SIZES {
        let [chat, responses, translated] = [calls::chat(size), calls::responses(size), calls::translated(size)];
        let model = answering(servers, &chat).await?;
        ensure!(model == answering(servers, &responses).await?, "the APIs' requests of {name} go to different models");
        answering(servers, &translated).await.context("a translated request")?;
        models.push(format!("{name} by {model}"));
        let sides: &[Side] = if size == SMALL { &STEPS } else { &[Side::Bare, Side::Filter] };
        cells.extend([1, 16].map(|connections| Cell::new(name, connections, chat.clone()).on(sides)));
        cells.push(Cell::new("Responses", 16, responses));
        cells.push(Cell::new("Responses, translated to Chat", 16, translated).shares_bare());
    }
    // Until V8 has compiled what is hot.
    let warm = Until::Elapsed(Duration::from_millis(args.milliseconds));
    for call in [calls::chat(SMALL), calls::responses(SMALL), calls::translated(SMALL)] {
        load(servers, Side::Filter, &call, 16, warm).await?;
    }
    for side in STEPS {
        load(servers, side, &calls::chat(SMALL), 16, warm).await?;
    }
    rounds(servers, &mut cells, args.rounds, Duration::from_millis(args.milliseconds)).await?;
    // Four for each size, as pushed.
    let (sizes, _) = cells.as_chunks::<4>();
    report::requests(sizes.iter().flat_map(|[one, many, ..]| [one, many]));
    let steps: Vec<&Cell> = cells.iter().filter(|cell| cell.sides() == STEPS).collect();
    report::steps(&steps);
    report::heading_of_apis(&models.join(", "));
    let rows = sizes.iter().map(|[_, chat, responses, translated]| (chat, [responses, translated]));
    let of_apis: Vec<Target> = rows.map(|(chat, others)| report::apis(chat, others)).collect();
    let [[small_one, small_many, ..], .., [large_one, large_many, ..]] = sizes else { bail!("too few sizes") };
    Ok(of_sizes([small_one, small_many], [large_one, large_many]).into_iter().chain(of_apis).collect())
}

/// What became of the targets of bodies of 2 kB and of 1 MB, each at one connection and at many.
fn of_sizes(small: [&Cell; 2], large: [&Cell; 2]) -> Vec<Target> {
    let beside_plugins = small.map(|cell| {
        let what = format!("CPU added per request at {}: by what two empty plugins add", at(cell));
        Target::at_most(what, cell.added_beside(Side::Empty, cpu_per_request), 2.0, 1.3)
    });
    let beside_bare = small.map(|cell| {
        let what = format!("CPU added per request at {}: by bare Envoy's own", at(cell));
        Target::at_most(what, cell.added_to_base(cpu_per_request), 0.6, 0.35)
    });
    let [one, many] = small;
    let what = format!("p50 added at {}: by what an empty external processor adds", at(one));
    let hop = Target::at_most(what, one.added_beside(Side::ExtProc, p50), 0.5, 0.25);
    let what = format!("Requests per second at {}: by bare Envoy's, at least", at(many));
    let rate = Target::at_least(what, many.by_base(requests_per_second), 0.7, 0.85);
    let of_large = large.map(|cell| {
        let what = format!("CPU added per request at {}", at(cell));
        Target::at_most(what, cell.added(|round| cpu_per_request(round) / 1e3), 3.0, 1.0).with(" ms", 2)
    });
    beside_plugins.into_iter().chain(beside_bare).chain([hop, rate]).chain(of_large).collect()
}

fn at(cell: &Cell) -> String {
    let plural = if cell.connections == 1 { "" } else { "s" };
    format!("{}, {} connection{plural}", cell.name, cell.connections)
}

/// A client that calls the provider itself, through the filter's Envoy, and through another gateway.
pub const GATEWAYS: [Side; 3] = [Side::Direct, Side::Filter, Side::LiteLlm];

/// One conversation through each. Says what became of the target.
pub async fn gateways(args: &Args, servers: &Servers) -> anyhow::Result<Target> {
    let (_, name) = SIZES[0];
    let mut cells = [1, 16].map(|connections| Cell::new(name, connections, calls::chat(SMALL)).on(&GATEWAYS));
    let time = Duration::from_millis(args.milliseconds);
    for side in GATEWAYS {
        load(servers, side, &calls::chat(SMALL), 16, Until::Elapsed(time)).await?;
    }
    rounds(servers, &mut cells, args.rounds, time).await?;
    report::gateways(&cells);
    let [one, _] = &cells;
    let what = format!("p50 added to calling the provider itself at {}: by what LiteLLM adds", at(one));
    Ok(Target::at_most(what, one.added_beside(Side::LiteLlm, p50), 1.0 / 100.0, 1.0 / 300.0).with("", 4))
}

/// One conversation to a model of OpenAI's dialect and to Claude. Says what became of the target.
pub async fn claude(args: &Args, servers: &Servers) -> anyhow::Result<Target> {
    let (size, name) = (64 << 10, "64 kB");
    let mut cells = [
        Cell::new("rewritten for OpenAI's dialect", 16, calls::rewritten(size)),
        Cell::new("translated for Claude", 16, calls::for_claude(size)).shares_bare(),
    ];
    let time = Duration::from_millis(args.milliseconds);
    for cell in &cells {
        load(servers, Side::Filter, &cell.call, 16, Until::Elapsed(time)).await.with_context(|| cell.name.clone())?;
    }
    rounds(servers, &mut cells, args.rounds, time).await?;
    let [rewritten, translated] = &cells;
    Ok(report::claude(rewritten, translated, name))
}

/// One conversation with and without session affinity, and with details.
pub async fn affinity(args: &Args, servers: &Servers) -> anyhow::Result<Vec<Target>> {
    let (without, with) = (calls::forgotten(SMALL), calls::chat(SMALL));
    ensure!(answering(servers, &without).await? == answering(servers, &with).await?, "affinity has changed the model");
    for (call, strategy) in [(&without, "none"), (&with, "adaptive")] {
        let (_, answer) = load::ask(servers.of(Side::Filter)?.port, &call.clone().opted_in()).await?;
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
    rounds(servers, &mut cells, args.rounds * 4, Duration::from_millis(args.milliseconds / 2)).await?;
    let [without, with, detailed] = &cells;
    Ok(report::affinity(without, [with, detailed]))
}

/// Streams of each kind, of `texts` texts, `times` as long as other cells. Says what became of the targets.
pub async fn streams(
    args: &Args,
    servers: &Servers,
    name: &str,
    texts: usize,
    times: u32,
) -> anyhow::Result<Vec<Target>> {
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
        load(servers, Side::Filter, &cell.call, 16, warm).await.with_context(|| format!("{}, {name}", cell.name))?;
    }
    rounds(servers, &mut cells, args.rounds.div_ceil(2), time * times).await?;
    let what = format!("CPU added per event of a Chat stream, {name}");
    let [passed, ..] = &cells;
    let passed = Target::at_most(what, passed.added(cpu_per_event), 15.0, 5.0).with(" µs", 1);
    Ok([passed].into_iter().chain(report::streams(name, &cells)).collect())
}

/// The model that answers, with the filter.
async fn answering(servers: &Servers, call: &Call) -> anyhow::Result<String> {
    Ok(load::ask(servers.of(Side::Filter)?.port, call).await?.0)
}
