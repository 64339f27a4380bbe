//! Error bodies and headers as Anthropic has them (FACTS §3.6).
//!
//! Says what went wrong; never decides that something did.

use hyper::header::HeaderValue;
use serde_json::{Value, json};

use crate::mock::answer::now;
use crate::mock::{ids, reply};

/// What is counted against limits, how much of it a minute has, and what is left.
const LIMITS: &[[&str; 4]] = &[
    ["anthropic-ratelimit-requests-limit", "4000", "anthropic-ratelimit-requests-remaining", "3999"],
    ["anthropic-ratelimit-tokens-limit", "2400000", "anthropic-ratelimit-tokens-remaining", "2399000"],
    ["anthropic-ratelimit-input-tokens-limit", "2000000", "anthropic-ratelimit-input-tokens-remaining", "1999000"],
    ["anthropic-ratelimit-output-tokens-limit", "400000", "anthropic-ratelimit-output-tokens-remaining", "400000"],
];

const RESETS: &[&str] = &[
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-input-tokens-reset",
    "anthropic-ratelimit-output-tokens-reset",
];

/// Adds the headers that are on every answer.
pub fn headers(mut add: impl FnMut(&'static str, HeaderValue)) {
    add("request-id", reply::text(ids::message("req")));
    add("anthropic-organization-id", HeaderValue::from_static("00000000-0000-4000-8000-000000000000"));
    for [limit, most, remaining, left] in LIMITS {
        add(limit, HeaderValue::from_static(most));
        add(remaining, HeaderValue::from_static(left));
    }
    for name in RESETS {
        add(name, reply::text(rfc3339(now() + 1)));
    }
}

/// The body of an error.
pub fn error_body(status: u16, message: &str) -> Value {
    envelope(&json!({"type": kind(status), "message": message}))
}

/// An error object in its envelope.
pub fn envelope(error: &Value) -> Value {
    json!({"type": "error", "error": error, "request_id": ids::message("req")})
}

/// The error that comes in the middle of a stream.
pub fn overloaded() -> Value {
    json!({"type": "overloaded_error", "message": "Overloaded"})
}

/// What is said along with `status` when the API fails by itself; `model` as the client asked for it.
pub fn typical(status: u16, model: &str) -> Value {
    let message = match status {
        401 => "invalid x-api-key",
        402 => "Your credit balance is too low to access the Anthropic API.",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => &format!("model: {model}"),
        413 => "Request exceeds the maximum size",
        429 => {
            "This request would exceed your organization's rate limit of 4,000 requests per minute. For details, refer \
             to: https://docs.claude.com/en/api/rate-limits."
        }
        504 => "Request timed out",
        529 => "Overloaded",
        500.. => "Internal server error",
        _ => "The request could not be processed.",
    };
    error_body(status, message)
}

/// The type of an error.
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// Seconds since 1970 as `2026-01-01T00:00:00Z`.
pub fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Counted from a 1 March, so that the day that some years have comes last: in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", year + era * 400)
}
