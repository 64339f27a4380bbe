//! Answers of the Responses API: their shapes, and the order of their events.

use super::*;

/// Replaces what differs from answer to answer.
fn masked(mut body: Value) -> Value {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), &value) {
                        ("id" | "item_id" | "call_id", Value::String(id)) => {
                            *value = json!(id.split('_').next());
                        }
                        ("created_at" | "completed_at", Value::Number(_)) => *value = json!("time"),
                        _ => mask(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(mask),
            _ => {}
        }
    }
    mask(&mut body);
    body
}

const TEXT: &str = "This is the mock provider openai, answering as gpt-5-mini-2025-08-07. No real model was called: \
                    this text is made up, and costs nothing but the time to read it.";

#[tokio::test]
async fn a_response_has_every_field_of_the_real_one() {
    let mock = Mock::openai().await;
    let reply = mock.respond(&ask("gpt-5-mini")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let part = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": TEXT});
    let expected = json!({
        "id": "resp",
        "object": "response",
        "created_at": "time",
        "status": "completed",
        "background": false,
        "completed_at": "time",
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": "gpt-5-mini-2025-08-07",
        "output": [
            {"id": "rs", "type": "reasoning", "summary": []},
            {"id": "msg", "type": "message", "status": "completed", "content": [part], "role": "assistant"},
        ],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "prompt_cache_retention": null,
        "reasoning": {"effort": "medium", "summary": null},
        "safety_identifier": null,
        "service_tier": "default",
        "store": true,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 285,
            "output_tokens_details": {"reasoning_tokens": 256},
            "total_tokens": 296,
        },
        "user": null,
        "metadata": {},
    });
    assert_eq!(masked(reply.json()), expected);
    assert_eq!(reply.json()["id"].as_str().unwrap().len(), "resp_".len() + 48);
}

#[tokio::test]
async fn settings_are_echoed() {
    let mock = Mock::openai().await;
    let settings = json!({
        "instructions": "Be brief.", "temperature": 0.5, "top_p": 0.9, "metadata": {"a": "b"}, "user": "u",
        "max_output_tokens": 500, "truncation": "auto", "parallel_tool_calls": false, "store": false,
        "service_tier": "flex", "tool_choice": "none", "tools": [{"type": "web_search"}], "top_logprobs": 2,
    });
    let body = mock.respond(&with(ask("gpt-4o"), settings.clone())).await.json();
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    assert_eq!(body["reasoning"], json!({"effort": null, "summary": null}));
    let reasoning = json!({"reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"}});
    let body = mock.respond(&with(ask("gpt-5"), reasoning.clone())).await.json();
    assert_eq!((&body["reasoning"], &body["text"]["verbosity"]), (&reasoning["reasoning"], &json!("low")));
    assert_eq!(body["usage"]["output_tokens_details"]["reasoning_tokens"], 128);
}

#[tokio::test]
async fn chat_and_responses_say_and_cost_the_same() {
    let mock = Mock::openai().await;
    let long = "All work and no play makes Jack a dull boy. ".repeat(200);
    let messages = json!([{"role": "system", "content": long}, {"role": "user", "content": "x"}]);
    let chat = mock.chat(&json!({"model": "gpt-5", "messages": messages})).await.json();
    let body = mock.respond(&json!({"model": "gpt-5", "instructions": long, "input": "x"})).await.json();
    assert_eq!(body["output"][1]["content"][0]["text"], chat["choices"][0]["message"]["content"]);
    let pairs = [
        ("/input_tokens", "/prompt_tokens"),
        ("/output_tokens", "/completion_tokens"),
        ("/total_tokens", "/total_tokens"),
        ("/output_tokens_details/reasoning_tokens", "/completion_tokens_details/reasoning_tokens"),
    ];
    for (here, there) in pairs {
        assert_eq!(body["usage"].pointer(here), chat["usage"].pointer(there), "{here}");
    }
    let cached = body["usage"]["input_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert!(cached >= 1024, "the cache is the same: {cached}");
}

#[tokio::test]
async fn a_stream_tells_the_whole_response_in_order() {
    let mock = Mock::openai().await;
    let reply = mock.respond(&with(ask("gpt-5-mini"), json!({"stream": true}))).await;
    assert!(reply.header("content-type").starts_with("text/event-stream"));
    let events = reply.typed_events();
    let mut kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(kinds.iter().filter(|kind| **kind == "response.output_text.delta").count() > 20, "one event per token");
    kinds.dedup();
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds, expected);
    let find = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    let done = &find("response.completed")["response"];
    for early in ["response.created", "response.in_progress"] {
        let early = &find(early)["response"];
        assert_eq!((&early["status"], &early["output"]), (&json!("in_progress"), &json!([])));
        assert_eq!((&early["usage"], &early["id"]), (&Value::Null, &done["id"]));
        assert_eq!(early["model"], "gpt-5-mini-2025-08-07");
    }
    let deltas = || events.iter().filter(|event| event["type"] == "response.output_text.delta");
    let text: String = deltas().map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!(text, TEXT);
    for delta in deltas() {
        assert_eq!((&delta["item_id"], &delta["output_index"]), (&done["output"][1]["id"], &json!(1)));
        assert_eq!((&delta["content_index"], &delta["logprobs"]), (&json!(0), &json!([])));
        assert!(delta["obfuscation"].is_string());
    }
    let whole = mock.respond(&ask("gpt-5-mini")).await.json();
    assert_eq!(masked(done.clone()), masked(whole));
    let plain = json!({"stream": true, "stream_options": {"include_obfuscation": false}});
    assert!(!mock.respond(&with(ask("gpt-5-mini"), plain)).await.text.contains("obfuscation"));
}

