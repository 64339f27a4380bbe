//! Reads `providers`.
//!
//! Owns the rules on where a provider is and how it is spoken to. Never asks whether anything uses it,
//! nor whether anybody answers there.

use super::endpoint::{credential, endpoint};
use super::facts;
use super::fields::section;
use super::names::Names;
use super::node::{Fields, Node};
use super::presets::{self, PRESETS, Preset};
use super::{Apis, Dialect, Provider};
use crate::catalog::{Catalog, Parameters};
use crate::request::{Api, is_beta};

section! {
    /// Where models are served. [PROVIDERS.md](PROVIDERS.md) has the presets, and all about keys.
    PROVIDER "providers[]" {
        /// Its name for `served_by`.
        name: "a short name", "openai";
        /// What is known of it: dialect, path, address, server.
        preset: "the name of a preset" = "(none)", "openai";
        /// Scheme, host and port, for `model-router envoy`.
        endpoint: "a URL" = "(the preset's)", "https://api.openai.com";
        /// Where its key is, for `model-router envoy`.
        credential: "an object" = "(none)", "{environment: OPENAI_API_KEY}";
        /// Its Envoy cluster.
        cluster: "a short name" = "(its name, where it has a preset or an endpoint)", "openai";
        /// What it speaks: `openai`, `azure_openai`, `anthropic`, `vertex_anthropic`, `bedrock_anthropic`.
        dialect: "a name" = "(the preset's)", "openai";
        /// Which of OpenAI's APIs it speaks; Responses requests are translated for one that only knows the other.
        apis: "`chat_completions`, `responses`" = "(the preset's; else both)", "[chat_completions]";
        /// What comes before `/chat/completions` or `/messages`.
        path: "a path" = "(the preset's; else /v1, for Azure /openai)", "/v1";
        /// `:authority` toward it, and the name that its certificate must have.
        authority: "a host, with a port if need be" = "(the endpoint's; else the client's)", "api.openai.com";
        /// The version of Azure's classic paths; without it Azure's v1 paths are used.
        api_version: "text" = "(none)", "2024-10-21";
        /// Where it keeps data, for `routers[].data_zone`.
        data_zone: "a short name" = "(none)", "eu";
        /// The kind of server, which refuses some parameters whatever the model.
        server: "`vllm`, `ollama`, `deepseek`, `groq`, `cohere`, `anthropic`" = "(the preset's)", "vllm";
        /// More of what it refuses or calls otherwise, as `models[].parameters`.
        parameters: "an object" = "(the server's)", "{drop: [seed]}";
        /// Long instructions and tools are marked for Claude's prompt cache.
        prompt_caching: "`true` or `false`" = "false", "true";
        /// The only features in beta that clients may ask this provider of Claude for.
        betas: "names" = "(any; at Bedrock none)", "[context-1m-2025-08-07]";
    }
}

const APIS: [(&str, Api); 2] = [("chat_completions", Api::Chat), ("responses", Api::Responses)];
const DIALECTS: [(&str, Dialect); 5] = [
    ("openai", Dialect::OpenAi),
    ("azure_openai", Dialect::AzureOpenAi),
    ("anthropic", Dialect::Anthropic),
    ("vertex_anthropic", Dialect::VertexAnthropic),
    ("bedrock_anthropic", Dialect::BedrockAnthropic),
];

/// The providers in the order of the document; a broken one keeps its place.
pub(super) fn read(root: &Fields<'_>, catalog: &Catalog) -> Vec<Provider> {
    let items = root.require("providers").and_then(|node| node.some_items(": every model is served by a provider"));
    let mut names = Names::default();
    items.unwrap_or_default().iter().map(|node| provider(node, catalog, &mut names)).collect()
}

fn provider(node: &Node<'_>, catalog: &Catalog, names: &mut Names) -> Provider {
    let mut provider = Provider {
        name: String::new(),
        endpoint: None,
        credential: None,
        cluster: String::new(),
        dialect: Dialect::OpenAi,
        apis: Apis { chat: true, responses: true },
        path: String::new(),
        authority: None,
        api_version: None,
        data_zone: None,
        parameters: Parameters::default(),
        prompt_caching: false,
        betas: None,
    };
    let Some(fields) = node.object(&PROVIDER) else { return provider };
    // Whoever mistypes a preset has one in mind, and need not hear of all that it would have brought.
    let known = PRESETS.map(|preset| (preset.name, preset));
    let preset = fields.get("preset").map(|field| field.choice(&known).unwrap_or(presets::OPENAI));
    if let Some(field) = fields.require("name") {
        // Kept as it is even where it is not legal, lest every model that names it is blamed too.
        field.value.as_str().unwrap_or_default().clone_into(&mut provider.name);
        if let Some(name) = field.label() {
            names.claim(&field, name);
        }
    }
    read_place(&fields, preset.as_ref(), &mut provider);
    read_dialect(&fields, preset.as_ref(), &mut provider);
    // Zones are compared without regard to case.
    provider.data_zone = fields.get("data_zone").and_then(|field| field.label().map(str::to_ascii_lowercase));
    read_rules(&fields, preset.as_ref(), catalog, &mut provider);
    provider
}

