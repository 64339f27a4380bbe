//! From the policy's limits to Envoy's rate limit filters, and to the configuration of the service that a fleet asks.
//!
//! Owns the names under which Envoy counts. Never counts.

use super::clusters::Address;
use anyhow::{Context, bail};
use model_router::policy::{Endpoint, Limits, Policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Who counts what `limits` limit.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Without it each Envoy counts for itself.
    #[schemars(example = json!({"endpoint": "http://127.0.0.1:8081"}))]
    pub service: Option<Service>,
}

/// Envoy's rate limit service, which counts in a Redis for all that ask it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// `http://HOST:PORT` of its gRPC.
    #[schemars(example = "http://127.0.0.1:8081")]
    pub endpoint: String,
    /// What its configuration is called.
    #[serde(default = "domain")]
    #[schemars(example = &"production")]
    pub domain: String,
    /// What becomes of requests while it does not answer: they go on uncounted, or get 503.
    #[serde(default)]
    #[schemars(example = &"reject")]
    pub on_failure: OnFailure,
}

/// What becomes of requests while nobody counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum OnFailure {
    #[default]
    Allow,
    Reject,
}

fn domain() -> String {
    "model_router".to_owned()
}

/// What the template shows of one kind of limit; Envoy counts each by a filter of its own.
#[derive(Debug, Serialize)]
pub struct Kind {
    /// What is counted, as the headers that tell of it end.
    pub counted: &'static str,
    /// The policy's field.
    pub field: &'static str,
    pub seconds: u32,
    /// The filter state that says how much a request counts for; `None`: 1.
    pub amount: Option<&'static str>,
    /// The one that says how much its answer took, where that counts in its place for a fleet.
    pub afterwards: Option<&'static str>,
    /// Who has such a limit, each with the filter state that names them.
    pub of: Vec<Of>,
    pub buckets: Vec<Bucket>,
}

/// Whose limits are counted.
#[derive(Debug, Serialize)]
pub struct Of {
    pub key: String,
    pub state: &'static str,
}

/// How much one of them may use.
#[derive(Debug, Serialize)]
pub struct Bucket {
    pub key: String,
    pub value: String,
    pub most: u32,
}

impl Service {
    /// Where it is.
    ///
    /// # Errors
    /// Where the endpoint is none of HTTP without TLS, or names no port: gRPC has none of its own.
    pub fn address(&self) -> anyhow::Result<Address> {
        let address = Endpoint::parse(&self.endpoint).ok().map(Address::from);
        let has_port = |address: &Address| self.endpoint.ends_with(&format!(":{}", address.port));
        address.filter(|address| !address.tls && has_port(address)).with_context(|| {
            format!("envoy.rate_limit.service.endpoint: expected http://HOST:PORT, found {:?}", self.endpoint)
        })
    }
}

/// The kinds of limits that the policy has.
pub fn kinds(policy: &Policy) -> Vec<Kind> {
    type Pick = fn(&Limits) -> Option<u32>;
    let all: [(Kind, Pick); 3] = [
        (Kind::new("requests", "requests_per_minute", 60), |limits| limits.requests_per_minute),
        (Kind { amount: Some("tokens"), ..Kind::new("tokens", "tokens_per_minute", 60) }, |limits| {
            limits.tokens_per_minute
        }),
        (
            Kind {
                amount: Some("expected_microdollars"),
                afterwards: Some("microdollars"),
                ..Kind::new("microdollars", "usd_per_day", 86400)
            },
            |limits| limits.microdollars_per_day,
        ),
    ];
    let kinds = all.into_iter().map(|(mut kind, pick)| {
        let routers = policy.routers.iter().filter_map(|it| Some((it.name.clone(), pick(&it.limits)?)));
        kind.add("router", routers.collect());
        let consumers = policy.consumers.iter().flatten().filter_map(|it| Some((it.name.clone(), pick(&it.limits)?)));
        kind.add("consumer", consumers.collect());
        kind
    });
    kinds.filter(|kind| !kind.buckets.is_empty()).collect()
}

impl Kind {
    fn new(counted: &'static str, field: &'static str, seconds: u32) -> Kind {
        Kind { counted, field, seconds, amount: None, afterwards: None, of: Vec::new(), buckets: Vec::new() }
    }

    fn add(&mut self, state: &'static str, limited: Vec<(String, u32)>) {
        if limited.is_empty() {
            return;
        }
        let key = format!("{state}_{}", self.field);
        self.buckets.extend(limited.into_iter().map(|(value, most)| Bucket { key: key.clone(), value, most }));
        self.of.push(Of { key, state });
    }
}

/// The configuration file of the service.
///
/// # Errors
/// Where the policy asks no service, or limits nothing.
pub fn of_service(policy: &Policy, rate_limit: Option<&RateLimit>) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct File<'a> {
        domain: &'a str,
        descriptors: Vec<Rule<'a>>,
    }
    #[derive(Serialize)]
    struct Rule<'a> {
        key: &'a str,
        value: &'a str,
        rate_limit: Rate,
    }
    #[derive(Serialize)]
    struct Rate {
        unit: &'static str,
        requests_per_unit: u32,
    }
    let Some(service) = rate_limit.and_then(|it| it.service.as_ref()) else {
        bail!("the policy has no envoy.rate_limit.service that this would be the configuration of");
    };
    let kinds = kinds(policy);
    let rule = |kind: &Kind| if kind.seconds == 60 { "minute" } else { "day" };
    let descriptors = kinds.iter().flat_map(|kind| {
        kind.buckets.iter().map(move |bucket| Rule {
            key: &bucket.key,
            value: &bucket.value,
            rate_limit: Rate { unit: rule(kind), requests_per_unit: bucket.most },
        })
    });
    let file = File { domain: &service.domain, descriptors: descriptors.collect() };
    if file.descriptors.is_empty() {
        bail!("no router and no consumer of the policy has `limits`");
    }
    Ok(serde_yaml_ng::to_string(&file)?)
}
