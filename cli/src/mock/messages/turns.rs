//! A conversation as a whole: whose turn it is, how calls and results belong together, and what the real API refuses
//! of that.
//!
//! Messages of one role in a row are one turn. Never looks into a block but for its type and ids.

use std::collections::HashSet;

use serde_json::Value;

use super::models::Claude;
use super::refuse::{Checked, refuse, refuse_all};
use super::request::MessageRequest;

/// Messages of one role in a row.
struct Turn<'a> {
    role: &'a str,
    /// The index of the first message.
    first: usize,
    /// The blocks and where they stand; a content that is plain text has none.
    blocks: Vec<(String, &'a Value)>,
    /// What it ends with, where that is text.
    ending: Option<&'a str>,
}

/// Refuses a conversation that does not hold together.
pub fn check(request: &MessageRequest, claude: Claude<'_>) -> Checked {
    let turns = turns(request.list("messages"));
    if turns.first().is_some_and(|turn| turn.role != "user") {
        return Err(refuse("messages", "first message must use the \"user\" role"));
    }
    ending(&turns, claude)?;
    pairs(&turns)?;
    let has_calls =
        turns.iter().flat_map(|turn| &turn.blocks).any(|(_, block)| is(block, &["tool_use", "tool_result"]));
    if has_calls && request.tools().is_empty() {
        let why = "Requests which include `tool_use` or `tool_result` blocks must define tools.";
        return Err(refuse("tools", why));
    }
    if request.thinking() == Some("enabled") { thoughts(&turns) } else { Ok(()) }
}

fn turns(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if turns.last().is_none_or(|turn| turn.role != role) {
            turns.push(Turn { role, first: index, blocks: Vec::new(), ending: None });
        }
        let Some(turn) = turns.last_mut() else { continue };
        let content = &message["content"];
        let blocks = content.as_array().into_iter().flatten().enumerate();
        turn.blocks.extend(blocks.map(|(at, block)| (format!("messages.{index}.content.{at}"), block)));
        turn.ending = content.as_str().or_else(|| content.as_array()?.last()?["text"].as_str());
    }
    turns
}

fn is(block: &Value, kinds: &[&str]) -> bool {
    block["type"].as_str().is_some_and(|kind| kinds.contains(&kind))
}

/// Refuses what the model has to continue.
fn ending(turns: &[Turn<'_>], claude: Claude<'_>) -> Checked {
    let Some(last) = turns.last().filter(|turn| turn.role == "assistant") else { return Ok(()) };
    if !claude.takes_prefill() {
        return Err(refuse_all(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    if last.ending.is_some_and(|text| text.ends_with(char::is_whitespace)) {
        return Err(refuse("messages", "final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

/// Refuses calls without a result, results without a call, and both where they do not belong.
fn pairs(turns: &[Turn<'_>]) -> Checked {
    let mut calls: HashSet<&str> = HashSet::new();
    let mut all: HashSet<&str> = HashSet::new();
    for (turn, next) in turns.iter().zip(turns.iter().skip(1).map(Some).chain([None])) {
        results(turn, &calls)?;
        calls.clear();
        for (at, block) in turn.blocks.iter().filter(|(_, block)| is(block, &["tool_use"])) {
            let id = block["id"].as_str().unwrap_or_default();
            if !all.insert(id) {
                return Err(refuse(at, "`tool_use` ids must be unique"));
            }
            calls.insert(id);
        }
        answered(turn, next, &calls)?;
    }
    Ok(())
}

/// Refuses results in `turn` that belong to none of `calls`.
fn results(turn: &Turn<'_>, calls: &HashSet<&str>) -> Checked {
    let mut seen = HashSet::new();
    for (at, block) in turn.blocks.iter().filter(|(_, block)| is(block, &["tool_result"])) {
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        if !calls.contains(id) {
            let why = format!(
                "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a \
                 corresponding `tool_use` block in the previous message."
            );
            return Err(refuse(at, why));
        }
        if !seen.insert(id) {
            let why =
                format!("each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}");
            return Err(refuse(at, why));
        }
    }
    Ok(())
}

/// Refuses `calls` of `turn` that the beginning of the `next` turn does not answer.
fn answered(turn: &Turn<'_>, next: Option<&Turn<'_>>, calls: &HashSet<&str>) -> Checked {
    // What comes after anything else is too late.
    let blocks = next.map_or(&[][..], |next| &next.blocks);
    let results = blocks.iter().take_while(|(_, block)| is(block, &["tool_result"]));
    let ids: HashSet<&str> = results.filter_map(|(_, block)| block["tool_use_id"].as_str()).collect();
    let mut open: Vec<&str> = calls.difference(&ids).copied().collect();
    if open.is_empty() {
        return Ok(());
    }
    open.sort_unstable();
    let why = format!(
        "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have \
         a corresponding `tool_result` block in the next message.",
        open.join(", ")
    );
    Err(refuse(&format!("messages.{}", turn.first), why))
}

/// Refuses a last turn of a model that thinks, if it is not finished and does not begin with thoughts.
fn thoughts(turns: &[Turn<'_>]) -> Checked {
    let Some(at) = turns.iter().rposition(|turn| turn.role == "assistant") else { return Ok(()) };
    let (turn, next) = (turns.get(at), turns.get(at + 1));
    let open = next.is_none_or(|next| next.blocks.iter().any(|(_, block)| is(block, &["tool_result"])));
    let Some(turn) = turn.filter(|_| open) else { return Ok(()) };
    let first = turn.blocks.first();
    if first.is_some_and(|(_, block)| is(block, &["thinking", "redacted_thinking"])) {
        return Ok(());
    }
    let found = first.and_then(|(_, block)| block["type"].as_str()).unwrap_or("text");
    let why = format!(
        "Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final \
         `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and \
         `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this \
         requirement, disable `thinking`."
    );
    Err(refuse(&format!("messages.{}.content.0.type", turn.first), why))
}
