//! The Messages API as Vertex and Bedrock offer it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::mock::messages::rfc3339;

const VERTEX: &str = "/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929";
const BEDROCK: &str = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";

/// A frame of a stream: its headers and its payload.
type Frame = (Vec<(String, String)>, Value);

fn body(version: &str, more: Value) -> Value {
    let mut body = say(with(json!({"anthropic_version": version}), more));
    body.as_object_mut().unwrap().remove("model");
    body
}

async fn vertex(mock: &Mock, verb: &str, more: Value) -> Reply {
    mock.send("POST", &format!("{VERTEX}:{verb}"), body("vertex-2023-10-16", more).to_string()).await
}

async fn bedrock(mock: &Mock, more: Value) -> Reply {
    mock.send("POST", &format!("{BEDROCK}/invoke"), body("bedrock-2023-05-31", more).to_string()).await
}

async fn frames(mock: &Mock) -> Vec<Frame> {
    let url = format!("{}{BEDROCK}/invoke-with-response-stream", mock.base);
    let response = mock.client.post(url).json(&body("bedrock-2023-05-31", json!({}))).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    let bytes = response.bytes().await.unwrap();
    let (mut rest, mut frames) = (bytes.as_ref(), Vec::new());
    while !rest.is_empty() {
        let (frame, tail) = rest.split_at(number(rest));
        frames.push(decoded(frame));
        rest = tail;
    }
    frames
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize
}

/// Checks the checksums of a frame and takes it apart.
fn decoded(frame: &[u8]) -> Frame {
    let end = frame.len() - 4;
    assert_eq!(number(&frame[8..]), crc32fast::hash(&frame[..8]) as usize);
    assert_eq!(number(&frame[end..]), crc32fast::hash(&frame[..end]) as usize);
    let (mut head, payload) = frame[12..end].split_at(number(&frame[4..]));
    let mut headers = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while let [length, rest @ ..] = head {
        let (name, rest) = rest.split_at((*length).into());
        let [7, high, low, rest @ ..] = rest else { panic!("{rest:?}") };
        let (value, rest) = rest.split_at(u16::from_be_bytes([*high, *low]).into());
        headers.push((text(name), text(value)));
        head = rest;
    }
    (headers, serde_json::from_slice(payload).unwrap())
}

fn event(frame: &Frame) -> Value {
    let names: Vec<(&str, &str)> = frame.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(names, [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")]);
    assert!(frame.1["p"].as_str().unwrap().starts_with('a'));
    serde_json::from_slice(&STANDARD.decode(frame.1["bytes"].as_str().unwrap()).unwrap()).unwrap_or(Value::Null)
}

#[tokio::test]
async fn vertex_names_the_model_in_the_path() {
    let mock = Mock::openai().await;
    let whole = vertex(&mock, "rawPredict", json!({})).await.json();
    assert_eq!(whole["model"], "claude-sonnet-4-5-20250929");
    assert!(whole["id"].as_str().unwrap().starts_with("msg_vrtx_01"));
    let events = vertex(&mock, "streamRawPredict", json!({"stream": true})).await.message_events();
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    for (verb, more, message) in [
        ("rawPredict", json!({"model": "claude-sonnet-4-5"}), "model: Extra inputs are not permitted"),
        (
            "rawPredict",
            json!({"anthropic_version": "2023-06-01"}),
            "anthropic_version: Input should be 'vertex-2023-10-16'",
        ),
        ("streamRawPredict", json!({}), "stream: Input should be true at this path"),
        ("rawPredict", json!({"temperature": 2}), "temperature: range: 0..1"),
    ] {
        let mut request = body("vertex-2023-10-16", json!({}));
        request = with(request, more);
        let reply = mock.send("POST", &format!("{VERTEX}:{verb}"), request.to_string()).await;
        assert_eq!(reply.message_error().2, message);
    }
    let counted = with(body("vertex-2023-10-16", json!({})), json!({"model": "claude-sonnet-4-5"}));
    let mut counted = counted.clone();
    counted.as_object_mut().unwrap().remove("max_tokens");
    let path = VERTEX.replace("claude-sonnet-4-5@20250929", "count-tokens:rawPredict");
    assert!(mock.send("POST", &path, counted.to_string()).await.json()["input_tokens"].is_u64());
}

#[tokio::test]
async fn bedrock_names_the_model_in_the_path() {
    let mock = Mock::openai().await;
    let reply = bedrock(&mock, json!({})).await;
    assert_eq!(reply.json()["model"], "claude-sonnet-4-5-20250929");
    assert!(reply.json()["id"].as_str().unwrap().starts_with("msg_bdrk_01"));
    assert_ne!(reply.header("x-amzn-requestid"), "");
    let extraneous = |name: &str| {
        format!(
            "Malformed input request: #: extraneous key [{name}] is not permitted, please reformat your input and try again."
        )
    };
    for (more, message) in [
        (json!({"stream": false}), extraneous("stream")),
        (json!({"temperature": 2}), "temperature: range: 0..1".to_owned()),
        (json!({"anthropic_beta": ["context-1m-2025-08-07", ""]}), "invalid beta flag".to_owned()),
        (json!({"anthropic_beta": ["files-api-2025-04-14"]}), "invalid beta flag".to_owned()),
    ] {
        let reply = bedrock(&mock, more).await;
        assert_eq!((reply.status, reply.header("x-amzn-errortype")), (400, "ValidationException"));
        assert_eq!(reply.json(), json!({"message": message}));
    }
    assert_eq!(bedrock(&mock, json!({"anthropic_beta": ["context-1m-2025-08-07"]})).await.status, 200);
    let reply = mock.send("POST", &format!("{BEDROCK}/invoke"), say(json!({})).to_string()).await;
    assert_eq!(reply.json()["message"], extraneous("model"));
}

#[tokio::test]
async fn clouds_fetch_nothing() {
    let mock = Mock::openai().await;
    let source = |url: &str| json!({"type": "url", "url": url});
    let said = |url: &str| {
        let image = json!({"type": "image", "source": source(url)});
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, image]}]})
    };
    let https = "https://example.com/x.png";
    let at = "messages.0.content: URL sources are not supported";
    assert_eq!(vertex(&mock, "rawPredict", said(https)).await.message_error().2, at);
    assert_eq!(bedrock(&mock, said(https)).await.json()["message"], at);
    let refused = mock.message(&say(said("http://example.com/x.png"))).await;
    assert_eq!(refused.message_error().2, "messages.0.content: Only HTTPS URLs are supported.");
    assert_eq!(mock.message(&say(said(https))).await.status, 200);
}

