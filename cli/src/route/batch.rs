//! The batch: lines of JSON to bodies of Chat Completions.
//!
//! Owns the format of a line. Its errors name the line and the rule, never text of a message.

use anyhow::{Context, bail};
use model_router::request::read_chat;
use serde_json::{Value, json};
use std::io::BufRead;

/// A prompt, ready to be decided.
pub struct Prompt {
    /// Where it stands in the input, from 1.
    pub line: usize,
    /// A body of Chat Completions that asks for the router.
    pub body: Vec<u8>,
}

/// Reads a batch; empty lines are left out. `router` is the name that every body asks for.
///
/// # Errors
/// Names the first bad line and the rule that it breaks; an input without a prompt is one too.
pub fn read(input: impl BufRead, router: &str) -> anyhow::Result<Vec<Prompt>> {
    let mut prompts = Vec::new();
    for (index, text) in input.split(b'\n').enumerate() {
        let line = index + 1;
        let text = text.with_context(|| format!("cannot read line {line}"))?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii();
        if !text.is_empty() {
            let body = body(text, router).map_err(|rule| anyhow::anyhow!("line {line}: {rule}"))?;
            prompts.push(Prompt { line, body });
        }
    }
    if prompts.is_empty() {
        bail!("no prompts on standard input: expected one JSON object per line, with `id` and `prompt` or `messages`");
    }
    Ok(prompts)
}

/// The body of a line, or the rule that the line breaks.
fn body(text: &[u8], router: &str) -> Result<Vec<u8>, String> {
    let line: Value = serde_json::from_slice(text).map_err(|error| match error.is_eof() {
        true => "is not valid JSON: it ends too early".to_owned(),
        false => format!("is not valid JSON at column {}", error.column()),
    })?;
    let Value::Object(mut members) = line else { return Err("must be a JSON object".into()) };
    if !members.get("id").is_some_and(Value::is_string) {
        return Err("`id` must be a string".into());
    }
    let messages = match (members.remove("prompt"), members.remove("messages")) {
        (Some(Value::String(prompt)), None) => json!([{ "role": "user", "content": prompt }]),
        (None, Some(messages @ Value::Array(_))) => messages,
        (Some(_), None) => return Err("`prompt` must be a string".into()),
        (None, Some(_)) => return Err("`messages` must be an array".into()),
        (Some(_), Some(_)) => return Err("has both `prompt` and `messages`: give one of them".into()),
        (None, None) => return Err("has neither `prompt` nor `messages`: give one of them".into()),
    };
    let body = json!({ "model": router, "messages": messages }).to_string().into_bytes();
    match read_chat(&body) {
        Ok(_) => Ok(body),
        Err(error) => Err(error.to_string()),
    }
}
