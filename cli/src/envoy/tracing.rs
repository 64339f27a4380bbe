//! The policy's part `envoy.tracing`: where spans go, and which are recorded.
//!
//! Owns its fields and their rules. What is in a span stands in the template.

use super::clusters::Address;
use anyhow::ensure;
use model_router::policy::Endpoint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A span for each request and for each attempt, by Envoy's OpenTelemetry tracer.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracing {
    /// A collector that takes OTLP over HTTP: scheme, host and port.
    #[schemars(example = "http://127.0.0.1:4318")]
    pub endpoint: String,
    /// What this Envoy is called in traces.
    #[serde(default = "service_name")]
    #[schemars(example = "model-router-eu")]
    pub service_name: String,
    /// How many in a hundred requests are recorded, from 0 to 100. In a trace of the client's its flag decides.
    #[serde(default = "all")]
    #[schemars(example = 12.5)]
    pub sample_percent: f64,
    /// Whether providers take part in the trace: each attempt then carries a `traceparent`.
    #[serde(default)]
    #[schemars(example = true)]
    pub propagate: bool,
}

/// What the templates show of it.
#[derive(Debug, Serialize)]
pub struct Collector {
    pub address: Address,
    pub url: String,
    /// Of the requests.
    pub sample_millionths: u32,
}

fn service_name() -> String {
    "model-router".to_owned()
}

fn all() -> f64 {
    100.0
}

impl Tracing {
    /// # Errors
    /// Where a field breaks its rule.
    pub fn collector(&self) -> anyhow::Result<Collector> {
        let endpoint = Endpoint::parse(&self.endpoint).map_err(|rule| anyhow::anyhow!("endpoint: {rule}"))?;
        ensure!((0.0..=100.0).contains(&self.sample_percent), "sample_percent: must be from 0 to 100");
        let scheme = if endpoint.tls { "https" } else { "http" };
        let url = format!("{scheme}://{}/v1/traces", endpoint.authority());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        let sample_millionths = (self.sample_percent * 10_000.0).round() as u32;
        Ok(Collector { address: endpoint.into(), url, sample_millionths })
    }
}
