//! A 200 that is no answer.
//!
//! Owns the status that an error gets back and the envelope it is shown in. Never words an error that the provider has
//! worded.

use super::error::{messages_type_of, type_of};
use crate::request::Api;
use crate::translate::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

/// Why a 200 is no answer, and the status that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Status for the client; Envoy's retry policy sees it too.
    pub status: u16,
    /// Short code for metrics.
    pub result: &'static str,
    /// The provider's error in the shape of the client's API, where it sent one.
    pub body: Option<Vec<u8>>,
}

impl Failure {
    /// A failure without an error object of the provider.
    pub fn without_body(result: &'static str) -> Self {
        Failure { status: 502, result, body: None }
    }

    /// The value of an envelope's `error`, passed on as it is.
    pub(super) fn of_enveloped(error: &[u8]) -> Self {
        let status = ErrorObject::read(error).status();
        Failure::with_body(status, [b"{\"error\":", error, b"}"].concat())
    }

    /// An object that bears `code` and `message` outside of the envelope: an `error` event, or a response's `error`.
    pub(super) fn of_bare(error: &[u8]) -> Self {
        let error = ErrorObject::read(error);
        let status = error.status();
        // An event's own `type` says no more than that it is one.
        let kind = error.kind.as_str().filter(|kind| *kind != "error").unwrap_or(type_of(status));
        let message = error.message.as_str().unwrap_or("The provider failed to answer.");
        let envelope = json!({
            "error": { "message": message, "type": kind, "param": error.param, "code": error.code }
        });
        Failure::with_body(status, envelope.to_string().into_bytes())
    }

    /// An error in the answer of any API, in OpenAI's shape.
    pub(super) fn of_fault(fault: &Fault) -> Self {
        if let Some(error) = fault.as_sent {
            return Failure::of_enveloped(error.bytes());
        }
        let mut body = Vec::new();
        fault.write(&mut body);
        Failure::with_body(fault_status(fault), body)
    }

    /// An error in an answer of Messages, for a client that called it: as it was sent, if it has the shape.
    pub(super) fn of_messages(sent: &[u8], fault: &Fault) -> Self {
        let status = fault_status(fault);
        // Nobody has said that it is overloaded.
        let kind = if status == 503 { "api_error" } else { messages_type_of(status) };
        Failure::with_body(status, as_messages_error(sent, kind))
    }

    /// The body of the error for a client of this API.
    pub fn body_for(&self, client: Api) -> Vec<u8> {
        const MESSAGE: &str = "The provider's answer could not be read.";
        match (&self.body, client) {
            (Some(body), _) => body.clone(),
            (None, Api::Messages) => messages_error(messages_type_of(self.status), MESSAGE),
            (None, _) => {
                let code = "invalid_answer";
                json!({ "error": { "message": MESSAGE, "type": "server_error", "param": null, "code": code } })
                    .to_string()
                    .into_bytes()
            }
        }
    }

    /// The payload of the event that ends a stream which its provider did not.
    pub(super) fn cut_off(client: Api) -> Vec<u8> {
        const MESSAGE: &str = "The provider's stream ended early.";
        let code = "incomplete_answer";
        let payload = match client {
            Api::Messages => return messages_error("api_error", MESSAGE),
            Api::Responses => {
                json!({ "type": "error", "code": code, "message": MESSAGE, "param": null, "sequence_number": 0 })
            }
            _ => json!({ "error": { "message": MESSAGE, "type": "server_error", "param": null, "code": code } }),
        };
        payload.to_string().into_bytes()
    }

    fn with_body(status: u16, body: Vec<u8>) -> Self {
        Failure { status, result: "error_in_200", body: Some(body) }
    }
}

/// What was sent as an error, in the shape of Messages: as it is, if it has the shape, else as one of this `kind`.
pub(super) fn as_messages_error(sent: &[u8], kind: &str) -> Vec<u8> {
    let read: Value = serde_json::from_slice(sent).unwrap_or_default();
    let at = |path: &str| read.pointer(path).unwrap_or(&Value::Null);
    if at("/type") == "error" && at("/error").is_object() {
        return sent.to_vec();
    }
    // Google's clouds send lists of errors too.
    let places = ["/error/message", "/0/error/message", "/error", "/message", "/Message"];
    let message = places.into_iter().find_map(|path| at(path).as_str());
    messages_error(kind, message.unwrap_or("The provider failed to answer."))
}

/// An error in the shape of Messages.
fn messages_error(kind: &str, message: &str) -> Vec<u8> {
    json!({ "type": "error", "error": { "type": kind, "message": message } }).to_string().into_bytes()
}

/// The status that an error of Messages would have had, had it come in time.
fn fault_status(fault: &Fault) -> u16 {
    match (fault.kind, fault.code) {
        (_, Some(b"rate_limit_exceeded")) => 429,
        (_, Some(b"invalid_api_key")) => 401,
        (_, Some(b"permission_error")) => 403,
        (_, Some(b"model_not_found")) => 404,
        (_, Some(b"request_too_large")) => 413,
        (Some(b"invalid_request_error"), _) => 400,
        _ => 503,
    }
}

#[derive(Default, Deserialize)]
struct ErrorObject {
    #[serde(default)]
    message: Value,
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    param: Value,
    #[serde(default)]
    code: Value,
}

impl ErrorObject {
    fn read(error: &[u8]) -> Self {
        let message_only =
            || ErrorObject { message: serde_json::from_slice(error).unwrap_or_default(), ..Self::default() };
        serde_json::from_slice(error).unwrap_or_else(|_| message_only())
    }

    /// The status that the error would have had, had it come in time.
    fn status(&self) -> u16 {
        let numeric = self.code.as_u64().or_else(|| self.code.as_str()?.parse().ok());
        if let Some(status @ 400..=599) = numeric {
            return status as u16;
        }
        let says = |word: &str| {
            let texts = [&self.code, &self.kind];
            texts.iter().any(|text| text.as_str().is_some_and(|text| text.to_ascii_lowercase().contains(word)))
        };
        let says_any = |words: &[&str]| words.iter().any(|word| says(word));
        if says_any(&["rate_limit", "ratelimit", "too_many_requests", "quota"]) {
            429
        } else if says_any(&["invalid_api_key", "authentication_error"]) {
            401
        } else if says_any(&["model_not_found", "not_found_error", "deploymentnotfound"]) {
            404
        } else if says_any(&[
            "invalid_request",
            "content_filter",
            "context_length",
            "invalid_prompt",
            "image",
            "policy",
        ]) {
            // The last three are how a Responses answer says that the input is at fault.
            400
        } else {
            503
        }
    }
}
