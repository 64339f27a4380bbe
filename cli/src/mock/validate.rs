//! What a real provider would refuse: missing and mistyped fields always, and in strict mode the parameters that the
//! model does not take (FACTS §2.1, §2.4, §3.6).
//!
//! Refuses at the first fault, like the real ones; never changes a request.

use serde_json::Value;

use super::chat::ChatRequest;
use super::errors::ApiError;
use super::models::Family;

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
        expect(request, flag, "a boolean", Value::is_boolean)?;
    }
    for object in ["stream_options", "response_format", "metadata", "logit_bias"] {
        expect(request, object, "an object", Value::is_object)?;
    }
    expect(request, "tools", "an array of objects", Value::is_array)?;
    expect(request, "reasoning_effort", "a string", Value::is_string)?;
    for limit in ["n", "max_tokens", "max_completion_tokens"] {
        expect(request, limit, "an integer", |value| value.is_i64() || value.is_u64())?;
        range(request, limit, 1.0, if limit == "n" { 128.0 } else { f64::INFINITY })?;
    }
    for (number, low, high) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ] {
        expect(request, number, "a number", Value::is_number)?;
        range(request, number, low, high)?;
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
            return Err(value_error(&param, role, ROLES));
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
            return Err(value_error(&param, got, &["function", "custom"]));
        };
        if !tool.pointer(&format!("/{kind}/name")).is_some_and(Value::is_string) {
            return Err(ApiError::missing(&format!("tools[{index}].{kind}.name")));
        }
    }
    if request.given("tool_choice").is_some_and(|choice| choice != "none") && request.tools().is_empty() {
        let message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(ApiError::invalid("tool_choice", "invalid_value", message));
    }
    if let Some(name) = request.unknown_tool() {
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
            Err(value_error("response_format.type", got, &["json_object", "json_schema", "text"]))
        }
    }
}

/// Refuses what the models of `family` refuse. Families of other makers than OpenAI have no rules.
pub fn strict(request: &ChatRequest, family: Family) -> Result<(), ApiError> {
    if !family.is_openai() {
        return Ok(());
    }
    if let Some(name) = request.fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(ApiError::invalid(name, "unknown_parameter", format!("Unknown parameter: '{name}'.")));
    }
    effort(request, family)?;
    if matches!(family, Family::Gpt4 | Family::Gpt5Chat) {
        if request.given("max_tokens").is_some() && request.given("max_completion_tokens").is_some() {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(ApiError::invalid("max_tokens", "invalid_parameter_combination", message));
        }
        return verbosity(request);
    }
    if family == Family::OSeries {
        verbosity(request)?;
    }
    if request.given("max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(ApiError::invalid("max_tokens", "unsupported_parameter", message));
    }
    for name in ["stop", "presence_penalty", "frequency_penalty", "logit_bias"] {
        refuse(request, name)?;
    }
    let calm = family.effort(request.effort()) == "none";
    if !(calm && family == Family::Gpt5Point) {
        refuse(request, "logprobs")?;
        refuse(request, "top_logprobs")?;
    }
    if calm {
        return Ok(());
    }
    refuse(request, "top_p")?;
    match request.given("temperature") {
        Some(value) if value.as_f64() != Some(1.0) => Err(ApiError::invalid(
            "temperature",
            "unsupported_value",
            format!(
                "Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) value \
                 is supported."
            ),
        )),
        _ => Ok(()),
    }
}

fn effort(request: &ChatRequest, family: Family) -> Result<(), ApiError> {
    let (Some(asked), Some(accepted)) = (request.effort(), family.efforts()) else { return Ok(()) };
    if accepted.is_empty() {
        return refuse(request, "reasoning_effort");
    }
    if accepted.contains(&asked) {
        return Ok(());
    }
    Err(unsupported_value("reasoning_effort", asked, accepted))
}

/// Older models know one verbosity.
fn verbosity(request: &ChatRequest) -> Result<(), ApiError> {
    match request.given("verbosity").and_then(Value::as_str) {
        None | Some("medium") => Ok(()),
        Some(asked) => Err(unsupported_value("verbosity", asked, &["medium"])),
    }
}

fn refuse(request: &ChatRequest, name: &str) -> Result<(), ApiError> {
    match request.given(name) {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid(
            name,
            "unsupported_parameter",
            format!("Unsupported parameter: '{name}' is not supported with this model."),
        )),
    }
}

fn expect(request: &ChatRequest, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Result<(), ApiError> {
    match request.given(name) {
        Some(value) if !is(value) => Err(ApiError::wrong_type(name, what, value)),
        _ => Ok(()),
    }
}

fn range(request: &ChatRequest, name: &str, low: f64, high: f64) -> Result<(), ApiError> {
    let Some(value) = request.given(name) else { return Ok(()) };
    let (number, kind) = (value.as_f64().unwrap_or(low), if value.is_f64() { "decimal" } else { "integer" });
    let (code, relation, bound, side) = if number < low {
        (
            if kind == "integer" { "integer_below_min_value" } else { "decimal_below_min_value" },
            ">=",
            low,
            "below minimum",
        )
    } else if number > high {
        (
            if kind == "integer" { "integer_above_max_value" } else { "decimal_above_max_value" },
            "<=",
            high,
            "above maximum",
        )
    } else {
        return Ok(());
    };
    let message =
        format!("Invalid '{name}': {kind} {side} value. Expected a value {relation} {bound}, but got {value} instead.");
    Err(ApiError::invalid(name, code, message))
}

fn value_error(param: &str, got: &Value, accepted: &[&str]) -> ApiError {
    let got = got.as_str().map_or_else(|| got.to_string(), |text| format!("'{text}'"));
    let message = format!("Invalid value: {got}. Supported values are: {}.", listed(accepted));
    ApiError::invalid(param, "invalid_value", message)
}

fn unsupported_value(param: &str, asked: &str, accepted: &[&str]) -> ApiError {
    let accepted = listed(accepted);
    let message = format!(
        "Unsupported value: '{param}' does not support '{asked}' with this model. Supported values are: {accepted}."
    );
    ApiError::invalid(param, "unsupported_value", message)
}

/// `'a', 'b', and 'c'`.
fn listed(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    }
}
