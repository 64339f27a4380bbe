//! The items of an input: which types exist and what they need, the form they are stored in, and what a model reads
//! of them.
//!
//! Looks at one item at a time; [`super::context`] knows how they belong together.

use serde_json::{Value, json};

use crate::mock::checks;
use crate::mock::errors::ApiError;
use crate::mock::ids;
use crate::mock::prompt::Prompt;

const TYPES: &[&str] = &[
    "additional_tools",
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "compaction_trigger",
    "computer_call",
    "computer_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "file_search_call",
    "function_call",
    "function_call_output",
    "image_generation_call",
    "item_reference",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "message",
    "program",
    "program_output",
    "reasoning",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
];

const ROLES: &[&str] = &["assistant", "system", "developer", "user"];

const PARTS: &[&str] =
    &["input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot", "summary_text"];

/// Members that an item of a type must have, and whether they are text.
const NEEDED: &[(&str, &[(&str, bool)])] = &[
    ("function_call", &[("call_id", true), ("name", true), ("arguments", true)]),
    ("function_call_output", &[("call_id", true), ("output", false)]),
    ("custom_tool_call", &[("call_id", true), ("name", true), ("input", true)]),
    ("custom_tool_call_output", &[("call_id", true), ("output", false)]),
    ("item_reference", &[("id", true)]),
    ("reasoning", &[("summary", false)]),
];

/// How ids of items of a type begin, the type, and whether an id that begins otherwise is refused.
const PREFIXES: &[(&str, &str, bool)] = &[
    ("msg", "message", true),
    ("fc", "function_call", true),
    ("ctc", "custom_tool_call", true),
    ("rs", "reasoning", true),
    ("fco", "function_call_output", false),
    ("ctco", "custom_tool_call_output", false),
];

/// The type of an item: a message may leave it out, and so may a reference.
pub fn kind(item: &Value) -> &str {
    match item.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None if item.get("role").is_none() && item.get("id").is_some() => "item_reference",
        None => "message",
    }
}

/// Refuses an input that no model could read.
pub fn check(input: &Value) -> Result<(), ApiError> {
    let list = match input {
        Value::String(_) => return Ok(()),
        Value::Array(list) => list,
        _ => return Err(ApiError::wrong_type("input", "one of a string or array of input items", input)),
    };
    list.iter().enumerate().try_for_each(|(index, item)| check_one(item, &format!("input[{index}]")))
}

fn check_one(item: &Value, at: &str) -> Result<(), ApiError> {
    if !item.is_object() {
        return Err(ApiError::wrong_type(at, "an input item", item));
    }
    let kind = kind(item);
    if !TYPES.contains(&kind) {
        return Err(checks::value_error(at, &json!(kind), TYPES));
    }
    if kind == "message" {
        message(item, at)?;
    }
    for (name, is_text) in NEEDED.iter().find(|(one, _)| *one == kind).map_or(&[][..], |(_, needed)| needed) {
        let param = format!("{at}.{name}");
        let value = item.get(*name).ok_or_else(|| ApiError::missing(&param))?;
        let (fits, expected) = match is_text {
            true => (value.is_string(), "a string"),
            false => (value.is_string() || value.is_array(), "one of a string or array of objects"),
        };
        if !fits {
            return Err(ApiError::wrong_type(&param, expected, value));
        }
    }
    let prefix = PREFIXES.iter().find(|(_, one, checked)| *one == kind && *checked);
    if let (Some((prefix, ..)), Some(id)) = (prefix, item.get("id").and_then(Value::as_str))
        && !id.starts_with(prefix)
    {
        let param = format!("{at}.id");
        let message = format!("Invalid '{param}': '{id}'. Expected an ID that begins with '{prefix}'.");
        return Err(ApiError::invalid(&param, "invalid_value", message));
    }
    Ok(())
}

fn message(item: &Value, at: &str) -> Result<(), ApiError> {
    let param = format!("{at}.role");
    let role = item.get("role").ok_or_else(|| ApiError::missing(&param))?;
    if !role.as_str().is_some_and(|role| ROLES.contains(&role)) {
        return Err(checks::value_error(&param, role, ROLES));
    }
    let param = format!("{at}.content");
    let parts = match item.get("content") {
        None => return Err(ApiError::missing(&param)),
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(parts)) => parts,
        Some(other) => {
            return Err(ApiError::wrong_type(&param, "one of an array of objects or string", other));
        }
    };
    for (index, part) in parts.iter().enumerate() {
        let param = format!("{param}[{index}].type");
        let kind = part.get("type").ok_or_else(|| ApiError::missing(&param))?;
        if !kind.as_str().is_some_and(|kind| PARTS.contains(&kind)) {
            return Err(checks::value_error(&param, kind, PARTS));
        }
    }
    Ok(())
}

/// The items of an input as they are stored and listed: typed, with an id, content in parts.
pub fn stored(input: &Value) -> Vec<Value> {
    match input {
        Value::Array(items) => items.iter().map(stored_one).collect(),
        text => vec![stored_one(&json!({"role": "user", "content": text}))],
    }
}

fn stored_one(item: &Value) -> Value {
    let kind = kind(item);
    let mut item = item.clone();
    if kind == "message" {
        if let Some(text) = item.get("content").filter(|content| content.is_string()) {
            let part = if item["role"] == "assistant" { "output_text" } else { "input_text" };
            item["content"] = json!([{"type": part, "text": text}]);
        }
        item["status"] = json!("completed");
    }
    item["type"] = json!(kind);
    if item.get("id").is_none_or(Value::is_null) {
        let prefix = PREFIXES.iter().find(|(_, one, _)| *one == kind).map_or("item", |(prefix, ..)| prefix);
        item["id"] = json!(ids::item(prefix));
    }
    item
}

/// Adds what a model reads of a stored item. Ids are no part of it, so that the same conversation reads the same.
pub fn read(item: &Value, prompt: &mut Prompt) {
    match kind(item) {
        "message" => prompt.push(&item["content"]),
        "function_call" => prompt.push_json(&json!({"name": item["name"], "arguments": item["arguments"]})),
        "custom_tool_call" => prompt.push_json(&json!({"name": item["name"], "input": item["input"]})),
        "function_call_output" | "custom_tool_call_output" => prompt.push(&item["output"]),
        "reasoning" => prompt.push(&item["summary"]),
        _ => prompt.push_json(item),
    }
}