/// Where it is, for Envoy, and what it is called there.
fn read_place(fields: &Fields<'_>, preset: Option<&Preset>, provider: &mut Provider) {
    provider.endpoint = match fields.get("endpoint") {
        Some(field) => endpoint(&field),
        None => preset.and_then(Preset::endpoint),
    };
    provider.credential = fields.get("credential").and_then(|field| credential(&field));
    // A provider that Envoy's configuration is made for has the cluster of its name.
    let cluster = match fields.get("cluster") {
        None if preset.is_some() || fields.get("endpoint").is_some() => fields.get("name"),
        _ => fields.require("cluster"),
    };
    cluster.and_then(|field| field.label()).unwrap_or_default().clone_into(&mut provider.cluster);
    provider.authority = match fields.get("authority") {
        Some(field) => authority(&field),
        None => provider.endpoint.as_ref().map(|endpoint| endpoint.authority()),
    };
}

/// What it speaks, and on which paths.
fn read_dialect(fields: &Fields<'_>, preset: Option<&Preset>, provider: &mut Provider) {
    let dialect = match (fields.get("dialect"), preset) {
        (None, Some(preset)) => Some(preset.dialect),
        _ => fields.require("dialect").and_then(|field| field.choice(&DIALECTS)),
    };
    provider.dialect = dialect.unwrap_or(Dialect::OpenAi);
    // Another dialect than the preset's has other paths and APIs.
    let preset = preset.filter(|preset| preset.dialect == provider.dialect);
    provider.apis = preset.map_or(provider.apis, |preset| preset.apis);
    if let Some(apis) = fields.get("apis").and_then(|field| apis(&field)) {
        provider.apis = apis;
    }
    let usual = match (preset, provider.dialect) {
        (Some(preset), _) => preset.path,
        (None, Dialect::AzureOpenAi) => "/openai",
        (None, Dialect::BedrockAnthropic | Dialect::VertexAnthropic) => "",
        (None, Dialect::OpenAi | Dialect::Anthropic) => "/v1",
    };
    provider.path = match fields.get("path") {
        Some(field) => path(&field).unwrap_or_default(),
        None => usual.to_owned(),
    };
    if provider.dialect == Dialect::VertexAnthropic {
        fields.require("path");
    }
    if let Some(field) = fields.get("api_version") {
        provider.api_version = api_version(&field);
        if dialect.is_some_and(|dialect| dialect != Dialect::AzureOpenAi) {
            field.fail("only a provider with the dialect azure_openai has one");
        }
    }
}

/// What the provider refuses, whatever the model, and how it is written to.
fn read_rules(fields: &Fields<'_>, preset: Option<&Preset>, catalog: &Catalog, provider: &mut Provider) {
    let known: Vec<(&str, &str)> = catalog.servers().map(|name| (name, name)).collect();
    let server = match fields.get("server") {
        Some(field) => field.choice(&known),
        None => preset.and_then(|preset| preset.server),
    };
    provider.parameters = server.and_then(|name| catalog.server(name)).cloned().unwrap_or_default();
    if let Some(field) = fields.get("parameters") {
        provider.parameters = facts::parameters(&field, core::mem::take(&mut provider.parameters));
    }
    let messages = provider.dialect.is_messages();
    for (name, fits, rule) in [
        ("apis", !messages, "a provider of this dialect speaks the Messages API and no other"),
        ("prompt_caching", messages, ONLY_MESSAGES),
        ("betas", messages, ONLY_MESSAGES),
    ] {
        if let Some(field) = fields.get(name).filter(|_| !fits) {
            field.fail(rule);
        }
    }
    provider.prompt_caching = fields.get("prompt_caching").and_then(|field| field.flag()).unwrap_or(false);
    provider.betas = match fields.get("betas") {
        Some(field) => Some(betas(&field)),
        // It refuses a request with a beta that it does not know.
        None => (provider.dialect == Dialect::BedrockAnthropic).then(Vec::new),
    };
}

const ONLY_MESSAGES: &str = "only a provider of the Messages API has it";

fn betas(node: &Node<'_>) -> Vec<String> {
    let items = node.items().unwrap_or_default();
    let name = |item: &Node<'_>| {
        let name = item.label()?;
        if !is_beta(name) {
            item.fail("must be the name of one beta, without commas and blanks");
        }
        Some(name.to_owned())
    };
    items.iter().filter_map(name).collect()
}

fn apis(node: &Node<'_>) -> Option<Apis> {
    let mut apis = Apis { chat: false, responses: false };
    for item in node.some_items("; leave it out for a provider that speaks both")? {
        match item.choice(&APIS) {
            Some(Api::Chat) => apis.chat = true,
            Some(_) => apis.responses = true,
            None => {}
        }
    }
    Some(apis)
}

/// A prefix of the provider's paths. Empty means that there is none.
pub(super) fn path(node: &Node<'_>) -> Option<String> {
    let path = node.text()?;
    let rule = if path.is_empty() {
        return Some(String::new());
    } else if !path.starts_with('/') {
        "must start with `/`"
    } else if path.ends_with('/') {
        "must not end with `/`"
    } else if path.contains(['?', '#']) {
        "must be a path without a query"
    } else if !path.chars().all(|c| c.is_ascii_graphic()) {
        "must be visible ASCII"
    } else {
        return Some(path.to_owned());
    };
    node.fail(rule);
    None
}

pub(super) fn authority(node: &Node<'_>) -> Option<String> {
    let host = node.label()?;
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']')) {
        node.fail("must be a host name, with a port if need be, and nothing else");
        return None;
    }
    Some(host.to_owned())
}

fn api_version(node: &Node<'_>) -> Option<String> {
    let version = node.label()?;
    if !version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) {
        node.fail("must be a version like 2024-10-21");
        return None;
    }
    Some(version.to_owned())
}
