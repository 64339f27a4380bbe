//! What is refused, and with which words.

use super::*;

#[tokio::test]
async fn requests_without_sense_are_refused_in_the_real_shape() {
    let mock = Mock::openai().await;
    let cases = [
        ("{", 400, "null", "null"),
        ("[]", 400, "null", "null"),
        (r#"{"messages":[{"role":"user","content":"x"}]}"#, 400, "missing_required_parameter", "model"),
        (r#"{"model":"m"}"#, 400, "missing_required_parameter", "messages"),
        (r#"{"model":7,"messages":[]}"#, 400, "invalid_type", "model"),
        (r#"{"model":"m","messages":"x"}"#, 400, "invalid_type", "messages"),
        (r#"{"model":"m","messages":[]}"#, 400, "empty_array", "messages"),
        (r#"{"model":"m","messages":[{"role":"owl","content":"x"}]}"#, 400, "invalid_value", "messages[0].role"),
        (r#"{"model":"m","messages":[{"role":"user","content":1}]}"#, 400, "invalid_type", "messages[0].content"),
    ];
    for (body, status, code, param) in cases {
        let reply = mock.send("POST", "/v1/chat/completions", body).await;
        assert_eq!(reply.error(), (status, code.to_owned(), param.to_owned()), "{body}");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn parameters_follow_the_rules_of_the_family() {
    let mock = Mock::openai().await;
    let refused = [
        ("gpt-5-mini", json!({"max_tokens": 5}), "unsupported_parameter", "max_tokens"),
        ("gpt-5-mini", json!({"temperature": 0.2}), "unsupported_value", "temperature"),
        ("gpt-5-mini", json!({"top_p": 0.5}), "unsupported_parameter", "top_p"),
        ("gpt-5-mini", json!({"reasoning_effort": "none"}), "unsupported_value", "reasoning_effort"),
        ("o3", json!({"stop": ["x"]}), "unsupported_parameter", "stop"),
        ("o4-mini", json!({"presence_penalty": 0.5}), "unsupported_parameter", "presence_penalty"),
        ("o1", json!({"frequency_penalty": 0.5}), "unsupported_parameter", "frequency_penalty"),
        ("gpt-5", json!({"logit_bias": {"1": 2}}), "unsupported_parameter", "logit_bias"),
        ("gpt-5", json!({"logprobs": true}), "unsupported_parameter", "logprobs"),
        ("gpt-5.2", json!({"temperature": 0, "reasoning_effort": "low"}), "unsupported_value", "temperature"),
        ("gpt-5.2", json!({"max_tokens": 5}), "unsupported_parameter", "max_tokens"),
        ("gpt-5.2-chat", json!({"temperature": 0}), "unsupported_value", "temperature"),
        ("gpt-5.5", json!({"temperature": 0}), "unsupported_value", "temperature"),
        ("gpt-4o", json!({"reasoning_effort": "low"}), "unsupported_parameter", "reasoning_effort"),
        ("gpt-4.1-mini", json!({"routing_config": {}}), "unknown_parameter", "routing_config"),
        ("gpt-4o", json!({"stream_options": {}}), "invalid_value", "stream_options"),
        ("gpt-4o", json!({"temperature": 3}), "integer_above_max_value", "temperature"),
        ("gpt-4o", json!({"tool_choice": "required"}), "invalid_value", "tool_choice"),
    ];
    for (model, more, code, param) in refused {
        let reply = mock.chat(&with(hello(model), more.clone())).await;
        assert_eq!(reply.error(), (400, code.to_owned(), param.to_owned()), "{model} {more}");
    }
    let accepted = [
        ("gpt-5-mini", json!({"temperature": 1, "max_completion_tokens": 50, "reasoning_effort": "minimal"})),
        ("gpt-5-mini", json!({"temperature": null, "max_tokens": null})),
        ("gpt-5-chat", json!({"temperature": 0.2, "max_tokens": 5, "top_p": 0.5, "stop": "x"})),
        ("gpt-5.2", json!({"temperature": 0, "top_p": 0.5, "logprobs": true})),
        ("gpt-5.4-mini", json!({"temperature": 0, "reasoning_effort": "none"})),
        ("gpt-4o", json!({"temperature": 0, "max_tokens": 5, "stop": ["x"], "presence_penalty": 1})),
        ("grok-4", json!({"thinking": {}, "temperature": 0, "reasoning_effort": "low"})),
        ("o3-like", json!({"max_completion_tokens": 50})),
    ];
    for (model, more) in accepted {
        let reply = mock.chat(&with(hello(model), more.clone())).await;
        assert_eq!(reply.status, 200, "{model} {more}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_deployment_has_the_rules_of_the_model_behind_it() {
    let served_as = [("mine".to_owned(), "gpt-5-2025-08-07".to_owned())];
    let mock = Mock::start(Config { served_as: Arc::new(served_as.into()), ..config("openai") }).await;
    assert_eq!(mock.chat(&with(hello("mine"), json!({"max_tokens": 5}))).await.status, 400);
}

#[tokio::test]
async fn lenient_mocks_take_everything() {
    let mock = Mock::start(Config { strict: false, ..config("openai") }).await;
    let odd = json!({"max_tokens": 5, "temperature": 0, "routing_config": {}});
    assert_eq!(mock.chat(&with(hello("gpt-5-mini"), odd)).await.status, 200);
}
