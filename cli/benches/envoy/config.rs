//! envoy/envoy.yaml → the configuration of each Envoy.
//!
//! The filter's is the file as it is, but for ports, and for a router and a model that the measurements need besides.
//! The bare one's is the same with everything taken out that is there for the filter: one listener, one route, one
//! cluster, and the same access log. Others lie between: plugins that do nothing, in either of the two, and an external
//! processor. Only as much of the file's structure is known here as that takes; what is not found is an error, not a
//! silent difference.

use anyhow::{Context as _, anyhow, bail};
use model_router::policy::{Dialect, Policy, Provider};
use serde_json::{Value, json};

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
/// Of the manager: what names the cluster of an attempt.
const MATCHER: &str = "/route_config/virtual_hosts/0/routes/0/route/inline_cluster_specifier_plugin/extension/typed_config/cluster_matcher";
const OPTIONS: &str = "/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// `model-router` without session affinity. As long a name, so that bodies are of the same length.
pub const FORGETFUL: &str = "router-alone";
/// A model of a provider that only speaks Chat Completions, with room for bodies of 1 MB.
pub const CHAT_ONLY: &str = "chat-only";
/// Of the listener's filters and of each cluster's.
const PLUGIN: &str = "/http_filters/0/typed_config/config";
/// Of a cluster.
const ADDRESS: &str = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
/// What `scripts/wasm-cargo.sh empty` builds.
const EMPTY_MODULE: &str = "target/empty.wasm";

/// What is measured beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Envoy without the filter.
    Bare,
    /// Bare Envoy with two plugins whose callbacks do nothing.
    Idle,
    /// Bare Envoy with two plugins that hold the body and set a header.
    Empty,
    /// Bare Envoy with an external processor that does nothing.
    ExtProc,
    /// Envoy with all that is there for the filter, and those two in its place.
    Machinery,
    /// Envoy with the filter.
    Filter,
    /// The mock provider itself.
    Direct,
    /// LiteLLM's proxy.
    LiteLlm,
}

/// Where an Envoy listens and what it is in front of.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Requests.
    pub listener: u16,
    /// Statistics.
    pub admin: u16,
    /// Behind it.
    pub upstreams: Upstreams,
}

/// What Envoys are in front of.
#[derive(Clone, Copy, Debug)]
pub struct Upstreams {
    /// The mock provider, which stands for all providers that speak both APIs, and
    pub provider: u16,
    /// for those that only speak Chat Completions, and
    pub chat_only: u16,
    /// for those that only speak Messages.
    pub messages_only: u16,
    /// The external processor, for the one Envoy that has one.
    pub processor: u16,
}

/// The configuration of a side.
pub fn of(side: Side, yaml: &str, ports: Ports) -> anyhow::Result<Value> {
    match side {
        Side::Bare => bare(yaml, ports),
        Side::Idle => bare_with_plugins(yaml, ports, "idle"),
        Side::Empty => bare_with_plugins(yaml, ports, "hold"),
        Side::ExtProc => bare_with_processor(yaml, ports),
        Side::Machinery => without_code(yaml, ports),
        Side::Filter => with_filter(yaml, ports),
        Side::Direct | Side::LiteLlm => bail!("{side:?} is no Envoy"),
    }
}

/// With the filter.
fn with_filter(yaml: &str, ports: Ports) -> anyhow::Result<Value> {
    let mut document: Value = serde_yaml_ng::from_str(yaml)?;
    *port(&mut document, "/admin/address")? = ports.admin.into();
    *port(&mut document, "/static_resources/listeners/0/address")? = ports.listener.into();
    let policy = format!("{MANAGER}{PLUGIN}/configuration/value");
    let providers = document.pointer(&policy).map(Policy::from_value).context("no policy")?;
    let providers = providers.map_err(|_| anyhow!("a policy that is not valid"))?.providers;
    for cluster in array(&mut document, "/static_resources/clusters")? {
        let of_cluster = |provider: &&Provider| cluster.get("name").is_some_and(|name| *name == provider.cluster);
        let provider = ports.upstreams.of(providers.iter().find(of_cluster).context("a cluster of no provider")?);
        *port(cluster, ADDRESS)? = provider.into();
    }
    let routers = array(&mut document, &format!("{policy}/routers"))?;
    let mut forgetful = routers.first().context("no router")?.clone();
    let fields = forgetful.as_object_mut().context("a router that is no object")?;
    fields.insert("name".into(), FORGETFUL.into());
    fields.insert("session_affinity".into(), "none".into());
    routers.push(forgetful);
    let models = array(&mut document, &format!("{policy}/models"))?;
    let served = |model: &&Value| model.get("name").is_some_and(|name| name == "gpt-oss-120b");
    let served_by = models.iter().find(served).and_then(|model| model.get("served_by")).context("no gpt-oss-120b")?;
    models.push(json!({
        "name": CHAT_ONLY, "served_by": served_by, "abilities_like": "gpt-oss-120b",
        "price": {"input": 0.1, "output": 0.5}, "context": {"input": 1_000_000, "output": 32768},
    }));
    Ok(document)
}

