//! Reads `content_filter`.
//!
//! Owns whom it asks, for which requests, and what happens without an answer. Never asks.

use super::endpoint::{credential, endpoint};
use super::error::quoted;
use super::fields::section;
use super::node::{Fields, Node};
use super::{Credential, Endpoint, Provider, Router, failover, providers, routers};

/// Who is asked whether a prompt may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentFilter {
    /// Where it is, for Envoy's configuration.
    pub endpoint: Option<Endpoint>,
    /// Where its key is, for the same.
    pub credential: Option<Credential>,
    /// The Envoy cluster that answers; its upstream filters add the key.
    pub cluster: String,
    /// Value of `:authority`.
    pub authority: String,
    /// Path of OpenAI's moderations, or of what looks like them.
    pub path: String,
    /// `model` of the call; `None` leaves it to the service.
    pub model: Option<String>,
    /// What becomes of a request that could not be checked.
    pub on_error: OnError,
    /// How long a call may take, in milliseconds.
    pub timeout: u64,
    /// Names of the only routers whose requests are checked; `None`: all requests are, those for a model by name too.
    pub routers: Option<Vec<String>>,
}

/// What becomes of a request that could not be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It goes on.
    Allow,
    /// It is refused.
    Reject,
}

section! {
    /// Who is asked about each prompt before it goes to a provider: OpenAI's moderations, or what answers like it.
    /// [CONTENT_FILTER.md](CONTENT_FILTER.md) says what is checked.
    CONTENT_FILTER "content_filter" {
        /// Scheme, host and port, for `model-router envoy`.
        endpoint: "a URL" = "(none)", "https://api.openai.com";
        /// Where its key is, for `model-router envoy`; as `providers[].credential`.
        credential: "an object" = "(none)", "{environment: OPENAI_API_KEY}";
        /// Its Envoy cluster; no provider's.
        cluster: "a short name" = "(moderation, where it has an endpoint)", "moderation";
        /// `:authority` toward it, and the name that its certificate must have.
        authority: "a host, with a port if need be" = "(the endpoint's)", "api.openai.com";
        /// The path of moderations.
        path: "a path" = "/v1/moderations", "/v1/moderations";
        /// The model that judges.
        model: "a short name" = "(the service's own choice)", "omni-moderation-latest";
        /// What becomes of a request that could not be checked.
        on_error: "`allow`, `reject`", "reject";
        /// How long a call may take; no longer than `timeouts.total_seconds` leaves.
        timeout_seconds: "seconds, from 0.001 to 60" = "2", "0.5";
        /// Only these routers' requests are checked, and none for a model by its name.
        routers: "names of routers" = "(all requests are)", "[model-router]";
    }
}

const ON_ERROR: [(&str, OnError); 2] = [("allow", OnError::Allow), ("reject", OnError::Reject)];
const DEFAULT_CLUSTER: &str = "moderation";
const DEFAULT_PATH: &str = "/v1/moderations";
const DEFAULT_TIMEOUT: u64 = 2000;
/// In seconds. Who waits longer than a minute for a verdict has no use for the answer.
const LONGEST: f64 = 60.0;

/// The content filter of `node`, if it is right.
pub(super) fn read(node: &Node<'_>, routers: &[Router], providers: &[Provider]) -> Option<ContentFilter> {
    let before = node.notes.count();
    let fields = node.object(&CONTENT_FILTER)?;
    let endpoint = fields.get("endpoint").map(|field| endpoint(&field));
    let credential = fields.get("credential").and_then(|field| credential(&field));
    let cluster = cluster(&fields, endpoint.is_some(), providers);
    let authority = match (fields.get("authority"), &endpoint) {
        (None, Some(endpoint)) => endpoint.as_ref().map(Endpoint::authority),
        _ => fields.require("authority").and_then(|field| providers::authority(&field)),
    };
    let path = fields.get("path").map_or_else(|| Some(DEFAULT_PATH.to_owned()), |field| path(&field));
    let model = fields.get("model").and_then(|field| field.label().map(str::to_owned));
    // Neither is what everybody would expect.
    let on_error = fields.require("on_error").and_then(|field| field.choice(&ON_ERROR));
    let within = |seconds: f64| (0.001..=LONGEST).contains(&seconds);
    let timeout = fields
        .get("timeout_seconds")
        .and_then(|field| failover::milliseconds(&field, &format!("0.001 to {LONGEST} seconds"), within));
    let routers = fields.get("routers").and_then(|field| names(&field, routers));
    if node.notes.count() > before {
        return None;
    }
    let endpoint = endpoint.flatten();
    let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
    let (cluster, authority, path, on_error) = (cluster?, authority?, path?, on_error?);
    Some(ContentFilter { endpoint, credential, cluster, authority, path, model, on_error, timeout, routers })
}

/// Its cluster. In a provider's the attempt plugin would take the call for a request of a client.
fn cluster(fields: &Fields<'_>, has_endpoint: bool, providers: &[Provider]) -> Option<String> {
    let name = match fields.get("cluster") {
        None if has_endpoint => DEFAULT_CLUSTER,
        _ => fields.require("cluster")?.label()?,
    };
    if providers.iter().any(|provider| provider.cluster == name) {
        fields.node.notes.fail(fields.path("cluster"), format!("{} is a provider's cluster", quoted(name)));
    }
    Some(name.to_owned())
}

fn path(node: &Node<'_>) -> Option<String> {
    let path = providers::path(node)?;
    if path.is_empty() {
        node.fail("must not be empty");
    }
    Some(path)
}

fn names(node: &Node<'_>, routers: &[Router]) -> Option<Vec<String>> {
    let name = |item: &Node<'_>| Some(routers.get(routers::named_by(item, routers)?)?.name.clone());
    node.some_items("; leave it out to check every request")?.iter().map(name).collect()
}
