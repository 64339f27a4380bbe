//! Streams that go well.

use super::*;

fn stream(model: &str, more: Value) -> Value {
    with(with(hello(model), json!({"stream": true})), more)
}

fn content(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_says() {
    let mock = Mock::openai().await;
    let whole = mock.chat(&hello("gpt-5")).await.json();
    let reply = mock.chat(&stream("gpt-5", json!({}))).await;
    assert!(reply.header("content-type").starts_with("text/event-stream"));
    assert_ne!(reply.header("x-request-id"), "");
    let chunks = reply.chunks();
    assert_eq!(content(&chunks), whole["choices"][0]["message"]["content"].as_str().unwrap());
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["model"], "gpt-5-2025-08-07");
        assert_eq!((&chunk["id"], &chunk["created"]), (&chunks[0]["id"], &chunks[0]["created"]));
        assert!(chunk.get("usage").is_none());
    }
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": "", "refusal": null}));
    let (last, others) = chunks.split_last().unwrap();
    assert!(others.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    assert_eq!((&last["choices"][0]["delta"], &last["choices"][0]["finish_reason"]), (&json!({}), &json!("stop")));
    assert!(chunks.len() > 20, "one chunk per token");
}

#[tokio::test]
async fn include_usage_adds_a_chunk_and_nulls() {
    let mock = Mock::openai().await;
    let options = json!({"stream_options": {"include_usage": true, "include_obfuscation": false}});
    let chunks = mock.chat(&stream("gpt-4o", options)).await.chunks();
    let (usage, others) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["total_tokens"].as_u64().unwrap() > 0);
    for chunk in others {
        assert_eq!(chunk.get("usage"), Some(&Value::Null));
        assert!(chunk.get("obfuscation").is_none());
    }
    assert_eq!(others.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn azure_begins_with_a_nameless_chunk() {
    let mock = Mock::azure().await;
    let chunks = mock.chat(&stream("gpt-4o", json!({"stream_options": {"include_usage": true}}))).await.chunks();
    let first = &chunks[0];
    for empty in ["id", "model", "object"] {
        assert_eq!(first[empty], "", "{empty}");
    }
    assert_eq!((&first["choices"], first.get("usage")), (&json!([]), Some(&Value::Null)));
    assert!(first["prompt_filter_results"].is_array());
    assert_eq!(chunks[1]["model"], "gpt-4o-2024-11-20");
    assert_eq!(chunks[2]["choices"][0]["content_filter_results"]["hate"]["severity"], "safe");
}

#[tokio::test]
async fn tool_calls_stream_their_arguments() {
    let mock = Mock::openai().await;
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let chunks = mock.chat(&stream("gpt-4o", json!({"tools": tools, "tool_choice": "required"}))).await.chunks();
    let first = &chunks[0]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!((&first["index"], &first["function"]["name"]), (&json!(0), &json!("weather")));
    assert!(first["id"].as_str().unwrap().starts_with("call_"));
    let calls = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].get(0));
    let arguments: String = calls.map(|call| call["function"]["arguments"].as_str().unwrap()).collect();
    assert_eq!(arguments, r#"{"city":"mock"}"#);
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn choices_are_interleaved() {
    let mock = Mock::openai().await;
    let chunks = mock.chat(&stream("gpt-4o", json!({"n": 2}))).await.chunks();
    let indices: Vec<u64> = chunks.iter().take(4).map(|chunk| chunk["choices"][0]["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, [0, 1, 0, 1]);
    let finished = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"] == "stop").count();
    assert_eq!(finished, 2);
}

#[tokio::test]
async fn tokens_keep_their_pace() {
    let mock = Mock::start(Config { per_token: Duration::from_millis(10), ..config("openai") }).await;
    let url = format!("{}/v1/chat/completions", mock.base);
    let start = std::time::Instant::now();
    let body = stream("gpt-4o", json!({"max_tokens": 10}));
    let mut response = mock.client.post(url).json(&body).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {"));
    assert!(start.elapsed() < Duration::from_millis(90), "the first event does not wait for the last");
    while response.chunk().await.unwrap().is_some() {}
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
}
