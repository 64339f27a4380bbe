//! AWS event streams (`application/vnd.amazon.eventstream`), as Bedrock frames the events of Messages.
//!
//! Owns the frames over any chunking, their checks, and the text that they become: the event stream that Anthropic itself
//! sends. Never reads more of an event than its type.

use super::stream::MAX_EVENT;
use crate::request::json::{JsonError, Reader};
use crate::translate::messages_event_type;

/// Turns frames into the text of an event stream.
#[derive(Default)]
pub struct Frames {
    /// The start of a frame whose end has not come.
    tail: Vec<u8>,
    text: Vec<u8>,
    /// What came is no frame, or an exception: nothing is read after it.
    ended: bool,
}

/// Total length, length of the headers, and the check of both.
const PRELUDE: usize = 12;
/// The check of the whole frame.
const CHECK: usize = 4;

impl Frames {
    /// The media type of such a stream.
    pub const CONTENT_TYPE: &'static str = "application/vnd.amazon.eventstream";

    /// Takes the next bytes, and says the events that are whole with them.
    pub fn push(&mut self, chunk: &[u8]) -> &[u8] {
        self.text.clear();
        if !self.ended {
            let mut pending = core::mem::take(&mut self.tail);
            pending.extend_from_slice(chunk);
            let read = self.read(&pending);
            pending.drain(..read);
            self.tail = pending;
        }
        &self.text
    }

    /// Reads all whole frames and says where the rest begins.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some((prelude, _)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<PRELUDE>()) {
            let Some((length, headers)) = lengths(prelude) else {
                self.fail("api_error", "The provider's stream could not be read.");
                return bytes.len();
            };
            let Some(frame) = bytes.get(at..at + length) else { break };
            let Some(message) = message(frame, headers) else {
                self.fail("api_error", "The provider's stream could not be read.");
                return bytes.len();
            };
            self.take(&message);
            if self.ended {
                return bytes.len();
            }
            at += length;
        }
        at
    }

    fn take(&mut self, message: &Message) {
        match (message.kind, message.exception) {
            (b"exception" | b"error", name) => {
                let kind = match name {
                    b"throttlingException" => "rate_limit_error",
                    b"validationException" => "invalid_request_error",
                    b"serviceUnavailableException" | b"modelTimeoutException" => "overloaded_error",
                    _ => "api_error",
                };
                let said: serde_json::Value = serde_json::from_slice(message.payload).unwrap_or_default();
                let text = said
                    .get("message")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or("The provider reported an error.");
                self.fail(kind, text);
            }
            _ => {
                let Ok(Some(encoded)) = bytes_member(message.payload) else { return };
                let Some(json) = base64(encoded) else {
                    return self.fail("api_error", "The provider's stream could not be read.");
                };
                if let Some(name) = messages_event_type(&json) {
                    self.text.extend_from_slice(b"event: ");
                    self.text.extend_from_slice(name);
                    self.text.push(b'\n');
                }
                self.text.extend_from_slice(b"data: ");
                // Between the tokens of JSON a line break is but a space; inside of them there is none.
                self.text.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
                self.text.extend_from_slice(b"\n\n");
            }
        }
    }

    fn fail(&mut self, kind: &str, message: &str) {
        let error = serde_json::json!({ "type": "error", "error": { "type": kind, "message": message } });
        self.text.extend_from_slice(format!("event: error\ndata: {error}\n\n").as_bytes());
        self.ended = true;
    }
}

/// What is read of a frame.
struct Message<'a> {
    /// `:message-type`.
    kind: &'a [u8],
    /// `:exception-type`, or empty.
    exception: &'a [u8],
    payload: &'a [u8],
}

/// Lengths of the frame and of its headers; `None` where they cannot be.
fn lengths(prelude: &[u8; PRELUDE]) -> Option<(usize, usize)> {
    let (checked, check) = prelude.split_last_chunk::<CHECK>()?;
    let (total, headers) = checked.split_first_chunk::<4>()?;
    let (total, headers) = (u32::from_be_bytes(*total) as usize, u32::from_be_bytes(*headers.first_chunk()?) as usize);
    let fits = total <= MAX_EVENT && headers <= total.checked_sub(PRELUDE + CHECK)?;
    (fits && crc32(checked) == u32::from_be_bytes(*check)).then_some((total, headers))
}

fn message(frame: &[u8], headers: usize) -> Option<Message<'_>> {
    let (checked, check) = frame.split_last_chunk::<CHECK>()?;
    if crc32(checked) != u32::from_be_bytes(*check) {
        return None;
    }
    let (mut headers, payload) = checked.get(PRELUDE..)?.split_at_checked(headers)?;
    let mut message = Message { kind: b"", exception: b"", payload };
    while !headers.is_empty() {
        let name = part(&mut headers, 1)?;
        let kind = take(&mut headers, 1)?.first()?;
        let value = match kind {
            // True and false.
            0 | 1 => &[],
            2 => take(&mut headers, 1)?,
            3 => take(&mut headers, 2)?,
            4 => take(&mut headers, 4)?,
            5 | 8 => take(&mut headers, 8)?,
            6 | 7 => part(&mut headers, 2)?,
            9 => take(&mut headers, 16)?,
            _ => return None,
        };
        match name {
            b":message-type" => message.kind = value,
            b":exception-type" => message.exception = value,
            _ => {}
        }
    }
    Some(message)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// What stands behind its length, which has so many bytes.
fn part<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let length = take(bytes, width)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    take(bytes, length)
}

/// The text of the member `bytes`.
fn bytes_member(payload: &[u8]) -> Result<Option<&[u8]>, JsonError> {
    let found = crate::request::string_member(&mut Reader::new(payload), "bytes")?;
    Ok(found.map(|text| text.span.of(payload)))
}

/// Decodes base64; `None` where it is none.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

/// CRC-32 as in gzip.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, byte| {
        let at = (crc as u8 ^ byte) as usize;
        TABLE.get(at).copied().unwrap_or_default() ^ (crc >> 8)
    })
}

#[allow(clippy::indexing_slicing, reason = "runs when this is compiled")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
}
