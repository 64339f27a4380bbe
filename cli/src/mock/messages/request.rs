//! A Messages request, read (FACTS §4.1): the few things an answer depends on.
//!
//! Reads leniently; [`super::validate`] refuses what is wrong before anything here matters.

use std::ops::Deref;

use serde_json::Value;

use super::door::Door;
use crate::mock::errors::ApiError;
use crate::mock::fields::Fields;

/// A request for a message.
#[derive(Debug)]
pub struct MessageRequest {
    fields: Fields,
    /// Where it came in.
    pub door: Door,
}

impl Deref for MessageRequest {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl MessageRequest {
    /// Reads a body; the model of the path, if any, wins. Fails when the body is not a JSON object.
    pub fn read(body: &[u8], door: Door, model: Option<String>) -> Result<Self, ApiError> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::request(400, format!("The request body is not valid JSON: {error}")))?;
        let Value::Object(map) = value else {
            return Err(ApiError::request(400, "Input should be a valid dictionary or object"));
        };
        let named = || map.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { fields: Fields { model: model.unwrap_or_else(named), map }, door })
    }

    /// `enabled` or `adaptive`; `None` when the model does not think.
    pub fn thinking(&self) -> Option<&str> {
        self.inner("thinking", "type").and_then(Value::as_str).filter(|kind| *kind != "disabled")
    }

    /// The most tokens that a model may think that is told how much.
    pub fn thinking_budget(&self) -> Option<u64> {
        self.inner("thinking", "budget_tokens").and_then(Value::as_u64)
    }

    /// How hard the model thinks; `none` when it does not.
    pub fn effort(&self) -> &str {
        match (self.thinking(), self.inner("output_config", "effort").and_then(Value::as_str)) {
            (None, _) => "none",
            (Some(_), Some(effort)) => effort,
            (Some(_), None) => "high",
        }
    }

    /// The schema of the JSON that the answer has to be; `None` when text will do.
    pub fn json_schema(&self) -> Option<&Value> {
        let format = self.inner("output_config", "format").filter(|format| format["type"] == "json_schema")?;
        format.get("schema")
    }

    /// The type of `tool_choice`; `auto` when it is absent.
    pub fn choice(&self) -> &str {
        self.inner("tool_choice", "type").and_then(Value::as_str).unwrap_or("auto")
    }

    /// What the user said last; empty when that was no text.
    pub fn last_words(&self) -> String {
        let last = self.list("messages").last().filter(|message| message["role"] == "user");
        match last.map(|message| &message["content"]) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(blocks)) => blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
            _ => String::new(),
        }
    }
}
