//! Limits: what Envoy's rate limit filters, which come next, have to know; and what clients are told where they refuse.
//!
//! Never counts anything, nor knows who is limited to what: that stands in Envoy's configuration.

use super::host;
use super::metrics::Metrics;
use super::property;
use crate::decide::Charge;
use crate::response::error::ErrorReply;
use crate::response::limited::{Counter, Limit, Told, first_number, limited};
use proxy_wasm::types::MapType;

const REASON: &str = "x-model-router-reason";
const RESPONSE: MapType = MapType::HttpResponseHeaders;
/// Who waits longer than this many seconds is better told at once.
const PATIENCE: u64 = 60;

/// Leaves word of what a request is charged with. What is not known yet is 0 rather than absent, of which Envoy warns.
pub fn publish(router: &str, charge: Charge) {
    // Of what is empty Envoy would ask for nobody.
    if !router.is_empty() {
        host::set_property(property::ROUTER, router.as_bytes());
    }
    host::set_property(property::TOKENS, charge.tokens.to_string().as_bytes());
    host::set_property(property::EXPECTED_MICRODOLLARS, charge.microdollars.to_string().as_bytes());
    host::set_property(property::MICRODOLLARS, b"0");
}

/// The error of a response whose `details` say that it is a rate limit filter's.
pub fn refused(details: &[u8], charge: Charge, metrics: &Metrics) -> Option<ErrorReply> {
    let counter = match details {
        b"local_rate_limited" => Counter::Local,
        b"request_rate_limited" => Counter::Fleet,
        b"rate_limiter_error" => {
            let error = ErrorReply::of_limiter();
            note(metrics, error.code);
            return Some(error);
        }
        _ => return None,
    };
    // Each filter has said in its refusal which one it is.
    let said = host::header(RESPONSE, REASON).unwrap_or_default();
    let limit = Limit::ALL.into_iter().find(|limit| limit.name() == said).unwrap_or(Limit::Requests);
    let limited = limited(limit, told(limit), charge, counter);
    note(metrics, limited.limit.name());
    if let Some(wait) = limited.wait {
        host::set_header(RESPONSE, "retry-after", Some(&wait.to_string()));
    }
    if limited.wait.is_none_or(|wait| wait > PATIENCE) {
        host::set_header(RESPONSE, "x-should-retry", Some("false"));
    }
    Some(limited.error)
}

fn note(metrics: &Metrics, reason: &str) {
    metrics.add("rejected_total", &[("reason", reason)], 1);
    host::set_header(RESPONSE, REASON, Some(reason));
}

/// What the headers say of a limit that has refused. The service's answer comes before any header gets a name of its own, so
/// the names are those of the last filter.
fn told(limit: Limit) -> Told {
    let named = |limit: Limit| limit.headers().map(|name| host::header(RESPONSE, name));
    let is_there = |limit: &Limit| named(*limit).iter().any(Option::is_some);
    let Some(last) = Limit::ALL.into_iter().rev().find(is_there) else { return Told::default() };
    let values = named(last);
    if last != limit {
        for (wrong, (right, value)) in last.headers().into_iter().zip(limit.headers().into_iter().zip(&values)) {
            host::set_header(RESPONSE, wrong, None);
            host::set_header(RESPONSE, right, value.as_deref());
        }
    }
    values.map(|value| first_number(&value?))
}

/// Leaves one number in each header with a limit: the service of a fleet says more than clients understand.
pub fn tidy() {
    for [name, ..] in Limit::ALL.map(Limit::headers) {
        let value = host::header(RESPONSE, name).filter(|value| value.contains(','));
        if let Some(number) = value.and_then(|value| first_number(&value)) {
            host::set_header(RESPONSE, name, Some(&number.to_string()));
        }
    }
}
