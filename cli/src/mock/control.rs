//! `/_mock/*`: the way in which tests look at a mock and make it fail. Never recorded, never touched by faults.

use hyper::{Method, Response};
use serde_json::json;

use super::provider::Provider;
use super::reply::{self, Body};

/// Answers a request to `/_mock/{what}`.
pub fn answer(provider: &Provider, method: &Method, what: &str, body: &[u8]) -> Response<Body> {
    match (what, method) {
        ("requests", &Method::GET) => reply::json(200, &provider.recorder.to_json()),
        ("requests", &Method::DELETE) => {
            provider.recorder.clear();
            nothing()
        }
        ("faults", &Method::GET) => reply::json(200, &provider.faults.to_json()),
        ("faults", &Method::POST) => match provider.faults.add(body) {
            Ok(()) => reply::json(200, &provider.faults.to_json()),
            Err(error) => reply::json(400, &json!({"error": format!("{error:#}")})),
        },
        ("faults", &Method::DELETE) => {
            provider.faults.clear();
            nothing()
        }
        _ => reply::json(404, &json!({"error": format!("no {method} /_mock/{what}")})),
    }
}

fn nothing() -> Response<Body> {
    reply::bytes(204, reply::JSON, "")
}
