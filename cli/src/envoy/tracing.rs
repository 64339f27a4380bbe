//! The policy's part `envoy.tracing`: where spans go, and which are recorded.
//!
//! Owns its fields and their rules. What is in a span stands in the template.

use model_router::policy::Endpoint;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Traces by Envoy's OpenTelemetry tracer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tracing {
    /// Scheme, host and port of a collector that takes OTLP over HTTP, at /v1/traces.
    #[serde(rename(deserialize = "endpoint"), deserialize_with = "collector")]
    pub collector: Collector,
    /// What this Envoy is called in traces.
    #[serde(default = "service_name")]
    pub service_name: String,
    /// How many in a hundred requests without a trace of the caller's are recorded; in a trace its flag decides.
    #[serde(rename(deserialize = "sample_percent"), default = "all", deserialize_with = "millionths")]
    pub sample_millionths: u32,
    /// Providers take part in the trace: each attempt carries a `traceparent`.
    #[serde(default)]
    pub propagate: bool,
}

/// Where spans are sent.
#[derive(Debug, Serialize)]
pub struct Collector {
    pub tls: bool,
    pub host: String,
    pub port: u16,
    pub url: String,
}

fn service_name() -> String {
    "model-router".to_owned()
}

fn all() -> u32 {
    1_000_000
}

fn collector<'de, D: Deserializer<'de>>(from: D) -> Result<Collector, D::Error> {
    let endpoint =
        Endpoint::parse(&String::deserialize(from)?).map_err(|rule| D::Error::custom(format!("endpoint: {rule}")))?;
    let scheme = if endpoint.tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/v1/traces", endpoint.authority());
    let Endpoint { tls, host, port } = endpoint;
    Ok(Collector { tls, host, port, url })
}

fn millionths<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let percent = f64::deserialize(from)?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(D::Error::custom("sample_percent: must be from 0 to 100"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
    Ok((percent * 10_000.0).round() as u32)
}
