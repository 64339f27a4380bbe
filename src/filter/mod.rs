//! The host binding: one `.wasm`, two plugins, told apart by their `root_id`; and a third that is both in one.
//!
//! Owns the contexts that Envoy calls, and the calls to Envoy. Never decides, reads or rewrites by itself: a callback
//! reads what the host has, calls a pure function and applies what it says.

mod accounts;
mod attempt;
mod checking;
mod cooling;
mod host;
mod limiter;
mod memory;
mod metrics;
mod outcome;
mod property;
mod reply;
mod route;
mod telling;

use crate::policy::Policy;
use log::{error, info, warn};
use metrics::Metrics;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};
use std::rc::Rc;

// The macro's exported function carries no documentation.
#[allow(missing_docs)]
mod entry {
    use super::*;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(Root { plugin: Plugin::Unconfigured, metrics: Rc::default() }));
    }}
}

/// What a plugin instance does.
enum Plugin {
    /// Before its configuration has been accepted.
    Unconfigured,
    /// Downstream: reads and decides.
    Route(Rc<Policy>),
    /// Upstream, once per attempt: rewrites, judges, accounts.
    Attempt,
    /// Downstream, where nothing can be put upstream: the work of both, for one attempt.
    Both(Rc<Policy>),
}

struct Root {
    plugin: Plugin,
    metrics: Rc<Metrics>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let root_id = host::property(&["plugin_root_id"]).unwrap_or_default();
        let plugin = match root_id.as_slice() {
            b"route" => read_policy().map(|policy| Plugin::Route(Rc::new(policy))),
            b"both" => read_policy().map(|policy| Plugin::Both(Rc::new(policy.with_one_attempt()))),
            // All that an attempt needs comes with the request, so there is nothing to configure.
            b"attempt" => Some(Plugin::Attempt),
            _ => {
                error!("root_id must be 'route', 'attempt' or 'both'");
                None
            }
        };
        self.plugin = plugin.unwrap_or(Plugin::Unconfigured);
        !matches!(self.plugin, Plugin::Unconfigured)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let metrics = Rc::clone(&self.metrics);
        match &self.plugin {
            Plugin::Route(policy) => Some(Box::new(route::RouteContext::new(Rc::clone(policy), metrics))),
            Plugin::Both(policy) => Some(Box::new(route::RouteContext::with_attempt(Rc::clone(policy), metrics))),
            Plugin::Attempt => Some(Box::new(attempt::AttemptContext::new(metrics))),
            Plugin::Unconfigured => Some(Box::new(Inert)),
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Reads the policy; every error goes to the log, and Envoy refuses to start.
fn read_policy() -> Option<Policy> {
    let configuration = host::plugin_configuration();
    match Policy::parse(&configuration) {
        Ok(policy) => {
            policy.warnings.iter().for_each(|warning| warn!("{warning}"));
            info!(
                "{} routers, {} models, {} providers",
                policy.routers.len(),
                policy.models.len(),
                policy.providers.len()
            );
            if let Some(filter) = &policy.content_filter {
                // Envoy does not tell which clusters it has.
                let cluster = &filter.cluster;
                warn!("content_filter.cluster: whether there is a cluster `{cluster}` shows with the first request");
            }
            Some(policy)
        }
        Err(errors) => {
            errors.iter().for_each(|error| error!("{error}"));
            None
        }
    }
}

/// A stream of a plugin without a configuration; Envoy does not send it any, but must not be able to trap the VM.
struct Inert;
impl Context for Inert {}
impl HttpContext for Inert {}

/// Ends the VM as a defect of the filter would, where a test's request asks for it.
#[cfg(feature = "trap")]
fn trap_if_asked(plugin: &str) {
    if host::header(proxy_wasm::types::MapType::HttpRequestHeaders, "x-trap").as_deref() == Some(plugin) {
        std::process::abort();
    }
}
