//! What a request counts for against limits, before its answer is there.
//!
//! Owns the estimate. Never counts: Envoy's rate limit filters do.

use super::{Plan, cost};
use crate::request::{Api, Request};

/// What a request is charged with when it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Input tokens, and as many output tokens as it asks for, or as are expected where it does not say.
    pub tokens: u64,
    /// Expected cost of the plan's first model, in millionths of a dollar; 0 where its price is not known.
    pub microdollars: u64,
}

impl Charge {
    /// Of a request and its plan.
    pub fn of(request: &Request, plan: &Plan) -> Charge {
        let first = plan.candidates.first();
        let input = match request.api {
            // Nobody has read its text. Four bytes make about a token; audio and images of forms make none.
            Api::Other if request.members.length > 0 => (request.body.len() / 4) as u64,
            _ => request.input_tokens.into(),
        };
        let expected = || first.map_or(0, |first| first.prediction.output_tokens);
        let output = if request.api == Api::Other { 0 } else { request.max_output.unwrap_or_else(expected) };
        let usd = first.and_then(|first| first.cost).unwrap_or_default();
        Charge { tokens: input + u64::from(output), microdollars: cost::microdollars(usd) }
    }
}
