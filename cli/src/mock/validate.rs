//! What a real provider would refuse: missing and mistyped fields always, and in strict mode the parameters that the
//! model does not take (FACTS §2.1, §2.4, §3.6).
//!
//! Refuses at the first fault, like the real ones; never changes a request.

use serde_json::Value;

use super::chat::ChatRequest;
use super::errors::ApiError;
use super::models::Family;
use super::{checks, tools};

const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];

/// Fields of the request (FACTS §3.1), with Azure's `data_sources`.
const KNOWN: &[&str] = &[
    "model",
    "messages",
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
    "data_sources",
];

/// Refuses a request that no model could answer.
pub fn shape(request: &ChatRequest) -> Result<(), ApiError> {
    if let Some(model) = request.given("model").filter(|model| !model.is_string()) {
        return Err(ApiError::wrong_type("model", "a string", model));
    }
    if request.model.is_empty() {
        return Err(ApiError::missing("model"));
    }
    messages(request.given("messages").ok_or_else(|| ApiError::missing("messages"))?)?;
    for flag in ["stream", "logprobs", "parallel_tool_calls", "store"] {
        checks::expect(request, flag, "a boolean", Value::is_boolean)?;
    }
    for object in ["stream_options", "response_format", "metadata", "logit_bias"] {
        checks::expect(request, object, "an object", Value::is_object)?;
    }
    checks::expect(request, "tools", "an array of objects", Value::is_array)?;
    checks::expect(request, "reasoning_effort", "a string", Value::is_string)?;
    for limit in ["n", "max_tokens", "max_completion_tokens"] {
        checks::expect(request, limit, "an integer", |value| value.is_i64() || value.is_u64())?;
        checks::range(request, limit, 1.0, if limit == "n" { 128.0 } else { f64::INFINITY })?;
    }
    for (number, low, high) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ] {
        checks::expect(request, number, "a number", Value::is_number)?;
        checks::range(request, number, low, high)?;
    }
    if request.given("stream_options").is_some() && !request.is_stream() {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(ApiError::invalid("stream_options", "invalid_value", message));
    }
    tools(request)?;
    format(request)
}

fn messages(messages: &Value) -> Result<(), ApiError> {
    let Value::Array(list) = messages else {
        return Err(ApiError::wrong_type("messages", "an array of objects", messages));
    };
    if list.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty \
                       array instead.";
        return Err(ApiError::invalid("messages", "empty_array", message));
    }
    for (index, message) in list.iter().enumerate() {
        if !message.is_object() {
            return Err(ApiError::wrong_type(&format!("messages[{index}]"), "an object", message));
        }
        let param = format!("messages[{index}].role");
        let role = message.get("role").ok_or_else(|| ApiError::missing(&param))?;
        if !role.as_str().is_some_and(|role| ROLES.contains(&role)) {
            return Err(checks::value_error(&param, role, ROLES));
        }
        let content = message.get("content").unwrap_or(&Value::Null);
        let absent_is_fine = role == "assistant" || role == "function";
        if !(content.is_string() || content.is_array() || content.is_null() && absent_is_fine) {
            let param = format!("messages[{index}].content");
            return Err(ApiError::wrong_type(&param, "one of a string or array of objects", content));
        }
    }
    Ok(())
}

fn tools(request: &ChatRequest) -> Result<(), ApiError> {
    for (index, tool) in request.tools().iter().enumerate() {
        let kind = tool.get("type").and_then(Value::as_str);
        let Some(kind @ ("function" | "custom")) = kind else {
            let param = format!("tools[{index}].type");
            let got = tool.get("type").ok_or_else(|| ApiError::missing(&param))?;
            return Err(checks::value_error(&param, got, &["function", "custom"]));
        };
        if !tool.pointer(&format!("/{kind}/name")).is_some_and(Value::is_string) {
            return Err(ApiError::missing(&format!("tools[{index}].{kind}.name")));
        }
    }
    if request.given("tool_choice").is_some_and(|choice| choice != "none") && request.tools().is_empty() {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(ApiError::invalid("tool_choice", "invalid_value", message));
    }
    if let Some(name) = tools::unknown(request) {
        let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
        return Err(ApiError::invalid("tool_choice", "invalid_value", message));
    }
    Ok(())
}

fn format(request: &ChatRequest) -> Result<(), ApiError> {
    let Some(format) = request.given("response_format") else { return Ok(()) };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") if format.pointer("/json_schema/name").is_some_and(Value::is_string) => Ok(()),
        Some("json_schema") => Err(ApiError::missing("response_format.json_schema.name")),
        _ => {
            let got = format.get("type").ok_or_else(|| ApiError::missing("response_format.type"))?;
            Err(checks::value_error("response_format.type", got, &["json_object", "json_schema", "text"]))
        }
    }
}

/// Refuses what the models of `family` refuse. Families of other makers than OpenAI have no rules.
pub fn strict(request: &ChatRequest, family: Family) -> Result<(), ApiError> {
    checks::no_router(request)?;
    if !family.is_openai() {
        return Ok(());
    }
    checks::known(request, KNOWN)?;
    checks::effort(request.effort(), family, "reasoning_effort")?;
    checks::verbosity(request.text("verbosity"), family, "verbosity")?;
    if matches!(family, Family::Gpt4 | Family::Gpt5Chat) {
        if request.given("max_tokens").is_some() && request.given("max_completion_tokens").is_some() {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(ApiError::invalid("max_tokens", "invalid_parameter_combination", message));
        }
        return Ok(());
    }
    if request.given("max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(ApiError::invalid("max_tokens", "unsupported_parameter", message));
    }
    for name in ["stop", "presence_penalty", "frequency_penalty", "logit_bias"] {
        checks::refuse(request, name)?;
    }
    let calm = family.effort(request.effort()) == "none";
    if !(calm && family == Family::Gpt5Point) {
        checks::refuse(request, "logprobs")?;
        checks::refuse(request, "top_logprobs")?;
    }
    if calm {
        return Ok(());
    }
    checks::sampling(request)
}
