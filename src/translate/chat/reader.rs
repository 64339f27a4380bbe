//! Reads a Chat Completions request.
//!
//! Owns its messages, tools and settings, and which of them cannot be expressed elsewhere. Never copies a text.

use super::tools;
use crate::request::Members;
use crate::request::json::{Kind, Reader, holds};
use crate::translate::body::{Body, Result, each, escaped, object, object_of, required, string, text};
use crate::translate::conversation::{Call, Conversation, Part, Piece, Role, Settings};
use crate::translate::json::{Escaped, Raw};
use crate::translate::path::Path;

/// What asks for what no other API has, and must not be lost in silence.
const OBSTACLES: [&str; 5] = ["functions", "function_call", "audio", "moderation", "web_search_options"];

const MESSAGE: [&str; 11] = [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "tool_call_id",
    "name",
    "reasoning_content",
    "thinking_blocks",
    "function_call",
    "audio",
    "cache_control",
];
const PART: [&str; 6] = ["type", "text", "refusal", "image_url", "file", "cache_control"];

/// Reads a request; members in `drop` are as absent, `messages` are left unread without `with_input`.
pub fn read<'a>(bytes: &'a [u8], members: &Members, drop: &[String], with_input: bool) -> Result<Conversation<'a>> {
    let body = Body { bytes, members, drop };
    for name in OBSTACLES {
        if body.get(name).is_some_and(|value| value.bytes() != b"[]") {
            return Path::root(name).obstacle();
        }
    }
    let mut conversation = Conversation::default();
    if with_input {
        read_messages(body.get("messages"), &mut conversation)?;
    }
    conversation.tools = tools::read(body.get("tools"))?;
    conversation.choice = tools::read_choice(body.get("tool_choice"))?;
    if let Some(format) = body.get("response_format") {
        conversation.format = tools::read_format(format)?;
    }
    conversation.settings = settings(&body)?;
    Ok(conversation)
}

fn settings<'a>(body: &Body<'a, '_>) -> Result<Settings<'a>> {
    let modalities = body.get("modalities").filter(|list| holds(list.bytes(), "\"audio\""));
    if modalities.is_some() {
        return Path::root("modalities").obstacle();
    }
    Ok(Settings {
        max_output: body.number("max_completion_tokens")?.or(body.number("max_tokens")?),
        stop: body.get("stop"),
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        effort: body.string("reasoning_effort")?,
        verbosity: body.string("verbosity")?,
        parallel_tool_calls: body.flag("parallel_tool_calls")?,
        logprobs: body.flag("logprobs")?.is_some_and(Raw::is_true),
        top_logprobs: body.number("top_logprobs")?,
        user: body.string("user")?,
        safety_identifier: body.string("safety_identifier")?,
        service_tier: body.string("service_tier")?,
        prompt_cache_key: None,
        prompt_cache_retention: None,
        stream: body.flag("stream")?.is_some_and(Raw::is_true),
    })
}

fn read_messages<'a>(messages: Option<Raw<'a>>, conversation: &mut Conversation<'a>) -> Result<()> {
    let path = Path::root("messages");
    let Some(messages) = messages.filter(|messages| messages.kind() == Kind::Array) else {
        return path.invalid("must be an array of messages");
    };
    each(messages, |index, reader| message(reader, &path.item(index), index as u32, conversation))
}

