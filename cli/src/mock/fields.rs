//! The JSON object of a request's body, and the members that mean the same at every endpoint.
//!
//! Reads leniently; never refuses anything but a body that is no JSON object.

use std::ops::Deref;

use serde_json::{Map, Value};

use super::errors::ApiError;
use super::models::Family;

/// A request's body.
#[derive(Debug)]
pub struct Fields {
    /// The body's members.
    pub map: Map<String, Value>,
    /// The model as asked for: the path's deployment, or else the body's `model`; empty when there is neither.
    pub model: String,
}

impl Deref for Fields {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl Fields {
    /// Reads a body. Fails when it is not a JSON object.
    pub fn read(body: &[u8], deployment: Option<String>) -> Result<Self, ApiError> {
        let Ok(Value::Object(map)) = serde_json::from_slice(body) else {
            return Err(ApiError::not_json());
        };
        let named = || map.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { model: deployment.unwrap_or_else(named), map })
    }

    /// A member that is there and not null.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A member that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given(name).and_then(Value::as_str)
    }

    /// A member that is true or false, or what it is when absent.
    pub fn flag(&self, name: &str, absent: bool) -> bool {
        self.given(name).and_then(Value::as_bool).unwrap_or(absent)
    }

    /// The elements of a member that is an array; none when it is absent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.given(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The member called `inner` of the object called `outer`, when it is there and not null.
    pub fn inner(&self, outer: &str, inner: &str) -> Option<&Value> {
        self.given(outer)?.get(inner).filter(|value| !value.is_null())
    }

    /// The family whose rules apply: the asked model's, or that of the one it is `served` as if the name says nothing.
    pub fn family(&self, served: &str) -> Family {
        match Family::of(&self.model) {
            Family::Other => Family::of(served),
            family => family,
        }
    }

    /// Whether the answer is streamed.
    pub fn is_stream(&self) -> bool {
        self.flag("stream", false)
    }

    /// An option of `stream_options`, or what it is when absent.
    pub fn stream_option(&self, name: &str, absent: bool) -> bool {
        self.inner("stream_options", name).and_then(Value::as_bool).unwrap_or(absent)
    }

    /// The service tier that serves this request.
    pub fn tier(&self) -> &str {
        match self.text("service_tier") {
            Some(tier @ ("flex" | "priority")) => tier,
            _ => "default",
        }
    }

    /// The request's tools.
    pub fn tools(&self) -> &[Value] {
        self.list("tools")
    }
}
