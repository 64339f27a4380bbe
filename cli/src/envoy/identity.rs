//! The policy's part `envoy.identity`: how Envoy learns who is calling.
//!
//! Owns its fields, and the rule that a header which names a consumer comes from Envoy alone. Never sees a key.

use super::clusters::Address;
use anyhow::{Context, bail, ensure};
use model_router::policy::{Endpoint, Policy, When};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How Envoy learns who is calling: `api_keys`, `jwt` or `client_certificates`. [IDENTITY.md](IDENTITY.md) has each.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The header that tells the filter, which `consumers[].when` compares. Clients cannot send it.
    #[serde(default = "header")]
    #[schemars(example = "x-team")]
    pub header: String,
    /// Keys of your own making.
    #[schemars(example = json!({"file": "/etc/envoy/keys.yaml"}))]
    pub api_keys: Option<ApiKeys>,
    /// Tokens of an identity provider.
    #[schemars(example = json!({"issuer": "https://login.example.com/", "audiences": ["model-router"], "jwks": {"file": "jwks.json"}}))]
    pub jwt: Option<Jwt>,
    /// Certificates of clients.
    #[schemars(example = json!({"trusted_ca": "/etc/envoy/clients-ca.pem"}))]
    pub client_certificates: Option<ClientCertificates>,
}

/// Keys in a file that Envoy watches.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeys {
    /// The file, in Envoy's form: envoy/examples/keys.yaml is one.
    #[schemars(example = "/etc/envoy/keys.yaml")]
    pub file: String,
}

/// Tokens that an identity provider signs.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Who must have made them.
    #[schemars(example = "https://login.example.com/")]
    pub issuer: String,
    /// For whom they must be: one of these.
    #[schemars(example = json!(["model-router"]))]
    pub audiences: Vec<String>,
    /// The keys that they are signed with.
    #[schemars(example = json!({"url": "https://login.example.com/jwks.json"}))]
    pub jwks: Jwks,
    /// The claim that names the consumer.
    #[serde(default = "claim")]
    #[schemars(example = &"team")]
    pub claim: String,
}

/// Where the keys of an identity provider are: one of the two.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwks {
    /// A file.
    #[schemars(example = "/etc/envoy/jwks.json")]
    pub file: Option<String>,
    /// Fetched when it is needed, and kept for five minutes.
    #[schemars(example = "https://login.example.com/jwks.json")]
    pub url: Option<String>,
}

/// Certificates that clients prove themselves with.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificates {
    /// File with the certificates of those who may sign them.
    #[schemars(example = "/etc/envoy/clients-ca.pem")]
    pub trusted_ca: String,
    /// What in them names the consumer: the URI (SPIFFE) or the DNS name among its alternative names, or its whole subject.
    #[serde(default)]
    #[schemars(example = &"dns")]
    pub name: Name,
}

/// What in a certificate names who has it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Name {
    #[default]
    Uri,
    Dns,
    Subject,
}

fn header() -> String {
    "x-consumer".to_owned()
}

fn claim() -> String {
    "sub".to_owned()
}

/// What the template shows beside the settings.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Who is nobody may use something, so who has no credentials goes on.
    pub nobody: bool,
    /// Headers that clients cannot send.
    pub removed: Vec<String>,
    /// Where the keys of an identity provider are fetched.
    pub jwks: Option<Address>,
}

/// Checks a policy's way of learning who is calling.
///
/// # Errors
/// Where there is not one way, or a consumer is told by a header that clients could send.
pub fn shown(identity: Option<&Identity>, policy: &Policy, tls: bool) -> anyhow::Result<Option<Shown>> {
    let Some(identity) = identity else { return Ok(None) };
    let Identity { header, api_keys, jwt, client_certificates } = identity;
    let ways = [api_keys.is_some(), jwt.is_some(), client_certificates.is_some()];
    ensure!(
        ways.iter().filter(|is_there| **is_there).count() == 1,
        "envoy.identity: give one of api_keys, jwt and client_certificates"
    );
    ensure!(
        client_certificates.is_none() || tls,
        "envoy.identity.client_certificates: clients prove themselves in TLS, so envoy.listener.tls is needed"
    );
    let header = header.to_ascii_lowercase();
    let consumers = policy.consumers.as_deref().unwrap_or_default();
    ensure!(!consumers.is_empty(), "envoy.identity: the policy has no `consumers`, so everyone may use everything");
    for (at, consumer) in consumers.iter().enumerate() {
        if let When::Header { name, .. } = &consumer.when
            && *name != header
        {
            bail!("consumers[{at}].when.header: clients could send {name}; Envoy says who is calling in {header}");
        }
    }
    let jwks = match jwt.as_ref().map(|jwt| &jwt.jwks) {
        None | Some(Jwks { file: Some(_), url: None }) => None,
        Some(Jwks { file: None, url: Some(url) }) => Some(
            origin(url)
                .with_context(|| format!("envoy.identity.jwt.jwks.url: expected https://HOST/…, found {url:?}"))?,
        ),
        Some(_) => bail!("envoy.identity.jwt.jwks: give either file or url"),
    };
    Ok(Some(Shown {
        nobody: consumers.iter().any(|consumer| consumer.when == When::Nobody),
        removed: vec![header],
        jwks,
    }))
}

fn origin(url: &str) -> Option<Address> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    Endpoint::parse(&format!("https://{authority}")).ok().map(Address::from)
}
