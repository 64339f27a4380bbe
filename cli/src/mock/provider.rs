//! One mock provider: its configuration and state, and the way of a request through it: recorded, routed, failed on
//! purpose or answered.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::answer::{self, Answer, Speaker};
use super::cache::PrefixCache;
use super::chat::ChatRequest;
use super::errors::{self, ApiError};
use super::faults::{self, Faults, Kind};
use super::paths::{Route, route};
use super::record::{self, Recorder};
use super::reply::{self, Body, Stamp};
use super::server::Connection;
use super::{control, models, stream, validate};

/// The largest body that is read.
const MAX_BODY: usize = 64 << 20;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// How a provider behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// What it calls itself.
    pub name: String,
    /// Azure's flavour instead of OpenAI's.
    pub azure: bool,
    /// Refuses the parameters that the real model refuses.
    pub strict: bool,
    /// How long a token of an answer takes.
    pub per_token: Duration,
    /// How long the first byte of an answer takes.
    pub latency: Duration,
    /// Requested model → the name that signs the answer; wins over the built-in snapshots.
    pub served_as: Arc<HashMap<String, String>>,
    /// What is kept of requests.
    pub record: record::Mode,
}

/// A provider and what it remembers. Shared by all its listeners.
#[derive(Debug)]
pub struct Provider {
    config: Config,
    /// The last requests.
    pub recorder: Recorder,
    /// What goes wrong next.
    pub faults: Faults,
    cache: PrefixCache,
}

/// What becomes of a request.
enum Outcome {
    Respond(Response<Body>),
    Reset,
    Hang,
}

impl From<Response<Body>> for Outcome {
    fn from(response: Response<Body>) -> Self {
        Self::Respond(response)
    }
}

impl From<ApiError> for Outcome {
    fn from(error: ApiError) -> Self {
        Self::Respond(reply::json(error.status, &error.body()))
    }
}

impl Provider {
    /// A provider without a past.
    pub fn new(config: Config) -> Arc<Self> {
        let recorder = Recorder::new(config.record);
        Arc::new(Self { config, recorder, faults: Faults::default(), cache: PrefixCache::default() })
    }

