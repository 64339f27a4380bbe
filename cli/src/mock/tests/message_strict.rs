//! What the Messages API refuses of parameters, blocks and tools, and with which words.

use super::*;

/// Asks with `more`, which has to be refused with a message that begins with `start`.
async fn refused(mock: &Mock, more: Value, start: &str) {
    let (status, kind, message) = mock.message(&say(more.clone())).await.message_error();
    assert_eq!((status, kind.as_str()), (400, "invalid_request_error"), "{more}: {message}");
    assert!(message.starts_with(start), "{more}: {message}");
}

async fn accepted(mock: &Mock, more: Value) {
    let reply = mock.message(&say(more.clone())).await;
    assert_eq!(reply.status, 200, "{more}: {}", reply.text);
}

fn schema(inner: Value) -> Value {
    json!({"output_config": {"format": {"type": "json_schema", "schema": inner}}})
}

fn user(block: Value) -> Value {
    json!({"messages": [{"role": "user", "content": [block]}]})
}

#[tokio::test]
async fn a_request_needs_a_version_and_a_model_of_this_maker() {
    let mock = Mock::openai().await;
    let reply = mock.send("POST", "/v1/messages", say(json!({})).to_string()).await;
    assert_eq!(reply.message_error().2, "anthropic-version: header is required");
    let (status, kind, message) = mock.message(&say(json!({"model": "gpt-4o"}))).await.message_error();
    assert_eq!((status, kind.as_str(), message.as_str()), (404, "not_found_error", "model: gpt-4o"));
    let reply = mock.message(&json!([])).await;
    assert_eq!(reply.message_error().0, 400);
}

#[tokio::test]
async fn parameters_are_refused_by_name() {
    let mock = Mock::openai().await;
    for (more, start) in [
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"max_tokens": 0}), "max_tokens: Input should be greater"),
        (json!({"max_tokens": 1.5}), "max_tokens: Input should be a valid integer"),
        (json!({"messages": null}), "messages: Field required"),
        (json!({"messages": []}), "messages: at least one message"),
        (json!({"foo": 1}), "foo: Extra inputs are not permitted"),
        (json!({"n": 1}), "n: Extra inputs are not permitted"),
        (json!({"stream": "yes"}), "stream: "),
        (json!({"temperature": 1.5}), "temperature: range: 0..1"),
        (json!({"top_k": -1}), "top_k: "),
        (json!({"temperature": 0.5, "top_p": 0.5}), "`temperature` and `top_p` cannot both"),
        (json!({"metadata": {"user_id": "u", "team": "t"}}), "metadata.team: Extra inputs"),
        (json!({"stop_sequences": ["x", " \n"]}), "stop_sequences: each stop sequence"),
        (json!({"service_tier": "flex"}), "service_tier: Input should be 'auto' or 'standard_only'"),
        (json!({"system": [{"type": "text", "text": ""}]}), "system.0.text: text content blocks must be non-empty"),
        (json!({"context_management": {}}), "context_management: Extra inputs"),
    ] {
        refused(&mock, more, start).await;
    }
    for more in [
        json!({"temperature": 0, "top_k": 5, "metadata": {"user_id": "u"}, "stop_sequences": ["x"]}),
        json!({"system": "Be brief.", "service_tier": "auto", "top_p": 0.5}),
        json!({"model": "claude-opus-4-7", "temperature": 1}),
        json!({"model": "claude-sonnet-4-6", "temperature": 0.5, "top_p": 0.5}),
    ] {
        accepted(&mock, more).await;
    }
}

