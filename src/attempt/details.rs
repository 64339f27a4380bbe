//! What a client that opted in is told of the decision: `model_selection_details`, in the shape of Azure's preview.
//!
//! Never holds what was asked or answered. Written out by hand: a tree of values would cost more than the rest of the
//! answer.

use super::{Attempted, Brief, quote};
use core::fmt::Write;

/// The value of `model_selection_details` when the latest attempt has answered, `waited` milliseconds after the request
/// was there. One line of JSON.
pub fn details(brief: &Brief, attempted: &Attempted, waited: u64) -> String {
    let mut text = String::with_capacity(512);
    let mode = quote(&brief.mode);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        r#"{{"model_router_details":{{"mode":{mode},"routing_trace":[{{"latency_ms":{waited},"attempts":["#
    );
    for (index, attempt) in attempted.trace.split(',').enumerate() {
        text.push_str(if index > 0 { "," } else { "" });
        write_attempt(&mut text, attempt);
    }
    text.push_str("]}]");
    if let Some(session) = &brief.session {
        // The strategy's name has changed; clients know one or the other.
        let strategy = &session.strategy;
        let _ = write!(text, r#","session_affinity":{{"strategy":"{strategy}","mode":"{strategy}""#);
        if strategy != "none" {
            let source = if session.source.is_empty() { "not_available" } else { &session.source };
            let _ = write!(text, r#","source":"{source}""#);
            if let Some(outcome) = session.outcome(&attempted.model) {
                let _ = write!(text, r#","decision":"{outcome}""#);
            }
        }
        text.push('}');
    }
    text.push_str("}}");
    text
}

/// `gpt-5-mini=503` as an attempt; one without a result is the one that answers.
fn write_attempt(text: &mut String, attempt: &str) {
    let (model, result) = attempt.split_once('=').unwrap_or((attempt, "200"));
    // What was no answer has no status of its own.
    let (status, message) = match result.parse::<u16>() {
        Ok(status) => (status, "The model refused."),
        Err(_) => (502, "The model gave no answer."),
    };
    let _ = write!(text, r#"{{"model":{},"result":{{"status":{status}"#, quote(model));
    if status >= 400 {
        let _ = write!(text, r#","error":{{"code":{},"message":"{message}"}}"#, quote(result));
    }
    text.push_str("}}");
}
