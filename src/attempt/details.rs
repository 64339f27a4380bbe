//! What a client that opted in is told of the decision: `model_selection_details`, in the shape of Azure's preview.
//!
//! Never holds what was asked or answered.

use super::{Attempted, Brief};
use serde_json::{Value, json};

/// The value of `model_selection_details` when the latest attempt has answered, `waited` milliseconds after the request
/// was there.
pub fn details(brief: &Brief, attempted: &Attempted, waited: u64) -> String {
    let attempts: Vec<Value> = attempted.trace.split(',').map(attempt).collect();
    let mut details = json!({
        "mode": brief.mode,
        "routing_trace": [{"latency_ms": waited, "attempts": attempts}],
    });
    if let (Some(session), Some(details)) = (&brief.session, details.as_object_mut()) {
        // The strategy's name has changed; clients know one or the other.
        let mut affinity = json!({"strategy": session.strategy, "mode": session.strategy});
        if let Some(affinity) = affinity.as_object_mut().filter(|_| session.strategy != "none") {
            let source = if session.source.is_empty() { "not_available" } else { &session.source };
            affinity.insert("source".into(), source.into());
            affinity.extend(session.outcome(&attempted.model).map(|outcome| ("decision".into(), outcome.into())));
        }
        details.insert("session_affinity".into(), affinity);
    }
    json!({"model_router_details": details}).to_string()
}

/// `gpt-5-mini=503` as an attempt; one without a result is the one that answers.
fn attempt(text: &str) -> Value {
    let (model, result) = text.split_once('=').unwrap_or((text, "200"));
    let result = match result.parse::<u16>() {
        Ok(status @ ..400) => json!({"status": status}),
        Ok(status) => json!({"status": status, "error": {"code": status.to_string(), "message": "The model refused."}}),
        // What was no answer has no status of its own.
        Err(_) => json!({"status": 502, "error": {"code": result, "message": "The model gave no answer."}}),
    };
    json!({"model": model, "result": result})
}
