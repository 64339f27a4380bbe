//! Answers without streaming, in both flavours and on every path.

use super::*;

#[tokio::test]
async fn a_completion_has_every_field_of_the_real_one() {
    let mock = Mock::openai().await;
    let reply = mock.chat(&hello("gpt-5-mini")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    for name in ["x-request-id", "openai-processing-ms", "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens"] {
        assert_ne!(reply.header(name), "", "{name}");
    }
    let body = reply.json();
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(body["object"], "chat.completion");
    assert!(body["created"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(body["model"], "gpt-5-mini-2025-08-07");
    assert_eq!(body["service_tier"], "default");
    assert!(body["system_fingerprint"].as_str().unwrap().starts_with("fp_"));
    assert!(body.get("prompt_filter_results").is_none());
    let choice = &body["choices"][0];
    assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("stop")));
    assert_eq!(choice["logprobs"], Value::Null);
    let message = &choice["message"];
    assert_eq!(message["role"], "assistant");
    assert_eq!((&message["refusal"], &message["annotations"]), (&Value::Null, &json!([])));
    let text = message["content"].as_str().unwrap();
    assert!(text.contains("openai") && text.contains("gpt-5-mini-2025-08-07"), "{text}");
    let usage = &body["usage"];
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}"));
    assert_eq!(count("/total_tokens"), count("/prompt_tokens") + count("/completion_tokens"));
    assert_eq!(count("/prompt_tokens_details/cached_tokens"), 0);
    let reasoning = count("/completion_tokens_details/reasoning_tokens");
    assert!(reasoning > 0 && reasoning < count("/completion_tokens"));
}

#[tokio::test]
async fn the_same_request_gets_the_same_text_and_another_id() {
    let mock = Mock::openai().await;
    let (one, two) = (mock.chat(&hello("gpt-4o")).await.json(), mock.chat(&hello("gpt-4o")).await.json());
    assert_eq!(one["choices"], two["choices"]);
    assert_eq!(one["system_fingerprint"], two["system_fingerprint"]);
    assert_ne!(one["id"], two["id"]);
    assert_eq!(one["usage"]["completion_tokens_details"]["reasoning_tokens"], 0);
}