#[tokio::test]
async fn forced_tools_are_called() {
    let mock = Mock::openai().await;
    let custom = json!({"type": "custom", "name": "sql"});
    for (choice, item, events) in [
        (
            json!("required"),
            json!({"id": "fc", "type": "function_call", "status": "completed", "arguments": "{\"city\":\"mock\"}",
                   "call_id": "call", "name": "weather"}),
            "response.function_call_arguments",
        ),
        (
            json!({"type": "custom", "name": "sql"}),
            json!({"id": "ctc", "type": "custom_tool_call", "status": "completed", "input": "mock openai",
                   "call_id": "call", "name": "sql"}),
            "response.custom_tool_call_input",
        ),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "sql"}]}),
            json!({"id": "ctc", "type": "custom_tool_call", "status": "completed", "input": "mock openai",
                   "call_id": "call", "name": "sql"}),
            "response.custom_tool_call_input",
        ),
    ] {
        let tools = json!([{"type": "web_search"}, weather(), custom]);
        let body = with(ask("gpt-4o"), json!({"tools": tools, "tool_choice": choice}));
        let whole = mock.respond(&body).await.json();
        assert_eq!(masked(whole.clone())["output"], json!([item]));
        let stream = mock.respond(&with(body, json!({"stream": true}))).await.typed_events();
        let deltas: String = stream.iter().filter_map(|event| event["delta"].as_str()).collect();
        let text = item.get("arguments").or(item.get("input")).unwrap();
        assert_eq!(&json!(deltas), text);
        let done = stream.iter().find(|event| event["type"] == format!("{events}.done")).unwrap();
        assert_eq!(done.get("arguments").or(done.get("input")).unwrap(), text);
        let last = &stream.last().unwrap()["response"];
        assert_eq!(masked(last.clone())["output"], json!([item]));
    }
    let free = mock.respond(&with(ask("gpt-4o"), json!({"tools": [weather()]}))).await.json();
    assert_eq!(free["output"][0]["type"], "message");
    assert_eq!((&free["tools"][0]["strict"], &free["tools"][0]["description"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn json_formats_get_json() {
    let mock = Mock::openai().await;
    let schema = json!({"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]});
    for (format, key) in [
        (json!({"type": "json_schema", "name": "s", "strict": true, "schema": schema}), "score"),
        (json!({"type": "json_object"}), "model"),
    ] {
        let body = mock.respond(&with(ask("gpt-4o"), json!({"text": {"format": format}}))).await.json();
        let text: Value = serde_json::from_str(body["output"][0]["content"][0]["text"].as_str().unwrap()).unwrap();
        assert!(text.get(key).is_some(), "{text}");
        assert_eq!(body["text"]["format"]["type"], format["type"]);
    }
}

#[tokio::test]
async fn a_budget_makes_the_response_incomplete() {
    let mock = Mock::openai().await;
    for model in ["gpt-4o", "gpt-5"] {
        let limit = with(ask(model), json!({"max_output_tokens": 16}));
        let body = mock.respond(&limit).await.json();
        assert_eq!((&body["status"], &body["completed_at"]), (&json!("incomplete"), &Value::Null));
        assert_eq!(body["incomplete_details"], json!({"reason": "max_output_tokens"}));
        assert_eq!(body["usage"]["output_tokens"], 16);
        assert_eq!(body["output"].as_array().unwrap().last().unwrap()["status"], "incomplete");
        let events = mock.respond(&with(limit, json!({"stream": true}))).await.typed_events();
        let last = events.last().unwrap();
        assert_eq!((&last["type"], &last["response"]["status"]), (&json!("response.incomplete"), &json!("incomplete")));
    }
}

#[tokio::test]
async fn every_path_form_is_served() {
    let mock = Mock::openai().await;
    for path in [
        "/v1/responses",
        "/responses",
        "/openai/v1/responses",
        "/openai/responses?api-version=2025-03-01-preview",
        "/api/projects/p/openai/v1/responses",
    ] {
        let reply = mock.send("POST", path, ask("gpt-4o").to_string()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let path = path.replace("/responses", &format!("/responses/{id}"));
        assert_eq!(mock.send("GET", &path, "").await.json()["id"], id.as_str());
    }
    for path in ["/openai/responses", "/openai/deployments/d/responses?api-version=1", "/models/responses"] {
        assert_eq!(mock.send("POST", path, ask("gpt-4o").to_string()).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn azure_adds_its_filters() {
    let mock = Mock::azure().await;
    let body = mock.respond(&ask("gpt-4o")).await.json();
    assert_eq!(body["content_filters"][0]["source_type"], "prompt");
    assert_eq!(body["content_filters"][1]["content_filter_results"]["hate"]["severity"], "safe");
    let events = mock.respond(&with(ask("gpt-4o"), json!({"stream": true}))).await.typed_events();
    assert_eq!(events[0]["response"]["content_filters"], Value::Null);
}

#[tokio::test]
async fn tokens_keep_their_pace() {
    let mock = Mock::start(Config { per_token: Duration::from_millis(5), ..config("openai") }).await;
    for stream in [false, true] {
        let start = std::time::Instant::now();
        mock.respond(&with(ask("gpt-4o"), json!({"max_output_tokens": 16, "stream": stream}))).await;
        assert!(start.elapsed() >= Duration::from_millis(80), "{:?}", start.elapsed());
    }
}
