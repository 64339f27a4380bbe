//! The doors of the Messages API: the paths at which clouds offer it, and what each wants besides the request itself.
//!
//! Never looks at what is asked.

use hyper::{HeaderMap, Method};
use serde_json::Value;

use super::refuse::{Checked, refuse};
use super::request::MessageRequest;
use crate::mock::dialect::Dialect;
use crate::mock::errors::ApiError;
use crate::mock::paths::decoded;

/// The values of `anthropic-version` that exist.
const VERSIONS: &[&str] = &[NO_SAMPLING, "2023-06-01", "2023-01-01"];

/// The version that has no sampling parameters, whatever the model.
const NO_SAMPLING: &str = "2026-10-21";
const SAMPLING: &[&str] = &["temperature", "top_p", "top_k"];

/// What Bedrock knows of `anthropic_beta`; it refuses a request that asks for anything else.
const BEDROCK_BETAS: &[&str] = &[
    "computer-use-2025-01-24",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "fine-grained-tool-streaming-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "output-128k-2025-02-19",
    "token-efficient-tools-2025-02-19",
];

/// A request to the Messages API, as far as its path tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where it came in.
    pub door: Door,
    /// Decoded, where the path names the model.
    pub model: Option<String>,
    /// Asks how many tokens the request has, not for an answer.
    pub counts: bool,
}

/// The clouds that offer the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Anthropic itself, and Azure.
    Anthropic,
    /// Google's Vertex: the path names the model and repeats whether the answer is streamed.
    Vertex {
        /// By `:streamRawPredict`.
        streamed: bool,
    },
    /// Amazon's Bedrock: the path names the model and says whether the answer is streamed.
    Bedrock {
        /// By `/invoke-with-response-stream`.
        streamed: bool,
    },
}

/// The headers that matter.
#[derive(Debug, Default)]
pub struct Head {
    /// `anthropic-version`.
    version: Option<String>,
    /// Whether `anthropic-beta` names anything.
    pub has_beta: bool,
}

impl Head {
    /// Those of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Self {
            version: text("anthropic-version"),
            has_beta: text("anthropic-beta").is_some_and(|names| !names.is_empty()),
        }
    }
}

/// What the path of a request asks of the Messages API; `None` for a path of another API.
pub fn call(method: &Method, segments: &[&str]) -> Option<Call> {
    if method != Method::POST {
        return None;
    }
    let plain = |counts| Call { door: Door::Anthropic, model: None, counts };
    match segments {
        ["v1", "messages"] | ["anthropic", "v1", "messages"] => Some(plain(false)),
        ["v1", "messages", "count_tokens"] | ["anthropic", "v1", "messages", "count_tokens"] => Some(plain(true)),
        [.., "publishers", "anthropic", "models", last] => vertex(&decoded(last)),
        ["model", id, verb @ ("invoke" | "invoke-with-response-stream")] => {
            let door = Door::Bedrock { streamed: *verb != "invoke" };
            Some(Call { door, model: Some(decoded(id)), counts: false })
        }
        _ => None,
    }
}

fn vertex(last: &str) -> Option<Call> {
    let (model, verb) = last.rsplit_once(':')?;
    let streamed = match verb {
        "rawPredict" => false,
        "streamRawPredict" => true,
        _ => return None,
    };
    // Vertex counts tokens as a model of this name, for the model that the body names.
    let counts = model == "count-tokens";
    Some(Call { door: Door::Vertex { streamed }, model: (!counts).then(|| model.to_owned()), counts })
}

impl Door {
    /// Whose errors and headers its answers have.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Anthropic | Self::Vertex { .. } => Dialect::Anthropic,
            Self::Bedrock { .. } => Dialect::Bedrock,
        }
    }

    /// How ids of its messages and calls begin, behind `msg` or `toolu`.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Anthropic => "",
            Self::Vertex { .. } => "_vrtx",
            Self::Bedrock { .. } => "_bdrk",
        }
    }

    /// Whether the answer to `request` is streamed.
    pub fn is_streamed(self, request: &MessageRequest) -> bool {
        match self {
            Self::Anthropic | Self::Vertex { .. } => request.is_stream(),
            Self::Bedrock { streamed } => streamed,
        }
    }

    /// Whether `name`, a member of the body, exists at this door only.
    pub fn has_own(self, name: &str) -> bool {
        self != Self::Anthropic && matches!(name, "anthropic_version" | "anthropic_beta")
    }

    /// Refuses a request that the cloud would not even read.
    pub fn check(self, request: &MessageRequest, head: &Head, counts: bool) -> Checked {
        let version = request.text("anthropic_version");
        match self {
            Self::Anthropic => match &head.version {
                None => Err(refuse("anthropic-version", "header is required")),
                Some(version) if !VERSIONS.contains(&version.as_str()) => {
                    Err(refuse("anthropic-version", format!("\"{version}\" is not a valid version")))
                }
                Some(version) => match SAMPLING.iter().find(|name| request.contains_key(**name)) {
                    Some(name) if version == NO_SAMPLING => Err(refuse(name, "Extra inputs are not permitted")),
                    _ => Ok(()),
                },
            },
            Self::Vertex { .. } if version != Some("vertex-2023-10-16") => {
                Err(refuse("anthropic_version", "Input should be 'vertex-2023-10-16'"))
            }
            Self::Vertex { .. } if !counts && request.contains_key("model") => {
                Err(refuse("model", "Extra inputs are not permitted"))
            }
            Self::Vertex { streamed } if streamed != request.is_stream() => {
                Err(refuse("stream", format!("Input should be {streamed} at this path")))
            }
            Self::Vertex { .. } => Ok(()),
            Self::Bedrock { .. } => bedrock(request, version),
        }
    }
}

fn bedrock(request: &MessageRequest, version: Option<&str>) -> Checked {
    let malformed = |why: String| {
        let message = format!("Malformed input request: #: {why}, please reformat your input and try again.");
        Err(ApiError::request(400, message))
    };
    if let Some(name) = ["model", "stream"].iter().find(|name| request.contains_key(**name)) {
        return malformed(format!("extraneous key [{name}] is not permitted"));
    }
    let knows = |beta: &Value| beta.as_str().is_some_and(|beta| BEDROCK_BETAS.contains(&beta));
    if !request.given("anthropic_beta").is_none_or(|list| list.as_array().is_some_and(|list| list.iter().all(knows))) {
        return Err(ApiError::request(400, "invalid beta flag"));
    }
    match version {
        Some("bedrock-2023-05-31") => Ok(()),
        Some(_) => Err(refuse("anthropic_version", "Input should be 'bedrock-2023-05-31'")),
        None => malformed("required key [anthropic_version] not found".to_owned()),
    }
}
