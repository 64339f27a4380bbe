//! The endpoints that are asked by model name but do not converse: embeddings, legacy completions, images and
//! transcriptions; moderations are in [`super::moderation`]. Each in its smallest honest shape; none of them streams.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{self, Question, now};
use super::chunks;
use super::completion;
use super::delivery::{Form, Ready};
use super::errors::ApiError;
use super::fields::Fields;
use super::paths::Ask;
use super::prompt::{Prompt, tokens};
use super::provider::{Outcome, Provider};
use super::{checks, ids, moderation};

/// A PNG of one transparent pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// The most texts of one request for embeddings.
const MAX_INPUTS: usize = 2048;

/// The most numbers of one embedding.
const MAX_DIMENSIONS: u64 = 3072;

impl Provider {
    /// Answers a request of one of these kinds.
    pub async fn plain(&self, ask: Ask, body: &Bytes, deployment: Option<String>) -> Outcome {
        let request = Fields::read(body, deployment);
        let model = request.as_ref().map(|request| request.model.clone()).unwrap_or_default();
        self.deliver(self.dialect(), &model, |_| {
            let request = request?;
            if self.config.strict {
                checks::no_router(&request)?;
            }
            let body = match ask {
                Ask::Embeddings => embeddings(&request, &self.served(&request.model)),
                Ask::Moderation => moderation::answer(&request),
                Ask::Image => image(&request),
                Ask::Transcription => transcription(&request),
                Ask::Chat | Ask::Response | Ask::Completion => self.completion(&request),
            }?;
            Ok(Ready { form: Form::Whole(body, 0), broken: Box::new(chunks::Failure) })
        })
        .await
    }

    fn completion(&self, request: &Fields) -> Result<Value, ApiError> {
        let prompt = needed(request, "prompt")?;
        let served = self.served(&request.model);
        let mut read = Prompt::default();
        read.push(prompt);
        let budget = request.given("max_tokens").and_then(Value::as_u64).or(Some(16));
        let question = Question { prompt: read, forced: None, schema: None, effort: "none", budget, choices: 1 };
        let answer = answer::answer(&question, self.speaker(&served), &self.cache);
        let choices: Vec<Value> = answer
            .choices
            .iter()
            .map(|one| json!({"text": one.text, "index": 0, "logprobs": null, "finish_reason": one.finish}))
            .collect();
        Ok(json!({
            "id": ids::completion().replace("chatcmpl-", "cmpl-"),
            "object": "text_completion",
            "created": answer.created,
            "model": answer.model,
            "choices": choices,
            "usage": completion::usage(&answer.cost),
        }))
    }
}

fn needed<'a>(request: &'a Fields, name: &str) -> Result<&'a Value, ApiError> {
    if request.model.is_empty() {
        return Err(ApiError::missing("model"));
    }
    request.given(name).ok_or_else(|| ApiError::missing(name))
}

fn transcription(request: &Fields) -> Result<Value, ApiError> {
    let seconds = needed(request, "file")?.as_u64().unwrap_or(0) / 16_000;
    let text = format!("The mock provider has heard about {seconds} seconds.");
    Ok(json!({"text": text, "usage": {"type": "duration", "seconds": seconds}}))
}

fn embeddings(request: &Fields, served: &str) -> Result<Value, ApiError> {
    let input = needed(request, "input")?;
    let wrong = || ApiError::wrong_type("input", "one of a string, array of strings or array of tokens", input);
    let inputs: Vec<&Value> = match input {
        Value::String(text) if !text.is_empty() => vec![input],
        // Tokens of one text.
        Value::Array(list) if list.first().is_some_and(Value::is_u64) => vec![input],
        Value::Array(list) if list.iter().all(|one| one.is_string() || one.is_array()) => list.iter().collect(),
        Value::String(_) => Vec::new(),
        _ => return Err(wrong()),
    };
    if inputs.is_empty() || inputs.len() > MAX_INPUTS {
        return Err(ApiError::request(
            400,
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
        ));
    }
    let base64 = match request.text("encoding_format") {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => return Err(checks::value_error("encoding_format", &json!(other), &["float", "base64"])),
    };
    checks::range(request, "dimensions", 1.0, MAX_DIMENSIONS as f64)?;
    let native = if request.model.contains("3-large") { 3072 } else { 1536 };
    let dimensions = request.given("dimensions").and_then(Value::as_u64).unwrap_or(native);
    let count: u64 =
        inputs.iter().map(|one| one.as_array().map_or_else(|| text_tokens(one), |list| list.len() as u64)).sum();
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let vector = vector(&one.to_string(), dimensions);
            let embedding = if base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                json!(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    Ok(json!({
        "object": "list",
        "data": data,
        "model": served,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }))
}

fn text_tokens(text: &Value) -> u64 {
    text.as_str().map_or(0, tokens).max(1)
}

/// A vector of length 1, the same for the same text.
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let seed = ids::hash(text);
    let numbers: Vec<f32> = (1..=dimensions)
        .map(|index| {
            // The finaliser of SplitMix64, whose upper bits are as good as random.
            let mut bits = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits >> 40) as f32 / (1_u32 << 23) as f32) - 1.0
        })
        .collect();
    let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    numbers.into_iter().map(|number| number / length).collect()
}

fn image(request: &Fields) -> Result<Value, ApiError> {
    let prompt = request.text("prompt").ok_or_else(|| ApiError::missing("prompt"))?;
    checks::range(request, "n", 1.0, 10.0)?;
    let count = request.given("n").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let (input, output) = (tokens(prompt), 272 * count as u64);
    Ok(json!({
        "created": now(),
        "background": "opaque",
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
        "data": vec![json!({"b64_json": PIXEL}); count],
        "usage": {
            "input_tokens": input,
            "input_tokens_details": {"text_tokens": input, "image_tokens": 0},
            "output_tokens": output,
            "total_tokens": input + output,
        },
    }))
}
