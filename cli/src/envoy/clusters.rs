//! From the policy's providers, and its content filter, to Envoy's clusters and secrets.
//!
//! Owns which header a key goes into and what name its certificate must have. Never reads a key.

use anyhow::{Context, bail, ensure};
use model_router::policy::{ContentFilter, Credential, Dialect, Endpoint, Policy, Provider};
use serde::Serialize;
use std::net::IpAddr;

/// What the template shows of a cluster.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    pub name: String,
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// The name in the TLS handshake, and the one that the certificate must have.
    pub sni: String,
    pub credential: Option<Key>,
    /// Whether it serves models, so that the attempt plugin belongs into it.
    pub serves: bool,
}

/// Where something is that serves no models, and needs no key.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

impl From<Endpoint> for Address {
    fn from(Endpoint { tls, host, port }: Endpoint) -> Address {
        Address { tls, host, port }
    }
}

/// How a provider gets its key.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    pub header: &'static str,
    pub prefix: &'static str,
    /// The field of Envoy's `DataSource`, and what it says.
    pub source: (&'static str, String),
}

/// A cluster for each that the providers name, in their order, and last the content filter's.
///
/// # Errors
/// Where a provider does not say where it is, or two say different things of one cluster.
pub fn clusters(policy: &Policy) -> anyhow::Result<Vec<Cluster>> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (at, provider) in policy.providers.iter().enumerate() {
        let cluster = of_provider(provider).with_context(|| format!("providers[{at}]"))?;
        match clusters.iter().find(|known| known.name == cluster.name) {
            None => clusters.push(cluster),
            Some(known) if *known == cluster => {}
            Some(_) => bail!("providers[{at}]: cluster {} has another endpoint or credential above", cluster.name),
        }
    }
    if let Some(filter) = &policy.content_filter {
        clusters.push(of_content_filter(filter).context("content_filter")?);
    }
    Ok(clusters)
}

fn of_content_filter(filter: &ContentFilter) -> anyhow::Result<Cluster> {
    let endpoint = filter.endpoint.clone().context("needs an `endpoint`")?;
    let cluster = cluster(&filter.cluster, endpoint, Some(&filter.authority)).context("needs an `authority`")?;
    Ok(Cluster { credential: filter.credential.as_ref().map(|credential| key(Dialect::OpenAi, credential)), ..cluster })
}

fn of_provider(provider: &Provider) -> anyhow::Result<Cluster> {
    let name = &provider.name;
    let endpoint = provider.endpoint.clone();
    let endpoint = endpoint.with_context(|| format!("`{name}` needs an `endpoint`, or a `preset` that has one"))?;
    let cluster = cluster(&provider.cluster, endpoint, provider.authority.as_deref())
        .with_context(|| format!("`{name}` needs an `authority`"))?;
    let credential = provider.credential.as_ref().map(|credential| key(provider.dialect, credential));
    Ok(Cluster { credential, serves: true, ..cluster })
}

/// One without a key that serves nothing.
fn cluster(name: &str, Endpoint { tls, host, port }: Endpoint, authority: Option<&str>) -> anyhow::Result<Cluster> {
    let sni = if tls { certified_name(authority.unwrap_or(&host))? } else { String::new() };
    Ok(Cluster { name: name.to_owned(), host, port, tls, sni, credential: None, serves: false })
}

/// Behind a private address a server still has its public name: that of `authority`.
fn certified_name(authority: &str) -> anyhow::Result<String> {
    let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
    ensure!(!name.starts_with('[') && name.parse::<IpAddr>().is_err(), "the name in its certificate");
    Ok(name.to_owned())
}

fn key(dialect: Dialect, credential: &Credential) -> Key {
    let (header, prefix) = match dialect {
        Dialect::AzureOpenAi => ("api-key", ""),
        Dialect::Anthropic => ("x-api-key", ""),
        Dialect::OpenAi | Dialect::VertexAnthropic | Dialect::BedrockAnthropic => ("authorization", "Bearer "),
    };
    let source = match credential {
        Credential::File(path) => ("filename", path.clone()),
        Credential::Environment(name) => ("environment_variable", name.clone()),
    };
    Key { header, prefix, source }
}
