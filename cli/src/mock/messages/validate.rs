//! What the real API refuses: what no model could answer always, and in strict mode everything else (FACTS §2.2, §4).
//!
//! Refuses at the first fault, like the real one; never changes a request.

use serde_json::Value;

use super::door::{Door, Head};
use super::models::Claude;
use super::refuse::{Checked, expect, known, list, missing, object, one_of, refuse, text};
use super::request::MessageRequest;
use super::{blocks, marks, sampling, tools, turns};
use crate::mock::errors::ApiError;

/// Members of every request, also of one that only counts tokens.
const KNOWN: &[&str] = &["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"];

/// Members of a request for an answer.
const ANSWER: &[&str] = &[
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
    "inference_geo",
];

/// Members that exist for those who ask for them with `anthropic-beta`.
const BETA: &[&str] = &["container", "context_management", "mcp_servers", "speed"];

/// Refuses a request that no model could answer. One that only `counts` tokens needs no limit.
pub fn shape(request: &MessageRequest, counts: bool) -> Checked {
    if request.model.is_empty() {
        return Err(missing("model"));
    }
    if !counts {
        limit(request.given("max_tokens").ok_or_else(|| missing("max_tokens"))?)?;
    }
    expect(request, "", "stream", "a valid boolean", Value::is_boolean)?;
    let messages = list(request.given("messages").ok_or_else(|| missing("messages"))?, "messages")?;
    if messages.is_empty() {
        return Err(refuse("messages", "at least one message is required"));
    }
    for (index, message) in messages.iter().enumerate() {
        let at = format!("messages.{index}");
        let message = object(message, &at)?;
        role(text(message, &at, "role")?, &at)?;
        match message.get("content") {
            None => return Err(missing(&format!("{at}.content"))),
            Some(Value::String(_) | Value::Array(_)) => {}
            Some(_) => return Err(refuse(&format!("{at}.content"), "Input should be a valid list")),
        }
    }
    Ok(())
}

fn limit(limit: &Value) -> Checked {
    match limit.as_i64() {
        Some(1..) => Ok(()),
        Some(_) => Err(refuse("max_tokens", "Input should be greater than or equal to 1")),
        None => Err(refuse("max_tokens", "Input should be a valid integer")),
    }
}

fn role(role: &str, at: &str) -> Checked {
    if role == "system" {
        let why = "Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" \
                   as an input message role.";
        return Err(refuse(&format!("{at}.role"), why));
    }
    one_of(role, &format!("{at}.role"), blocks::ROLES)
}

/// Refuses what the API does not know, and what the model that is `served` refuses.
pub fn strict(request: &MessageRequest, served: &str, head: &Head, counts: bool) -> Checked {
    let Some(claude) = Claude::of(&request.model).or_else(|| Claude::of(served)) else {
        return Err(ApiError::request(404, format!("model: {}", request.model)));
    };
    members(request, head, counts)?;
    system(request)?;
    for (index, message) in request.list("messages").iter().enumerate() {
        self::message(message, &format!("messages.{index}"), index + 1 == request.list("messages").len())?;
    }
    sources(request)?;
    expect(request, "", "tools", "a valid list", Value::is_array)?;
    tools::check(request, claude)?;
    sampling::thinking(request, claude)?;
    sampling::sampling(request, claude)?;
    sampling::output(request, claude)?;
    sampling::stops(request)?;
    marks::check(request)?;
    turns::check(request, claude)
}

fn members(request: &MessageRequest, head: &Head, counts: bool) -> Checked {
    let asked_for = head.has_beta || request.contains_key("anthropic_beta");
    let exists = |name: &str| {
        KNOWN.contains(&name)
            || !counts && ANSWER.contains(&name)
            || asked_for && BETA.contains(&name)
            || request.door.has_own(name)
    };
    if let Some(name) = request.keys().find(|name| !exists(name)) {
        return Err(refuse(name, "Extra inputs are not permitted"));
    }
    if let Some(tier) = request.given("service_tier") {
        one_of(tier.as_str().unwrap_or_default(), "service_tier", &["auto", "standard_only"])?;
    }
    let Some(metadata) = request.given("metadata") else { return Ok(()) };
    let metadata = object(metadata, "metadata")?;
    known(metadata, "metadata", &["user_id"])?;
    expect(metadata, "metadata", "user_id", "a valid string", Value::is_string)
}

fn system(request: &MessageRequest) -> Checked {
    match request.given("system") {
        None | Some(Value::String(_)) => Ok(()),
        Some(system) => blocks::several(system, "system", &["text"]),
    }
}

/// Only Anthropic itself, and Azure, fetch what is a URL, and only by `https`.
fn sources(request: &MessageRequest) -> Checked {
    let refused = |source: &Value| {
        source["type"] == "url"
            && (request.door != Door::Anthropic || !source["url"].as_str().unwrap_or_default().starts_with("https://"))
    };
    fn any(blocks: &Value, refused: &dyn Fn(&Value) -> bool) -> bool {
        let blocks = blocks.as_array().map_or(&[][..], Vec::as_slice);
        blocks.iter().any(|block| refused(&block["source"]) || any(&block["content"], refused))
    }
    for (index, message) in request.list("messages").iter().enumerate() {
        if any(&message["content"], &refused) {
            let why = match request.door {
                Door::Anthropic => "Only HTTPS URLs are supported.",
                _ => "URL sources are not supported",
            };
            return Err(refuse(&format!("messages.{index}.content"), why));
        }
    }
    Ok(())
}

fn message(message: &Value, at: &str, is_last: bool) -> Checked {
    known(object(message, at)?, at, &["role", "content"])?;
    let (role, content) = (message["role"].as_str().unwrap_or_default(), &message["content"]);
    let is_empty = content.as_str().is_some_and(str::is_empty) || content.as_array().is_some_and(Vec::is_empty);
    if is_empty && !(is_last && role == "assistant") {
        let why = "all messages must have non-empty content except for the optional final assistant message";
        return Err(refuse(at, why));
    }
    blocks::content(content, &format!("{at}.content"), role)
}
