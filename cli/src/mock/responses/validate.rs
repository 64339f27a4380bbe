//! What a real provider would refuse of a Responses request: missing and mistyped members always, and in strict mode
//! the parameters that the API or the model does not take (FACTS §2.1, §2.3, §2.4).
//!
//! Refuses at the first fault, like the real ones; knows nothing of what is stored.

use serde_json::{Value, json};

use super::items;
use super::request::ResponseRequest;
use crate::mock::errors::ApiError;
use crate::mock::models::Family;
use crate::mock::{checks, tools};

/// Members of the request (FACTS §3.4, and those that openai 3.52.0 can send).
const KNOWN: &[&str] = &[
    "access_programs",
    "background",
    "context_management",
    "conversation",
    "image",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Parameters of Chat Completions that Responses has under another name.
const MOVED: &[(&str, &str)] = &[
    ("messages", "input"),
    ("max_tokens", "max_output_tokens"),
    ("max_completion_tokens", "max_output_tokens"),
    ("response_format", "text.format"),
    ("reasoning_effort", "reasoning.effort"),
    ("verbosity", "text.verbosity"),
];

const TOOLS: &[&str] = &[
    "function",
    "custom",
    "file_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "namespace",
    "tool_search",
    "programmatic_tool_calling",
];

const INCLUDABLE: &[&str] = &[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];

/// Refuses a request that no model could answer.
pub fn shape(request: &ResponseRequest) -> Result<(), ApiError> {
    for text in ["model", "instructions", "previous_response_id", "user", "truncation", "service_tier"] {
        checks::expect(request, text, "a string", Value::is_string)?;
    }
    if request.model.is_empty() {
        return Err(ApiError::missing("model"));
    }
    for flag in ["stream", "store", "parallel_tool_calls", "background"] {
        checks::expect(request, flag, "a boolean", Value::is_boolean)?;
    }
    for object in ["reasoning", "text", "metadata", "stream_options", "prompt"] {
        checks::expect(request, object, "an object", Value::is_object)?;
    }
    checks::expect(request, "tools", "an array of objects", Value::is_array)?;
    checks::expect(request, "include", "an array of strings", Value::is_array)?;
    checks::expect(request, "conversation", "one of a string or object", |value| {
        value.is_string() || value.get("id").is_some_and(Value::is_string)
    })?;
    for (limit, low, high) in [
        ("max_output_tokens", 16.0, f64::INFINITY),
        ("max_tool_calls", 1.0, f64::INFINITY),
        ("top_logprobs", 0.0, 20.0),
    ] {
        checks::expect(request, limit, "an integer", |value| value.is_i64() || value.is_u64())?;
        checks::range(request, limit, low, high)?;
    }
    for (number, high) in [("temperature", 2.0), ("top_p", 1.0)] {
        checks::expect(request, number, "a number", Value::is_number)?;
        checks::range(request, number, 0.0, high)?;
    }
    choice_of(request.given("truncation"), "truncation", &["auto", "disabled"])?;
    for (index, include) in request.list("include").iter().enumerate() {
        choice_of(Some(include), &format!("include[{index}]"), INCLUDABLE)?;
    }
    reasoning(request)?;
    tool_list(request)?;
    format(request)?;
    combination(request)?;
    match request.given("input") {
        Some(input) => items::check(input),
        None if ["previous_response_id", "prompt", "conversation"].iter().any(|name| request.given(name).is_some()) => {
            Ok(())
        }
        None => Err(ApiError::invalid(
            "input",
            "missing_required_parameter",
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
        )),
    }
}

fn reasoning(request: &ResponseRequest) -> Result<(), ApiError> {
    for (name, accepted) in [
        ("effort", &["none", "minimal", "low", "medium", "high", "xhigh", "max"][..]),
        ("summary", &["auto", "concise", "detailed"]),
    ] {
        choice_of(request.inner("reasoning", name), &format!("reasoning.{name}"), accepted)?;
    }
    Ok(())
}

fn tool_list(request: &ResponseRequest) -> Result<(), ApiError> {
    for (index, tool) in request.tools().iter().enumerate() {
        let param = format!("tools[{index}].type");
        let kind = tool.get("type").ok_or_else(|| ApiError::missing(&param))?;
        choice_of(Some(kind), &param, TOOLS)?;
        let named = tool.get("name").is_some_and(Value::is_string);
        if (kind == "function" || kind == "custom") && !named {
            return Err(ApiError::missing(&format!("tools[{index}].name")));
        }
    }
    if request.given("tool_choice").is_some_and(|choice| choice == "required") && request.tools().is_empty() {
        let message = "Tool choice 'required' must be specified with 'tools' parameter.";
        return Err(ApiError::invalid("tool_choice", "invalid_value", message));
    }
    let choice = request.given("tool_choice").unwrap_or(&Value::Null);
    if (choice["type"] == "function" || choice["type"] == "custom") && !choice["name"].is_string() {
        return Err(ApiError::missing("tool_choice.name"));
    }
    if let Some(name) = tools::unknown(request) {
        let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
        return Err(ApiError::invalid("tool_choice", "invalid_value", message));
    }
    Ok(())
}

fn format(request: &ResponseRequest) -> Result<(), ApiError> {
    choice_of(request.inner("text", "verbosity"), "text.verbosity", &["low", "medium", "high"])?;
    let Some(format) = request.inner("text", "format") else { return Ok(()) };
    let kind = format.get("type").ok_or_else(|| ApiError::missing("text.format.type"))?;
    choice_of(Some(kind), "text.format.type", &["json_object", "json_schema", "text"])?;
    for (name, is) in [("name", Value::is_string as fn(&Value) -> bool), ("schema", Value::is_object)] {
        if kind == "json_schema" && !format.get(name).is_some_and(is) {
            return Err(ApiError::missing(&format!("text.format.{name}")));
        }
    }
    Ok(())
}

fn combination(request: &ResponseRequest) -> Result<(), ApiError> {
    if request.given("previous_response_id").is_some() && request.given("conversation").is_some() {
        let message =
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation' cannot be used together.";
        return Err(ApiError::invalid("previous_response_id", "mutually_exclusive_parameters", message));
    }
    if request.flag("background", false) && !request.flag("store", true) {
        let message = "Background mode requires 'store' to be true.";
        return Err(ApiError::invalid("background", "invalid_value", message));
    }
    if request.given("stream_options").is_some() && !request.is_stream() {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(ApiError::invalid("stream_options", "invalid_value", message));
    }
    Ok(())
}

fn choice_of(value: Option<&Value>, param: &str, accepted: &[&str]) -> Result<(), ApiError> {
    match value {
        Some(value) if !value.as_str().is_some_and(|value| accepted.contains(&value)) => {
            Err(checks::value_error(param, value, accepted))
        }
        _ => Ok(()),
    }
}

/// Refuses what the API does not know, and what the models of `family` refuse. Families of other makers than OpenAI
/// have no rules of their own, but the API is the same.
pub fn strict(request: &ResponseRequest, family: Family) -> Result<(), ApiError> {
    if let Some((old, new)) = MOVED.iter().find(|(old, _)| request.contains_key(*old)) {
        let message = format!(
            "Unsupported parameter: '{old}'. In the Responses API, this parameter has moved to '{new}'. Try again with \
             the new parameter. See the API documentation for more information: \
             https://platform.openai.com/docs/api-reference/responses/create."
        );
        return Err(ApiError::invalid(old, "unsupported_parameter", message));
    }
    checks::known(request, KNOWN)?;
    if !family.is_openai() {
        return Ok(());
    }
    checks::effort(request.effort(), family, "reasoning.effort")?;
    let verbosity = request.inner("text", "verbosity").and_then(Value::as_str);
    checks::verbosity(verbosity, family, "text.verbosity")?;
    if matches!(family, Family::Gpt4 | Family::Gpt5Chat) {
        if request.inner("reasoning", "summary").is_some() {
            return Err(checks::unsupported("reasoning.summary"));
        }
        if request.includes("reasoning.encrypted_content") {
            return Err(ApiError {
                param: Some("include".to_owned()),
                ..ApiError::request(400, "Encrypted content is not supported with this model.")
            });
        }
        return Ok(());
    }
    let calm = family.effort(request.effort()) == "none";
    if !(calm && family == Family::Gpt5Point) {
        let asked = request.given("top_logprobs").is_some_and(|count| *count != json!(0));
        if asked || request.includes("message.output_text.logprobs") {
            return Err(checks::unsupported("top_logprobs"));
        }
    }
    if calm { Ok(()) } else { checks::sampling(request) }
}
