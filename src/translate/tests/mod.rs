//! Goldens for every rule.

mod requests;

use super::ToChat;
use serde_json::Value;

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

fn to<'a>(drop: &'a [String]) -> ToChat<'a> {
    ToChat { model: "m", limit: "max_completion_tokens", reasoning: None, drop }
}
