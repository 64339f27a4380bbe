//! A Chat Completions request, read (FACTS §3.1): the few things an answer depends on.
//!
//! Reads leniently; [`super::validate`] refuses what is wrong before anything here matters.

use std::ops::Deref;

use serde_json::Value;

use super::answer::Question;
use super::errors::ApiError;
use super::fields::Fields;
use super::prompt::Prompt;
use super::tools;

/// A request for a chat completion.
#[derive(Debug)]
pub struct ChatRequest(Fields);

impl Deref for ChatRequest {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl ChatRequest {
    /// Reads a body. Fails when it is not a JSON object.
    pub fn read(body: &[u8], deployment: Option<String>) -> Result<Self, ApiError> {
        Fields::read(body, deployment).map(Self)
    }

    /// The value of `reasoning_effort`.
    pub fn effort(&self) -> Option<&str> {
        self.text("reasoning_effort")
    }

    /// What is asked of the model that is `served`.
    pub fn question(&self, served: &str) -> Question<'_> {
        let limit = self.given("max_completion_tokens").or_else(|| self.given("max_tokens"));
        Question {
            prompt: self.prompt(),
            forced: tools::forced(self),
            schema: self.json_schema(),
            effort: self.family(served).effort(self.effort()),
            budget: limit.and_then(Value::as_u64),
            choices: self.given("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, 128),
        }
    }

    /// The schema of the JSON that the answer has to be; null when any object will do, `None` when text will.
    fn json_schema(&self) -> Option<&Value> {
        let format = self.given("response_format")?;
        match format.get("type")?.as_str()? {
            "json_schema" => format.get("json_schema")?.get("schema").or(Some(&Value::Null)),
            "json_object" => Some(&Value::Null),
            _ => None,
        }
    }

    fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::of(self.tools());
        for message in self.list("messages") {
            prompt.messages += 1;
            prompt.push(message.get("content").unwrap_or(&Value::Null));
            for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                prompt.push_json(call);
            }
        }
        prompt
    }
}
