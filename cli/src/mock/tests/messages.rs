//! Shapes of the Messages API, whole and streamed.

use super::*;

/// The blocks that the events of a stream add up to, with the JSON of calls read.
fn assembled(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut json = String::new();
    for event in events {
        let delta = &event["delta"];
        let append = |block: &mut Value, name: &str| {
            block[name] = json!(block[name].as_str().unwrap().to_owned() + delta[name].as_str().unwrap());
        };
        match (event["type"].as_str().unwrap(), delta["type"].as_str().unwrap_or_default()) {
            ("content_block_start", _) => blocks.push(event["content_block"].clone()),
            (_, "text_delta") => append(blocks.last_mut().unwrap(), "text"),
            (_, "thinking_delta") => append(blocks.last_mut().unwrap(), "thinking"),
            (_, "signature_delta") => append(blocks.last_mut().unwrap(), "signature"),
            (_, "input_json_delta") => json += delta["partial_json"].as_str().unwrap(),
            ("content_block_stop", _) if !json.is_empty() => {
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(&std::mem::take(&mut json)).unwrap();
            }
            _ => {}
        }
    }
    blocks
}

fn kinds(body: &Value) -> Vec<&str> {
    body["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_has_its_shape() {
    let mock = Mock::openai().await;
    for path in ["/v1/messages", "/anthropic/v1/messages"] {
        let reply = mock.message_at(path, &say(json!({}))).await;
        let body = reply.json();
        assert!(body["id"].as_str().unwrap().starts_with("msg_01"));
        assert_eq!(
            (&body["type"], &body["role"], &body["model"]),
            (&json!("message"), &json!("assistant"), &json!("claude-sonnet-4-5"))
        );
        assert!(body["content"][0]["text"].as_str().unwrap().contains("answering as claude-sonnet-4-5"));
        assert_eq!((&body["stop_reason"], &body["stop_sequence"]), (&json!("end_turn"), &Value::Null));
        let usage = &body["usage"];
        assert!(usage["input_tokens"].as_u64().unwrap() > 0 && usage["output_tokens"].as_u64().unwrap() > 10);
        assert_eq!(usage["cache_creation"], json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}));
        assert!(usage.get("output_tokens_details").is_none());
        assert!(reply.header("request-id").starts_with("req_"));
        assert!(reply.header("anthropic-ratelimit-input-tokens-reset").ends_with('Z'));
        assert_eq!(reply.header("openai-organization"), "");
    }
}

