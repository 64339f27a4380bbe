//! From the policy's providers to Envoy's clusters and secrets.
//!
//! Owns which header a provider's key goes into and what name its certificate must have. Never reads a key.

use anyhow::{Context, bail};
use model_router::policy::{Credential, Dialect, Endpoint, Policy, Provider};
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
}

/// How a provider gets its key.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    pub header: &'static str,
    pub prefix: &'static str,
    /// The field of Envoy's `DataSource`, and what it says.
    pub source: (&'static str, String),
}

/// A cluster for each that the providers name, in their order.
///
/// # Errors
/// Where a provider does not say where it is, or two say different things of one cluster.
pub fn clusters(policy: &Policy) -> anyhow::Result<Vec<Cluster>> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (at, provider) in policy.providers.iter().enumerate() {
        let cluster = cluster(provider).with_context(|| format!("providers[{at}]"))?;
        match clusters.iter().find(|known| known.name == cluster.name) {
            None => clusters.push(cluster),
            Some(known) if *known == cluster => {}
            Some(_) => bail!("providers[{at}]: cluster {} has another endpoint or credential above", cluster.name),
        }
    }
    Ok(clusters)
}

fn cluster(provider: &Provider) -> anyhow::Result<Cluster> {
    let Some(Endpoint { tls, host, port }) = provider.endpoint.clone() else {
        bail!("`{}` needs an `endpoint`, or a `preset` that has one", provider.name);
    };
    Ok(Cluster {
        name: provider.cluster.clone(),
        sni: if tls { certified_name(provider, &host)? } else { String::new() },
        host,
        port,
        tls,
        credential: provider.credential.as_ref().map(|credential| key(provider.dialect, credential)),
    })
}

/// Behind a private address the provider still has its public name: that of `authority`.
fn certified_name(provider: &Provider, host: &str) -> anyhow::Result<String> {
    let authority = provider.authority.as_deref().unwrap_or(host);
    let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
    if name.starts_with('[') || name.parse::<IpAddr>().is_ok() {
        bail!("`{}` needs an `authority`: the name in its certificate", provider.name);
    }
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
