//! Every fault, streamed and not.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::*;

fn streamed() -> Value {
    with(hello("gpt-4o"), json!({"stream": true}))
}

/// Sends a raw request, and answers with what came back before the connection ended, and how it ended.
async fn raw(mock: &Mock, body: &Value) -> (String, std::io::Result<()>) {
    let mut socket = TcpStream::connect(mock.address()).await.unwrap();
    let body = body.to_string();
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let end = timeout(Duration::from_secs(5), socket.read_to_end(&mut received)).await.unwrap();
    (String::from_utf8(received).unwrap(), end.map(drop))
}

#[tokio::test]
async fn a_status_lasts_as_long_as_its_count() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "status", "status": 429, "count": 2})).await;
    for _ in 0..2 {
        mock.send("GET", "/v1/models", "").await;
        let reply = mock.chat(&streamed()).await;
        assert_eq!(reply.error(), (429, "rate_limit_exceeded".to_owned(), "null".to_owned()));
        assert_eq!((reply.header("retry-after"), reply.header("x-ratelimit-remaining-requests")), ("1", "0"));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    assert_eq!(mock.chat(&streamed()).await.status, 200);
}

#[tokio::test]
async fn statuses_speak_the_flavour() {
    let cases = [
        (401, "invalid_api_key", "401"),
        (404, "model_not_found", "DeploymentNotFound"),
        (429, "rate_limit_exceeded", "429"),
        (500, "null", "null"),
        (503, "null", "null"),
    ];
    for (mock, azure) in [(Mock::openai().await, false), (Mock::azure().await, true)] {
        for (status, openai_code, azure_code) in cases {
            mock.fault(json!({"fault": "status", "status": status, "count": 1})).await;
            let reply = mock.chat(&hello("gpt-4o")).await;
            let code = if azure { azure_code } else { openai_code };
            assert_eq!(reply.status, status);
            assert_eq!(reply.json()["error"]["code"].as_str().unwrap_or("null"), code, "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn a_status_takes_a_body_and_headers() {
    let mock = Mock::openai().await;
    mock.fault(json!([
        {"fault": "status", "status": 503, "count": 1, "body": {"detail": "full"}, "headers": {"retry-after": 7}},
        {"fault": "status", "status": 502, "count": 1, "body": "<html>bad gateway</html>"},
        {"fault": "status", "status": 429, "count": 1, "headers": {"retry-after": null, "retry-after-ms": null}},
        {"fault": "status", "status": 429, "headers": {"retry-after": "30", "x-should-retry": "false"}},
    ]))
    .await;
    let reply = mock.chat(&hello("gpt-4o")).await;
    assert_eq!((reply.status, reply.header("retry-after"), reply.json()), (503, "7", json!({"detail": "full"})));
    let reply = mock.chat(&hello("gpt-4o")).await;
    assert_eq!((reply.status, reply.header("content-type")), (502, "text/html"));
    let reply = mock.chat(&hello("gpt-4o")).await;
    assert_eq!((reply.header("retry-after"), reply.header("retry-after-ms")), ("", ""));
    for _ in 0..3 {
        let reply = mock.chat(&hello("gpt-4o")).await;
        assert_eq!(reply.header("retry-after-ms"), "");
        assert_eq!((reply.header("retry-after"), reply.header("x-should-retry")), ("30", "false"));
    }
}

#[tokio::test]
async fn a_fault_for_one_model_spares_the_others() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "status", "status": 500, "model": "gpt-5"})).await;
    assert_eq!(mock.chat(&hello("gpt-5")).await.status, 500);
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "reset", "count": 2})).await;
    for body in [hello("gpt-4o"), streamed()] {
        let (received, end) = raw(&mock, &body).await;
        assert_eq!(received, "");
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
}

#[tokio::test]
async fn a_hang_never_answers() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "hang", "count": 1})).await;
    let waiting = timeout(Duration::from_millis(300), mock.try_chat(&hello("gpt-4o"))).await;
    assert!(waiting.is_err());
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
}