#[tokio::test]
async fn a_stream_says_what_the_whole_message_says() {
    let mock = Mock::openai().await;
    let weather = json!({"tools": [tool("weather"), {"name": "now", "input_schema": {"type": "object"}}]});
    let ask = |words: &str| json!({"messages": [{"role": "user", "content": words}]});
    for more in [
        json!({}),
        ask("[mock:two-texts]"),
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        with(weather.clone(), ask("[mock:call]")),
        with(weather, ask("[mock:call-all]")),
    ] {
        let whole = mock.message(&say(more.clone())).await.json();
        let events = mock.message(&say(with(more, json!({"stream": true})))).await.message_events();
        let (mut expected, mut got) = (whole["content"].clone(), json!(assembled(&events)));
        for blocks in [&mut expected, &mut got] {
            for block in blocks.as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("id");
            }
        }
        assert_eq!(got, expected);
        let start = &events[0]["message"];
        assert_eq!((&start["content"], &start["stop_reason"]), (&json!([]), &Value::Null));
        assert_eq!(start["usage"]["input_tokens"], whole["usage"]["input_tokens"]);
        assert_eq!(start["usage"]["output_tokens"], 1);
        assert_eq!((&events[1]["type"], &events[2]["type"]), (&json!("content_block_start"), &json!("ping")));
        let [.., last, stop] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(last["delta"], json!({"stop_reason": whole["stop_reason"], "stop_sequence": null}));
        assert_eq!(last["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
        assert_eq!(stop, &json!({"type": "message_stop"}));
    }
}

#[tokio::test]
async fn tools_are_called_when_they_have_to_be_and_when_told() {
    let mock = Mock::openai().await;
    let tools = json!([tool("weather"), {"name": "now", "input_schema": {"type": "object"}}]);
    let ask = async |words: &str, choice: Value| {
        let more = json!({"tools": tools, "tool_choice": choice, "messages": [{"role": "user", "content": words}]});
        let body = mock.message(&say(more)).await.json();
        let calls = body["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_use");
        let calls: Vec<String> = calls.map(|call| format!("{} {}", call["name"], call["input"])).collect();
        assert_eq!(body["stop_reason"] == "tool_use", !calls.is_empty());
        (body, calls.join(", "))
    };
    let (weather, now) = (r#""weather" {"city":"mock"}"#, r#""now" {}"#);
    let both = format!("{weather}, {now}");
    for (words, choice, expected) in [
        ("Hello", json!({"type": "auto"}), ""),
        ("Hello", json!({"type": "any"}), weather),
        ("Hello", json!({"type": "tool", "name": "now"}), now),
        ("[mock:call]", json!({"type": "auto"}), weather),
        ("[mock:call-all]", json!({"type": "any"}), &both),
        ("[mock:call-all]", json!({"type": "auto", "disable_parallel_tool_use": true}), weather),
        ("[mock:call-all]", json!({"type": "none"}), ""),
    ] {
        let (body, calls) = ask(words, choice.clone()).await;
        assert_eq!(calls, expected, "{words} {choice}: {body}");
    }
    let (body, _) = ask("[mock:call]", json!({"type": "auto"})).await;
    assert_eq!(kinds(&body), ["text", "tool_use"]);
    assert!(body["content"][1]["id"].as_str().unwrap().starts_with("toolu_01"));
}

#[tokio::test]
async fn a_tool_without_arguments_streams_nothing_but_an_empty_piece() {
    let mock = Mock::openai().await;
    let more = json!({"tools": [{"name": "now", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}, "stream": true});
    let events = mock.message(&say(more)).await.message_events();
    assert_eq!(events[1]["content_block"]["input"], json!({}));
    assert_eq!(events[3]["delta"], json!({"type": "input_json_delta", "partial_json": ""}));
    assert_eq!(events[4]["type"], "content_block_stop");
}

#[tokio::test]
async fn thoughts_come_first_and_are_signed() {
    let mock = Mock::openai().await;
    let adaptive =
        json!({"model": "claude-opus-4-8", "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}});
    let body = mock.message(&say(adaptive.clone())).await.json();
    assert_eq!(kinds(&body), ["thinking", "text"]);
    assert!(!body["content"][0]["signature"].as_str().unwrap().is_empty());
    assert_eq!(body["usage"]["output_tokens_details"]["thinking_tokens"], 128);
    assert!(body["usage"]["output_tokens"].as_u64().unwrap() > 128);

    let hidden = json!({"thinking": {"type": "adaptive", "display": "omitted"}});
    let body = mock.message(&say(with(adaptive.clone(), hidden))).await.json();
    assert_eq!(body["content"][0]["thinking"], "");
    let words = json!({"messages": [{"role": "user", "content": "[mock:redacted]"}]});
    let body = mock.message(&say(with(adaptive, words))).await.json();
    assert_eq!(kinds(&body), ["redacted_thinking", "text"]);
}

#[tokio::test]
async fn answers_end_for_every_reason() {
    let mock = Mock::openai().await;
    let reason = async |more: Value| {
        let body = mock.message(&say(more)).await.json();
        (body["stop_reason"].as_str().unwrap().to_owned(), body)
    };
    let (stop, body) = reason(json!({"max_tokens": 6})).await;
    assert_eq!((stop.as_str(), &body["usage"]["output_tokens"]), ("max_tokens", &json!(6)));
    let (stop, body) = reason(json!({"stop_sequences": ["nowhere", " provider"]})).await;
    assert_eq!((stop.as_str(), &body["stop_sequence"]), ("stop_sequence", &json!(" provider")));
    assert_eq!(body["content"][0]["text"], "This is the mock");
    for asked in ["refusal", "pause_turn", "model_context_window_exceeded"] {
        let words = format!("[mock:stop={asked}]");
        assert_eq!(reason(json!({"messages": [{"role": "user", "content": words}]})).await.0, asked);
    }
}

#[tokio::test]
async fn formats_get_json_that_fits() {
    let mock = Mock::openai().await;
    let schema = tool("x")["input_schema"].clone();
    let format = json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let body = mock.message(&say(format)).await.json();
    assert_eq!(body["content"][0]["text"], r#"{"city":"mock"}"#);
}

#[tokio::test]
async fn what_is_marked_is_written_once_and_then_read() {
    let mock = Mock::openai().await;
    let long = "All work and no play makes Jack a dull boy. ".repeat(200);
    let marked = |text: &str, ttl: &str| json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}});
    let ask = async |system: Value, words: Value| {
        let body = say(json!({"system": [system], "messages": [{"role": "user", "content": [words]}]}));
        let usage = mock.message(&body).await.json()["usage"].clone();
        let count = |name: &str| usage[name].as_u64().unwrap();
        let written = count("cache_creation_input_tokens");
        let split = &usage["cache_creation"];
        let (short, hour) = (&split["ephemeral_5m_input_tokens"], &split["ephemeral_1h_input_tokens"]);
        assert_eq!(short.as_u64().unwrap() + hour.as_u64().unwrap(), written);
        (count("input_tokens"), written, count("cache_read_input_tokens"), hour.as_u64().unwrap())
    };
    let plain = |text: &str| json!({"type": "text", "text": text});
    let (total, written, read, _) = ask(plain(&long), plain("one")).await;
    assert_eq!((total > 2000, written, read), (true, 0, 0), "nothing is cached that is not marked");
    let (fresh, written, read, hour) = ask(marked(&long, "1h"), plain("one")).await;
    assert_eq!((fresh + written, read, hour), (total, 0, written));
    let (again, none, read, _) = ask(marked(&long, "1h"), plain("one")).await;
    assert_eq!((again, none, read), (fresh, 0, written));
    // The mark moves on; what it stood at before is still known.
    let (rest, more, read, hour) = ask(plain(&long), marked(&"And then some more. ".repeat(20), "5m")).await;
    assert_eq!((read, hour), (written, 0));
    assert!(more > 90 && rest < 10, "{more} {rest}");
    assert_eq!(ask(marked("short", "5m"), plain("one")).await.1, 0, "fewer than 1,024 tokens");
}

#[tokio::test]
async fn tokens_are_counted() {
    let mock = Mock::openai().await;
    let mut body = say(json!({}));
    body.as_object_mut().unwrap().remove("max_tokens");
    let usage = mock.message(&say(json!({}))).await.json()["usage"].clone();
    for path in ["/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"] {
        let reply = mock.message_at(path, &body).await;
        assert_eq!(reply.json(), json!({"input_tokens": usage["input_tokens"]}), "{path}");
    }
    let reply = mock.message_at("/v1/messages/count_tokens", &say(json!({}))).await;
    assert_eq!(reply.message_error().2, "max_tokens: Extra inputs are not permitted");
}

#[tokio::test]
async fn requests_are_recorded_with_their_headers() {
    let mock = Mock::openai().await;
    mock.message(&say(json!({}))).await;
    let recorded = mock.send("GET", "/_mock/requests", "").await.json();
    assert_eq!(
        (&recorded[0]["path"], &recorded[0]["headers"]["anthropic-version"]),
        (&json!("/v1/messages"), &json!("2023-06-01"))
    );
    assert_eq!(serde_json::from_str::<Value>(recorded[0]["body"].as_str().unwrap()).unwrap(), say(json!({})));
}

#[tokio::test]
async fn providers_can_do_without_one_of_the_apis() {
    let mock = Mock::start(Config { messages_only: true, ..config("anthropic") }).await;
    assert_eq!(mock.message(&say(json!({}))).await.status, 200);
    for (method, path) in [("POST", "/v1/chat/completions"), ("POST", "/v1/responses"), ("GET", "/v1/models")] {
        let reply = mock.send(method, path, hello("claude-sonnet-4-5").to_string()).await;
        assert_eq!((reply.message_error().0, reply.message_error().1.as_str()), (404, "not_found_error"), "{path}");
        assert!(reply.header("request-id").starts_with("req_"));
    }
    let mock = Mock::start(Config { chat_only: true, ..config("small") }).await;
    assert_eq!(mock.message(&say(json!({}))).await.error().0, 404);
}
