//! Load over HTTP/1.1 connections that are kept alive: each sends its next request when the answer to the last one is
//! complete. Every answer must be a 200.

use crate::calls::Call;
use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Requests that begin within this time are finished.
    Elapsed(Duration),
    /// So many requests over all connections.
    Count(usize),
}

/// One load on one Envoy.
pub struct Load {
    /// Where.
    pub port: u16,
    /// One after the other, again and again. Each connection begins at another.
    pub calls: Arc<[Call]>,
    /// At the same time.
    pub connections: usize,
    /// How long.
    pub until: Until,
}

/// What the client saw.
#[derive(Clone)]
pub struct Seen {
    /// Answers.
    pub requests: u64,
    /// Events in all of them; 0 for answers that are no stream.
    pub events: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Microseconds until an answer was complete.
    pub latency: Histogram<u64>,
}

impl Load {
    /// Runs it. Fails with the first answer that is no 200.
    pub async fn run(&self) -> anyhow::Result<Seen> {
        let mut senders = Vec::new();
        for _ in 0..self.connections {
            senders.push(connect(self.port).await?);
        }
        let start = Instant::now();
        let mut connections = JoinSet::new();
        for (index, sender) in senders.into_iter().enumerate() {
            let share = match self.until {
                Until::Elapsed(time) => Until::Elapsed(time),
                Until::Count(count) => Until::Count(count.div_ceil(self.connections)),
            };
            let first = index * self.calls.len() / self.connections;
            connections.spawn(drive(sender, Arc::clone(&self.calls), first, start, share));
        }
        let mut seen = Seen { requests: 0, events: 0, elapsed: Duration::ZERO, latency: histogram()? };
        while let Some(one) = connections.join_next().await {
            let one = one??;
            seen.requests += one.requests;
            seen.events += one.events;
            seen.latency.add(one.latency)?;
        }
        seen.elapsed = start.elapsed();
        Ok(seen)
    }
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

async fn connect(port: u16) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its errors come out at the requests too.
    tokio::spawn(connection);
    Ok(sender)
}

fn request(call: &Call) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(call.path)
        .header("host", "router.example")
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-of-the-client")
        .header("user-agent", "model-router-bench");
    for (name, value) in call.headers {
        request = request.header(*name, *value);
    }
    Ok(request.body(Full::new(call.body.clone()))?)
}

async fn drive(
    mut sender: SendRequest<Full<Bytes>>,
    calls: Arc<[Call]>,
    first: usize,
    start: Instant,
    until: Until,
) -> anyhow::Result<Seen> {
    let mut seen = Seen { requests: 0, events: 0, elapsed: Duration::ZERO, latency: histogram()? };
    let goes_on = |requests: u64| match until {
        Until::Elapsed(time) => start.elapsed() < time,
        Until::Count(count) => requests < count as u64,
    };
    for call in calls.iter().cycle().skip(first) {
        if !goes_on(seen.requests) {
            break;
        }
        let request = request(call)?;
        let sent = Instant::now();
        sender.ready().await?;
        let mut answer = sender.send_request(request).await?;
        ensure!(answer.status() == 200, "{}: status {}", call.path, answer.status());
        let mut last = 0;
        while let Some(frame) = answer.frame().await {
            let frame = frame?;
            for byte in frame.data_ref().into_iter().flatten() {
                // JSON on one line has no line break of its own, so an empty line ends an event.
                seen.events += u64::from(last == b'\n' && *byte == b'\n');
                last = *byte;
            }
        }
        seen.latency.record(u64::try_from(sent.elapsed().as_micros())?.max(1))?;
        seen.requests += 1;
    }
    Ok(seen)
}

/// One call: the model that answered, as the filter names it, and the answer.
pub async fn ask(port: u16, call: &Call) -> anyhow::Result<(String, String)> {
    let answer = connect(port).await?.send_request(request(call)?).await?;
    let (head, body) = answer.into_parts();
    let model = head.headers.get("x-model-router-model").map(|model| model.to_str().map(str::to_owned)).transpose()?;
    let body = String::from_utf8(body.collect().await?.to_bytes().into())?;
    ensure!(head.status == 200, "status {}: {body}", head.status);
    Ok((model.context("an answer without x-model-router-model")?, body))
}

/// The body of `GET path`; fails unless it comes with a 200.
pub async fn get(port: u16, path: &str) -> anyhow::Result<String> {
    let mut sender = connect(port).await?;
    let request = Request::builder().uri(path).header("host", "localhost").body(Full::default())?;
    let answer = sender.send_request(request).await?;
    ensure!(answer.status() == 200, "{path}: status {}", answer.status());
    let body = answer.into_body().collect().await?.to_bytes();
    String::from_utf8(body.into()).context("an answer that is no text")
}
