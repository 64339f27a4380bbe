//! The body of the call, in the form of OpenAI's moderations.
//!
//! Owns how much is sent and in which pieces. The texts are copied as they stand in the request, escapes included.

use super::prompt::texts;
use crate::request::Request;
use crate::request::json::Text;

/// Bytes of text in one call, at most: about the 32,768 tokens that OpenAI's moderation is known to read.
pub const LONGEST: usize = 128 << 10;
/// Texts are put together up to this many bytes, so that a long conversation is few inputs. OpenAI's moderation is known
/// to look at 4,096 tokens at a time.
const PIECE: usize = 16 << 10;
/// Between texts that are put together: an empty line.
const SEPARATOR: &[u8] = b"\\n\\n";

/// What a moderation service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The JSON body.
    pub body: Vec<u8>,
    /// Whether all of the prompt's texts are in it; where not, the oldest are missing.
    pub whole: bool,
}

/// The question about a request; `None` where it has no text.
pub fn question(request: &Request, model: Option<&str>) -> Option<Question> {
    let all = texts(request);
    let (texts, whole) = latest(request.body, &all);
    if texts.is_empty() {
        return None;
    }
    let mut body = Vec::with_capacity(texts.iter().map(|text| text.len() + 8).sum::<usize>() + 64);
    body.extend_from_slice(b"{\"input\":[\"");
    let mut piece = 0;
    for text in &texts {
        if piece > 0 && piece + text.len() > PIECE {
            body.extend_from_slice(b"\",\"");
            piece = 0;
        } else if piece > 0 {
            body.extend_from_slice(SEPARATOR);
        }
        body.extend_from_slice(text);
        piece += text.len();
    }
    body.extend_from_slice(b"\"]");
    if let Some(model) = model {
        body.extend_from_slice(b",\"model\":");
        body.extend_from_slice(serde_json::Value::from(model).to_string().as_bytes());
    }
    body.push(b'}');
    Some(Question { body, whole })
}

/// The latest of the texts that fit, and whether all did. Of one that does not, its end is taken.
fn latest<'a>(body: &'a [u8], texts: &[Text]) -> (Vec<&'a [u8]>, bool) {
    let mut room = LONGEST;
    let mut taken = Vec::with_capacity(texts.len());
    for text in texts.iter().rev() {
        let bytes = text.span.of(body);
        let end = end_of(bytes, room);
        if !end.is_empty() {
            taken.push(end);
        }
        room -= end.len();
        if end.len() < bytes.len() {
            break;
        }
    }
    taken.reverse();
    let sent: usize = taken.iter().map(|text| text.len()).sum();
    let all: usize = texts.iter().map(|text| text.span.len()).sum();
    (taken, sent == all)
}

/// The end of a JSON string's inside that has `room`, cut between two characters.
fn end_of(bytes: &[u8], room: usize) -> &[u8] {
    let Some(least) = bytes.len().checked_sub(room).filter(|least| *least > 0) else { return bytes };
    let mut at = 0;
    while at < least {
        at += character(bytes.get(at..).unwrap_or_default());
    }
    bytes.get(at..).unwrap_or_default()
}

/// Length of the character that the inside of a JSON string begins with.
fn character(bytes: &[u8]) -> usize {
    match bytes {
        // Two such escapes are one character if the first is a high surrogate.
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => 12,
        [b'\\', b'u', ..] => 6,
        [b'\\', ..] => 2,
        [0xF0..=0xFF, ..] => 4,
        [0xE0..=0xEF, ..] => 3,
        [0xC0..=0xDF, ..] => 2,
        _ => 1,
    }
}