impl Upstreams {
    /// Where the mock provider is that speaks what `provider` does, and nothing else: a measurement of translation cannot
    /// be of anything else either.
    fn of(&self, provider: &Provider) -> u16 {
        match provider.dialect {
            Dialect::Anthropic => self.messages_only,
            _ if provider.speaks_responses() => self.provider,
            _ => self.chat_only,
        }
    }
}

/// All that is there for the filter, and in its place two plugins that hold the body and name no cluster.
fn without_code(yaml: &str, ports: Ports) -> anyhow::Result<Value> {
    let mut document = with_filter(yaml, ports)?;
    put_empty_module(&mut document, MANAGER)?;
    for cluster in array(&mut document, "/static_resources/clusters")? {
        put_empty_module(cluster, OPTIONS)?;
    }
    let matcher = format!("{MANAGER}{MATCHER}");
    let clusters = object(&mut document, &format!("{matcher}/matcher_tree/exact_match_map/map"))?;
    let first = clusters.values().next().cloned().context("no cluster to match")?;
    object(&mut document, &matcher)?.insert("on_no_match".into(), first);
    Ok(document)
}

/// Without the filter, but with two plugins of the empty module.
fn bare_with_plugins(yaml: &str, ports: Ports, configuration: &str) -> anyhow::Result<Value> {
    let source = without_code(yaml, ports)?;
    let plugin = |holder: &str| {
        let mut plugin = source.pointer(&format!("{holder}/http_filters/0")).context("no plugin")?.clone();
        let text = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration});
        object(&mut plugin, "/typed_config/config")?.insert("configuration".into(), text);
        anyhow::Ok(plugin)
    };
    let upstream = format!("/static_resources/clusters/0{OPTIONS}");
    let codec = source.pointer(&upstream).and_then(|options| options.pointer("/http_filters/2")).context("no codec")?;
    let mut document = bare(yaml, ports)?;
    array(&mut document, &format!("{MANAGER}/http_filters"))?.insert(0, plugin(MANAGER)?);
    object(&mut document, &upstream)?.insert("http_filters".into(), json!([plugin(&upstream)?, codec]));
    Ok(document)
}

/// Without the filter, but with an external processor that sees what the filter does of each request.
fn bare_with_processor(yaml: &str, ports: Ports) -> anyhow::Result<Value> {
    let mut document = bare(yaml, ports)?;
    let filter = json!({"name": "envoy.filters.http.ext_proc", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "processor"}},
        "message_timeout": "10s",
        "processing_mode": {
            "request_header_mode": "SEND", "request_body_mode": "BUFFERED", "response_header_mode": "SKIP",
        },
    }});
    array(&mut document, &format!("{MANAGER}/http_filters"))?.insert(0, filter);
    let clusters = array(&mut document, "/static_resources/clusters")?;
    let mut cluster = clusters.first().context("no cluster")?.clone();
    *port(&mut cluster, ADDRESS)? = ports.upstreams.processor.into();
    *object(&mut cluster, OPTIONS)?.get_mut("explicit_http_config").context("no protocol")? =
        json!({"http2_protocol_options": {}});
    object(&mut cluster, "")?.insert("name".into(), "processor".into());
    clusters.push(cluster);
    Ok(document)
}

fn put_empty_module(document: &mut Value, holder: &str) -> anyhow::Result<()> {
    let filename = document.pointer_mut(&format!("{holder}{PLUGIN}/vm_config/code/local/filename"));
    *filename.context("a plugin without a module")? = EMPTY_MODULE.into();
    Ok(())
}

/// Without it.
fn bare(yaml: &str, ports: Ports) -> anyhow::Result<Value> {
    let mut document = with_filter(yaml, ports)?;
    object(&mut document, "")?.remove("stats_config");
    object(&mut document, "/static_resources")?.remove("secrets");
    let clusters = array(&mut document, "/static_resources/clusters")?;
    clusters.truncate(1);
    let cluster = clusters.first_mut().context("no cluster")?;
    object(cluster, OPTIONS)?.remove("http_filters").context("no upstream filters")?;
    let name = cluster.get("name").cloned().context("a cluster without a name")?;
    let manager = object(&mut document, MANAGER)?;
    let router = "envoy.filters.http.router";
    let filters = manager.get_mut("http_filters").and_then(Value::as_array_mut).context("no filters")?;
    filters.retain(|filter| filter.get("name").is_some_and(|name| name == router));
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "600s"}}]);
    let hosts = json!([{"name": "bare", "domains": ["*"], "routes": routes}]);
    manager.insert("route_config".into(), json!({"name": "bare", "virtual_hosts": hosts}));
    Ok(document)
}

fn port<'a>(document: &'a mut Value, address: &str) -> anyhow::Result<&'a mut Value> {
    let path = format!("{address}/socket_address/port_value");
    document.pointer_mut(&path).with_context(|| format!("no {path} in envoy.yaml"))
}

fn array<'a>(document: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Vec<Value>> {
    let array = document.pointer_mut(path).and_then(Value::as_array_mut);
    array.with_context(|| format!("no list {path} in envoy.yaml"))
}

fn object<'a>(document: &'a mut Value, path: &str) -> anyhow::Result<&'a mut serde_json::Map<String, Value>> {
    let object = document.pointer_mut(path).and_then(Value::as_object_mut);
    object.with_context(|| format!("no {path} in envoy.yaml"))
}
