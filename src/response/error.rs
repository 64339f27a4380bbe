//! Errors that the router itself sends, in the shape of the API that was called.
//!
//! Owns statuses, codes and JSON shapes. Message text of a request never gets into an error.

use crate::decide::{Exclusion, Refusal};
use crate::policy::Policy;
use crate::request::{ReadError, Shape};
use serde_json::Value;

/// An error for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// HTTP status.
    pub status: u16,
    /// Stable machine-readable code; also the `reason` label of `model_router_rejected_total`.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The member of the request that is wrong.
    pub param: Option<String>,
    /// OpenAI's `type`, where the status does not tell it.
    pub kind: Option<&'static str>,
    /// `content_filter_result`, where that is the reason.
    pub filtered: Option<Box<Value>>,
}

impl ErrorReply {
    /// An error without a parameter.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        ErrorReply { status, code, message: message.into(), param: None, kind: None, filtered: None }
    }

    /// The error for a prompt that a content filter has flagged, for `filtered` reasons.
    pub fn of_flagged(filtered: Value) -> Self {
        const MESSAGE: &str = "The prompt was stopped by this router's content filter. Please change it and try again.";
        let error = ErrorReply::new(400, "content_filter", MESSAGE);
        ErrorReply { param: Some("prompt".into()), filtered: Some(Box::new(filtered)), ..error }
    }

    /// The error for who is nobody, where the policy gives nothing to nobody. `named`: a consumer is named, but none of this
    /// policy.
    pub fn of_nobody(named: bool) -> Self {
        if named {
            return ErrorReply::new(403, "unknown_consumer", "You may not use this router.");
        }
        ErrorReply::new(401, "unauthenticated", "This router has to know who is calling: send your credentials.")
    }

    /// The error where nobody could be asked about limits.
    pub fn of_limiter() -> Self {
        ErrorReply::new(503, "limits_unavailable", "The limits of this request cannot be checked now.")
    }

    /// The error of a response that Envoy made by itself (no upstream answered).
    pub fn of_envoy(status: u16) -> Self {
        let (code, message) = match status {
            408 => ("request_timeout", "The request did not arrive in time."),
            413 => ("request_too_large", "The request body is larger than this router takes."),
            429 => ("rate_limit_exceeded", "Too many requests."),
            503 => ("upstream_unavailable", "No provider could be reached."),
            504 => ("upstream_timeout", "No provider answered in time."),
            400..=499 => ("request_rejected", "The request was rejected by the proxy."),
            _ => ("upstream_error", "The providers failed to answer."),
        };
        ErrorReply::new(status, code, message)
    }

    /// The JSON body in the given shape.
    pub fn body(&self, shape: Shape) -> String {
        if shape == Shape::Anthropic {
            return self.body_of_anthropic();
        }
        if let Some(filtered) = &self.filtered {
            return self.body_of_filtered(filtered);
        }
        let kind = self.kind.unwrap_or_else(|| type_of(self.status));
        let code = match (shape, self.code) {
            (Shape::Azure, "model_not_found") => "DeploymentNotFound",
            (Shape::Azure, "rate_limit_exceeded") => "RateLimitReached",
            (_, code) => code,
        };
        serde_json::json!({
            "error": { "message": self.message, "type": kind, "param": self.param, "code": code }
        })
        .to_string()
    }

    /// As Azure words it, which OpenAI's clients know too.
    fn body_of_filtered(&self, filtered: &Value) -> String {
        serde_json::json!({
            "error": {
                "message": self.message, "type": null, "param": self.param, "code": self.code, "status": self.status,
                "innererror": { "code": "ResponsibleAIPolicyViolation", "content_filter_result": filtered }
            }
        })
        .to_string()
    }

    /// Anthropic's clients tell errors by their type; code and parameter are there for people and other tools.
    fn body_of_anthropic(&self) -> String {
        serde_json::json!({
            "type": "error",
            "error": { "type": messages_type_of(self.status), "message": self.message, "code": self.code, "param": self.param }
        })
        .to_string()
    }
}

/// The `type` of an error with this status.
pub(super) fn type_of(status: u16) -> &'static str {
    if status < 500 { "invalid_request_error" } else { "server_error" }
}

/// The same in Messages.
pub(super) fn messages_type_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

