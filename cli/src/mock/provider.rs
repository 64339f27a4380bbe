//! One mock provider: its configuration and state, and the way of a request through it: recorded, routed, failed on
//! purpose or answered.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::answer::{self, Speaker};
use super::cache::PrefixCache;
use super::chat::ChatRequest;
use super::completion::Completion;
use super::delivery::{Form, Ready};
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::faults::Faults;
use super::paths::{Ask, Route, route};
use super::record::{self, Recorder};
use super::reply::{self, Body, Stamp};
use super::responses::Store;
use super::server::Connection;
use super::{chunks, control, form, messages, models, validate};

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
    /// Knows no path of the Responses API, nor of the Messages API.
    pub chat_only: bool,
    /// Knows no path but those of the Messages API.
    pub messages_only: bool,
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
    /// How it behaves.
    pub config: Config,
    /// The last requests.
    pub recorder: Recorder,
    /// What goes wrong next.
    pub faults: Faults,
    /// What it has read before.
    pub cache: PrefixCache,
    /// What it keeps of the Responses API.
    pub store: Store,
}

/// What becomes of a request.
pub enum Outcome {
    /// This is sent.
    Respond(Response<Body>),
    /// The connection is reset.
    Reset,
    /// Nothing is sent.
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
        Arc::new(Self {
            config,
            recorder,
            faults: Faults::default(),
            cache: PrefixCache::default(),
            store: Store::default(),
        })
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
            return Ok(self.dialect().refusal(&error));
        };
        let (arrived, body) = (Instant::now(), body.to_bytes());
        let route = route(&parts.method, &parts.uri);
        if let Route::Control(what) = &route {
            return Ok(control::answer(&self, &parts.method, what, &body));
        }
        let stamp = Stamp {
            dialect: self.dialect_of(&route),
            arrived,
            client_request_id: parts.headers.get(CLIENT_REQUEST_ID).cloned(),
        };
        let unknown = format!("Invalid URL ({} {})", parts.method, parts.uri.path());
        let head = messages::Head::of(&parts.headers);
        let form = form::read(&parts.headers, &body).await;
        self.recorder.push(parts.method, parts.uri, parts.headers, &body);
        let body = form.unwrap_or(body);
        let outcome = match route {
            route if self.lacks(&route) => self.not_found(unknown),
            Route::Message(call) => self.message(&call, &head, &body).await,
            Route::Model { ask, deployment } => self.ask(ask, &body, deployment).await,
            Route::Models => reply::json(200, &self.models()).into(),
            Route::State(state) => self.state(&state, &body),
            Route::NoApiVersion => reply::json(404, &errors::azure_not_found()).into(),
            Route::Unknown | Route::Control(_) => self.not_found(unknown),
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

    async fn ask(&self, ask: Ask, body: &Bytes, deployment: Option<String>) -> Outcome {
        match ask {
            Ask::Chat => self.chat(ChatRequest::read(body, deployment)).await,
            Ask::Response => self.respond(body).await,
            _ => self.plain(ask, body, deployment).await,
        }
    }

    /// Whether this provider does without the API that a route belongs to.
    fn lacks(&self, route: &Route) -> bool {
        let is_message = matches!(route, Route::Message(_));
        self.config.chat_only && (is_message || route.is_responses()) || self.config.messages_only && !is_message
    }

    /// How this provider speaks where the path says nothing else.
    pub fn dialect(&self) -> Dialect {
        match self.config {
            Config { messages_only: true, .. } => Dialect::Anthropic,
            Config { azure: true, .. } => Dialect::Azure,
            _ => Dialect::OpenAi,
        }
    }

    fn dialect_of(&self, route: &Route) -> Dialect {
        match route {
            Route::Message(call) if !self.lacks(route) => call.door.dialect(),
            _ => self.dialect(),
        }
    }

    fn not_found(&self, message: String) -> Outcome {
        match self.dialect() {
            Dialect::Azure => reply::json(404, &errors::azure_not_found()).into(),
            dialect => dialect.refusal(&ApiError::request(404, message)).into(),
        }
    }

    async fn chat(&self, request: Result<ChatRequest, ApiError>) -> Outcome {
        let model = request.as_ref().map(|request| request.model.clone()).unwrap_or_default();
        self.deliver(self.dialect(), &model, |_| self.chat_answer(&request?)).await
    }

    fn chat_answer(&self, request: &ChatRequest) -> Result<Ready, ApiError> {
        let served = self.served(&request.model);
        validate::shape(request)?;
        if self.config.strict {
            validate::strict(request, request.family(&served))?;
        }
        let speaker = self.speaker(&served);
        let answer = answer::answer(&request.question(&served), speaker, &self.cache);
        let completion = Completion::new(answer, request, speaker);
        let form = if request.is_stream() {
            Form::Stream(chunks::steps(&completion, chunks::Options::of(request)))
        } else {
            Form::Whole(completion.to_json(), completion.answer.visible_tokens())
        };
        Ok(Ready { form, broken: Box::new(chunks::Failure) })
    }

    /// The snapshot that answers a request for `model`.
    pub fn served(&self, model: &str) -> String {
        self.config.served_as.get(model).cloned().unwrap_or_else(|| models::snapshot(model))
    }

    /// The one who says what the snapshot `served` says.
    pub fn speaker<'a>(&'a self, served: &'a str) -> Speaker<'a> {
        Speaker { provider: &self.config.name, model: served, azure: self.config.azure }
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
