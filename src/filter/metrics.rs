//! Metrics, by their Prometheus names.
//!
//! The host knows no labels: they stand in the name (`model_router.attempts_total;model=gpt-5;result=200`), and
//! `stats_tags` in Envoy's configuration makes labels of them. Label values come from the policy or from fixed lists,
//! so their number is bounded; the policy's validation keeps `;` out of them.

use super::host;
use hashbrown::HashMap;
use proxy_wasm::types::MetricType;
use std::cell::{Cell, RefCell};

/// Ids of the metrics that this VM has used.
#[derive(Default)]
pub struct Metrics {
    ids: RefCell<HashMap<String, Option<u32>>>,
    memory: Cell<u64>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, name: &str, labels: &[(&str, &str)], by: u64) {
        self.add_of("", name, labels, by);
    }

    /// Adds to a counter that is told apart by the policy that decided, where policies have names.
    pub fn add_of(&self, policy: &str, name: &str, labels: &[(&str, &str)], by: u64) {
        if let Some(id) = self.id(MetricType::Counter, name, labels, policy).filter(|_| by > 0) {
            host::increment_metric(id, by);
        }
    }

    /// Adds a value to a histogram.
    pub fn observe(&self, name: &str, labels: &[(&str, &str)], value: u64) {
        if let Some(id) = self.id(MetricType::Histogram, name, labels, "") {
            host::record_metric(id, value);
        }
    }

    /// Notes this VM's linear memory when it has grown.
    pub fn note_memory(&self, plugin: &str) {
        let memory = host::memory();
        if self.memory.replace(memory) != memory
            && let Some(id) = self.id(MetricType::Gauge, "memory_bytes", &[("plugin", plugin)], "")
        {
            host::record_metric(id, memory);
        }
    }

    fn id(&self, kind: MetricType, name: &str, labels: &[(&str, &str)], policy: &str) -> Option<u32> {
        let mut full = String::with_capacity(96);
        full.push_str("model_router.");
        full.push_str(name);
        for (label, value) in labels {
            full.extend([";", label, "=", value]);
        }
        if !policy.is_empty() {
            full.extend([";policy=", policy]);
        }
        if let Some(id) = self.ids.borrow().get(&full) {
            return *id;
        }
        let id = host::define_metric(kind, &full);
        self.ids.borrow_mut().insert(full, id);
        id
    }
}
