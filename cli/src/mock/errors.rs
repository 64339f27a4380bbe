//! Error bodies in the provider's shape (FACTS §3.6): OpenAI's envelope, and Azure's where it differs.
//!
//! Says what went wrong; never decides that something did.

use serde_json::{Value, json};

/// A refusal: an HTTP status and the four fields of OpenAI's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// For people.
    pub message: String,
    /// `invalid_request_error`, mostly.
    pub kind: &'static str,
    /// The request's parameter at fault, as a path: `messages[0].role`.
    pub param: Option<String>,
    /// For programs.
    pub code: Option<&'static str>,
}

impl ApiError {
    /// A 400 that blames a parameter.
    pub fn invalid(param: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), code: Some(code), ..Self::request(400, message) }
    }

    /// A 400 or 404 that blames the request as a whole.
    pub fn request(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind: "invalid_request_error", param: None, code: None }
    }

    /// A parameter is absent that must be there.
    pub fn missing(param: &str) -> Self {
        Self::invalid(param, "missing_required_parameter", format!("Missing required parameter: '{param}'."))
    }

    /// A parameter has the wrong type.
    pub fn wrong_type(param: &str, expected: &str, got: &Value) -> Self {
        let got = match got {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(number) if number.is_f64() => "a decimal number",
            Value::Number(_) => "an integer",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
        Self::invalid(param, "invalid_type", message)
    }

    /// The body is not JSON.
    pub fn not_json() -> Self {
        Self::request(
            400,
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
             library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        )
    }

    /// The body, the same for both flavours.
    pub fn body(&self) -> Value {
        envelope(&self.message, self.kind, self.param.as_deref().into(), self.code.into())
    }
}

/// Azure's answer to a path or an API version that it does not know.
pub fn azure_not_found() -> Value {
    json!({"error": {"code": "404", "message": "Resource not found"}})
}

/// The error that a provider sends in the middle of a stream.
pub fn in_stream() -> Value {
    let message = "Rate limit reached for requests. Please try again in 1s.";
    json!({"message": message, "type": "tokens", "param": null, "code": "rate_limit_exceeded"})
}

/// Headers that come with [`openai_typical`] and [`azure_typical`].
pub fn typical_headers(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        429 => &[("retry-after", "1"), ("retry-after-ms", "1000"), ("x-ratelimit-remaining-requests", "0")],
        _ => &[],
    }
}

/// What OpenAI says along with `status` when it fails by itself; `model` as the client asked for it.
pub fn openai_typical(status: u16, model: &str) -> Value {
    let request = "invalid_request_error";
    match status {
        401 => envelope(
            "Incorrect API key provided: mock. You can find your API key at https://platform.openai.com/account/api-keys.",
            request,
            Value::Null,
            json!("invalid_api_key"),
        ),
        403 => envelope(
            &format!("Project `proj_mock` does not have access to model `{model}`"),
            request,
            Value::Null,
            json!("model_not_found"),
        ),
        404 => envelope(
            &format!("The model `{model}` does not exist or you do not have access to it."),
            request,
            Value::Null,
            json!("model_not_found"),
        ),
        429 => envelope(
            &format!(
                "Rate limit reached for {model} in organization org-mock on requests per min (RPM): Limit 10000, \
                 Used 10000, Requested 1. Please try again in 1s. Visit \
                 https://platform.openai.com/account/rate-limits to learn more."
            ),
            "requests",
            Value::Null,
            json!("rate_limit_exceeded"),
        ),
        503 => envelope(
            "The engine is currently overloaded, please try again later.",
            "server_error",
            Value::Null,
            Value::Null,
        ),
        408 | 409 | 500.. => envelope(
            "The server had an error while processing your request. Sorry about that!",
            "server_error",
            Value::Null,
            Value::Null,
        ),
        _ => envelope("The request could not be processed.", request, Value::Null, json!("invalid_value")),
    }
}

/// The same for Azure.
pub fn azure_typical(status: u16, model: &str) -> Value {
    let (code, message) = match status {
        401 => (
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for \
             an active subscription and use a correct regional API endpoint for your resource.",
        ),
        403 => ("403", "Access denied due to Virtual Network/Firewall rules."),
        404 => {
            return json!({"error": {
                "type": "invalid_request_error",
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist. If you created the deployment \
                            within the last 5 minutes, please wait a moment and try again.",
            }});
        }
        429 => (
            "429",
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded \
             token rate limit of your current OpenAI S0 pricing tier. Please retry after 1 second.",
        ),
        _ => return openai_typical(status, model),
    };
    json!({"error": {"code": code, "message": message}})
}

fn envelope(message: &str, kind: &str, param: Value, code: Value) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}
