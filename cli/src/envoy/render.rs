//! The templates, filled in.
//!
//! Owns how values become YAML and where the policy's text goes. Never decides anything.

use super::Settings;
use super::clusters::{Cluster, clusters};
use super::tracing::Tracing;
use super::{identity, limits};
use crate::source;
use anyhow::{Context, ensure};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, context, value::Serde};
use model_router::policy::Policy;
use serde_json::Value;
use std::path::Path;

/// Names of the labels that the filter puts into its metrics' names.
const LABELS: [&str; 13] = [
    "router",
    "mode",
    "model",
    "outcome",
    "result",
    "kind",
    "reason",
    "plugin",
    "decision",
    "consumer",
    "policy",
    "agreement",
    "verdict",
];
const TEMPLATES: [(&str, &str); 7] = [
    ("bootstrap", include_str!("bootstrap.yaml")),
    ("listener", include_str!("listener.yaml")),
    ("identity", include_str!("identity.yaml")),
    ("limits", include_str!("limits.yaml")),
    ("tracing", include_str!("tracing.yaml")),
    ("secrets", include_str!("secrets.yaml")),
    ("clusters", include_str!("clusters.yaml")),
];

/// A policy and where it comes from.
pub struct From<'a> {
    pub file: &'a Path,
    pub text: &'a str,
}

/// What the templates see of the policy, and the templates.
struct Page<'a> {
    clusters: Vec<Cluster>,
    environment: Environment<'a>,
    values: minijinja::Value,
}

/// The whole configuration in one text.
///
/// # Errors
/// Where the policy is not valid, or does not say where a provider is.
pub fn complete(from: &From<'_>) -> anyhow::Result<String> {
    let page = page(from, None)?;
    let more = context! {
        listener => page.listener()?,
        secret_items => page.part("secrets", context! {})?,
        cluster_items => page.part("clusters", context! {})?,
    };
    Ok(page.part("bootstrap", more)? + "\n")
}

/// The configuration in files that Envoy watches, by name, in the order in which they must be written: keys before the
/// clusters that use them, clusters before the listener that sends requests to them. `folder` is where Envoy finds them.
///
/// # Errors
/// As [`complete`], or where a file cannot have its cluster's name.
pub fn watched(from: &From<'_>, folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let page = page(from, Some(folder))?;
    let resources = |items: &str| format!("resources:\n{items}\n");
    let mut files = Vec::new();
    // Envoy wants each secret in a file of its own.
    for cluster in page.clusters.iter().filter(|cluster| cluster.credential.is_some()) {
        ensure!(!cluster.name.contains('/'), "cluster {}: no file can have this name", cluster.name);
        let secret = page.part("secrets", context! { clusters => Serde([cluster]) })?;
        files.push((format!("sds-{}.yaml", cluster.name), resources(&secret)));
    }
    files.push(("cds.yaml".to_owned(), resources(&page.part("clusters", context! {})?)));
    files.push(("lds.yaml".to_owned(), resources(&item(&page.listener()?))));
    files.push(("envoy.yaml".to_owned(), page.part("bootstrap", context! {})? + "\n"));
    Ok(files)
}

/// The configuration of the rate limit service.
///
/// # Errors
/// Where the policy is not valid, or asks no service.
pub fn rate_limits(from: &From<'_>) -> anyhow::Result<String> {
    let (_, policy, settings) = read(from)?;
    let rules = limits::of_service(&policy, settings.rate_limit.as_ref())?;
    let origin = format!("# Made by `model-router envoy --policy {} --rate-limits FILE`.\n", from.file.display());
    Ok(origin + &rules)
}

/// The document, the policy that it is, and what it says of Envoy itself.
fn read(from: &From<'_>) -> anyhow::Result<(Value, Policy, Settings)> {
    let file = from.file.display();
    let document: Value = serde_yaml_ng::from_str(from.text).with_context(|| format!("{file} is no YAML"))?;
    let policy = source::valid(&document, from.file, "")?;
    let settings = Settings::of(&document).with_context(|| file.to_string())?;
    Ok((document, policy, settings))
}

fn environment<'a>() -> anyhow::Result<Environment<'a>> {
    let mut environment = Environment::new();
    // A line with nothing but a tag leaves none.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("yaml", yaml);
    environment.add_filter("item", |text: &str| item(text));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

fn page<'a>(from: &From<'_>, folder: Option<&Path>) -> anyhow::Result<Page<'a>> {
    let file = from.file.display();
    let (document, policy, settings) = read(from)?;
    let service = settings.rate_limit.as_ref().and_then(|it| it.service.as_ref());
    let tls = settings.listener.tls.is_some();
    let identity = identity::shown(settings.identity.as_ref(), &policy, tls).with_context(|| file.to_string())?;
    let clusters = clusters(&policy).with_context(|| file.to_string())?;
    let collector = settings.tracing.as_ref().map(Tracing::collector).transpose();
    let collector = collector.with_context(|| format!("{file}: envoy.tracing"))?;
    let values = context! {
        origin => format!("Made by `model-router envoy --policy {file}`: change that file rather than this one."),
        identity => Serde(identity),
        limits => Serde(limits::kinds(&policy)),
        service_address => Serde(service.map(limits::Service::address).transpose().with_context(|| file.to_string())?),
        service => Serde(service),
        settings => Serde(&settings),
        collector => collector.map(Serde),
        policy => embedded(from.text, &document)?,
        retries => policy.max_attempts - 1,
        secrets => clusters.iter().any(|cluster| cluster.credential.is_some()),
        clusters => Serde(&clusters),
        labels => LABELS,
        xds => folder.map(|folder| folder.display().to_string()),
    };
    Ok(Page { clusters, environment: environment()?, values })
}

impl Page<'_> {
    /// The listener, with what not every policy has.
    fn listener(&self) -> anyhow::Result<String> {
        let traced = self.values.get_attr("collector")?.is_true();
        let more = context! {
            identity_filters => self.part("identity", context! {})?,
            limit_filters => self.part("limits", context! {})?,
            tracing => traced.then(|| self.part("tracing", context! {})).transpose()?,
        };
        self.part("listener", more)
    }

    /// A template without the line break at its end.
    fn part(&self, name: &str, more: minijinja::Value) -> anyhow::Result<String> {
        let text = self.environment.get_template(name)?.render(context! { ..more, ..self.values.clone() })?;
        Ok(text.trim_end().to_owned())
    }
}

/// The policy as it was written, comments too, where it can stand inside another document; else its values alone.
fn embedded(text: &str, document: &Value) -> anyhow::Result<String> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let indented: String = text.trim_end().lines().map(|line| format!("  {line}\n")).collect();
    let inside = serde_yaml_ng::from_str::<Value>(&format!("policy:\n{indented}"));
    if inside.is_ok_and(|inside| inside.get("policy") == Some(document)) {
        return Ok(text.trim_end().to_owned());
    }
    Ok(serde_yaml_ng::to_string(document)?.trim_end().to_owned())
}

/// A value in YAML's flow style; a plain word where that says the same.
fn yaml(value: Serde<Value>) -> anyhow::Result<String, minijinja::Error> {
    let json = value.0.to_string();
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
            && serde_yaml_ng::from_str::<Value>(text).is_ok_and(|read| read == text)
    };
    Ok(value.0.as_str().filter(|text| plain(text)).map_or(json, str::to_owned))
}

/// The text as an item of a list.
fn item(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(at, line)| match (at, line) {
        (0, line) => format!("- {line}"),
        (_, "") => String::new(),
        (_, line) => format!("  {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
