//! Reads `limits` of routers and consumers.
//!
//! Owns how much may be asked for in which time. Never counts: Envoy's rate limit filters do, by what the filter publishes.

use super::fields::section;
use super::node::Node;

section! {
    /// How much may be used in which time; `consumers[].limits` are the same. Envoy counts them: [LIMITS.md](LIMITS.md).
    LIMITS "routers[].limits" {
        /// Requests.
        requests_per_minute: "a whole number from 1 to 1000000000" = "(no limit)", "60";
        /// Tokens, in and out, as estimated when a request comes.
        tokens_per_minute: "a whole number from 1 to 1000000000" = "(no limit)", "100000";
        /// A budget.
        usd_per_day: "USD, from 0.01 to 4000" = "(no limit)", "20";
    }
}

/// How much may be used in which time; what is `None` has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests.
    pub requests_per_minute: Option<u32>,
    /// Tokens, in and out, as estimated before an answer is there.
    pub tokens_per_minute: Option<u32>,
    /// Money, in millionths of a dollar.
    pub microdollars_per_day: Option<u32>,
}

impl Limits {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        *self != Limits::default()
    }
}

pub(super) fn read(node: &Node<'_>) -> Limits {
    let Some(fields) = node.object(&LIMITS) else {
        return Limits::default();
    };
    // Envoy counts up to here.
    let count = |name| fields.get(name).and_then(|field| field.whole(1, 1_000_000_000));
    let usd = fields.get("usd_per_day").and_then(|field| {
        // Money is counted in millionths of a dollar, of which Envoy's counters hold no more.
        field.number("a number from 0.01 to 4000", |usd| (0.01..=4000.0).contains(&usd))
    });
    Limits {
        requests_per_minute: count("requests_per_minute"),
        tokens_per_minute: count("tokens_per_minute"),
        microdollars_per_day: usd.map(|usd| (usd * 1e6).round() as u32),
    }
}