#[tokio::test]
async fn every_path_form_is_served_and_nothing_else() {
    let mock = Mock::openai().await;
    for path in [
        "/v1/chat/completions",
        "/chat/completions?api-version=2024-05-01-preview",
        "/openai/v1/chat/completions",
        "/models/chat/completions?api-version=2024-05-01-preview",
        "/openai/deployments/other/chat/completions?api-version=2024-10-21",
        "/api/projects/p/openai/v1/chat/completions",
    ] {
        let reply = mock.send("POST", path, hello("gpt-4o").to_string()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let expected = if path.contains("deployments") { "other" } else { "gpt-4o-2024-11-20" };
        assert_eq!(reply.json()["model"], expected, "{path}");
    }
    for (method, path) in [("GET", "/v1/chat/completions"), ("POST", "/v1/nothing"), ("POST", "/v1/chat/completions/")]
    {
        let reply = mock.send(method, path, "").await;
        assert_eq!(reply.error().0, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn a_deployment_wins_over_the_model_and_needs_an_api_version() {
    let mock = Mock::azure().await;
    let path = "/openai/deployments/my%20router%2Fv1/chat/completions";
    let reply = mock.send("POST", &format!("{path}?api-version=2024-10-21"), hello("gpt-4o").to_string()).await;
    assert_eq!(reply.json()["model"], "my router/v1");
    for path in [path.to_owned(), format!("{path}?api-version=")] {
        let reply = mock.send("POST", &path, hello("gpt-4o").to_string()).await;
        assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (404, Some("404")));
    }
}

#[tokio::test]
async fn served_as_wins_over_the_built_in_snapshots() {
    let served_as = [("mine".to_owned(), "gpt-5-2025-08-07".to_owned()), ("gpt-4o".to_owned(), "x".to_owned())];
    let mock = Mock::start(Config { served_as: Arc::new(served_as.into()), ..config("openai") }).await;
    assert_eq!(mock.chat(&hello("gpt-4o")).await.json()["model"], "x");
    let body = mock.chat(&hello("mine")).await.json();
    assert_eq!(body["model"], "gpt-5-2025-08-07");
    assert!(body["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn azure_adds_its_filters_and_headers() {
    let mock = Mock::azure().await;
    let request = mock.client.post(format!("{}/openai/v1/chat/completions", mock.base));
    let response = request.header("x-ms-client-request-id", "abc").json(&hello("gpt-4.1")).send().await.unwrap();
    assert_eq!(response.headers()["x-ms-client-request-id"], "abc");
    assert!(response.headers().contains_key("apim-request-id"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["prompt_filter_results"][0]["prompt_index"], 0);
    let filter = &body["choices"][0]["content_filter_results"]["hate"];
    assert_eq!(filter, &json!({"filtered": false, "severity": "safe"}));
}

#[tokio::test]
async fn n_asks_for_choices() {
    let mock = Mock::openai().await;
    let body = mock.chat(&with(hello("gpt-4o"), json!({"n": 3}))).await.json();
    let choices = body["choices"].as_array().unwrap();
    assert_eq!(choices.iter().map(|choice| choice["index"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    assert_ne!(choices[0]["message"]["content"], choices[1]["message"]["content"]);
}

#[tokio::test]
async fn a_budget_cuts_the_answer() {
    let mock = Mock::openai().await;
    for (model, limit) in [("gpt-4o", "max_tokens"), ("gpt-5-mini", "max_completion_tokens")] {
        let body = mock.chat(&with(hello(model), json!({limit: 6}))).await.json();
        assert_eq!(body["choices"][0]["finish_reason"], "length", "{model}");
        assert_eq!(body["usage"]["completion_tokens"], 6, "{model}");
        let words = body["choices"][0]["message"]["content"].as_str().unwrap().split(' ').count();
        assert!((1..=6).contains(&words), "{model}: {words}");
    }
}

#[tokio::test]
async fn a_forced_tool_is_called_with_what_it_requires() {
    let mock = Mock::openai().await;
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]},
                "tags": {"type": "array", "items": {"type": "string"}}, "place": {"$ref": "#/$defs/place"},
                "optional": {"type": "string"},
            },
            "required": ["city", "days", "unit", "tags", "place"],
            "$defs": {"place": {"type": "object", "properties": {"exact": {"type": "boolean"}}, "required": ["exact"]}},
        }}})
    };
    let tools = json!([tool("weather"), tool("forecast")]);
    for (choice, name) in
        [(json!("required"), "weather"), (json!({"type": "function", "function": {"name": "forecast"}}), "forecast")]
    {
        let body = mock.chat(&with(hello("gpt-4o"), json!({"tools": tools, "tool_choice": choice}))).await.json();
        let choice = &body["choices"][0];
        assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("tool_calls"), &Value::Null));
        let call = &choice["message"]["tool_calls"][0];
        assert!(call["id"].as_str().unwrap().starts_with("call_"));
        assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!(name)));
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        let expected = json!({"city": "mock", "days": 1, "unit": "C", "tags": ["mock"], "place": {"exact": true}});
        assert_eq!(arguments, expected);
    }
    let body = mock.chat(&with(hello("gpt-4o"), json!({"tools": tools}))).await.json();
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn json_formats_get_json() {
    let mock = Mock::openai().await;
    let schema = json!({"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]});
    for (format, key) in [
        (json!({"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": schema}}), "score"),
        (json!({"type": "json_object"}), "model"),
    ] {
        let body = mock.chat(&with(hello("gpt-4o"), json!({"response_format": format}))).await.json();
        let content: Value = serde_json::from_str(body["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
        assert!(content.get(key).is_some(), "{content}");
    }
}

#[tokio::test]
async fn a_prefix_seen_before_is_cached_in_steps_of_128() {
    let mock = Mock::openai().await;
    let long = "All work and no play makes Jack a dull boy. ".repeat(200);
    let ask = async |tail: &str, model: &str| {
        let messages = json!([{"role": "system", "content": long}, {"role": "user", "content": tail}]);
        let usage = mock.chat(&json!({"model": model, "messages": messages})).await.json()["usage"].clone();
        let cached = usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
        assert!(cached < usage["prompt_tokens"].as_u64().unwrap());
        cached
    };
    assert_eq!(ask("one", "gpt-4o").await, 0);
    let cached = ask("two", "gpt-4o").await;
    assert!(cached >= 1024 && cached.is_multiple_of(128), "{cached}");
    assert_eq!(ask("two", "gpt-4.1").await, 0, "another model has another cache");
}

#[tokio::test]
async fn latency_and_pace_delay_an_answer() {
    let slow = Config { latency: Duration::from_millis(60), per_token: Duration::from_millis(5), ..config("openai") };
    let mock = Mock::start(slow).await;
    let start = std::time::Instant::now();
    mock.chat(&with(hello("gpt-4o"), json!({"max_tokens": 10}))).await;
    assert!(start.elapsed() >= Duration::from_millis(110), "{:?}", start.elapsed());
}

#[tokio::test]
async fn models_are_listed() {
    let mock = Mock::openai().await;
    let body = mock.send("GET", "/v1/models", "").await.json();
    assert_eq!(body["object"], "list");
    assert!(body["data"].as_array().unwrap().iter().any(|model| model["id"] == "gpt-5-mini"));
}
