use crate::request::Api;
use crate::request::Shape;
use crate::response::error::ErrorReply;
use crate::response::refusal;
use serde_json::{Value, json};

fn body(error: &ErrorReply, shape: Shape) -> Value {
    serde_json::from_str(&error.body(shape)).unwrap()
}

#[test]
fn anthropics_clients_get_types_by_status() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (408, "invalid_request_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "api_error"),
        (529, "overloaded_error"),
    ] {
        let got = body(&ErrorReply::of_envoy(status), Shape::Anthropic);
        assert_eq!((&got["type"], &got["error"]["type"]), (&json!("error"), &json!(kind)), "{status}");
        assert!(got["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{status}");
    }
}

#[test]
fn the_code_and_the_parameter_are_there_in_every_shape() {
    let error = ErrorReply { param: Some("model".into()), ..ErrorReply::new(404, "model_not_found", "No \"m\".") };
    assert_eq!(
        body(&error, Shape::Anthropic),
        json!({"type": "error", "error": {"type": "not_found_error", "message": "No \"m\".", "code": "model_not_found", "param": "model"}})
    );
    assert_eq!(
        body(&error, Shape::OpenAi),
        json!({"error": {"type": "invalid_request_error", "message": "No \"m\".", "code": "model_not_found", "param": "model"}})
    );
    assert_eq!(body(&error, Shape::Azure)["error"]["code"], "DeploymentNotFound");
}

#[test]
fn errors_of_clouds_get_the_shape_of_messages() {
    let error = |sent: &[u8], status| -> Value {
        serde_json::from_slice(&refusal::body(Some(sent), status, Api::Messages)).unwrap()
    };
    let shaped = |kind: &str, message: &str| json!({"type": "error", "error": {"type": kind, "message": message}});
    for sent in [
        json!({"message": "No."}),
        json!({"Message": "No."}),
        json!({"error": {"code": 429, "message": "No.", "status": "RESOURCE_EXHAUSTED"}}),
        json!([{"error": {"code": 429, "message": "No."}}]),
    ] {
        assert_eq!(error(sent.to_string().as_bytes(), 429), shaped("rate_limit_error", "No."), "{sent}");
    }
    // As Anthropic words it, it stays.
    let own = br#"{"type":"error", "error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}"#;
    assert_eq!(refusal::body(Some(own), 529, Api::Messages), own);
    for sent in [b"<html>".as_slice(), b"", b"{}"] {
        assert_eq!(error(sent, 403), shaped("permission_error", "The provider failed to answer."));
    }
    assert_eq!((refusal::status(529, Api::Messages), refusal::status(529, Api::Chat)), (529, 503));
}

#[test]
fn what_is_json() {
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/problem+json"]
    {
        assert!(refusal::is_json(kind), "{kind}");
    }
    for kind in ["", "text/html", "text/plain; x=json", "é", "jso"] {
        assert!(!refusal::is_json(kind), "{kind}");
    }
}
