//! The blocks of messages: which exist, what they need, and what the real API refuses of each by itself.
//!
//! Looks at one block at a time; [`super::turns`] knows how they belong together.

use serde_json::{Map, Value};

use super::refuse::{Checked, expect, known, list, missing, name, object, one_of, path, refuse, text};
use super::signature;

/// The roles that messages have.
pub const ROLES: &[&str] = &["user", "assistant"];

const USER: &[&str] = &["text", "image", "document", "search_result", "tool_result"];
const ASSISTANT: &[&str] = &["text", "thinking", "redacted_thinking", "tool_use"];

/// The blocks in a tool's result.
const RESULT: &[&str] = &["text", "image", "document", "search_result"];

/// Members of a block by its type.
const MEMBERS: &[(&str, &[&str])] = &[
    ("text", &["type", "text", "cache_control", "citations"]),
    ("image", &["type", "source", "cache_control"]),
    ("document", &["type", "source", "title", "context", "citations", "cache_control"]),
    ("search_result", &["type", "source", "title", "content", "citations", "cache_control"]),
    ("tool_use", &["type", "id", "name", "input", "cache_control", "caller"]),
    ("tool_result", &["type", "tool_use_id", "content", "is_error", "cache_control"]),
    ("thinking", &["type", "thinking", "signature"]),
    ("redacted_thinking", &["type", "data"]),
];

/// Sources of images and documents: which of the two have it, its type, and its members.
const SOURCES: &[(&[&str], &str, &[&str])] = &[
    (&["image", "document"], "base64", &["type", "media_type", "data"]),
    (&["image", "document"], "url", &["type", "url"]),
    (&["image", "document"], "file", &["type", "file_id"]),
    (&["document"], "text", &["type", "media_type", "data"]),
    (&["document"], "content", &["type", "content"]),
];

/// What tools that the provider runs leave in a conversation; nobody but the provider knows what is right there.
fn is_foreign(kind: &str) -> bool {
    kind == "server_tool_use"
        || kind == "container_upload"
        || kind.ends_with("_tool_result")
        || kind.starts_with("mcp_")
}

/// Refuses the content of a message of a role.
pub fn content(content: &Value, at: &str, role: &str) -> Checked {
    match content {
        Value::String(words) if role == "user" => words_in(words, at),
        Value::String(_) => Ok(()),
        _ => several(content, at, if role == "user" { USER } else { ASSISTANT }),
    }
}

/// Refuses a list with blocks that are wrong, or of other types than `accepted`.
pub fn several(blocks: &Value, at: &str, accepted: &[&str]) -> Checked {
    list(blocks, at)?.iter().enumerate().try_for_each(|(index, block)| one(block, &format!("{at}.{index}"), accepted))
}

fn one(block: &Value, at: &str, accepted: &[&str]) -> Checked {
    let block = object(block, at)?;
    let kind = text(block, at, "type")?;
    if is_foreign(kind) {
        return Ok(());
    }
    if !accepted.contains(&kind) {
        let why = format!(
            "Input tag '{kind}' found using 'type' does not match any of the expected tags: '{}'",
            accepted.join("', '")
        );
        return Err(refuse(at, why));
    }
    let at = &path(at, kind);
    known(block, at, MEMBERS.iter().find(|(one, _)| *one == kind).map_or(&[], |(_, members)| members))?;
    match kind {
        "text" => words_in(text(block, at, "text")?, at),
        "image" | "document" => source(block, at, kind),
        "tool_use" => tool_use(block, at),
        "tool_result" => tool_result(block, at),
        "thinking" => thought(block, at),
        "redacted_thinking" => text(block, at, "data").map(drop),
        _ => Ok(()),
    }
}

fn words_in(words: &str, at: &str) -> Checked {
    match words {
        "" => Err(refuse(at, "text content blocks must be non-empty")),
        blank if blank.trim().is_empty() => Err(refuse(at, "text content blocks must contain non-whitespace text")),
        _ => Ok(()),
    }
}

fn source(block: &Map<String, Value>, at: &str, kind: &str) -> Checked {
    let at = &path(at, "source");
    let source = object(block.get("source").ok_or_else(|| missing(at))?, at)?;
    let form = text(source, at, "type")?;
    let members = SOURCES.iter().find(|(kinds, one, _)| kinds.contains(&kind) && *one == form);
    let Some((_, _, members)) = members else {
        let why = format!("Input tag '{form}' found using 'type' does not match any of the expected tags");
        return Err(refuse(at, why));
    };
    let at = &path(at, form);
    known(source, at, members)?;
    if form == "content" {
        return if source.contains_key("content") { Ok(()) } else { Err(missing(&path(at, "content"))) };
    }
    members.iter().try_for_each(|member| text(source, at, member).map(drop))?;
    let media = match (kind, form) {
        ("image", "base64") => &["image/jpeg", "image/png", "image/gif", "image/webp"][..],
        (_, "base64") => &["application/pdf"],
        (_, "text") => &["text/plain"],
        _ => return Ok(()),
    };
    one_of(text(source, at, "media_type")?, &path(at, "media_type"), media)?;
    let data = text(source, at, "data")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if form == "base64" && (data.is_empty() || !data.bytes().all(fits)) {
        return Err(refuse(&path(at, "data"), "Invalid base64 data"));
    }
    Ok(())
}

fn tool_use(block: &Map<String, Value>, at: &str) -> Checked {
    name(text(block, at, "id")?, &path(at, "id"), usize::MAX, "^[a-zA-Z0-9_-]+$")?;
    super::tools::check_name(text(block, at, "name")?, &path(at, "name"))?;
    let at = &path(at, "input");
    match block.get("input") {
        Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(refuse(at, "Input should be a valid dictionary")),
        None => Err(missing(at)),
    }
}

fn tool_result(block: &Map<String, Value>, at: &str) -> Checked {
    name(text(block, at, "tool_use_id")?, &path(at, "tool_use_id"), usize::MAX, "^[a-zA-Z0-9_-]+$")?;
    expect(block, at, "is_error", "a valid boolean", Value::is_boolean)?;
    match block.get("content") {
        None | Some(Value::String(_)) => Ok(()),
        Some(blocks) => several(blocks, &path(at, "content"), RESULT),
    }
}

fn thought(block: &Map<String, Value>, at: &str) -> Checked {
    let (thought, signature) = (text(block, at, "thinking")?, text(block, at, "signature")?);
    if signature::fits(thought, signature) {
        return Ok(());
    }
    Err(refuse(at.trim_end_matches(".thinking"), "Invalid `signature` in `thinking` block"))
}
