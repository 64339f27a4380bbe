//! Every fault on the Messages API.

use super::*;

fn streamed() -> Value {
    say(json!({"stream": true}))
}

async fn try_message(mock: &Mock, body: &Value) -> reqwest::Result<String> {
    let request = mock.client.post(format!("{}/v1/messages", mock.base)).header("anthropic-version", "2023-06-01");
    request.json(body).send().await?.text().await
}

#[tokio::test]
async fn statuses_speak_as_anthropic_does() {
    let mock = Mock::azure().await;
    for (status, kind, retry) in [
        (400, "invalid_request_error", ""),
        (401, "authentication_error", ""),
        (403, "permission_error", ""),
        (404, "not_found_error", ""),
        (413, "request_too_large", ""),
        (429, "rate_limit_error", "1"),
        (500, "api_error", ""),
        (529, "overloaded_error", "1"),
    ] {
        mock.fault(json!({"fault": "status", "status": status, "count": 1, "model": "claude-sonnet-4-5"})).await;
        let reply = mock.message(&streamed()).await;
        let (got, said, _) = reply.message_error();
        assert_eq!((got, said.as_str(), reply.header("retry-after")), (status, kind, retry));
        assert!(reply.header("request-id").starts_with("req_"));
        let left = if status == 429 { "0" } else { "3999" };
        assert_eq!(reply.header("anthropic-ratelimit-requests-remaining"), left);
    }
    mock.fault(json!({"fault": "status", "status": 503, "body": "full", "headers": {"retry-after": 7}, "count": 1}))
        .await;
    let reply = mock.message(&streamed()).await;
    assert_eq!((reply.status, reply.text.as_str(), reply.header("retry-after")), (503, "full", "7"));
}

#[tokio::test]
async fn connections_fail_as_for_chat() {
    let mock = Mock::openai().await;
    mock.fault(json!([{"fault": "reset", "count": 1}, {"fault": "hang", "count": 1}])).await;
    assert!(try_message(&mock, &streamed()).await.is_err());
    assert!(tokio::time::timeout(Duration::from_millis(300), try_message(&mock, &streamed())).await.is_err());
    mock.fault(json!({"fault": "slow_first_token", "ms": 200, "count": 1})).await;
    let start = std::time::Instant::now();
    assert_eq!(mock.message(&streamed()).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
    mock.fault(json!({"fault": "gzip", "count": 1})).await;
    assert_eq!(mock.message(&streamed()).await.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn a_stream_fails_with_an_error_event() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "stream_error", "after": 3, "count": 1})).await;
    let events = mock.message(&streamed()).await.message_events();
    let (last, good) = events.split_last().unwrap();
    assert_eq!(last["error"], json!({"type": "overloaded_error", "message": "Overloaded"}));
    assert_eq!(good.iter().filter(|event| event["type"] == "content_block_delta").count(), 3);
    let error = json!({"type": "api_error", "message": "Broken."});
    mock.fault(json!({"fault": "stream_error", "error": error, "count": 2})).await;
    let events = mock.message(&streamed()).await.message_events();
    assert_eq!((events.len(), &events[0]["error"]), (1, &error));
    let reply = mock.message(&say(json!({}))).await;
    assert_eq!((reply.status, &reply.json()["error"]), (200, &error));
}

#[tokio::test]
async fn bodies_break_as_for_chat() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "truncated"})).await;
    assert!(try_message(&mock, &say(json!({}))).await.is_err());
    assert!(try_message(&mock, &streamed()).await.is_err());
    mock.fault(json!({"fault": "malformed", "after": 2})).await;
    assert!(serde_json::from_str::<Value>(&mock.message(&say(json!({}))).await.text).is_err());
    let text = mock.message(&streamed()).await.text;
    let broken =
        |event: &&str| event.split_once("data: ").is_none_or(|(_, data)| serde_json::from_str::<Value>(data).is_err());
    assert_eq!(text.trim_end().split("\n\n").filter(broken).count(), 1);
    assert!(text.contains("event: message_stop"));
    mock.fault(json!({"fault": "empty_stream"})).await;
    for body in [say(json!({})), streamed()] {
        assert_eq!(mock.message(&body).await.text, "");
    }
}

#[tokio::test]
async fn tokens_keep_their_pace() {
    let mock = Mock::start(Config { per_token: Duration::from_millis(10), ..config("slow") }).await;
    let start = std::time::Instant::now();
    mock.message(&say(json!({"stream": true, "max_tokens": 10}))).await;
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
}
