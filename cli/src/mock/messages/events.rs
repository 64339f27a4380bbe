//! A message as a stream of events (FACTS §4.3): their order, as server-sent events or in the frames of Bedrock.
//!
//! Never decides when one is sent.

use bytes::Bytes;
use serde_json::{Value, json};

use super::content::{Block, Said};
use super::door::Door;
use super::{bedrock, errors};
use crate::mock::answer::pieces;
use crate::mock::delivery::Broken;
use crate::mock::faults::ErrorForm;
use crate::mock::stream::Step;

/// The stream of a finished `message` that says `said`.
pub fn steps(message: &Value, said: &Said, door: Door) -> Vec<Step> {
    let mut writer = Writer { steps: Vec::new(), door };
    writer.event(&json!({"type": "message_start", "message": begun(message)}));
    for (index, block) in said.blocks.iter().enumerate() {
        writer.block(index, block);
    }
    let delta = json!({"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]});
    writer.event(&json!({"type": "message_delta", "delta": delta, "usage": last_usage(&message["usage"])}));
    let mut stop = json!({"type": "message_stop"});
    if matches!(door, Door::Bedrock { .. }) {
        stop["amazon-bedrock-invocationMetrics"] = metrics(&message["usage"]);
    }
    writer.event(&stop);
    writer.steps
}

/// The message before anything is said.
fn begun(message: &Value) -> Value {
    let mut message = message.clone();
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    message["stop_sequence"] = Value::Null;
    message["usage"]["output_tokens"] = json!(1);
    if let Some(usage) = message["usage"].as_object_mut() {
        usage.shift_remove("output_tokens_details");
    }
    message
}

/// The usage at the end: counts of the whole message.
fn last_usage(usage: &Value) -> Value {
    let mut last = json!({});
    for name in [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
    ] {
        if let Some(value) = usage.get(name) {
            last[name] = value.clone();
        }
    }
    last
}

/// What Bedrock has measured.
fn metrics(usage: &Value) -> Value {
    json!({
        "inputTokenCount": usage["input_tokens"],
        "outputTokenCount": usage["output_tokens"],
        "invocationLatency": 1,
        "firstByteLatency": 1,
        "cacheReadInputTokenCount": usage["cache_read_input_tokens"],
        "cacheWriteInputTokenCount": usage["cache_creation_input_tokens"],
    })
}

struct Writer {
    steps: Vec<Step>,
    door: Door,
}

impl Writer {
    fn event(&mut self, event: &Value) {
        self.steps.push(Step::Event(encoded(self.door, event)));
    }

    fn block(&mut self, index: usize, block: &Block) {
        let start = match block {
            Block::Thinking(..) => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Block::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
            Block::Text(_) => json!({"type": "text", "text": ""}),
            Block::Call { id, name, .. } => json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
        };
        self.event(&json!({"type": "content_block_start", "index": index, "content_block": start}));
        if index == 0 {
            self.event(&json!({"type": "ping"}));
        }
        match block {
            Block::Thinking(text, signature) => {
                self.deltas(index, "thinking_delta", "thinking", text);
                let delta = json!({"type": "signature_delta", "signature": signature});
                self.event(&json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            Block::Redacted(_) => {}
            Block::Text(text) => self.deltas(index, "text_delta", "text", text),
            Block::Call { input, .. } => {
                let delta = json!({"type": "input_json_delta", "partial_json": ""});
                self.event(&json!({"type": "content_block_delta", "index": index, "delta": delta}));
                // No arguments are not even an empty object.
                let input = if input == "{}" { "" } else { input };
                self.deltas(index, "input_json_delta", "partial_json", input);
            }
        }
        self.event(&json!({"type": "content_block_stop", "index": index}));
    }

    fn deltas(&mut self, index: usize, kind: &str, member: &str, text: &str) {
        for piece in pieces(text) {
            let delta = json!({"type": kind, member: piece});
            let event = json!({"type": "content_block_delta", "index": index, "delta": delta});
            self.steps.push(Step::Token(encoded(self.door, &event)));
        }
    }
}

fn encoded(door: Door, event: &Value) -> Bytes {
    match door {
        Door::Bedrock { .. } => bedrock::chunk(&event.to_string()),
        Door::Anthropic | Door::Vertex { .. } => {
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()).into()
        }
    }
}

/// A message that fails on its way.
#[derive(Debug)]
pub struct Failure {
    /// Where it was asked for.
    pub door: Door,
}

impl Broken for Failure {
    fn event(&self, error: Value, _form: ErrorForm, _events: usize) -> Bytes {
        match self.door {
            Door::Bedrock { .. } => bedrock::exception_frame(&error),
            Door::Anthropic | Door::Vertex { .. } => encoded(self.door, &errors::envelope(&error)),
        }
    }

    fn body(&self, error: Value, _form: ErrorForm) -> Value {
        match self.door {
            Door::Bedrock { .. } => json!({"message": error["message"]}),
            Door::Anthropic | Door::Vertex { .. } => errors::envelope(&error),
        }
    }

    fn usual(&self) -> Value {
        match self.door {
            Door::Bedrock { .. } => bedrock::throttled(),
            Door::Anthropic | Door::Vertex { .. } => errors::overloaded(),
        }
    }

    fn spoiled(&self, half: &[u8]) -> Bytes {
        match self.door {
            // A good frame around it, or whoever reads the stream gets no further than the frame.
            Door::Bedrock { .. } => bedrock::chunk(r#"{"type":"content_block_del"#),
            Door::Anthropic | Door::Vertex { .. } => [half, b"\n\n"].concat().into(),
        }
    }
}
