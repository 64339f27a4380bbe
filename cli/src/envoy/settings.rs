//! The policy's part `envoy`: what Envoy's configuration needs to know beside the policy.
//!
//! Owns its fields and their defaults. The filter accepts the part and never looks into it.

use super::identity::Identity;
use super::limits::RateLimit;
use super::tracing::Tracing;
use anyhow::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What Envoy's configuration needs to know beside the rest of the policy, for `model-router envoy`. The filter does not look
/// into it. Without it the configuration is the demo's.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where clients connect.
    #[schemars(example = json!({"port": 8080}))]
    pub listener: Listener,
    /// Where operators and Prometheus connect. Whoever reaches it can stop Envoy.
    #[schemars(example = json!({"port": 9000}))]
    pub admin: Admin,
    /// The filter's file.
    #[schemars(example = "/opt/model_router.wasm")]
    pub wasm: String,
    /// The certificates by which providers are verified.
    #[schemars(example = "/etc/ssl/own-ca.pem")]
    pub trusted_ca: String,
    /// How long requests, and answers that are no stream, may be. Longer requests get 413.
    #[schemars(example = 1048576)]
    pub max_body_bytes: u32,
    /// How Envoy learns who is calling; without it nobody asks.
    #[schemars(example = json!({"api_keys": {"file": "/etc/envoy/keys.yaml"}}))]
    pub identity: Option<Identity>,
    /// Who counts what `limits` limit; without it each Envoy for itself.
    #[schemars(example = json!({"service": {"endpoint": "http://127.0.0.1:8081"}}))]
    pub rate_limit: Option<RateLimit>,
    /// With it spans of requests and attempts go to a collector: TRACING.md.
    #[schemars(example = json!({"endpoint": "http://127.0.0.1:4318"}))]
    pub tracing: Option<Tracing>,
}

/// Where clients connect.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listener {
    /// An IP address; loopback, unless told otherwise.
    #[schemars(example = "0.0.0.0")]
    pub address: String,
    /// A TCP port.
    #[schemars(example = 8080)]
    pub port: u16,
    /// With it clients speak TLS.
    #[schemars(example = json!({"certificate": "/etc/envoy/tls.crt", "private_key": "/etc/envoy/tls.key"}))]
    pub tls: Option<Tls>,
}

/// Where operators connect.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// An IP address; loopback, unless told otherwise.
    #[schemars(example = "127.0.0.1")]
    pub address: String,
    /// A TCP port.
    #[schemars(example = 9000)]
    pub port: u16,
}

/// What the listener proves its name with.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// File with the certificate and those that lead to its root.
    #[schemars(example = "/etc/envoy/tls.crt")]
    pub certificate: String,
    /// File with its private key.
    #[schemars(example = "/etc/envoy/tls.key")]
    pub private_key: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listener: Listener::default(),
            admin: Admin::default(),
            wasm: "target/model_router.wasm".to_owned(),
            trusted_ca: "/etc/ssl/certs/ca-certificates.crt".to_owned(),
            max_body_bytes: 16 << 20,
            identity: None,
            rate_limit: None,
            tracing: None,
        }
    }
}

const LOOPBACK: &str = "127.0.0.1";

impl Default for Listener {
    fn default() -> Self {
        Listener { address: LOOPBACK.to_owned(), port: 10000, tls: None }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Admin { address: LOOPBACK.to_owned(), port: 9901 }
    }
}

impl Settings {
    /// Those of a policy's document.
    ///
    /// # Errors
    /// Where a field is unknown or has a wrong type.
    pub fn of(policy: &Value) -> anyhow::Result<Settings> {
        let part = policy.get("envoy").filter(|part| !part.is_null());
        part.map_or_else(|| Ok(Settings::default()), |part| Settings::deserialize(part).context("envoy"))
    }
}
