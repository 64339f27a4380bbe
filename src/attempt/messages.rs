//! Fits a request of the Messages API to where Claude is served.
//!
//! Owns what differs between Anthropic's own API, Vertex and Bedrock, and the mark of a long prefix. Never signs anything.

use super::{Slot, each_item};
use crate::edit::Edit;
use crate::policy::Dialect;
use crate::request::json::{Kind, Span, holds};
use crate::request::{Members, read_members};
use crate::translate::{CACHE_MARK, LONG_PREFIX};

/// The version in a request's header, where the client names none.
pub const VERSION: &str = "2023-06-01";

/// `anthropic_version`, where it stands in the body.
pub fn version_in_body(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::VertexAnthropic => Some("vertex-2023-10-16"),
        Dialect::BedrockAnthropic => Some("bedrock-2023-05-31"),
        _ => None,
    }
}

/// Whether the path says what this member does.
pub fn is_elsewhere(slot: &Slot, name: &str) -> bool {
    match (slot.dialect, name) {
        // What counts tokens takes the model in the body.
        (Dialect::VertexAnthropic, "model") => !slot.path.contains("/count-tokens:"),
        (Dialect::BedrockAnthropic, "model" | "stream") => true,
        (Dialect::VertexAnthropic | Dialect::BedrockAnthropic, "anthropic_version") => true,
        // It goes where the provider wants it, as far as it does.
        (dialect, "anthropic_beta") => dialect.is_messages(),
        _ => false,
    }
}

/// Puts the version, and for Bedrock what is otherwise a header, into the body.
pub fn name_version(
    body: &[u8],
    members: &Members,
    slot: &Slot,
    version: &str,
    is_removed: &dyn Fn(&str) -> bool,
    edits: &mut Vec<Edit>,
) {
    let mut text = format!("\"anthropic_version\":\"{version}\"");
    if let Some(betas) = slot.betas.as_ref().filter(|_| slot.dialect == Dialect::BedrockAnthropic) {
        let betas: Vec<String> = betas.split(',').map(super::quote).collect();
        text.push_str(&format!(",\"anthropic_beta\":[{}]", betas.join(",")));
    }
    if let Some(model) = members.get(body, "model").filter(|_| !is_removed("model")) {
        edits.push(Edit::replace(model.value, super::quote(&slot.deployment)));
    }
    if !members.list.iter().all(|member| is_removed(&member.name(body))) {
        text.push(',');
    }
    edits.push(Edit::insert(members.inside, text));
}

/// Marks the end of instructions and tools for the prompt cache, unless they are short or the client has marked anything.
pub fn mark_prefix(body: &[u8], members: &Members, edits: &mut Vec<Edit>) {
    let value = |name: &str| members.get(body, name).map(|member| member.value);
    let (system, tools) = (value("system"), value("tools"));
    let length: usize = [system, tools].iter().flatten().map(|span| span.len()).sum();
    if length < LONG_PREFIX || holds(body, "\"cache_control\"") {
        return;
    }
    match system {
        // An empty text takes no mark.
        Some(system) if system.of(body).starts_with(b"\"") && system.len() > 2 => {
            edits.push(Edit::insert(system.start, r#"[{"type":"text","text":"#.into()));
            edits.push(Edit::insert(system.end, format!(",\"cache_control\":{CACHE_MARK}}}]")));
        }
        Some(list) => edits.extend(mark_last(body, list).or_else(|| mark_last(body, tools?))),
        None => edits.extend(tools.and_then(|tools| mark_last(body, tools))),
    }
}

/// Marks the last object of an array.
fn mark_last(body: &[u8], list: Span) -> Option<Edit> {
    let mut last = None;
    each_item(body, list, &mut |item, kind| last = Some(item).filter(|_| kind == Kind::Object));
    let last = last?;
    let object = read_members(last.of(body)).ok()?;
    let comma = if object.list.is_empty() { "" } else { "," };
    Some(Edit::insert(last.start + object.inside, format!("\"cache_control\":{CACHE_MARK}{comma}")))
}
