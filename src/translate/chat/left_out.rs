//! Names what of a Chat Completions request no other API has.

use crate::request::{Members, read_members};
use crate::translate::fit;

/// Members that are translated, or whose absence says the same. Everything else is left out.
const TRANSLATED: [&str; 18] = [
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "stream",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "user",
    "safety_identifier",
    "functions",
    "function_call",
    // The router's own.
    "routing_config",
];

/// Whether a value asks for what happens anyway.
fn is_default(name: &str, value: &[u8]) -> bool {
    match name {
        _ if value == b"null" => true,
        "n" => value == b"1",
        "logprobs" | "store" => value == b"false",
        "presence_penalty" | "frequency_penalty" | "top_logprobs" => matches!(value, b"0" | b"0.0"),
        "service_tier" => matches!(value, b"\"auto\"" | b"\"default\""),
        "logit_bias" | "metadata" => value == b"{}",
        "modalities" => value == b"[\"text\"]",
        _ => false,
    }
}

/// Names the parameters that Messages has no counterpart for, top-level or dotted, and fit for a header.
pub fn left_out(body: &[u8], members: &Members) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // Names that do not fit are all called the same.
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for member in &members.list {
        let (name, value) = (member.name(body), member.value.of(body));
        match &*name {
            "stream_options" => {
                let inner = read_members(value).unwrap_or_default();
                let inner = inner.list.iter().filter(|one| !matches!(one.value.of(value), b"null" | b"false"));
                let lost = inner.filter(|one| one.name(value) != "include_usage");
                lost.for_each(|one| add(format!("stream_options.{}", fit(&one.name(value)))));
            }
            name if TRANSLATED.contains(&name) || is_default(name, value) => {}
            name => add(fit(name)),
        }
    }
    names
}
