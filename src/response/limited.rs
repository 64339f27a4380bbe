//! The errors of limits: which one was reached, and when there is room again.
//!
//! Owns what clients are told when Envoy's rate limit filters refuse a request. Never counts.

use super::error::ErrorReply;
use crate::decide::Charge;

/// What is limited; Envoy counts each by a filter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `requests_per_minute`
    Requests,
    /// `tokens_per_minute`
    Tokens,
    /// `usd_per_day`
    Money,
}

impl Limit {
    /// In the order of Envoy's filters.
    pub const ALL: [Limit; 3] = [Limit::Requests, Limit::Tokens, Limit::Money];

    /// The policy's field; also the `reason` label of `model_router_rejected_total`.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Requests => "requests_per_minute",
            Limit::Tokens => "tokens_per_minute",
            Limit::Money => "usd_per_day",
        }
    }

    /// The headers that tell of it: the most that is allowed, what is left of that, and the seconds until there is room again
    /// for anything.
    pub fn headers(self) -> [&'static str; 3] {
        match self {
            Limit::Requests => {
                ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]
            }
            Limit::Tokens => ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
            Limit::Money => [
                "x-ratelimit-limit-microdollars",
                "x-ratelimit-remaining-microdollars",
                "x-ratelimit-reset-microdollars",
            ],
        }
    }

    fn seconds(self) -> u64 {
        match self {
            Limit::Requests | Limit::Tokens => 60,
            Limit::Money => 24 * 60 * 60,
        }
    }

    fn takes(self, charge: Charge) -> u64 {
        match self {
            Limit::Requests => 1,
            Limit::Tokens => charge.tokens,
            Limit::Money => charge.microdollars,
        }
    }
}

/// Who has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Envoy itself: what was used comes back evenly over the time of the limit.
    Local,
    /// The service that a fleet shares: all comes back at once when the time is over.
    Fleet,
}

/// A limit that a request has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which one.
    pub limit: Limit,
    /// Seconds until this request fits; `None`: it never does, or nobody knows.
    pub wait: Option<u64>,
    /// The error for the client.
    pub error: ErrorReply,
}

/// The first number of a header of Envoy's rate limit filters: `60`, or `60, 60;w=60`.
pub fn first_number(value: &str) -> Option<u64> {
    value.split(',').next()?.trim().parse().ok()
}

/// What Envoy says of a limit: the most, what is left, and the seconds until there is room.
pub type Told = [Option<u64>; 3];

/// What the refusal of a request by this limit means.
pub fn limited(limit: Limit, [most, left, reset]: Told, charge: Charge, counter: Counter) -> Limited {
    let Some(most) = most else {
        let error = ErrorReply { kind: Some("requests"), ..ErrorReply::of_envoy(429) };
        return Limited { limit, wait: None, error };
    };
    let takes = limit.takes(charge);
    // A fleet is charged at the end of an answer with what it cost; before, it is only asked whether anything is left.
    let fits = takes <= most || (limit == Limit::Money && counter == Counter::Fleet);
    let wait = match counter {
        Counter::Local => {
            let lacks = takes.saturating_sub(left.unwrap_or(0));
            Some((lacks * limit.seconds()).div_ceil(most.max(1)))
        }
        Counter::Fleet => reset,
    };
    let wait = wait.filter(|_| fits).map(|seconds| seconds.max(1));
    Limited { limit, wait, error: error(limit, most, takes, fits, wait) }
}

fn error(limit: Limit, most: u64, takes: u64, fits: bool, wait: Option<u64>) -> ErrorReply {
    let (kind, code) = match limit {
        Limit::Requests => ("requests", "rate_limit_exceeded"),
        Limit::Tokens => ("tokens", "rate_limit_exceeded"),
        Limit::Money => ("insufficient_quota", "insufficient_quota"),
    };
    let usd = |micro: u64| format!("{}.{:02} USD", micro / 1_000_000, micro % 1_000_000 / 10_000);
    let what = match limit {
        Limit::Requests => format!("The limit of {most} requests per minute is reached."),
        Limit::Tokens if fits => {
            format!("The limit of {most} tokens per minute is reached: this request is charged with {takes}.")
        }
        Limit::Tokens => format!("This request is charged with {takes} tokens; the limit is {most} per minute."),
        Limit::Money if fits => format!("The budget of {} per day is used up.", usd(most)),
        Limit::Money => format!("This request costs more than the budget of {} per day.", usd(most)),
    };
    let then = wait.map(|wait| format!(" Try again in {wait} s.")).unwrap_or_default();
    ErrorReply { kind: Some(kind), ..ErrorReply::new(429, code, what + &then) }
}
