//! Tokens and money of an answer, into metrics and the access log.
//!
//! Owns their names and units. Never judges an answer.

use super::host;
use super::metrics::Metrics;
use super::property;
use crate::attempt::{Brief, Slot};
use crate::decide::cost::{microdollars, of_baseline, of_usage};
use crate::explain::fixed;
use crate::request::Api;
use crate::response::Answer;

/// Books an answer of `slot`.
pub fn book(metrics: &Metrics, brief: &Brief, slot: &Slot, answer: &Answer) {
    if let Some(model) = &answer.model {
        host::set_property(property::RESPONSE_MODEL, model.get(..128).unwrap_or(model).as_bytes());
    }
    let model = ("model", slot.model.as_str());
    let Some(usage) = &answer.usage else {
        // Not everything has any.
        let expected = brief.request.api != Api::Other && !brief.request.later;
        return if expected {
            metrics.add("usage_missing_total", &[model], 1)
        };
    };
    let counts = [
        ("input", usage.input, property::INPUT_TOKENS),
        ("cached_input", usage.cached_input, property::CACHED_TOKENS),
        ("cache_write", usage.cache_write, property::CACHE_WRITE_TOKENS),
        ("output", usage.output, property::OUTPUT_TOKENS),
        ("reasoning", usage.reasoning, property::REASONING_TOKENS),
    ];
    for (kind, tokens, name) in counts {
        metrics.add("tokens_total", &[model, ("kind", kind)], tokens);
        if tokens > 0 {
            host::set_property(name, tokens.to_string().as_bytes());
        }
    }
    let consumer = Some(("consumer", brief.consumer.as_str())).filter(|(_, name)| !name.is_empty());
    if let Some(consumer) = consumer {
        metrics.add("consumer_tokens_total", &[consumer, ("kind", "input")], usage.input);
        metrics.add("consumer_tokens_total", &[consumer, ("kind", "output")], usage.output);
    }
    let Some(price) = &slot.price else { return };
    let router = ("router", brief.router.as_str());
    let cost = of_usage(price, brief.fee, usage);
    let counted = microdollars(cost);
    metrics.add_of(&brief.policy, "cost_microdollars_total", &[router, model], counted);
    if let Some(consumer) = consumer {
        metrics.add("consumer_cost_microdollars_total", &[consumer], counted);
    }
    host::set_property(property::COST, fixed(cost, 6).as_bytes());
    if brief.limited {
        host::set_property(property::MICRODOLLARS, counted.to_string().as_bytes());
    }
    if let Some(baseline) = &brief.baseline {
        let cost = of_baseline(baseline, usage);
        metrics.add_of(&brief.policy, "baseline_cost_microdollars_total", &[router], microdollars(cost));
        host::set_property(property::BASELINE_COST, fixed(cost, 6).as_bytes());
    }
}
