//! The last stretch of every model's answer: its latency, its pace, and the fault that happens to it.
//!
//! Carries out what [`super::faults`] describes; never knows what is said, only in which dialect errors are.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::compress;
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::faults::{self, ErrorForm, Kind};
use super::provider::{Outcome, Provider};
use super::reply::{self, Body};
use super::stream::{self, Step};

/// An answer, before anything goes wrong with it.
pub struct Ready {
    /// Whole, or in events.
    pub form: Form,
    /// How an answer of this API fails halfway.
    pub broken: Box<dyn Broken>,
}

/// The forms of an answer.
pub enum Form {
    /// A JSON body, and how many tokens its reader waits for.
    Whole(Value, u32),
    /// Events.
    Stream(Vec<Step>),
}

/// The way in which an API says that an answer failed after its 200.
pub trait Broken: Send + Sync {
    /// The event, behind `events` others.
    fn event(&self, error: Value, form: ErrorForm, events: usize) -> Bytes;

    /// The body of an answer that is not streamed.
    fn body(&self, error: Value, _form: ErrorForm) -> Value {
        json!({"error": error})
    }

    /// The error that is sent when no other was asked for.
    fn usual(&self) -> Value {
        errors::in_stream()
    }

    /// An event that cannot be read, made of the first half of one.
    fn spoiled(&self, half: &[u8]) -> Bytes {
        [half, b"\n\n"].concat().into()
    }
}

impl Provider {
    /// Answers a request for `model` with what `say` makes, or with the fault that comes first, in the words of
    /// `dialect`. `say` is told whether the answer will arrive in good shape.
    pub async fn deliver(
        &self,
        dialect: Dialect,
        model: &str,
        say: impl FnOnce(bool) -> Result<Ready, ApiError>,
    ) -> Outcome {
        let fault = self.faults.take(model);
        match &fault {
            Some(Kind::Reset) => return Outcome::Reset,
            Some(Kind::Hang) => return Outcome::Hang,
            _ => pause(self.config.latency).await,
        }
        if let Some(Kind::Status { status, body, headers }) = &fault {
            return failure(*status, body.as_ref(), headers.as_ref(), model, dialect).into();
        }
        let sound = matches!(fault, None | Some(Kind::SlowFirstToken { .. } | Kind::Gzip));
        let ready = match say(sound) {
            Ok(ready) => ready,
            Err(error) => return dialect.refusal(&error).into(),
        };
        let gzip = matches!(fault, Some(Kind::Gzip));
        let response = match ready.form {
            Form::Whole(body, tokens) => self.whole(&body, tokens, fault, &*ready.broken).await,
            Form::Stream(steps) => self.streamed(dialect, steps, fault, &*ready.broken),
        };
        if gzip { compress::gzip(response).into() } else { response.into() }
    }

    fn streamed(
        &self,
        dialect: Dialect,
        mut steps: Vec<Step>,
        fault: Option<Kind>,
        broken: &dyn Broken,
    ) -> Response<Body> {
        let mut wait = Duration::ZERO;
        match fault {
            Some(Kind::SlowFirstToken { ms }) => wait = Duration::from_millis(ms),
            Some(fault) => {
                let (error, form) = match &fault {
                    Kind::StreamError { error, form, .. } => (error.clone(), *form),
                    _ => (None, ErrorForm::Error),
                };
                let event = |events| broken.event(error.unwrap_or_else(|| broken.usual()), form, events);
                steps = stream::break_with(steps, &fault, event, |half| broken.spoiled(half));
            }
            None => {}
        }
        reply::with_body(200, dialect.events(), stream::body(steps, wait, self.config.per_token))
    }

    async fn whole(&self, body: &Value, tokens: u32, fault: Option<Kind>, broken: &dyn Broken) -> Response<Body> {
        pause(self.config.per_token.saturating_mul(tokens)).await;
        match fault {
            Some(Kind::SlowFirstToken { ms }) => {
                pause(Duration::from_millis(ms)).await;
                reply::json(200, body)
            }
            Some(Kind::StreamError { error, form, .. }) => {
                reply::json(200, &broken.body(error.unwrap_or_else(|| broken.usual()), form))
            }
            Some(Kind::Truncated { .. }) => reply::half(reply::JSON, body.to_string().as_bytes()),
            Some(Kind::Malformed { .. }) => {
                let mut bytes = body.to_string().into_bytes();
                bytes.truncate(bytes.len() / 2);
                reply::bytes(200, reply::JSON, bytes)
            }
            Some(Kind::EmptyStream) => reply::bytes(200, reply::JSON, ""),
            Some(Kind::Status { .. } | Kind::Reset | Kind::Hang | Kind::Gzip | Kind::EndsEarly { .. }) | None => {
                reply::json(200, body)
            }
        }
    }
}

fn failure(
    status: u16,
    body: Option<&Value>,
    headers: Option<&BTreeMap<String, Value>>,
    model: &str,
    dialect: Dialect,
) -> Response<Body> {
    let mut response = match body {
        Some(Value::String(text)) => {
            let media = if text.trim_start().starts_with('<') { "text/html" } else { "text/plain" };
            reply::bytes(status, HeaderValue::from_static(media), text.clone())
        }
        Some(body) => reply::json(status, body),
        None => dialect.typical(status, model),
    };
    let target: &mut HeaderMap = response.headers_mut();
    for (name, value) in dialect.typical_headers(status) {
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

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
