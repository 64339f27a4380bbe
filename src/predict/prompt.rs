//! The conversation as the model sees it.
//!
//! Owns which texts count and how much of long ones is read. Never looks at images and never keeps the body.

use super::asides;
use crate::bytes::find;
use crate::request::json::Text;
use crate::request::{Conversation, Request, Texts};

/// Bytes of the question that are read: of a longer one its head and its tail.
pub const QUESTION_CAP: usize = 4096;
/// Of these, the tail's: what is asked often stands behind what it is asked about.
const TAIL: usize = 1536;
/// Bytes of the system prompt that are read.
const SYSTEM_CAP: usize = 768;
/// A last message shorter than this ("yes, go on") says little, so the user's message before it is read too.
const SHORT: usize = 40;
/// Bytes of that message that are read.
const PREVIOUS_CAP: usize = 1024;
/// Elements that coding agents and other harnesses wrap around what the user wrote; they say nothing about it.
const HARNESS: [&[u8]; 6] = [
    b"system-reminder",
    b"environment_details",
    b"environment_context",
    b"user_info",
    b"additional_data",
    b"workspace_info",
];

/// What the model reads of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The question: the last user message, plain text.
    pub question: Vec<u8>,
    /// The beginning of the system prompt.
    pub system: Vec<u8>,
    /// Bytes of everything else that was said.
    pub history: usize,
    /// Results of tools in the conversation.
    pub tool_results: u32,
    /// Whether tools are declared.
    pub tools: bool,
}

impl Prompt {
    /// A question without a conversation.
    pub fn question(text: &str) -> Prompt {
        let mut question = Vec::with_capacity(text.len().min(QUESTION_CAP));
        ends(text.as_bytes(), QUESTION_CAP, TAIL, |bytes| question.extend_from_slice(bytes));
        strip_harness(&mut question);
        Prompt { question: asides::strip(&question).to_vec(), ..Prompt::default() }
    }

    /// What a request asks.
    pub fn of(request: &Request) -> Prompt {
        let Conversation { system, question: texts, previous, tool_results, bytes, .. } = &request.conversation;
        let mut question = Vec::with_capacity((*bytes).min(QUESTION_CAP) + 8);
        read(request.body, texts, QUESTION_CAP, &mut question);
        strip_harness(&mut question);
        let asked = asides::strip(&question);
        if asked.len() < question.len() {
            question = asked.to_vec();
        }
        if question.len() < SHORT && !previous.is_empty() {
            let mut both = Vec::new();
            read(request.body, previous, PREVIOUS_CAP, &mut both);
            strip_harness(&mut both);
            both.push(b'\n');
            both.append(&mut question);
            question = both;
        }
        let mut instructions = Vec::new();
        read(request.body, system, SYSTEM_CAP, &mut instructions);
        let read: usize = texts.iter().map(|text| text.span.len()).sum();
        Prompt {
            question,
            system: instructions,
            history: bytes.saturating_sub(read),
            tool_results: *tool_results,
            tools: request.needs.tools,
        }
    }

    /// What the conversation adds to the difficulty of the question, in log odds: a little for tools, more the longer it
    /// is. Set by hand: the training data has single questions only.
    pub fn context_difficulty(&self) -> f64 {
        let history = (self.history as f64 / 4096.0).ln_1p();
        let results = f64::from(self.tool_results).ln_1p();
        (0.1 * f64::from(u8::from(self.tools)) + 0.1 * history + 0.15 * results).min(1.0)
    }
}

/// Appends the texts of a message, unescaped, with a line break between them: all of them if they fit into `cap` bytes,
/// else head and tail.
fn read(body: &[u8], texts: &Texts, cap: usize, into: &mut Vec<u8>) {
    let count = texts.iter().count().max(1);
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            into.push(b'\n');
        }
        let share = cap / count;
        ends(text.span.of(body), share, share * TAIL / QUESTION_CAP, |bytes| unescape(text, bytes, into));
    }
}

/// Hands over the bytes, or head and tail of more than `cap`.
fn ends(bytes: &[u8], cap: usize, tail: usize, mut take: impl FnMut(&[u8])) {
    if bytes.len() <= cap {
        return take(bytes);
    }
    take(bytes.get(..cap - tail).unwrap_or_default());
    take(b"\n");
    take(bytes.get(bytes.len() - tail..).unwrap_or_default());
}

/// Appends a piece of a JSON string as the characters it means. The piece may begin and end inside an escape, which
/// then reads as what is left of it.
fn unescape(text: Text, mut bytes: &[u8], into: &mut Vec<u8>) {
    if !text.escaped {
        return into.extend_from_slice(bytes);
    }
    while let Some(at) = find(bytes, b'\\') {
        let (plain, escape) = bytes.split_at(at);
        into.extend_from_slice(plain);
        bytes = match escape {
            [_, b'u', rest @ ..] => character(rest, into),
            [_, b'n' | b'r', rest @ ..] => push(b'\n', rest, into),
            [_, b't' | b'b' | b'f', rest @ ..] => push(b' ', rest, into),
            [_, other, rest @ ..] => push(*other, rest, into),
            _ => b"",
        };
    }
    into.extend_from_slice(bytes);
}

fn push<'a>(byte: u8, rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    into.push(byte);
    rest
}

/// The character of `\uXXXX`, or of two such that are a surrogate pair.
fn character<'a>(rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let Some((unit, rest)) = unit(rest) else { return rest };
    let (code, rest) = match rest {
        [b'\\', b'u', low @ ..] if (0xD800..0xDC00).contains(&unit) => match unit_low(low) {
            Some((low, rest)) => (0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), rest),
            None => (unit, rest),
        },
        _ => (unit, rest),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn unit(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = rest.split_first_chunk::<4>()?;
    let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))?;
    Some((unit, rest))
}

fn unit_low(rest: &[u8]) -> Option<(u32, &[u8])> {
    unit(rest).filter(|(unit, _)| (0xDC00..0xE000).contains(unit))
}

/// Takes out the elements of [`HARNESS`], unless nothing else is there.
fn strip_harness(text: &mut Vec<u8>) {
    let Some(first) = find(text, b'<') else { return };
    let (mut kept, mut rest) = text.split_at(first);
    let mut left = Vec::new();
    loop {
        left.extend_from_slice(kept);
        let Some(behind) = element(rest) else {
            let Some((open, behind)) = rest.split_first() else { break };
            left.push(*open);
            let next = behind.iter().position(|byte| *byte == b'<').unwrap_or(behind.len());
            (kept, rest) = behind.split_at(next);
            continue;
        };
        let next = behind.iter().position(|byte| *byte == b'<').unwrap_or(behind.len());
        (kept, rest) = behind.split_at(next);
    }
    if left.len() < text.len() && left.trim_ascii().len() >= 3 {
        *text = left;
    }
}

/// What stands behind an element of [`HARNESS`] that `text` begins with.
fn element(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"<")?;
    let name = HARNESS.iter().find(|name| inside.strip_prefix(**name).is_some_and(|rest| rest.starts_with(b">")))?;
    let close = inside.windows(name.len() + 3).position(|window| {
        window.strip_prefix(b"</").and_then(|rest| rest.strip_suffix(b">")).is_some_and(|inner| inner == *name)
    })?;
    inside.get(close + name.len() + 3..)
}
