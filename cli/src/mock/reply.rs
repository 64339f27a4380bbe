//! HTTP responses: bodies of known and of unknown length, and the headers that providers put on theirs.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::dialect::Dialect;
use super::{ids, messages};

/// Any body the mock sends. An error in it cuts the connection.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How long the bytes before a cut have to get onto the wire.
const BEFORE_CUT: Duration = Duration::from_millis(5);

/// Media type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Media type of server-sent events, spelled as OpenAI and Azure spell it.
pub const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// A response with these bytes. Statuses that HTTP does not know become 500.
pub fn bytes(status: u16, media: HeaderValue, body: impl Into<Bytes>) -> Response<Body> {
    with_body(status, media, Full::new(body.into()).map_err(|never| match never {}).boxed_unsync())
}

/// A JSON response.
pub fn json(status: u16, body: &Value) -> Response<Body> {
    bytes(status, JSON, body.to_string())
}

/// A 200 with this body.
pub fn with_body(status: u16, media: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// A 200 that promises all of `body` and cuts the connection after half of it.
pub fn half(media: HeaderValue, body: &[u8]) -> Response<Body> {
    let sent = Bytes::copy_from_slice(body.get(..body.len() / 2).unwrap_or_default());
    let frames = stream::unfold(Some(sent), |sent| async {
        match sent {
            Some(sent) if !sent.is_empty() => Some((Ok(Frame::data(sent)), Some(Bytes::new()))),
            Some(_) => Some((Err(cut().await), None)),
            None => None,
        }
    });
    let mut response = with_body(200, media, StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

/// The error that ends a body early, once what was sent before has left.
pub async fn cut() -> io::Error {
    tokio::time::sleep(BEFORE_CUT).await;
    io::Error::other("cut on purpose")
}

/// What the headers of a provider's answer depend on.
#[derive(Debug)]
pub struct Stamp {
    /// Whose headers.
    pub dialect: Dialect,
    /// When the request had arrived.
    pub arrived: Instant,
    /// `x-ms-client-request-id` of the request, which Azure returns.
    pub client_request_id: Option<HeaderValue>,
}

impl Stamp {
    /// Adds the headers that the provider puts on every answer, except those already there.
    pub fn apply(self, headers: &mut HeaderMap) {
        let mut add = |name: &'static str, value: HeaderValue| {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        };
        match self.dialect {
            Dialect::OpenAi | Dialect::Azure => self.openai(add),
            Dialect::Anthropic => messages::headers(add),
            Dialect::Bedrock => add("x-amzn-requestid", text(ids::request())),
        }
    }

    /// Adds those of OpenAI and of Azure.
    fn openai(self, mut add: impl FnMut(&'static str, HeaderValue)) {
        let id = ids::request();
        let fixed = HeaderValue::from_static;
        if self.dialect == Dialect::Azure {
            add("apim-request-id", text(ids::request()));
            add("x-ms-region", fixed("Mock Region"));
            add("azureml-model-session", fixed("d000-mock"));
            add("x-ratelimit-reset-requests", fixed("1"));
            add("x-ratelimit-reset-tokens", fixed("1"));
            if let Some(id) = self.client_request_id {
                add("x-ms-client-request-id", id);
            }
            add("x-request-id", text(id));
        } else {
            add("openai-organization", fixed("org-mock"));
            add("openai-version", fixed("2020-10-01"));
            add("openai-processing-ms", HeaderValue::from(milliseconds(self.arrived.elapsed())));
            add("x-ratelimit-reset-requests", fixed("6ms"));
            add("x-ratelimit-reset-tokens", fixed("0s"));
            add("x-request-id", text(format!("req_{}", id.replace('-', ""))));
        }
        add("x-ratelimit-limit-requests", fixed("10000"));
        add("x-ratelimit-limit-tokens", fixed("2000000"));
        add("x-ratelimit-remaining-requests", fixed("9999"));
        add("x-ratelimit-remaining-tokens", fixed("1999000"));
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// A header's value; `mock` for what cannot be one.
pub fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("mock"))
}
