//! A chat completion as server-sent events (FACTS §3.3): the chunks, in order.
//!
//! Never decides when one is sent.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{Choice, pieces};
use super::completion::{self, Completion};
use super::delivery::Broken;
use super::faults::ErrorForm;
use super::fields::Fields;
use super::stream::Step;

/// What the client wants in the stream.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A last chunk with the usage, and `"usage": null` in the others.
    pub include_usage: bool,
    /// Random-looking padding, against those who read the lengths of packets.
    pub obfuscation: bool,
}

impl Options {
    /// What `request` says.
    pub fn of(request: &Fields) -> Self {
        Self {
            include_usage: request.stream_option("include_usage", false),
            obfuscation: request.stream_option("include_obfuscation", true),
        }
    }
}

/// The stream of an answer that goes well.
pub fn steps(completion: &Completion, options: Options) -> Vec<Step> {
    let writer = Writer { completion, options };
    let mut steps = Vec::new();
    if completion.azure {
        steps.push(Step::Event(writer.azure_first()));
    }
    for (index, choice) in completion.answer.choices.iter().enumerate() {
        steps.push(Step::Event(writer.role(index, choice)));
    }
    let mut tokens: Vec<_> = completion.answer.choices.iter().map(|choice| pieces(&choice.text)).collect();
    loop {
        let before = steps.len();
        for (index, (choice, tokens)) in completion.answer.choices.iter().zip(&mut tokens).enumerate() {
            if let Some(token) = tokens.next() {
                steps.push(Step::Token(writer.token(index, choice, token)));
            }
        }
        if steps.len() == before {
            break;
        }
    }
    for (index, choice) in completion.answer.choices.iter().enumerate() {
        steps.push(Step::Event(writer.chunk(index, &json!({}), Some(choice.finish), options)));
    }
    if options.include_usage {
        steps.push(Step::Event(writer.usage()));
    }
    steps.push(Step::Event(Bytes::from_static(b"data: [DONE]\n\n")));
    steps
}

/// A chat completion that fails: an error in the envelope, in an event or for a body.
#[derive(Debug)]
pub struct Failure;

impl Broken for Failure {
    fn event(&self, error: Value, _form: ErrorForm, _events: usize) -> Bytes {
        event(&json!({"error": error}))
    }
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

struct Writer<'a> {
    completion: &'a Completion,
    options: Options,
}

impl Writer<'_> {
    /// Azure's verdict on the prompt, in a chunk of an answer that has no name yet.
    fn azure_first(&self) -> Bytes {
        let mut chunk = json!({
            "choices": [],
            "created": 0,
            "id": "",
            "model": "",
            "object": "",
            "prompt_filter_results": completion::prompt_filter_results(),
        });
        if self.options.include_usage {
            chunk["usage"] = Value::Null;
        }
        event(&chunk)
    }

    fn role(&self, index: usize, choice: &Choice) -> Bytes {
        let delta = match &choice.call {
            None => json!({"role": "assistant", "content": "", "refusal": null}),
            Some(call) => {
                let call = completion::call(call, Some(0), "");
                json!({"role": "assistant", "content": null, "tool_calls": [call], "refusal": null})
            }
        };
        self.chunk(index, &delta, None, self.options)
    }

    fn token(&self, index: usize, choice: &Choice, token: &str) -> Bytes {
        let delta = match &choice.call {
            None => json!({"content": token}),
            Some(call) => {
                let part = json!({call.text_field(): token});
                json!({"tool_calls": [{"index": 0, call.kind.as_str(): part}]})
            }
        };
        self.chunk(index, &delta, None, self.options)
    }

    fn usage(&self) -> Bytes {
        let mut chunk = self.envelope();
        chunk["choices"] = json!([]);
        chunk["usage"] = completion::usage(&self.completion.answer.cost);
        event(&chunk)
    }

    fn chunk(&self, index: usize, delta: &Value, finish: Option<&str>, options: Options) -> Bytes {
        let mut choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
        if self.completion.azure {
            let has_text = delta.get("content").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            choice["content_filter_results"] = if has_text { completion::content_filter_results() } else { json!({}) };
        }
        let mut chunk = self.envelope();
        chunk["choices"] = json!([choice]);
        if options.include_usage {
            chunk["usage"] = Value::Null;
        }
        if options.obfuscation {
            chunk["obfuscation"] = json!(self.padding(delta));
        }
        event(&chunk)
    }

    /// What every chunk begins with.
    fn envelope(&self) -> Value {
        json!({
            "id": self.completion.id,
            "object": "chat.completion.chunk",
            "created": self.completion.answer.created,
            "model": self.completion.answer.model,
            "service_tier": self.completion.tier,
            "system_fingerprint": self.completion.fingerprint,
        })
    }

    /// Letters of the id, as many as make chunks of different tokens equally long.
    fn padding(&self, delta: &Value) -> &str {
        let length = delta.get("content").and_then(Value::as_str).map_or(0, str::len);
        self.completion.id.get("chatcmpl-".len() + length.min(16)..).unwrap_or_default()
    }
}
