//! An answer in the shape of a chat completion (FACTS §3.2), whole; [`super::chunks`] cuts the same into events.
//!
//! Never decides what is said.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Choice, Cost, Speaker};
use super::chat::ChatRequest;
use super::ids;

/// A chat completion.
#[derive(Debug)]
pub struct Completion {
    /// What it says.
    pub answer: Answer,
    /// `chatcmpl-…`.
    pub id: String,
    /// `fp_…`, the same for the same model.
    pub fingerprint: String,
    /// `default`, `flex` or `priority`.
    pub tier: String,
    /// With content filter results, as Azure has them.
    pub azure: bool,
}

impl Completion {
    /// The completion that says `answer`.
    pub fn new(answer: Answer, request: &ChatRequest, speaker: Speaker<'_>) -> Self {
        Self {
            id: ids::completion(),
            fingerprint: ids::fingerprint(&answer.model),
            tier: request.tier().to_owned(),
            azure: speaker.azure,
            answer,
        }
    }

    /// The whole answer, as it is sent without streaming.
    pub fn to_json(&self) -> Value {
        let choices: Vec<Value> =
            self.answer.choices.iter().enumerate().map(|(index, one)| choice(one, index, self.azure)).collect();
        let mut body = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.answer.created,
            "model": self.answer.model,
            "choices": choices,
            "usage": usage(&self.answer.cost),
            "service_tier": self.tier,
            "system_fingerprint": self.fingerprint,
        });
        if self.azure {
            body["prompt_filter_results"] = prompt_filter_results();
        }
        body
    }
}

/// The `usage` of a chat completion.
pub fn usage(cost: &Cost) -> Value {
    json!({
        "prompt_tokens": cost.prompt,
        "completion_tokens": cost.completion,
        "total_tokens": cost.prompt + cost.completion,
        "prompt_tokens_details": {"cached_tokens": cost.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": cost.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn choice(choice: &Choice, index: usize, azure: bool) -> Value {
    let mut message = json!({"role": "assistant", "content": choice.text, "refusal": null, "annotations": []});
    if let Some(made) = &choice.call {
        message["content"] = Value::Null;
        message["tool_calls"] = json!([call(made, None, &choice.text)]);
    }
    let mut body = json!({"index": index, "message": message, "logprobs": null, "finish_reason": choice.finish});
    if azure {
        body["content_filter_results"] = if choice.call.is_some() { json!({}) } else { content_filter_results() };
    }
    body
}

/// A call as it stands in a message or, with `index`, in a delta.
pub fn call(call: &Call, index: Option<usize>, text: &str) -> Value {
    let mut object = Map::new();
    if let Some(index) = index {
        object.insert("index".to_owned(), json!(index));
    }
    object.insert("id".to_owned(), json!(call.id));
    object.insert("type".to_owned(), json!(call.kind));
    object.insert(call.kind.clone(), json!({"name": call.name, call.text_field(): text}));
    Value::Object(object)
}

/// Azure's verdict on the prompt.
pub fn prompt_filter_results() -> Value {
    let mut results = content_filter_results();
    results["jailbreak"] = json!({"filtered": false, "detected": false});
    json!([{"prompt_index": 0, "content_filter_results": results}])
}

/// Azure's verdict on an answer.
pub fn content_filter_results() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe})
}
