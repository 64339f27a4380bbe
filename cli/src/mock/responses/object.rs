//! The response object (FACTS §3.4): what was answered, what it cost, and an echo of what was asked for.

use serde_json::{Value, json};

use super::context;
use super::request::ResponseRequest;
use crate::mock::answer::{Answer, Choice, Cost, Speaker};
use crate::mock::completion::content_filter_results;
use crate::mock::ids;

/// The finished response object that says `answer`, thought out with `effort`.
pub fn finished(answer: &Answer, request: &ResponseRequest, speaker: Speaker<'_>, effort: &str) -> Value {
    let mut output = Vec::new();
    if effort != "none" {
        output.push(reasoning(request, speaker));
    }
    let cut = answer.choices.iter().any(|choice| choice.finish == "length");
    output.extend(answer.choices.iter().map(item));
    let mut body = json!({
        "id": ids::item("resp"),
        "object": "response",
        "created_at": answer.created,
        "status": if cut { "incomplete" } else { "completed" },
        "background": request.flag("background", false),
        "completed_at": if cut { Value::Null } else { json!(answer.created) },
        "error": null,
        "incomplete_details": if cut { json!({"reason": "max_output_tokens"}) } else { Value::Null },
        "instructions": request.given("instructions"),
        "max_output_tokens": request.given("max_output_tokens"),
        "max_tool_calls": request.given("max_tool_calls"),
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": request.flag("parallel_tool_calls", true),
        "previous_response_id": request.given("previous_response_id"),
        "prompt_cache_key": request.given("prompt_cache_key"),
        "prompt_cache_retention": request.given("prompt_cache_retention"),
        "reasoning": echo_reasoning(request, effort),
        "safety_identifier": request.given("safety_identifier"),
        "service_tier": request.tier(),
        "store": request.flag("store", true),
        "temperature": request.given("temperature").cloned().unwrap_or(json!(1.0)),
        "text": echo_text(request),
        "tool_choice": request.given("tool_choice").cloned().unwrap_or(json!("auto")),
        "tools": request.tools().iter().map(echo_tool).collect::<Vec<_>>(),
        "top_logprobs": request.given("top_logprobs").cloned().unwrap_or(json!(0)),
        "top_p": request.given("top_p").cloned().unwrap_or(json!(1.0)),
        "truncation": request.text("truncation").unwrap_or("disabled"),
        "usage": usage(&answer.cost),
        "user": request.given("user"),
        "metadata": request.given("metadata").cloned().unwrap_or(json!({})),
    });
    if let Some(id) = request.conversation() {
        body["conversation"] = json!({"id": id});
    }
    if speaker.azure {
        body["content_filters"] = json!([filter("prompt"), filter("completion")]);
    }
    body
}

/// The same response while it is not finished, or never will be.
pub fn unfinished(body: &Value, status: &str) -> Value {
    let mut body = body.clone();
    body["status"] = json!(status);
    body["output"] = json!([]);
    for name in ["usage", "completed_at", "incomplete_details"] {
        body[name] = Value::Null;
    }
    if let Some(filters) = body.get_mut("content_filters") {
        *filters = Value::Null;
    }
    body
}

/// The same response, failed with `error`.
pub fn failed(body: &Value, error: &Value) -> Value {
    let mut body = unfinished(body, "failed");
    let code = error.get("code").filter(|code| code.is_string());
    body["error"] = json!({"code": code.unwrap_or(&json!("server_error")), "message": error["message"]});
    body
}

fn reasoning(request: &ResponseRequest, speaker: Speaker<'_>) -> Value {
    let id = ids::item("rs");
    let mut item = json!({"id": id, "type": "reasoning", "summary": []});
    if request.includes("reasoning.encrypted_content") {
        item["encrypted_content"] = json!(context::seal(speaker.provider, &id));
    }
    item
}

fn item(choice: &Choice) -> Value {
    let status = if choice.finish == "length" { "incomplete" } else { "completed" };
    match &choice.call {
        None => json!({
            "id": ids::item("msg"),
            "type": "message",
            "status": status,
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": choice.text}],
            "role": "assistant",
        }),
        Some(call) => {
            let (prefix, kind) =
                if call.kind == "custom" { ("ctc", "custom_tool_call") } else { ("fc", "function_call") };
            json!({
                "id": ids::item(prefix),
                "type": kind,
                "status": status,
                call.text_field(): choice.text,
                "call_id": call.id,
                "name": call.name,
            })
        }
    }
}

fn usage(cost: &Cost) -> Value {
    json!({
        "input_tokens": cost.prompt,
        "input_tokens_details": {"cached_tokens": cost.cached, "cache_write_tokens": 0},
        "output_tokens": cost.completion,
        "output_tokens_details": {"reasoning_tokens": cost.reasoning},
        "total_tokens": cost.prompt + cost.completion,
    })
}

fn echo_reasoning(request: &ResponseRequest, effort: &str) -> Value {
    let asked = request.effort();
    let effort = if effort == "none" && asked.is_none() { Value::Null } else { json!(asked.unwrap_or(effort)) };
    json!({"effort": effort, "summary": request.inner("reasoning", "summary")})
}

fn echo_text(request: &ResponseRequest) -> Value {
    let mut format = request.inner("text", "format").cloned().unwrap_or(json!({"type": "text"}));
    if format["type"] == "json_schema" {
        default(&mut format, "description", Value::Null);
        default(&mut format, "strict", json!(false));
    }
    let verbosity = request.inner("text", "verbosity").cloned().unwrap_or(json!("medium"));
    json!({"format": format, "verbosity": verbosity})
}

fn echo_tool(tool: &Value) -> Value {
    let mut tool = tool.clone();
    if tool["type"] == "function" {
        default(&mut tool, "description", Value::Null);
        default(&mut tool, "strict", json!(true));
    }
    tool
}

fn default(object: &mut Value, name: &str, value: Value) {
    if object.get(name).is_none() {
        object[name] = value;
    }
}

/// Azure's verdict on one side of the exchange.
fn filter(source: &str) -> Value {
    json!({
        "blocked": false,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": content_filter_results(),
        "content_filter_offsets": {"start_offset": 0, "end_offset": 0, "check_offset": 0},
    })
}