impl From<ReadError> for ErrorReply {
    fn from(error: ReadError) -> Self {
        ErrorReply { param: error.param().map(Into::into), ..ErrorReply::new(400, error.code(), error.to_string()) }
    }
}

impl ErrorReply {
    /// The error for a request without a plan.
    pub fn of_refusal(refusal: Refusal, policy: &Policy) -> Self {
        let about_model = |status, code, message: String| ErrorReply {
            param: Some("model".into()),
            ..ErrorReply::new(status, code, message)
        };
        match refusal {
            Refusal::NoModel => about_model(400, "invalid_request", "'model' is missing.".into()),
            Refusal::UnknownModel(name) => {
                about_model(404, "model_not_found", format!("The model or deployment '{name}' does not exist."))
            }
            Refusal::NotAllowed(name) => {
                about_model(403, "model_not_allowed", format!("You may not use the model or deployment '{name}'."))
            }
            Refusal::NeedsModel => {
                about_model(400, "invalid_request", "This API takes the name of a model, not of a router.".into())
            }
            Refusal::Control(param, rule) => ErrorReply {
                param: Some(param.clone()),
                ..ErrorReply::new(400, "invalid_request", format!("'{param}' {rule}."))
            },
            Refusal::NotKept(id) if id.is_empty() => {
                ErrorReply::new(404, "not_found", "No provider that you may use keeps conversations.")
            }
            Refusal::NotKept(id) => ErrorReply::new(404, "not_found", format!("Nothing with id '{id}' is found here.")),
            Refusal::Unbound(param) => not_here(param),
            Refusal::NothingEligible { excluded, cause, input } => nothing_eligible(&excluded, cause, input, policy),
        }
    }
}

/// The request refers to something that no provider of an allowed model is known to keep.
fn not_here(param: String) -> ErrorReply {
    let code = match param.as_str() {
        "previous_response_id" => "previous_response_not_found",
        _ => "not_found",
    };
    let message = format!(
        "What '{param}' refers to is not found: it was not made by this router, the provider that made it keeps no \
         responses, or no model that you may use is served there."
    );
    ErrorReply { param: Some(param), ..ErrorReply::new(400, code, message) }
}

/// Why no model is left. `cause` is what only some providers can serve, `input` the member that holds the prompt.
fn nothing_eligible(
    excluded: &[(usize, Exclusion)],
    cause: Option<String>,
    input: &'static str,
    policy: &Policy,
) -> ErrorReply {
    // What the policy leaves out is not the request's fault and not the client's business.
    let of_request = excluded.iter().filter(|(_, why)| !matches!(why, Exclusion::Outside(_) | Exclusion::Consumer));
    let of_request: Vec<_> = of_request.collect();
    let all = |is: fn(&Exclusion) -> bool| !of_request.is_empty() && of_request.iter().all(|(_, why)| is(why));
    if let Some(param) = cause.as_ref().filter(|_| all(|why| *why == Exclusion::Bound)) {
        return not_here(param.clone());
    }
    if all(|why| matches!(why, Exclusion::Context { .. })) {
        return too_long(&of_request, input);
    }
    let reasons = of_request.iter().filter_map(|(id, why)| Some((policy.models.get(*id)?, why)));
    let reasons: Vec<_> = reasons.map(|(model, why)| format!("{}: {}", model.name, why.code())).collect();
    let message = match reasons.is_empty() {
        true => "No model is allowed to serve this request.".into(),
        false => format!("No allowed model can serve this request ({}).", reasons.join(", ")),
    };
    let inexpressible = of_request.iter().any(|(_, why)| *why == Exclusion::Inexpressible);
    ErrorReply { param: cause.filter(|_| inexpressible), ..ErrorReply::new(400, "no_eligible_model", message) }
}

fn too_long(excluded: &[&(usize, Exclusion)], param: &'static str) -> ErrorReply {
    let contexts = excluded.iter().filter_map(|(_, why)| match why {
        Exclusion::Context { input, output, limit } => Some((limit.window.unwrap_or(limit.input), *input, *output)),
        _ => None,
    });
    let (largest, input, output) = contexts.max().unwrap_or_default();
    let message = format!(
        "The largest context among the allowed models is {largest} tokens; this request has about {input} and asks for \
         {output} more."
    );
    ErrorReply { param: Some(param.into()), ..ErrorReply::new(400, "context_length_exceeded", message) }
}