    /// Answers one request, or does to its connection what a fault asks for. Never fails by accident.
    pub async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: Arc<Connection>,
    ) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            let error = ApiError::request(413, format!("The request body is broken, or longer than {MAX_BODY} bytes."));
            return Ok(reply::json(error.status, &error.body()));
        };
        let (arrived, body) = (Instant::now(), body.to_bytes());
        let route = route(&parts.method, &parts.uri);
        if let Route::Control(what) = &route {
            return Ok(control::answer(&self, &parts.method, what, &body));
        }
        let stamp = Stamp {
            azure: self.config.azure,
            arrived,
            client_request_id: parts.headers.get(CLIENT_REQUEST_ID).cloned(),
        };
        let unknown = format!("Invalid URL ({} {})", parts.method, parts.uri.path());
        self.recorder.push(parts.method, parts.uri, parts.headers, &body);
        let outcome = match route {
            Route::Chat { deployment } => self.chat(&body, deployment).await,
            Route::Models => reply::json(200, &self.models()).into(),
            Route::Unknown if !self.config.azure => ApiError::request(404, unknown).into(),
            Route::NoApiVersion | Route::Unknown | Route::Control(_) => {
                reply::json(404, &errors::azure_not_found()).into()
            }
        };
        match outcome {
            Outcome::Respond(mut response) => {
                stamp.apply(response.headers_mut());
                Ok(response)
            }
            Outcome::Reset => match connection.reset().await {},
            Outcome::Hang => std::future::pending().await,
        }
    }

    async fn chat(&self, body: &Bytes, deployment: Option<String>) -> Outcome {
        let request = ChatRequest::read(body, deployment);
        let model = request.as_ref().map_or("", |request| request.model.as_str());
        let fault = self.faults.take(model);
        match &fault {
            Some(Kind::Reset) => return Outcome::Reset,
            Some(Kind::Hang) => return Outcome::Hang,
            _ => pause(self.config.latency).await,
        }
        if let Some(Kind::Status { status, body, headers }) = &fault {
            return self.failure(*status, body.as_ref(), headers.as_ref(), model).into();
        }
        let request = match request.and_then(|request| self.validate(&request).map(|()| request)) {
            Ok(request) => request,
            Err(error) => return error.into(),
        };
        let served = self.served(&request.model);
        let speaker = Speaker { provider: &self.config.name, model: &served, azure: self.config.azure };
        let answer = answer::answer(&request, speaker, &self.cache);
        let response = if request.is_stream() {
            self.streamed(&request, &answer, fault)
        } else {
            self.whole(&answer, fault).await
        };
        response.into()
    }

    fn validate(&self, request: &ChatRequest) -> Result<(), ApiError> {
        validate::shape(request)?;
        if self.config.strict {
            validate::strict(request, request.family(&self.served(&request.model)))?;
        }
        Ok(())
    }

    fn served(&self, model: &str) -> String {
        self.config.served_as.get(model).cloned().unwrap_or_else(|| models::snapshot(model))
    }

    fn streamed(&self, request: &ChatRequest, answer: &Answer, fault: Option<Kind>) -> Response<Body> {
        let options = stream::Options {
            include_usage: request.stream_option("include_usage", false),
            obfuscation: request.stream_option("include_obfuscation", true),
        };
        let mut steps = stream::steps(answer, options);
        let mut wait = Duration::ZERO;
        match fault {
            Some(Kind::SlowFirstToken { ms }) => wait = Duration::from_millis(ms),
            Some(fault) => steps = stream::break_with(steps, &fault),
            None => {}
        }
        reply::with_body(200, reply::EVENTS, stream::body(steps, wait, self.config.per_token))
    }

    async fn whole(&self, answer: &Answer, fault: Option<Kind>) -> Response<Body> {
        pause(self.config.per_token.saturating_mul(answer.visible_tokens())).await;
        let body = answer.to_json();
        match fault {
            Some(Kind::SlowFirstToken { ms }) => {
                pause(Duration::from_millis(ms)).await;
                reply::json(200, &body)
            }
            Some(Kind::StreamError { error, .. }) => {
                reply::json(200, &json!({"error": error.unwrap_or_else(errors::in_stream)}))
            }
            Some(Kind::Truncated { .. }) => reply::half(reply::JSON, body.to_string().as_bytes()),
            Some(Kind::Malformed { .. }) => {
                let mut text = body.to_string();
                text.truncate(text.find("\"choices\"").unwrap_or(1));
                reply::bytes(200, reply::JSON, text)
            }
            Some(Kind::EmptyStream) => reply::bytes(200, reply::JSON, ""),
            Some(Kind::Status { .. } | Kind::Reset | Kind::Hang) | None => reply::json(200, &body),
        }
    }

    fn failure(
        &self,
        status: u16,
        body: Option<&Value>,
        headers: Option<&BTreeMap<String, Value>>,
        model: &str,
    ) -> Response<Body> {
        let mut response = match body {
            Some(Value::String(text)) => {
                let media = if text.trim_start().starts_with('<') { "text/html" } else { "text/plain" };
                reply::bytes(status, HeaderValue::from_static(media), text.clone())
            }
            Some(body) => reply::json(status, body),
            None => reply::json(status, &errors::typical(status, model, self.config.azure)),
        };
        let target: &mut HeaderMap = response.headers_mut();
        for (name, value) in errors::typical_headers(status) {
            target.insert(*name, HeaderValue::from_static(value));
        }
        // Clients believe the finer of the two.
        if headers.is_some_and(|headers| headers.contains_key("retry-after")) {
            target.remove("retry-after-ms");
        }
        for (name, value) in headers.into_iter().flatten() {
            // Checked when the fault was accepted.
            match faults::header(name, value) {
                Ok((name, Some(value))) => drop(target.insert(name, value)),
                Ok((name, None)) => drop(target.remove(name)),
                Err(_) => {}
            }
        }
        response
    }

    fn models(&self) -> Value {
        let owner = if self.config.azure { "azure" } else { "openai" };
        let data: Vec<Value> = models::listed()
            .chain(self.config.served_as.keys().cloned())
            .map(|id| json!({"id": id, "object": "model", "created": 1_735_689_600, "owned_by": owner}))
            .collect();
        json!({"object": "list", "data": data})
    }
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
