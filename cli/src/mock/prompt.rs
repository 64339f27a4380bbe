//! What a model reads: the text of a request in order, and what it counts as.

use serde_json::Value;

/// The text of a prompt, and what comes with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Everything that is text, in order.
    pub text: String,
    /// Parts that are images.
    pub images: u64,
    /// Messages and other items.
    pub messages: u64,
}

impl Prompt {
    /// A prompt that begins with tools, so that a longer conversation begins with a shorter.
    pub fn of(tools: &[Value]) -> Self {
        let mut prompt = Self::default();
        tools.iter().for_each(|tool| prompt.push_json(tool));
        prompt
    }

    /// Adds a content: text, or parts.
    pub fn push(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => {
                for part in parts {
                    match part.get("text").and_then(Value::as_str) {
                        Some(text) => self.text.push_str(text),
                        None if part.get("image_url").is_some() || part["type"] == "input_image" => self.images += 1,
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds something that is not text by itself.
    pub fn push_json(&mut self, value: &Value) {
        self.text.push_str(&value.to_string());
    }

    /// How many tokens this is.
    pub fn tokens(&self) -> u64 {
        tokens(&self.text) + 3 * self.messages + 3 + self.images * 255
    }
}

/// How many tokens a text is.
pub fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}
