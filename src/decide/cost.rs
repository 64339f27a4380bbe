//! Money: what tokens cost.
//!
//! Prices are USD per million tokens. What is not known is never guessed low: cached or written tokens without a price
//! of their own cost as much as plain input, tokens written for an hour twice as much.

use crate::catalog::Price;
use crate::predict::Prediction;

/// Tokens that an answer took, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: u64,
    /// Input tokens that came from the provider's prompt cache.
    pub cached_input: u64,
    /// Input tokens that were written to it.
    pub cache_write: u64,
    /// Those of them that are kept for an hour.
    pub cache_write_1h: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

/// USD for `usage` at `price`, with a router's `fee` per million input tokens.
pub fn of_usage(price: &Price, fee: f64, usage: &Usage) -> f64 {
    let long = price.long_context.as_ref().filter(|long| usage.input > u64::from(long.above));
    let (input, cached_input, output) = match long {
        Some(long) => (long.input, long.cached_input, long.output),
        None => (price.input, price.cached_input, price.output),
    };
    let cached = usage.cached_input.min(usage.input);
    let written = usage.cache_write.min(usage.input - cached);
    let written_1h = usage.cache_write_1h.min(written);
    let plain = usage.input - cached - written;
    let millions = |tokens: u64, price: f64| tokens as f64 * price / 1e6;
    millions(plain, input)
        + millions(cached, cached_input.unwrap_or(input))
        + millions(written - written_1h, price.cache_write.unwrap_or(input))
        + millions(written_1h, price.cache_write_1h.unwrap_or(2.0 * input))
        + millions(usage.output, output)
        + millions(usage.input, fee)
}

/// Whole millionths of a dollar.
pub fn microdollars(usd: f64) -> u64 {
    (usd * 1e6).round() as u64
}

/// USD that a baseline model would have cost. What its provider is not known to charge for writes to its cache counts as
/// plain input, lest savings look larger.
pub fn of_baseline(price: &Price, usage: &Usage) -> f64 {
    let charges = price.cache_write.is_some() || price.cache_write_1h.is_some();
    let cache_write_1h = if charges { usage.cache_write_1h } else { 0 };
    of_usage(price, 0.0, &Usage { cache_write_1h, ..*usage })
}

/// Expected USD of a request before it is sent. `cached` of the input tokens are likely in the provider's cache.
pub fn expected(price: &Price, fee: f64, input: u32, cached: u32, prediction: &Prediction) -> f64 {
    let usage = Usage {
        input: input.into(),
        cached_input: cached.into(),
        output: prediction.output_tokens.into(),
        ..Usage::default()
    };
    of_usage(price, fee, &usage)
}