#[tokio::test]
async fn newer_models_take_fewer_parameters() {
    let mock = Mock::openai().await;
    for model in ["claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-fable-5-1"] {
        for (more, start) in [
            (json!({"temperature": 0.5}), "temperature: "),
            (json!({"top_p": 0.5}), "top_p: "),
            (json!({"top_k": 5}), "top_k: "),
            (json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}), "thinking.type: "),
        ] {
            refused(&mock, with(more, json!({"model": model})), start).await;
        }
        accepted(
            &mock,
            json!({"model": model, "thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}),
        )
        .await;
    }
    for model in ["claude-haiku-4-5", "claude-sonnet-4-5-20250929", "claude-opus-4-1", "claude-opus-4-5"] {
        refused(&mock, json!({"model": model, "thinking": {"type": "adaptive"}}), "thinking.type: adaptive").await;
        accepted(&mock, json!({"model": model, "thinking": {"type": "disabled"}})).await;
        let effort = json!({"model": model, "output_config": {"effort": "low"}});
        match model {
            "claude-opus-4-5" => accepted(&mock, effort).await,
            _ => refused(&mock, effort, "output_config.effort: ").await,
        }
    }
    let model = json!({"model": "claude-fable-5-1", "tools": [tool("a")], "tool_choice": {"type": "any"}});
    refused(&mock, model, "tool_choice.type: ").await;
    let effort = |effort: &str| json!({"model": "claude-opus-4-6", "output_config": {"effort": effort}});
    refused(&mock, effort("xhigh"), "output_config.effort: Input should be 'low', 'medium', 'high' or 'max'").await;
    accepted(&mock, effort("max")).await;
    refused(&mock, with(schema(json!({})), json!({"model": "claude-opus-4-1"})), "output_config.format: ").await;
}

#[tokio::test]
async fn thinking_excludes_other_things() {
    let mock = Mock::openai().await;
    let budget = |tokens: u64| json!({"thinking": {"type": "enabled", "budget_tokens": tokens}});
    let thinking = |more: Value| with(budget(1024), more);
    for (more, start) in [
        (budget(1000), "thinking.enabled.budget_tokens: Input should be greater"),
        (budget(4096), "`max_tokens` must be greater"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.enabled.budget_tokens: Field required"),
        (json!({"thinking": {"type": "sometimes"}}), "thinking.type: "),
        (thinking(json!({"temperature": 0.5})), "temperature: "),
        (thinking(json!({"top_k": 5})), "top_k: "),
        (thinking(json!({"top_p": 0.5})), "top_p: "),
        (thinking(json!({"tools": [tool("a")], "tool_choice": {"type": "any"}})), "tool_choice: Thinking may not"),
    ] {
        refused(&mock, more, start).await;
    }
    accepted(&mock, thinking(json!({"temperature": 1, "tools": [tool("a")], "tool_choice": {"type": "auto"}}))).await;
}

#[tokio::test]
async fn blocks_are_refused_by_path() {
    let mock = Mock::openai().await;
    let image =
        |media: &str| json!({"type": "image", "source": {"type": "base64", "media_type": media, "data": "aGk="}});
    let at = "messages.0.content.0";
    for (block, start) in [
        (json!({"text": "x"}), format!("{at}.type: Field required")),
        (json!({"type": "owl"}), format!("{at}: Input tag 'owl'")),
        (json!({"type": "text"}), format!("{at}.text.text: Field required")),
        (json!({"type": "text", "text": ""}), format!("{at}.text: text content blocks must be non-empty")),
        (json!({"type": "text", "text": " "}), format!("{at}.text: text content blocks must contain non-whitespace")),
        (json!({"type": "text", "text": "x", "foo": 1}), format!("{at}.text.foo: Extra inputs")),
        (image("image/bmp"), format!("{at}.image.source.base64.media_type: Input should be 'image/jpeg'")),
        (json!({"type": "image", "source": {"type": "url"}}), format!("{at}.image.source.url.url: Field required")),
        (
            json!({"type": "document", "source": {"type": "base64", "media_type": "text/html", "data": "aGk="}}),
            format!("{at}.document.source.base64.media_type: "),
        ),
        (json!({"type": "tool_use", "id": "a", "name": "b", "input": {}}), format!("{at}: Input tag 'tool_use'")),
    ] {
        refused(&mock, user(block), &start).await;
    }
    for block in [
        image("image/webp"),
        json!({"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}}),
        json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}}),
        json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}, "title": "x"}),
    ] {
        accepted(&mock, user(block)).await;
    }
}

