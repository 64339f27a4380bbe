//! Amazon Bedrock's own: its wire format for streams, `application/vnd.amazon.eventstream`, and its errors.
//!
//! Wraps events of the Messages API; never knows what they say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use crate::mock::ids;
use crate::mock::reply::{self, Body};

/// The bytes of a frame that are neither headers nor payload: two lengths and two checksums.
const OVERHEAD: usize = 16;

/// What padding consists of, against those who read the lengths of packets.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The type of a header's value that is text.
const TEXT: u8 = 7;

/// A frame with an event of the Messages API.
pub fn chunk(event: &str) -> Bytes {
    let length = usize::try_from(ids::hash(event) % 62).unwrap_or(0);
    let padding = PADDING.get(..=length).unwrap_or(PADDING);
    let payload = json!({"bytes": STANDARD.encode(event), "p": padding}).to_string();
    frame(&[(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")], &payload)
}

/// A frame with an error. One of Anthropic's types becomes the one that means the same.
pub fn exception_frame(error: &Value) -> Bytes {
    let kind = match error["type"].as_str().unwrap_or_default() {
        "invalid_request_error" => "validationException",
        "overloaded_error" => "serviceUnavailableException",
        "timeout_error" => "modelTimeoutException",
        "api_error" => "internalServerException",
        kind if kind.ends_with("Exception") => kind,
        _ => "throttlingException",
    };
    let payload = json!({"message": error["message"]}).to_string();
    frame(&[(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")], &payload)
}

/// The error that comes in the middle of a stream.
pub fn throttled() -> Value {
    json!({"type": "throttlingException", "message": exception(429).1})
}

/// The type of the error that comes with a status, and what it usually says.
pub fn exception(status: u16) -> (&'static str, &'static str) {
    match status {
        401 | 403 => ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
        404 => ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model ID."),
        408 => ("ModelTimeoutException", "Model has timed out in processing the request. Try your request again."),
        424 => ("ModelErrorException", "The system encountered an unexpected error during processing."),
        429 => ("ThrottlingException", "Too many requests, please wait before trying again."),
        503 => ("ServiceUnavailableException", "Bedrock is unable to process your request."),
        500.. => ("InternalServerException", "The system encountered an unexpected error during processing."),
        _ => ("ValidationException", "The request could not be processed."),
    }
}

/// A response that says what went wrong.
pub fn failure(status: u16, message: &str) -> Response<Body> {
    let mut response = reply::json(status, &json!({"message": message}));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(exception(status).0));
    response
}

/// A message of the wire format: lengths and their checksum, headers, payload, checksum.
fn frame(headers: &[(&str, &str)], payload: &str) -> Bytes {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.extend(name.as_bytes());
        head.push(TEXT);
        head.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        head.extend(value.as_bytes());
    }
    let mut frame = Vec::with_capacity(OVERHEAD + head.len() + payload.len());
    for length in [OVERHEAD + head.len() + payload.len(), head.len()] {
        frame.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(head);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}