#[tokio::test]
async fn a_slow_first_token_comes_after_the_headers() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "slow_first_token", "ms": 400})).await;
    let start = Instant::now();
    let url = format!("{}/v1/chat/completions", mock.base);
    let mut response = mock.client.post(url).json(&streamed()).send().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(300), "headers: {:?}", start.elapsed());
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b"data: {"));
    assert!(start.elapsed() >= Duration::from_millis(400), "event: {:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_stream_error_comes_first_or_after_some_tokens() {
    let mock = Mock::azure().await;
    mock.fault(json!({"fault": "stream_error", "count": 2})).await;
    let reply = mock.chat(&streamed()).await;
    assert_eq!((reply.status, reply.events().len()), (200, 1));
    let error: Value = serde_json::from_str(reply.events()[0]).unwrap();
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
    let reply = mock.chat(&hello("gpt-4o")).await;
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (200, Some("rate_limit_exceeded")));

    mock.fault(json!({"fault": "stream_error", "after": 3, "error": {"code": "mine"}})).await;
    let reply = mock.chat(&streamed()).await;
    let (last, good) = reply.events().split_last().map(|(last, good)| (*last, good.to_vec())).unwrap();
    assert_eq!(last, r#"{"error":{"code":"mine"}}"#);
    let tokens = good.iter().filter(|event| event.contains(r#""delta":{"content""#)).count();
    assert_eq!((tokens, good.len()), (3, 5), "Azure's chunk, the role, and the tokens");
}

#[tokio::test]
async fn truncated_answers_end_early() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "truncated"})).await;
    let (received, _) = raw(&mock, &hello("gpt-4o")).await;
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
    assert!(mock.try_chat(&hello("gpt-4o")).await.is_err());

    let (received, _) = raw(&mock, &streamed()).await;
    assert!(received.contains("text/event-stream") && received.matches("\ndata: {").count() > 3);
    assert!(!received.ends_with("\n\r\n") && !received.contains("[DONE]"), "{received}");
    assert!(mock.try_chat(&streamed()).await.is_err());

    mock.fault(json!({"fault": "truncated", "after": 0})).await;
    let (received, _) = raw(&mock, &streamed()).await;
    assert_eq!(received.matches("data: {").count(), 1);
}

#[tokio::test]
async fn a_stream_may_end_early_as_if_it_were_whole() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "ends_early", "after": 2})).await;
    // The client of this test refuses an answer whose connection was cut.
    let reply = mock.chat(&streamed()).await;
    assert!(reply.status == 200 && !reply.text.ends_with("\n\n") && !reply.text.contains("[DONE]"), "{}", reply.text);
    assert_eq!(reply.text.matches("data: {").count(), 4, "the role, two tokens, and half an event");
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
}

#[tokio::test]
async fn malformed_answers_are_not_json() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "malformed", "count": 2})).await;
    let reply = mock.chat(&hello("gpt-4o")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    assert!(serde_json::from_str::<Value>(&reply.text).is_err());
    let reply = mock.chat(&streamed()).await;
    let broken = |event: &&&str| serde_json::from_str::<Value>(event).is_err() && **event != "[DONE]";
    assert_eq!(reply.events().iter().position(|event| broken(&event)), Some(0));
    mock.fault(json!({"fault": "malformed", "after": 2})).await;
    let reply = mock.chat(&streamed()).await;
    assert_eq!(reply.events().iter().filter(broken).count(), 1);
    assert_eq!(reply.events().iter().position(|event| broken(&event)), Some(3), "behind the role and two tokens");
    assert_eq!(reply.events().last(), Some(&"[DONE]"));
}

#[tokio::test]
async fn an_empty_stream_is_empty() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "empty_stream"})).await;
    let reply = mock.chat(&streamed()).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    assert!(reply.header("content-type").starts_with("text/event-stream"));
    assert_eq!(mock.chat(&hello("gpt-4o")).await.text, "");
}