fn message<'a>(reader: &mut Reader<'a>, path: &Path, index: u32, conversation: &mut Conversation<'a>) -> Result<()> {
    let [role, content, refusal, calls, call_id, name, reasoning, blocks, function, audio, cache_point] =
        object(reader, &MESSAGE, path)?;
    for (name, value) in [("function_call", function), ("audio", audio)] {
        if value.is_some() {
            return path.member(name).obstacle();
        }
    }
    let mark = cache_point.filter(|mark| mark.kind() == Kind::Object).map(Part::CachePoint);
    let role = required(role, &path.member("role"))?.string();
    let mut parts = Vec::new();
    let at = path.member("content");
    match role.as_deref() {
        Some("system" | "developer") => {
            conversation.lose_name(name);
            read_content(content, &at, |part| matches!(part, Part::Text(_)), &mut parts)?;
            parts.extend(mark);
            conversation.add(index, Piece::Message { role: Role::System, parts });
        }
        Some("user") => {
            conversation.lose_name(name);
            read_content(content, &at, |part| !matches!(part, Part::Refusal(_)), &mut parts)?;
            parts.extend(mark);
            conversation.add(index, Piece::Message { role: Role::User, parts });
        }
        Some("assistant") => {
            conversation.lose_name(name);
            read_thoughts(reasoning, blocks, path, index, conversation)?;
            let said = |part: &Part| matches!(part, Part::Text(_) | Part::Refusal(_));
            if content.is_some() {
                read_content(content, &at, said, &mut parts)?;
            }
            if let Some(refusal) = string(refusal, &path.member("refusal"))? {
                parts.push(Part::Refusal(escaped(refusal)));
            }
            parts.extend(mark);
            if !parts.is_empty() {
                conversation.add(index, Piece::Message { role: Role::Assistant, parts });
            }
            read_calls(calls, &path.member("tool_calls"), index, conversation)?;
        }
        Some("tool") => {
            let id = text(call_id, &path.member("tool_call_id"))?;
            read_content(content, &at, |part| matches!(part, Part::Text(_)), &mut parts)?;
            parts.extend(mark);
            let cache_point = parts.iter().rev().find_map(Part::cache_point);
            let texts = parts.iter().filter_map(Part::text).collect();
            conversation.add(index, Piece::CallResult { id, texts, cache_point });
        }
        _ => return path.member("role").obstacle(),
    }
    Ok(())
}

impl Conversation<'_> {
    fn lose_name(&mut self, name: Option<Raw>) {
        if name.is_some() {
            self.lose("messages.name");
        }
    }
}

/// What the model thought before it said this: in blocks as Messages has them, or as one text.
fn read_thoughts<'a>(
    reasoning: Option<Raw<'a>>,
    blocks: Option<Raw<'a>>,
    path: &Path,
    index: u32,
    conversation: &mut Conversation<'a>,
) -> Result<()> {
    let whole = reasoning.and_then(Raw::escaped).filter(|text| !text.is_empty());
    let before = conversation.pieces.len();
    if let Some(blocks) = blocks.filter(|blocks| blocks.kind() == Kind::Array) {
        let path = path.member("thinking_blocks");
        each(blocks, |place, reader| {
            let path = path.item(place);
            const BLOCK: [&str; 4] = ["type", "thinking", "signature", "data"];
            let [kind, thinking, signature, data] = object(reader, &BLOCK, &path)?;
            let text = |value: Option<Raw<'a>>| value.and_then(Raw::escaped).filter(|text| !text.is_empty());
            match (kind.and_then(Raw::escaped), text(data)) {
                (Some(b"redacted_thinking"), Some(data)) => conversation.add(index, Piece::Redacted(data)),
                _ => {
                    let texts = text(thinking).into_iter().collect();
                    conversation.add(index, Piece::Reasoning { texts, signature: text(signature) });
                }
            }
            Ok(())
        })?;
    }
    settle(whole, before, conversation);
    if let Some(text) = whole.filter(|_| conversation.pieces.len() == before) {
        conversation.lose("messages.reasoning_content");
        conversation.add(index, Piece::Reasoning { texts: vec![text], signature: None });
    }
    Ok(())
}

