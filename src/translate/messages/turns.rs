//! Writes the turns of a conversation as `messages`.
//!
//! User and assistant take turns, the user first; results of tools come before anything else that the user says; no text
//! is blank; the last one of the assistant ends with a visible character. Never writes instructions.

use super::fit::{self, Ids, Source};
use crate::translate::conversation::{Call, Conversation, Part, Piece, Role};
use crate::translate::json::{Escaped, Object, Raw, array, quote};

enum Kind<'c, 'a> {
    Text(Escaped<'a>),
    Source { source: Source<'a>, name: Option<Escaped<'a>> },
    Call { id: Vec<u8>, call: &'c Call<'a> },
    CallResult { id: Vec<u8>, texts: &'c [Escaped<'a>] },
    Thinking { texts: &'c [Escaped<'a>], signature: Escaped<'a> },
    Redacted(Escaped<'a>),
}

struct Block<'c, 'a> {
    kind: Kind<'c, 'a>,
    cache_point: Option<Raw<'a>>,
}

struct Turn<'c, 'a> {
    assistant: bool,
    /// Results, which come first.
    results: Vec<Block<'c, 'a>>,
    blocks: Vec<Block<'c, 'a>>,
}

/// Stands before a conversation that the assistant begins, or in which nobody says anything.
const BEGINNING: &[u8] = br#"{"role":"user","content":"Begin the conversation."}"#;
/// Stands for a last turn of the user that is blank: without it the assistant would go on with its own words.
const GO_ON: &[u8] = br#",{"role":"user","content":"Go on."}"#;

/// Writes the turns, as an array.
pub fn write(out: &mut Vec<u8>, conversation: &Conversation) {
    let mut turns = turns(conversation);
    let goes_on = is_asked(conversation) && turns.last().is_some_and(|turn| turn.assistant);
    if !goes_on {
        trim_end(&mut turns);
    }
    out.push(b'[');
    let starts_well = turns.first().is_some_and(|turn| !turn.assistant);
    if !starts_well {
        out.extend_from_slice(BEGINNING);
    }
    for (index, turn) in turns.iter().enumerate() {
        if index > 0 || !starts_well {
            out.push(b',');
        }
        let mut message = Object::open(out);
        message.json("role", if turn.assistant { b"\"assistant\"" } else { b"\"user\"" });
        array(message.key("content"), turn.results.iter().chain(&turn.blocks), write_block);
        message.close();
    }
    if goes_on {
        out.extend_from_slice(GO_ON);
    }
    out.push(b']');
}

/// Whether the user speaks last, be it nothing.
fn is_asked(conversation: &Conversation) -> bool {
    let speaker = |piece: &Piece| match piece {
        Piece::Message { role: Role::System, .. } => None,
        Piece::Message { role, .. } => Some(*role == Role::User),
        _ => Some(false),
    };
    conversation.pieces.iter().rev().find_map(speaker).unwrap_or(false)
}

fn turns<'c, 'a>(conversation: &'c Conversation<'a>) -> Vec<Turn<'c, 'a>> {
    let (mut turns, mut ids): (Vec<Turn>, _) = (Vec::new(), Ids::default());
    for piece in &conversation.pieces {
        match piece {
            Piece::Message { role: Role::System, .. } => {}
            Piece::Message { role, parts } => add_parts(&mut turns, *role == Role::Assistant, parts),
            Piece::Call(call) => add(&mut turns, true, Kind::Call { id: ids.of_call(call.id), call }.into()),
            Piece::CallResult { id, texts, cache_point } => {
                let kind = Kind::CallResult { id: ids.of_result(id), texts };
                let block = Block { kind, cache_point: *cache_point };
                add(&mut turns, false, block);
            }
            // Without a signature nobody takes it back.
            Piece::Reasoning { texts, signature: Some(signature) } => {
                add(&mut turns, true, Kind::Thinking { texts, signature }.into());
            }
            Piece::Reasoning { .. } => {}
            Piece::Redacted(data) => add(&mut turns, true, Kind::Redacted(data).into()),
        }
    }
    turns
}

/// Adds to the turn of this side that is going on, or to a new one.
fn add<'c, 'a>(turns: &mut Vec<Turn<'c, 'a>>, assistant: bool, block: Block<'c, 'a>) {
    if turns.last().is_none_or(|last| last.assistant != assistant) {
        turns.push(Turn { assistant, results: Vec::new(), blocks: Vec::new() });
    }
    if let Some(turn) = turns.last_mut() {
        match block.kind {
            Kind::CallResult { .. } => turn.results.push(block),
            _ => turn.blocks.push(block),
        }
    }
}

impl<'c, 'a> From<Kind<'c, 'a>> for Block<'c, 'a> {
    fn from(kind: Kind<'c, 'a>) -> Self {
        Block { kind, cache_point: None }
    }
}

fn add_parts<'c, 'a>(turns: &mut Vec<Turn<'c, 'a>>, assistant: bool, parts: &'c [Part<'a>]) {
    for part in parts {
        match part {
            Part::Text(text) | Part::Refusal(text) => {
                if !is_blank(text) {
                    add(turns, assistant, Kind::Text(text).into());
                }
            }
            Part::Image { url, .. } => {
                if let Some(source) = fit::image(url) {
                    add(turns, assistant, Kind::Source { source, name: None }.into());
                }
            }
            Part::File { name, data } => {
                if let Some(source) = fit::file(data) {
                    add(turns, assistant, Kind::Source { source, name: *name }.into());
                }
            }
            Part::CachePoint(mark) => {
                let last = turns.last_mut().and_then(|turn| turn.blocks.last_mut().or(turn.results.last_mut()));
                // What was thought takes no mark.
                let fits = |block: &&mut Block| !matches!(block.kind, Kind::Thinking { .. } | Kind::Redacted(_));
                if let Some(last) = last.filter(fits) {
                    last.cache_point = Some(*mark);
                }
            }
            Part::Audio { .. } => {}
        }
    }
}

