//! A Chat Completions request, read (FACTS §3.1): the few things an answer depends on.
//!
//! Reads leniently; [`super::validate`] refuses what is wrong before anything here matters.

use serde_json::{Map, Value};

use super::errors::ApiError;
use super::models::Family;

/// A request for a chat completion.
#[derive(Debug)]
pub struct ChatRequest {
    /// The body's fields.
    pub fields: Map<String, Value>,
    /// The model as asked for: the path's deployment, or else the body's `model`; empty when there is neither.
    pub model: String,
}

/// A tool that the answer has to call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tool<'a> {
    /// `function` or `custom`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The JSON schema of its parameters; null where it has none.
    pub parameters: &'a Value,
}

impl ChatRequest {
    /// Reads a body. Fails when it is not a JSON object.
    pub fn read(body: &[u8], deployment: Option<String>) -> Result<Self, ApiError> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(ApiError::not_json());
        };
        let named = || fields.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { model: deployment.unwrap_or_else(named), fields })
    }

    /// A field that is there and not null.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
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
        self.given("stream") == Some(&Value::Bool(true))
    }

    /// An option of `stream_options`, or what it is when absent.
    pub fn stream_option(&self, name: &str, absent: bool) -> bool {
        let options = self.given("stream_options");
        options.and_then(|options| options.get(name)).and_then(Value::as_bool).unwrap_or(absent)
    }

    /// How many choices.
    pub fn choices(&self) -> u64 {
        self.given("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, 128)
    }

    /// The most tokens a choice may have, reasoning included.
    pub fn budget(&self) -> Option<u64> {
        let limit = self.given("max_completion_tokens").or_else(|| self.given("max_tokens"));
        limit.and_then(Value::as_u64)
    }

    /// The value of `reasoning_effort`.
    pub fn effort(&self) -> Option<&str> {
        self.given("reasoning_effort").and_then(Value::as_str)
    }

    /// The service tier that serves this request.
    pub fn tier(&self) -> &str {
        match self.given("service_tier").and_then(Value::as_str) {
            Some(tier @ ("flex" | "priority")) => tier,
            _ => "default",
        }
    }

    /// The request's messages.
    pub fn messages(&self) -> &[Value] {
        self.given("messages").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The request's tools.
    pub fn tools(&self) -> &[Value] {
        self.given("tools").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The tool that `tool_choice` names, if it names one that is not among the tools.
    pub fn unknown_tool(&self) -> Option<&str> {
        let name = tool_name(self.given("tool_choice")?)?;
        self.tools().iter().all(|tool| tool_name(tool) != Some(name)).then_some(name)
    }

    /// The tool that the answer has to call: the one `tool_choice` names, or the first when any will do.
    pub fn forced_tool(&self) -> Option<Tool<'_>> {
        let choice = self.given("tool_choice")?;
        let allowed = choice.get("allowed_tools");
        let name = match allowed {
            Some(allowed) if allowed.get("mode")? == "required" => tool_name(allowed.get("tools")?.get(0)?),
            Some(_) => return None,
            None if choice.is_object() => Some(tool_name(choice)?),
            None if choice == "required" => None,
            None => return None,
        };
        let tool = self.tools().iter().find(|tool| name.is_none() || tool_name(tool) == name)?;
        let parameters = tool.get("function").and_then(|function| function.get("parameters"));
        Some(Tool {
            kind: tool.get("type").and_then(Value::as_str).unwrap_or("function"),
            name: tool_name(tool)?,
            parameters: parameters.unwrap_or(&Value::Null),
        })
    }

    /// The schema of the JSON that the answer has to be; null when any object will do, `None` when text will.
    pub fn json_schema(&self) -> Option<&Value> {
        let format = self.given("response_format")?;
        match format.get("type")?.as_str()? {
            "json_schema" => format.get("json_schema")?.get("schema").or(Some(&Value::Null)),
            "json_object" => Some(&Value::Null),
            _ => None,
        }
    }

    /// What the model reads: tools, then every message's text, so that a longer conversation begins with a shorter.
    pub fn prompt(&self) -> Prompt {
        let mut prompt = Prompt { text: String::new(), images: 0 };
        for tool in self.tools() {
            prompt.text.push_str(&tool.to_string());
        }
        for message in self.messages() {
            prompt.push(message.get("content").unwrap_or(&Value::Null));
            for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                prompt.text.push_str(&call.to_string());
            }
        }
        prompt
    }
}

/// The text of a prompt, and how many images come with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Everything that is text, in order.
    pub text: String,
    /// Parts that are images.
    pub images: u64,
}

impl Prompt {
    fn push(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => {
                for part in parts {
                    match part.get("text").and_then(Value::as_str) {
                        Some(text) => self.text.push_str(text),
                        None if part.get("image_url").is_some() => self.images += 1,
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// The name in `{type: "function", function: {name}}` or `{type: "custom", custom: {name}}`.
fn tool_name(tool: &Value) -> Option<&str> {
    let inner = tool.get("function").or_else(|| tool.get("custom"))?;
    inner.get("name")?.as_str()
}