#[tokio::test]
async fn tools_are_refused_by_path() {
    let mock = Mock::openai().await;
    let odd = |more: Value| json!({"tools": [with(tool("a"), more)]});
    let many: Vec<Value> = (0..21).map(|index| with(tool(&format!("t{index}")), json!({"strict": true}))).collect();
    for (more, start) in [
        (odd(json!({"name": "a.b"})), "tools.0.custom.name: String should match pattern"),
        (odd(json!({"parameters": {}})), "tools.0.custom.parameters: Extra inputs"),
        (odd(json!({"type": "function"})), "tools.0: Input tag 'function'"),
        (odd(json!({"input_schema": {"properties": {}}})), "tools.0.custom.input_schema.type: Field required"),
        (
            odd(json!({"input_schema": {"type": "string"}})),
            "tools.0.custom.input_schema.type: Input should be 'object'",
        ),
        (odd(json!({"strict": true, "input_schema": {"type": "object"}})), "tools.0.custom: For 'object' type"),
        (json!({"tools": [tool("a"), tool("a")]}), "tools: Tool names must be unique"),
        (json!({"tools": many}), "tools: Too many strict tools (21)"),
        (json!({"tool_choice": {"type": "auto"}}), "tool_choice: may only be specified while providing tools"),
        (json!({"tools": [tool("a")], "tool_choice": {"type": "tool", "name": "b"}}), "Tool 'b' not found"),
        (json!({"tools": [tool("a")], "tool_choice": {"type": "required"}}), "tool_choice.type: "),
        (json!({"tools": [tool("a")], "tool_choice": {"type": "any", "foo": 1}}), "tool_choice.any.foo: Extra inputs"),
    ] {
        refused(&mock, more, start).await;
    }
    accepted(
        &mock,
        json!({"tools": [tool("a"), {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]}),
    )
    .await;
    accepted(&mock, odd(json!({"strict": true}))).await;
}

#[tokio::test]
async fn schemas_may_not_promise_too_much() {
    let mock = Mock::openai().await;
    let object = |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
    for inner in [
        json!({"type": "object", "properties": {}}),
        object(json!({"a": {"type": "integer", "minimum": 1}})),
        object(json!({"a": {"anyOf": [{"type": "string", "maxLength": 3}]}})),
        object(json!({"a": {"type": "array", "minItems": 2, "items": {"type": "string"}}})),
        object(json!({"a": {"type": "array", "items": {"type": "object"}}})),
    ] {
        refused(&mock, schema(inner), "output_config.format.schema: ").await;
    }
    // Names of properties are no keywords.
    accepted(&mock, schema(object(json!({"minimum": {"type": "array", "minItems": 1, "items": {"type": "string"}}}))))
        .await;
    refused(&mock, json!({"output_config": {"foo": 1}}), "output_config.foo: Extra inputs").await;
}

#[tokio::test]
async fn marks_are_counted_and_checked() {
    let mock = Mock::openai().await;
    let text = |mark: Value| json!({"type": "text", "text": "x", "cache_control": mark});
    let content = |blocks: Vec<Value>| json!({"messages": [{"role": "user", "content": blocks}]});
    let mark = json!({"type": "ephemeral"});
    refused(&mock, content(vec![text(mark.clone()); 5]), "A maximum of 4 blocks with cache_control").await;
    refused(&mock, user(text(json!({"type": "forever"}))), "messages.0.content.0.cache_control.type: ").await;
    refused(&mock, user(text(json!({"type": "ephemeral", "ttl": "2h"}))), "messages.0.content.0.cache_control.ttl: ")
        .await;
    let late = content(vec![text(mark.clone()), text(json!({"type": "ephemeral", "ttl": "1h"}))]);
    refused(&mock, late, "messages.0.content.1.cache_control.ttl: a ttl='1h'").await;
    let tools = json!([with(tool("a"), json!({"cache_control": mark}))]);
    accepted(&mock, with(content(vec![text(mark.clone()); 2]), json!({"tools": tools, "system": [text(mark)]}))).await;
}

#[tokio::test]
async fn lenient_mocks_take_everything() {
    let mock = Mock::start(Config { strict: false, ..config("lenient") }).await;
    accepted(&mock, json!({"foo": 1, "temperature": 3, "model": "mine", "tools": [{"name": "a.b"}]})).await;
    refused(&mock, json!({"max_tokens": 0}), "max_tokens: ").await;
}
