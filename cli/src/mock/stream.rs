//! The same answer as server-sent events (FACTS §3.3): the chunks, their pace, and the ways in which a stream breaks.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{self, Answer, Choice, pieces};
use super::errors;
use super::faults::Kind;
use super::reply::{self, Body};

/// One step of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An event that comes at once.
    Event(Bytes),
    /// An event that carries a token, and comes when the model has made it.
    Token(Bytes),
    /// The connection ends here, as nobody promised.
    Cut,
}

/// What the client wants in the stream.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A last chunk with the usage, and `"usage": null` in the others.
    pub include_usage: bool,
    /// Random-looking padding, against those who read the lengths of packets.
    pub obfuscation: bool,
}

/// The stream of an answer that goes well.
pub fn steps(answer: &Answer, options: Options) -> Vec<Step> {
    let writer = Writer { answer, options };
    let mut steps = Vec::new();
    if answer.azure {
        steps.push(Step::Event(writer.azure_first()));
    }
    for (index, choice) in answer.choices.iter().enumerate() {
        steps.push(Step::Event(writer.role(index, choice)));
    }
    let mut tokens: Vec<_> = answer.choices.iter().map(|choice| pieces(&choice.text)).collect();
    loop {
        let before = steps.len();
        for (index, (choice, tokens)) in answer.choices.iter().zip(&mut tokens).enumerate() {
            if let Some(token) = tokens.next() {
                steps.push(Step::Token(writer.token(index, choice, token)));
            }
        }
        if steps.len() == before {
            break;
        }
    }
    for (index, choice) in answer.choices.iter().enumerate() {
        steps.push(Step::Event(writer.chunk(index, &json!({}), Some(choice.finish), options)));
    }
    if options.include_usage {
        steps.push(Step::Event(writer.usage()));
    }
    steps.push(Step::Event(Bytes::from_static(b"data: [DONE]\n\n")));
    steps
}

/// Breaks a stream the way `fault` says. Faults that are not about the content of a stream leave it alone.
pub fn break_with(mut steps: Vec<Step>, fault: &Kind) -> Vec<Step> {
    match fault {
        Kind::StreamError { after, error } => {
            steps.truncate(position(&steps, after.unwrap_or(0)));
            let error = error.clone().unwrap_or_else(errors::in_stream);
            steps.push(Step::Event(event(&json!({"error": error}))));
        }
        Kind::Truncated { after } => {
            let tokens = steps.iter().filter(|step| matches!(step, Step::Token(_))).count();
            let at = position(&steps, after.unwrap_or(tokens / 2));
            let broken = steps.get(at).map(half);
            steps.truncate(at);
            steps.extend(broken);
            steps.push(Step::Cut);
        }
        Kind::Malformed { after } => {
            let at = position(&steps, after.unwrap_or(0));
            if let Some(step) = steps.get_mut(at) {
                let Step::Event(mut broken) = half(step) else { return steps };
                broken = [broken.as_ref(), b"\n\n"].concat().into();
                *step = Step::Event(broken);
            }
        }
        Kind::EmptyStream => steps.clear(),
        Kind::Status { .. } | Kind::Reset | Kind::Hang | Kind::SlowFirstToken { .. } => {}
    }
    steps
}

/// The index of the step behind `tokens` tokens; the very first step for none.
fn position(steps: &[Step], tokens: usize) -> usize {
    if tokens == 0 {
        return 0;
    }
    let nth = steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Token(_))).nth(tokens - 1);
    // With fewer tokens than asked for: behind the last one, in front of whatever ends the stream.
    let last = steps.iter().rposition(|step| matches!(step, Step::Token(_))).unwrap_or(0);
    nth.map_or(last, |(index, _)| index) + 1
}

fn half(step: &Step) -> Step {
    match step {
        Step::Event(event) | Step::Token(event) => Step::Event(event.slice(..event.len() / 2)),
        Step::Cut => Step::Cut,
    }
}

/// A body that takes the steps, the first of them after `wait`, tokens `per_token` apart.
pub fn body(steps: Vec<Step>, wait: Duration, per_token: Duration) -> Body {
    let start = (steps.into_iter(), wait, None);
    let frames = stream::unfold(start, move |(mut steps, wait, due)| async move {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let due: Instant = due.unwrap_or_else(Instant::now);
        let (frame, due): (io::Result<_>, _) = match steps.next()? {
            Step::Event(event) => (Ok(Frame::data(event)), due),
            Step::Token(event) => {
                let due = due + per_token;
                if !per_token.is_zero() {
                    tokio::time::sleep_until(due).await;
                }
                (Ok(Frame::data(event)), due)
            }
            Step::Cut => (Err(reply::cut().await), due),
        };
        Some((frame, (steps, Duration::ZERO, Some(due))))
    });
    StreamBody::new(frames).boxed_unsync()
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

struct Writer<'a> {
    answer: &'a Answer,
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
            "prompt_filter_results": answer::prompt_filter_results(),
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
                let call = call.to_json(Some(0), "");
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
        chunk["usage"] = self.answer.usage.clone();
        event(&chunk)
    }

    fn chunk(&self, index: usize, delta: &Value, finish: Option<&str>, options: Options) -> Bytes {
        let mut choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
        if self.answer.azure {
            let has_text = delta.get("content").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            choice["content_filter_results"] = if has_text { answer::content_filter_results() } else { json!({}) };
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
            "id": self.answer.id,
            "object": "chat.completion.chunk",
            "created": self.answer.created,
            "model": self.answer.model,
            "service_tier": self.answer.tier,
            "system_fingerprint": self.answer.fingerprint,
        })
    }

    /// Letters of the id, as many as make chunks of different tokens equally long.
    fn padding(&self, delta: &Value) -> &str {
        let length = delta.get("content").and_then(Value::as_str).map_or(0, str::len);
        self.answer.id.get("chatcmpl-".len() + length.min(16)..).unwrap_or_default()
    }
}
