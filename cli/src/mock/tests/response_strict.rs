//! What the Responses API refuses, and with which words.

use super::*;

async fn refused(mock: &Mock, body: &Value, code: &str, param: &str) -> String {
    let reply = mock.respond(body).await;
    assert_eq!(reply.error(), (400, code.to_owned(), param.to_owned()), "{body}");
    reply.json()["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn requests_without_sense_are_refused_in_the_real_shape() {
    let mock = Mock::openai().await;
    let missing = "missing_required_parameter";
    for (body, code, param) in [
        (json!({"input": "x"}), missing, "model"),
        (json!({"model": "m"}), missing, "input"),
        (json!({"model": 7, "input": "x"}), "invalid_type", "model"),
        (json!({"model": "m", "input": 7}), "invalid_type", "input"),
        (json!({"model": "m", "input": ["x"]}), "invalid_type", "input[0]"),
        (json!({"model": "m", "input": [{"role": "owl", "content": "x"}]}), "invalid_value", "input[0].role"),
        (json!({"model": "m", "input": [{"role": "user"}]}), missing, "input[0].content"),
        (json!({"model": "m", "input": [{"type": "owl"}]}), "invalid_value", "input[0]"),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
            "invalid_value",
            "input[0].content[0].type",
        ),
        (json!({"model": "m", "input": [{"type": "function_call", "call_id": "c"}]}), missing, "input[0].name"),
        (
            json!({"model": "m", "input": [{"type": "function_call", "id": "call_1", "call_id": "c", "name": "f",
                                              "arguments": "{}"}]}),
            "invalid_value",
            "input[0].id",
        ),
    ] {
        refused(&mock, &body, code, param).await;
    }
    let nested = json!([{"type": "function", "function": {"name": "f"}}]);
    for (more, code, param) in [
        (json!({"stream": "yes"}), "invalid_type", "stream"),
        (json!({"text": "x"}), "invalid_type", "text"),
        (json!({"max_output_tokens": 15}), "integer_below_min_value", "max_output_tokens"),
        (json!({"temperature": 3}), "integer_above_max_value", "temperature"),
        (json!({"truncation": "some"}), "invalid_value", "truncation"),
        (json!({"include": ["all"]}), "invalid_value", "include[0]"),
        (json!({"tools": nested}), missing, "tools[0].name"),
        (json!({"tools": [{"type": "owl"}]}), "invalid_value", "tools[0].type"),
        (json!({"tool_choice": "required"}), "invalid_value", "tool_choice"),
        (
            json!({"tools": [weather()], "tool_choice": {"type": "function", "name": "x"}}),
            "invalid_value",
            "tool_choice",
        ),
        (
            json!({"tools": [weather()], "tool_choice": {"type": "function", "function": {"name": "weather"}}}),
            missing,
            "tool_choice.name",
        ),
        (json!({"text": {"format": {"type": "json_schema", "name": "n"}}}), missing, "text.format.schema"),
        (json!({"reasoning": {"effort": "huge"}}), "invalid_value", "reasoning.effort"),
        (json!({"stream_options": {}}), "invalid_value", "stream_options"),
        (json!({"background": true, "store": false}), "invalid_value", "background"),
    ] {
        refused(&mock, &with(ask("m"), more), code, param).await;
    }
}

#[tokio::test]
async fn parameters_of_chat_and_of_routers_are_unknown() {
    let mock = Mock::openai().await;
    for name in
        ["stop", "n", "seed", "logit_bias", "presence_penalty", "frequency_penalty", "logprobs", "routing_config"]
    {
        for model in ["gpt-4o", "grok-4"] {
            let text = refused(&mock, &with(ask(model), json!({name: 1})), "unknown_parameter", name).await;
            assert_eq!(text, format!("Unknown parameter: '{name}'."));
        }
    }
    for (name, moved) in
        [("messages", "input"), ("max_tokens", "max_output_tokens"), ("reasoning_effort", "reasoning.effort")]
    {
        let text = refused(&mock, &with(ask("gpt-4o"), json!({name: 1})), "unsupported_parameter", name).await;
        assert!(text.contains(&format!("has moved to '{moved}'")), "{text}");
    }
    let chat = with(hello("grok-4"), json!({"routing_config": {}}));
    let expected = (400, "unknown_parameter".to_owned(), "routing_config".to_owned());
    assert_eq!(mock.chat(&chat).await.error(), expected, "no provider knows a router's controls");
}

#[tokio::test]
async fn parameters_follow_the_rules_of_the_family() {
    let mock = Mock::openai().await;
    let unsupported = "unsupported_parameter";
    for (model, more, code, param) in [
        ("gpt-5-mini", json!({"temperature": 0.2}), "unsupported_value", "temperature"),
        ("gpt-5-mini", json!({"top_p": 0.5}), unsupported, "top_p"),
        ("gpt-5", json!({"top_logprobs": 2}), unsupported, "top_logprobs"),
        ("gpt-5", json!({"reasoning": {"effort": "none"}}), "unsupported_value", "reasoning.effort"),
        ("o3", json!({"reasoning": {"effort": "minimal"}}), "unsupported_value", "reasoning.effort"),
        ("o3", json!({"text": {"verbosity": "low"}}), "unsupported_value", "text.verbosity"),
        ("gpt-5.2", json!({"temperature": 0, "reasoning": {"effort": "low"}}), "unsupported_value", "temperature"),
        ("gpt-5.5", json!({"temperature": 0}), "unsupported_value", "temperature"),
        ("gpt-4o", json!({"reasoning": {"effort": "low"}}), unsupported, "reasoning.effort"),
        ("gpt-4o", json!({"reasoning": {"summary": "auto"}}), unsupported, "reasoning.summary"),
        ("gpt-4o", json!({"include": ["reasoning.encrypted_content"]}), "null", "include"),
        ("gpt-4o", json!({"text": {"verbosity": "low"}}), "unsupported_value", "text.verbosity"),
    ] {
        refused(&mock, &with(ask(model), more), code, param).await;
    }
    for (model, more) in [
        ("gpt-5-mini", json!({"temperature": 1, "reasoning": {"effort": "minimal"}, "text": {"verbosity": "low"}})),
        ("gpt-5-mini", json!({"temperature": null, "reasoning": null})),
        ("gpt-5.2", json!({"temperature": 0, "top_p": 0.5, "top_logprobs": 3})),
        ("gpt-5.4", json!({"temperature": 0, "reasoning": {"effort": "none"}})),
        ("gpt-4o", json!({"temperature": 0, "reasoning": {}, "top_logprobs": 3})),
        ("grok-4", json!({"temperature": 0, "reasoning": {"effort": "low"}})),
    ] {
        let reply = mock.respond(&with(ask(model), more.clone())).await;
        assert_eq!(reply.status, 200, "{model} {more}: {}", reply.text);
    }
}

#[tokio::test]
async fn lenient_mocks_take_everything() {
    let mock = Mock::start(Config { strict: false, ..config("openai") }).await;
    let odd = json!({"stop": ["x"], "temperature": 0, "routing_config": {}});
    assert_eq!(mock.respond(&with(ask("gpt-5-mini"), odd)).await.status, 200);
}
