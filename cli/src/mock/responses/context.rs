//! What a Responses request refers to: an earlier response, a conversation, items, and reasoning that only its maker
//! can read. Resolves it, or refuses the request the way the real provider does.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::items::{self, kind};
use super::request::ResponseRequest;
use super::store::Store;
use crate::mock::errors::ApiError;

/// How encrypted content begins, at the real provider as here.
const SEAL: &str = "gAAAAAB";

/// Everything that a response follows from.
#[derive(Debug)]
pub struct Context {
    /// What was said before and is said now, references resolved.
    pub all: Vec<Value>,
    /// The items of this input, in their stored form.
    pub input: Vec<Value>,
}

/// Encrypted content that only `provider` accepts back.
pub fn seal(provider: &str, id: &str) -> String {
    format!("{SEAL}{}", URL_SAFE_NO_PAD.encode(json!({"by": provider, "id": id}).to_string()))
}

fn is_sealed_by(content: &str, provider: &str) -> bool {
    let bytes = content.strip_prefix(SEAL).and_then(|sealed| URL_SAFE_NO_PAD.decode(sealed).ok());
    let value: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value.is_some_and(|value| value["by"] == provider)
}

/// Resolves what `request` refers to in `store`, the memory of `provider`.
pub fn resolve(request: &ResponseRequest, store: &Store, provider: &str) -> Result<Context, ApiError> {
    let before = if let Some(id) = request.text("previous_response_id") {
        store.history(id).ok_or_else(|| {
            let message = format!("Previous response with id '{id}' not found.");
            ApiError::invalid("previous_response_id", "previous_response_not_found", message)
        })?
    } else if let Some(id) = request.conversation() {
        store.conversation(id).ok_or_else(|| no_conversation(id))?.1
    } else {
        Vec::new()
    };
    let input = request.given("input").map(items::stored).unwrap_or_default();
    let input = input.into_iter().map(|item| known(item, store, provider)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<Value> = before.into_iter().chain(input.iter().cloned()).collect();
    paired(&all)?;
    Ok(Context { all, input })
}

/// The refusal of a conversation that is not there.
pub fn no_conversation(id: &str) -> ApiError {
    ApiError::request(404, format!("Conversation with id '{id}' not found."))
}

/// The item that a reference means; any other item as it is, if the provider can read it.
fn known(item: Value, store: &Store, provider: &str) -> Result<Value, ApiError> {
    let id = item["id"].as_str().unwrap_or_default();
    let sealed = item["encrypted_content"].as_str();
    match (kind(&item), sealed) {
        ("item_reference", _) => store.item(id).ok_or_else(|| no_item(id)),
        ("reasoning" | "compaction", Some(content)) if !is_sealed_by(content, provider) => Err(foreign(content)),
        ("reasoning", None) if store.item(id).is_none() => Err(no_item(id)),
        _ => Ok(item),
    }
}

fn no_item(id: &str) -> ApiError {
    let message = format!(
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` \
         set to true, or remove this item from your input."
    );
    ApiError { param: Some("input".to_owned()), ..ApiError::request(404, message) }
}

fn foreign(content: &str) -> ApiError {
    let letters: Vec<char> = content.chars().collect();
    let (head, tail) = (letters.iter().take(4), letters.iter().skip(letters.len().saturating_sub(4)));
    let (head, tail): (String, String) = (head.collect(), tail.collect());
    let message = format!("The encrypted content {head}...{tail} could not be verified.");
    ApiError { code: Some("invalid_encrypted_content"), ..ApiError::request(400, message) }
}

/// Refuses calls without an output, and outputs without a call.
fn paired(all: &[Value]) -> Result<(), ApiError> {
    for (call, output, what) in [
        ("function_call", "function_call_output", "function call"),
        ("custom_tool_call", "custom_tool_call_output", "custom tool call"),
    ] {
        let ids = |wanted: &str| -> HashSet<&str> {
            let found = all.iter().filter(|item| kind(item) == wanted);
            found.filter_map(|item| item["call_id"].as_str()).collect()
        };
        let (calls, outputs) = (ids(call), ids(output));
        let message = if let Some(id) = outputs.difference(&calls).next() {
            format!("No tool call found for {what} output with call_id {id}.")
        } else if let Some(id) = calls.difference(&outputs).next() {
            format!("No tool output found for {what} {id}.")
        } else {
            continue;
        };
        return Err(ApiError { param: Some("input".to_owned()), ..ApiError::request(400, message) });
    }
    Ok(())
}
