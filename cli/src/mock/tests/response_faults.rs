//! Every fault on the Responses API, and compression on both.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

fn streamed() -> Value {
    with(ask("gpt-4o"), json!({"stream": true}))
}

async fn try_respond(mock: &Mock, body: &Value) -> reqwest::Result<String> {
    mock.client.post(format!("{}/v1/responses", mock.base)).json(body).send().await?.text().await
}

#[tokio::test]
async fn statuses_and_connections_fail_as_for_chat() {
    let mock = Mock::openai().await;
    mock.fault(json!([
        {"fault": "status", "status": 429, "count": 2},
        {"fault": "reset", "count": 1},
        {"fault": "hang", "count": 1},
    ]))
    .await;
    for body in [ask("gpt-4o"), streamed()] {
        assert_eq!(mock.respond(&body).await.error(), (429, "rate_limit_exceeded".to_owned(), "null".to_owned()));
    }
    assert!(try_respond(&mock, &ask("gpt-4o")).await.is_err());
    assert!(tokio::time::timeout(Duration::from_millis(300), try_respond(&mock, &ask("gpt-4o"))).await.is_err());
    mock.fault(json!({"fault": "slow_first_token", "ms": 200, "count": 1})).await;
    let start = std::time::Instant::now();
    assert_eq!(mock.respond(&streamed()).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_stream_fails_with_an_error_event() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "stream_error", "after": 3, "count": 1})).await;
    let events = mock.respond(&streamed()).await.typed_events();
    let (last, good) = events.split_last().unwrap();
    assert_eq!(good.iter().filter(|event| event["type"] == "response.output_text.delta").count(), 3);
    let message = "Rate limit reached for requests. Please try again in 1s.";
    let expected = json!({"type": "error", "sequence_number": good.len(), "code": "rate_limit_exceeded",
                          "message": message, "param": null});
    assert_eq!(last, &expected);
    mock.fault(json!({"fault": "stream_error", "count": 2})).await;
    assert_eq!(mock.respond(&streamed()).await.typed_events().len(), 1);
    let reply = mock.respond(&ask("gpt-4o")).await;
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (200, Some("rate_limit_exceeded")));
}

#[tokio::test]
async fn a_response_fails_as_a_whole() {
    let mock = Mock::openai().await;
    let error = json!({"code": "server_error", "message": "Broken."});
    mock.fault(json!({"fault": "stream_error", "as": "failed", "after": 2, "error": error, "count": 2})).await;
    let events = mock.respond(&streamed()).await.typed_events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.failed");
    let whole = mock.respond(&ask("gpt-4o")).await;
    assert_eq!(whole.status, 200);
    for body in [last["response"].clone(), whole.json()] {
        assert_eq!((&body["status"], &body["error"], &body["usage"]), (&json!("failed"), &error, &Value::Null));
        let path = format!("/v1/responses/{}", body["id"].as_str().unwrap());
        assert_eq!(mock.send("GET", &path, "").await.status, 404, "what failed is not kept");
    }
    let reply = mock.send("POST", "/_mock/faults", r#"{"fault":"stream_error","as":"owl"}"#).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn bodies_break_as_for_chat() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "truncated"})).await;
    assert!(try_respond(&mock, &ask("gpt-4o")).await.is_err());
    assert!(try_respond(&mock, &streamed()).await.is_err());
    mock.fault(json!({"fault": "malformed", "after": 2})).await;
    assert!(serde_json::from_str::<Value>(&mock.respond(&ask("gpt-4o")).await.text).is_err());
    let text = mock.respond(&streamed()).await.text;
    let broken =
        |event: &&str| event.split_once("data: ").is_none_or(|(_, data)| serde_json::from_str::<Value>(data).is_err());
    assert_eq!(text.trim_end().split("\n\n").filter(broken).count(), 1);
    assert!(text.contains("event: response.completed"));
    mock.fault(json!({"fault": "empty_stream"})).await;
    for body in [ask("gpt-4o"), streamed()] {
        assert_eq!(mock.respond(&body).await.text, "");
    }
}

#[tokio::test]
async fn answers_are_compressed_though_nobody_asked() {
    let mock = Mock::openai().await;
    let stream = json!({"stream": true});
    for (path, body, sign) in [
        ("/v1/responses", ask("gpt-4o"), "\"object\":\"response\""),
        ("/v1/responses", streamed(), "event: response.completed"),
        ("/v1/chat/completions", hello("gpt-4o"), "\"object\":\"chat.completion\""),
        ("/v1/chat/completions", with(hello("gpt-4o"), stream), "data: [DONE]\n\n"),
    ] {
        mock.fault(json!({"fault": "gzip", "count": 1})).await;
        let request = mock.client.post(format!("{}{path}", mock.base)).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        assert!(response.headers()["content-type"].to_str().unwrap().contains('/'));
        let bytes = response.bytes().await.unwrap();
        let mut text = String::new();
        GzDecoder::new(bytes.as_ref()).read_to_string(&mut text).unwrap();
        assert!(text.contains(sign), "{text}");
    }
    assert_eq!(mock.respond(&ask("gpt-4o")).await.header("content-encoding"), "");
}

#[tokio::test]
async fn compressed_events_can_be_read_as_they_come() {
    let mock = Mock::start(Config { per_token: Duration::from_millis(20), ..config("openai") }).await;
    mock.fault(json!({"fault": "gzip"})).await;
    let start = std::time::Instant::now();
    let request = mock.client.post(format!("{}/v1/responses", mock.base)).json(&streamed());
    let mut response = request.send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    let mut buffer = [0; 64];
    let read = GzDecoder::new(first.as_ref()).read(&mut buffer).unwrap();
    assert!(buffer[..read].starts_with(b"event: response.created"));
}
