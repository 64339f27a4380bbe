//! The message object (FACTS §4.2): what was answered, why it ended, and what it cost.

use serde_json::{Value, json};

use super::content::{Block, Said};
use super::reading::Input;

/// The message `id` of `model` that says `said` to `input`.
pub fn message(id: &str, model: &str, said: &Said, input: &Input) -> Value {
    json!({
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": said.blocks.iter().map(block).collect::<Vec<_>>(),
        "stop_reason": said.stop_reason,
        "stop_sequence": said.stop_sequence,
        "usage": usage(said, input),
    })
}

fn usage(said: &Said, input: &Input) -> Value {
    let mut usage = json!({
        "input_tokens": input.fresh,
        "cache_creation_input_tokens": input.written_5m + input.written_1h,
        "cache_read_input_tokens": input.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": input.written_5m,
            "ephemeral_1h_input_tokens": input.written_1h,
        },
        "output_tokens": said.tokens,
    });
    if let Some(thoughts) = said.thoughts {
        usage["output_tokens_details"] = json!({"thinking_tokens": thoughts});
    }
    usage["service_tier"] = json!("standard");
    usage
}

fn block(block: &Block) -> Value {
    match block {
        Block::Thinking(text, signature) => json!({"type": "thinking", "thinking": text, "signature": signature}),
        Block::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
        Block::Text(text) => json!({"type": "text", "text": text}),
        Block::Call { id, name, input } => {
            // A call that was cut has no arguments that could be read.
            let input: Value = serde_json::from_str(input).unwrap_or(json!({}));
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    }
}
