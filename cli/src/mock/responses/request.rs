//! A Responses request, read (FACTS §3.4): the few things an answer depends on.
//!
//! Reads leniently; [`super::validate`] refuses what is wrong before anything here matters.

use std::ops::Deref;

use serde_json::Value;

use super::items;
use crate::mock::answer::Question;
use crate::mock::errors::ApiError;
use crate::mock::fields::Fields;
use crate::mock::prompt::Prompt;
use crate::mock::tools;

/// A request for a response.
#[derive(Debug)]
pub struct ResponseRequest(Fields);

impl Deref for ResponseRequest {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl ResponseRequest {
    /// Reads a body. Fails when it is not a JSON object.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        Fields::read(body, None).map(Self)
    }

    /// The value of `reasoning.effort`.
    pub fn effort(&self) -> Option<&str> {
        self.inner("reasoning", "effort").and_then(Value::as_str)
    }

    /// Whether `include` holds `what`.
    pub fn includes(&self, what: &str) -> bool {
        self.list("include").iter().any(|one| one == what)
    }

    /// The id of the conversation, given as such or in an object.
    pub fn conversation(&self) -> Option<&str> {
        let conversation = self.given("conversation")?;
        conversation.get("id").unwrap_or(conversation).as_str()
    }

    /// What is asked of the model that is `served`, after `items`: everything that was said, this input included.
    pub fn question(&self, served: &str, items: &[Value]) -> Question<'_> {
        Question {
            prompt: self.prompt(items),
            forced: tools::forced(self),
            schema: self.json_schema(),
            effort: self.family(served).effort(self.effort()),
            budget: self.given("max_output_tokens").and_then(Value::as_u64),
            choices: 1,
        }
    }

    /// What the model reads.
    pub fn prompt(&self, items: &[Value]) -> Prompt {
        let mut prompt = Prompt::of(self.tools());
        if let Some(instructions) = self.given("instructions") {
            prompt.messages += 1;
            prompt.push(instructions);
        }
        for item in items {
            prompt.messages += 1;
            items::read(item, &mut prompt);
        }
        prompt
    }

    /// The schema of the JSON that the answer has to be; null when any object will do, `None` when text will.
    fn json_schema(&self) -> Option<&Value> {
        let format = self.inner("text", "format")?;
        match format.get("type")?.as_str()? {
            "json_schema" => format.get("schema").or(Some(&Value::Null)),
            "json_object" => Some(&Value::Null),
            _ => None,
        }
    }
}
