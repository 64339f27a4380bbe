//! A 200 that is no answer.
//!
//! Owns the status that an error gets back and the envelope it is shown in. Never words an error that the provider has
//! worded.

use super::error::type_of;
use serde::Deserialize;
use serde_json::{Value, json};

/// Why a 200 is no answer, and the status that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Status for the client; Envoy's retry policy sees it too.
    pub status: u16,
    /// Short code for metrics.
    pub result: &'static str,
    /// The provider's error as a JSON object `{"error": …}`, where it sent one.
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

    fn with_body(status: u16, body: Vec<u8>) -> Self {
        Failure { status, result: "error_in_200", body: Some(body) }
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