/// Gives blocks of a stream their text, which it tells once and beside them. Where there are several, nobody knows which
/// part of it is whose, and no signature fits.
fn settle<'a>(whole: Option<Escaped<'a>>, before: usize, conversation: &mut Conversation<'a>) {
    let added = conversation.pieces.get_mut(before..).unwrap_or_default();
    let mut thoughts: Vec<_> = added
        .iter_mut()
        .filter_map(|piece| match piece {
            Piece::Reasoning { texts, signature } => Some((texts, signature)),
            _ => None,
        })
        .collect();
    if let Some(whole) = whole
        && thoughts.iter().all(|(texts, _)| texts.is_empty())
    {
        match thoughts.as_mut_slice() {
            [(texts, _)] => texts.push(whole),
            several => several.iter_mut().for_each(|(_, signature)| **signature = None),
        }
    }
    if thoughts.iter().any(|(_, signature)| signature.is_none()) {
        conversation.lose("messages.thinking_blocks");
    }
}

fn read_calls<'a>(calls: Option<Raw<'a>>, path: &Path, index: u32, conversation: &mut Conversation<'a>) -> Result<()> {
    let Some(calls) = calls else { return Ok(()) };
    if calls.kind() != Kind::Array {
        return path.invalid("must be an array");
    }
    each(calls, |place, reader| {
        let path = path.item(place);
        let [id, _, function, custom] = object(reader, &["id", "type", "function", "custom"], &path)?;
        let (inner, name, is_custom) = match (function, custom) {
            (None, Some(custom)) => (Some(custom), "custom", true),
            (function, _) => (function, "function", false),
        };
        let path = path.member(name);
        let [name, arguments, input] = object_of(inner, &["name", "arguments", "input"], &path)?;
        let input = string(if is_custom { input } else { arguments }, &path.member("arguments"))?;
        let call = Call {
            id: text(id, &path.member("id"))?,
            name: text(name, &path.member("name"))?,
            input: input.map(escaped).unwrap_or_default(),
            custom: is_custom,
        };
        conversation.add(index, Piece::Call(call));
        Ok(())
    })
}

/// A text, or an array of parts, each of which must fit.
fn read_content<'a>(
    content: Option<Raw<'a>>,
    path: &Path,
    fits: fn(&Part) -> bool,
    parts: &mut Vec<Part<'a>>,
) -> Result<()> {
    let Some(content) = content else { return Ok(()) };
    match content.kind() {
        Kind::String => parts.push(Part::Text(escaped(content))),
        Kind::Array => each(content, |index, reader| {
            let path = path.item(index);
            let (part, cache_point) = part(reader, &path)?;
            if !fits(&part) {
                return path.member("type").obstacle();
            }
            parts.push(part);
            parts.extend(cache_point.map(Part::CachePoint));
            Ok(())
        })?,
        _ => return path.invalid("must be a string or an array of parts"),
    }
    Ok(())
}

fn part<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<(Part<'a>, Option<Raw<'a>>)> {
    let [kind, words, refusal, image, file, cache_point] = object(reader, &PART, path)?;
    let kind = required(kind, &path.member("type"))?.string();
    let part = match kind.as_deref() {
        Some("text") => Part::Text(text(words, &path.member("text"))?),
        Some("refusal") => Part::Refusal(text(refusal, &path.member("refusal"))?),
        Some("image_url") => {
            let path = path.member("image_url");
            let [url, detail] = object_of(image, &["url", "detail"], &path)?;
            let detail = string(detail, &path.member("detail"))?.map(escaped);
            Part::Image { url: text(url, &path.member("url"))?, detail }
        }
        Some("input_audio") => return path.member("input_audio").obstacle(),
        Some("file") => {
            let path = path.member("file");
            let [name, data, id] = object_of(file, &["filename", "file_data", "file_id"], &path)?;
            if id.is_some() {
                return path.member("file_id").obstacle();
            }
            let name = string(name, &path.member("filename"))?.map(escaped);
            Part::File { name, data: text(data, &path.member("file_data"))? }
        }
        _ => return path.member("type").obstacle(),
    };
    Ok((part, cache_point.filter(|mark| mark.kind() == Kind::Object)))
}
