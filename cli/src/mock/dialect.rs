//! Whose words an answer is in where it is not an answer of a model: error bodies, media types, headers.
//!
//! Picks between the shapes; [`super::errors`] and [`super::messages`] own them.

use hyper::Response;
use hyper::header::HeaderValue;

use super::errors::{self, ApiError};
use super::messages::{self, bedrock};
use super::reply::{self, Body};

/// A provider's way to say what is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's.
    OpenAi,
    /// Azure's, for the APIs of OpenAI.
    Azure,
    /// Anthropic's, which Azure and Vertex share.
    Anthropic,
    /// That of Amazon Bedrock.
    Bedrock,
}

impl Dialect {
    /// The refusal of a request.
    pub fn refusal(self, error: &ApiError) -> Response<Body> {
        match self {
            Self::OpenAi | Self::Azure => reply::json(error.status, &error.body()),
            Self::Anthropic => reply::json(error.status, &messages::error_body(error.status, &error.message)),
            Self::Bedrock => bedrock::failure(error.status, &error.message),
        }
    }

    /// What the provider says along with `status` when it fails by itself; `model` as the client asked for it.
    pub fn typical(self, status: u16, model: &str) -> Response<Body> {
        match self {
            Self::OpenAi => reply::json(status, &errors::openai_typical(status, model)),
            Self::Azure => reply::json(status, &errors::azure_typical(status, model)),
            Self::Anthropic => reply::json(status, &messages::typical(status, model)),
            Self::Bedrock => bedrock::failure(status, bedrock::exception(status).1),
        }
    }

    /// Headers that come with [`Self::typical`].
    pub fn typical_headers(self, status: u16) -> &'static [(&'static str, &'static str)] {
        match (self, status) {
            (Self::OpenAi | Self::Azure, _) => errors::typical_headers(status),
            (Self::Anthropic, 429) => &[("retry-after", "1"), ("anthropic-ratelimit-requests-remaining", "0")],
            (Self::Anthropic, 529) => &[("retry-after", "1")],
            (Self::Anthropic | Self::Bedrock, _) => &[],
        }
    }

    /// The media type of a stream.
    pub fn events(self) -> HeaderValue {
        match self {
            Self::OpenAi | Self::Azure | Self::Anthropic => reply::EVENTS,
            Self::Bedrock => HeaderValue::from_static("application/vnd.amazon.eventstream"),
        }
    }
}
