//! The content filter: what a moderation service is asked about a request, and what its answer says.
//!
//! Owns which requests are checked, which of their texts, the body of the call and the reading of the verdict. Never
//! calls anybody: the filter does. Never keeps a text, and lets none into an error.

mod prompt;
mod question;
mod verdict;

pub use question::{Question, question};
pub use verdict::{LONGEST as LONGEST_ANSWER, Verdict, content_filter_result};

use crate::policy::{ContentFilter, Policy};
use crate::request::Api;
use crate::routing::{Call, Routed};

/// Endpoints besides the three APIs of conversations that make something of a prompt. The others only count, embed or
/// moderate it, or take it in a form.
const GENERATING: [&str; 4] = ["completions", "images/generations", "audio/speech", "responses/compact"];

/// The content filter that is asked about this request; `None` where it goes on unchecked.
pub fn for_request<'p>(policy: &'p Policy, call: &Call, routed: &Routed) -> Option<&'p ContentFilter> {
    let filter = policy.content_filter.as_ref()?;
    let generates = match call.endpoint {
        Some(endpoint) => GENERATING.contains(&endpoint),
        None => routed.request.api != Api::Other,
    };
    let router = routed.terms.router.map(|router| router.name.as_str());
    let chosen = |routers: &Vec<String>| router.is_some_and(|router| routers.iter().any(|name| name == router));
    let checked = generates && call.form.is_none() && filter.routers.as_ref().is_none_or(chosen);
    checked.then_some(filter)
}

#[cfg(test)]
mod tests;
