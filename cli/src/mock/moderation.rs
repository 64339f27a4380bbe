//! Moderations, in the shape of OpenAI's `omni-moderation`.
//!
//! Flags a text that says `flag-me`, for violence, or for what follows a colon: `flag-me:hate`. Never judges anything
//! else.

use serde_json::{Value, json};

use super::errors::ApiError;
use super::fields::Fields;
use super::ids;

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];
const TRIGGER: &str = "flag-me";

/// The verdict on the `input` of a request: one result for each text, or one for parts of any kind.
pub fn answer(request: &Fields) -> Result<Value, ApiError> {
    let input = request.given("input").ok_or_else(|| ApiError::missing("input"))?;
    let wrong = || ApiError::wrong_type("input", "one of a string, array of strings or array of parts", input);
    let texts: Vec<String> = match input {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) if list.is_empty() => return Err(wrong()),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Value::Array(parts) if parts.iter().all(Value::is_object) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
            vec![texts.join("\n")]
        }
        _ => return Err(wrong()),
    };
    let results: Vec<Value> = texts.iter().map(|text| result(text)).collect();
    let model = request.text("model").unwrap_or("omni-moderation-latest");
    let id = ids::item("modr").replacen('_', "-", 1);
    Ok(json!({"id": id, "model": model, "results": results}))
}

fn result(text: &str) -> Value {
    let flagged: Vec<&str> = text.match_indices(TRIGGER).map(|(at, _)| category(&text[at + TRIGGER.len()..])).collect();
    let each = |value: &dyn Fn(bool) -> Value| -> Value {
        CATEGORIES.iter().map(|category| ((*category).to_owned(), value(flagged.contains(category)))).collect()
    };
    json!({
        "flagged": !flagged.is_empty(),
        "categories": each(&|flagged| json!(flagged)),
        "category_scores": each(&|flagged| json!(if flagged { 0.97 } else { 0.000_001 })),
        "category_applied_input_types": each(&|_| json!(["text"])),
    })
}

/// The category that follows the trigger.
fn category(rest: &str) -> &'static str {
    let named = rest.strip_prefix(':').and_then(|rest| {
        // The longest, as some begin with others.
        CATEGORIES.into_iter().filter(|category| rest.starts_with(category)).max_by_key(|category| category.len())
    });
    named.unwrap_or("violence")
}