#[tokio::test]
async fn bedrock_streams_in_frames() {
    let mock = Mock::openai().await;
    let whole = bedrock(&mock, json!({})).await.json();
    let events: Vec<Value> = frames(&mock).await.iter().map(event).collect();
    assert_eq!(events[0]["message"]["model"], whole["model"]);
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, whole["content"][0]["text"]);
    let stop = events.last().unwrap();
    assert_eq!(stop["amazon-bedrock-invocationMetrics"]["outputTokenCount"], whole["usage"]["output_tokens"]);
}

#[tokio::test]
async fn bedrock_fails_in_its_own_words() {
    let mock = Mock::openai().await;
    mock.fault(json!({"fault": "status", "status": 429, "count": 1})).await;
    let reply = bedrock(&mock, json!({})).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (429, "ThrottlingException"));
    assert_eq!(reply.json(), json!({"message": "Too many requests, please wait before trying again."}));

    mock.fault(json!({"fault": "stream_error", "after": 2, "count": 1})).await;
    let all = frames(&mock).await;
    let (last, good) = all.split_last().unwrap();
    assert_eq!(last.0[0], (":exception-type".to_owned(), "throttlingException".to_owned()));
    assert_eq!(last.0[2], (":message-type".to_owned(), "exception".to_owned()));
    assert_eq!(last.1, json!({"message": "Too many requests, please wait before trying again."}));
    assert_eq!(good.iter().filter(|frame| event(frame)["type"] == "content_block_delta").count(), 2);
    let error = json!({"type": "overloaded_error", "message": "Full."});
    mock.fault(json!({"fault": "stream_error", "error": error, "count": 1})).await;
    let all = frames(&mock).await;
    assert_eq!((all[0].0[0].1.as_str(), &all[0].1), ("serviceUnavailableException", &json!({"message": "Full."})));

    mock.fault(json!({"fault": "malformed", "after": 2, "count": 1})).await;
    assert_eq!(frames(&mock).await.iter().filter(|frame| event(frame).is_null()).count(), 1);
    mock.fault(json!({"fault": "truncated", "count": 1})).await;
    let url = format!("{}{BEDROCK}/invoke-with-response-stream", mock.base);
    let response = mock.client.post(url).json(&body("bedrock-2023-05-31", json!({}))).send().await.unwrap();
    assert!(response.bytes().await.is_err());
}

#[test]
fn times_are_written_as_rfc_3339_has_them() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_767_225_599, "2025-12-31T23:59:59Z"),
        (1_772_323_200, "2026-03-01T00:00:00Z"),
    ] {
        assert_eq!(rfc3339(seconds), text);
    }
}
