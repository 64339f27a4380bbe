//! What the mock says to a request, and what that costs: the same text for the same request, in the shape of a chat
//! completion (FACTS §3.2).
//!
//! Pure but for ids, the clock and the prompt cache; [`super::stream`] cuts the same answer into events.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::cache::PrefixCache;
use super::chat::ChatRequest;
use super::{ids, sample};

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// `chatcmpl-…`.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The snapshot that answers.
    pub model: String,
    /// `fp_…`, the same for the same model.
    pub fingerprint: String,
    /// `default`, `flex` or `priority`.
    pub tier: String,
    /// As many as asked for.
    pub choices: Vec<Choice>,
    /// The `usage` object.
    pub usage: Value,
    /// With content filter results, as Azure has them.
    pub azure: bool,
}

/// One choice of an answer.
#[derive(Debug)]
pub struct Choice {
    /// The content, or what the tool is called with.
    pub text: String,
    /// The call that `text` belongs to.
    pub call: Option<Call>,
    /// `stop`, `length` or `tool_calls`.
    pub finish: &'static str,
}

/// A call of a tool.
#[derive(Debug)]
pub struct Call {
    /// `call_…`.
    pub id: String,
    /// `function` or `custom`.
    pub kind: String,
    /// The tool's name.
    pub name: String,
}

impl Call {
    /// The call as it stands in a message or, with `index`, in a delta.
    pub fn to_json(&self, index: Option<usize>, text: &str) -> Value {
        let mut call = Map::new();
        if let Some(index) = index {
            call.insert("index".to_owned(), json!(index));
        }
        call.insert("id".to_owned(), json!(self.id));
        call.insert("type".to_owned(), json!(self.kind));
        call.insert(self.kind.clone(), json!({"name": self.name, self.text_field(): text}));
        Value::Object(call)
    }

    /// Where the text of a call stands.
    pub fn text_field(&self) -> &'static str {
        if self.kind == "custom" { "input" } else { "arguments" }
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The mock's name.
    pub provider: &'a str,
    /// The snapshot.
    pub model: &'a str,
    /// Azure's shapes.
    pub azure: bool,
}

/// Answers a request.
pub fn answer(request: &ChatRequest, speaker: Speaker<'_>, cache: &PrefixCache) -> Answer {
    let count = request.choices();
    let effort = request.family(speaker.model).effort(request.effort());
    let mut reasoning = match effort {
        "none" => 0,
        "minimal" => 64,
        "low" => 128,
        "high" => 512,
        "xhigh" => 1024,
        _ => 256,
    };
    let budget = request.budget().unwrap_or(u64::MAX);
    // A real model may spend all of a small budget on thoughts; half of it leaves something to read.
    reasoning = reasoning.min(budget / 2);
    let mut completion = 0;
    let choices = (0..count)
        .map(|index| {
            let (choice, tokens) = choice(request, speaker, index, budget - reasoning);
            completion += tokens + reasoning;
            choice
        })
        .collect();
    Answer {
        id: ids::completion(),
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model: speaker.model.to_owned(),
        fingerprint: ids::fingerprint(speaker.model),
        tier: request.tier().to_owned(),
        choices,
        usage: usage(request, speaker.model, cache, completion, reasoning * count),
        azure: speaker.azure,
    }
}

/// The choice at `index`, of at most `limit` tokens, and how many it has.
fn choice(request: &ChatRequest, speaker: Speaker<'_>, index: u64, limit: u64) -> (Choice, u64) {
    let Speaker { provider, model, .. } = speaker;
    let (mut text, call) = if let Some(tool) = request.forced_tool() {
        let text = match tool.kind {
            "custom" => format!("mock {provider}"),
            _ => sample::object(tool.parameters).to_string(),
        };
        let call = Call { id: ids::call(), kind: tool.kind.to_owned(), name: tool.name.to_owned() };
        (text, Some(call))
    } else {
        let text = match request.json_schema() {
            None => format!(
                "This is the mock provider {provider}, answering as {model}. No real model was called: this text is \
                 made up, and costs nothing but the time to read it."
            ),
            Some(Value::Null) => json!({"provider": provider, "model": model, "mock": true}).to_string(),
            Some(schema) => sample::object(schema).to_string(),
        };
        let plain = request.json_schema().is_none();
        (if plain && index > 0 { format!("{text} (Choice {}.)", index + 1) } else { text }, None)
    };
    let mut finish = if call.is_some() { "tool_calls" } else { "stop" };
    let mut tokens = pieces(&text).count() as u64;
    if tokens > limit {
        let kept = pieces(&text).take(usize::try_from(limit).unwrap_or(usize::MAX)).map(str::len).sum();
        text.truncate(kept);
        (tokens, finish) = (limit, "length");
    }
    (Choice { text, call, finish }, tokens)
}

/// The word-like tokens of a text: a space begins a new one, and none is much longer than a word. Joined, they are
/// the text.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(at, letter)| *letter == ' ' || *at >= 12)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

fn usage(request: &ChatRequest, model: &str, cache: &PrefixCache, completion: u64, reasoning: u64) -> Value {
    let prompt = request.prompt();
    let overhead = 3 * request.messages().len() as u64 + 3;
    let tokens = (prompt.text.len() as u64).div_ceil(4) + overhead + prompt.images * 255;
    json!({
        "prompt_tokens": tokens,
        "completion_tokens": completion,
        "total_tokens": tokens + completion,
        "prompt_tokens_details": {"cached_tokens": cache.visit(model, &prompt.text), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

impl Answer {
    /// The tokens that a reader waits for: those of the longest choice.
    pub fn visible_tokens(&self) -> u32 {
        let longest = self.choices.iter().map(|choice| pieces(&choice.text).count()).max();
        longest.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
    }

    /// The whole answer, as it is sent without streaming.
    pub fn to_json(&self) -> Value {
        let choices: Vec<Value> =
            self.choices.iter().enumerate().map(|(index, choice)| choice.to_json(index, self.azure)).collect();
        let mut body = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": self.usage,
            "service_tier": self.tier,
            "system_fingerprint": self.fingerprint,
        });
        if self.azure {
            body["prompt_filter_results"] = prompt_filter_results();
        }
        body
    }
}

impl Choice {
    fn to_json(&self, index: usize, azure: bool) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text, "refusal": null, "annotations": []});
        if let Some(call) = &self.call {
            message["content"] = Value::Null;
            message["tool_calls"] = json!([call.to_json(None, &self.text)]);
        }
        let mut choice = json!({"index": index, "message": message, "logprobs": null, "finish_reason": self.finish});
        if azure {
            choice["content_filter_results"] = if self.call.is_some() { json!({}) } else { content_filter_results() };
        }
        choice
    }
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