/// The last text of a final turn of the assistant must not end with white space.
fn trim_end(turns: &mut [Turn]) {
    let Some(turn) = turns.last_mut().filter(|turn| turn.assistant) else { return };
    if let Some(Block { kind: Kind::Text(text), .. }) = turn.blocks.last_mut() {
        *text = trimmed_end(text);
    }
}

/// A text without the white space at its end.
fn trimmed_end(text: Escaped) -> Escaped {
    let mut text = text;
    while let Some(rest) = without_blank(text) {
        text = rest;
    }
    text
}

/// What stands before the last character, if that is white space: escaped, or as it is.
fn without_blank(text: Escaped) -> Option<Escaped> {
    let split = |length: usize| text.split_at_checked(text.len().checked_sub(length)?);
    // A backslash that is escaped itself begins no escape.
    let begins = |rest: Escaped| rest.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    match (split(2), split(6)) {
        (Some((rest, [b'\\', letter])), _) if begins(rest) => {
            matches!(letter, b'n' | b't' | b'r' | b'f').then_some(rest)
        }
        (_, Some((rest, [b'\\', b'u', digits @ ..]))) if begins(rest) => {
            let digits = core::str::from_utf8(digits).ok()?;
            let code = u32::from_str_radix(digits, 16).ok()?;
            char::from_u32(code).is_some_and(char::is_whitespace).then_some(rest)
        }
        _ => {
            let length = text.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80)? + 1;
            let (rest, last) = split(length)?;
            core::str::from_utf8(last).ok()?.chars().all(char::is_whitespace).then_some(rest)
        }
    }
}

/// Whether a text has nothing to be seen.
pub fn is_blank(text: Escaped) -> bool {
    trimmed_end(text).is_empty()
}

fn write_block(out: &mut Vec<u8>, block: &Block) {
    let mut object = Object::open(out);
    match &block.kind {
        Kind::Text(text) => {
            object.json("type", b"\"text\"");
            object.text("text", text);
        }
        Kind::Source { source, name } => write_source(&mut object, source, *name),
        Kind::Call { id, call } => {
            object.json("type", b"\"tool_use\"");
            object.text("id", id);
            object.text("name", call.name);
            fit::write_input(object.key("input"), call.input);
        }
        Kind::CallResult { id, texts } => {
            object.json("type", b"\"tool_result\"");
            object.text("tool_use_id", id);
            quote(object.key("content"), texts.iter().copied());
            if fit::is_error(texts) {
                object.json("is_error", b"true");
            }
        }
        Kind::Thinking { texts, signature } => {
            object.json("type", b"\"thinking\"");
            quote(object.key("thinking"), texts.iter().copied());
            object.text("signature", signature);
        }
        Kind::Redacted(data) => {
            object.json("type", b"\"redacted_thinking\"");
            object.text("data", data);
        }
    }
    if let Some(mark) = block.cache_point {
        object.json("cache_control", mark.bytes());
    }
    object.close();
}

fn write_source(object: &mut Object, source: &Source, name: Option<Escaped>) {
    object.text("type", if source.is_document { b"document" } else { b"image" });
    let mut inner = object.object("source");
    match source.media_type {
        Some(media_type) => {
            inner.json("type", b"\"base64\"");
            inner.text("media_type", media_type.as_bytes());
            inner.text("data", source.data);
        }
        None => {
            inner.json("type", b"\"url\"");
            inner.text("url", source.data);
        }
    }
    inner.close();
    if let Some(name) = name.filter(|_| source.is_document) {
        object.text("title", name);
    }
}
