//! A pull reader of JSON: one pass over the bytes, strict grammar, spans instead of a tree.
//!
//! Owns the grammar (RFC 8259, UTF-8 and surrogate checks included) and positions. Never builds values, never
//! recurses on input, never allocates but to undo escapes of a string that is asked for.

mod error;

pub use error::{JsonError, JsonErrorKind};

use crate::bytes::{HIGH, equal, first, less};
use std::borrow::Cow;

/// Nesting that is followed; deeper input is refused, as serde_json does.
pub const MAX_DEPTH: u32 = 127;

/// Half-open range of byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of this span, empty if it does not lie in `bytes`.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same place, seen from what `outer` lies in; it lies in `outer` itself.
    pub fn within(self, outer: Span) -> Span {
        Span { start: outer.start + self.start, end: outer.start + self.end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Whether `text` stands anywhere in a piece of JSON.
pub fn holds(json: &[u8], text: &str) -> bool {
    // The search in strings does not look at every place, as one in bytes would.
    core::str::from_utf8(json).is_ok_and(|json| json.contains(text))
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A string in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The bytes between the quotes.
    pub span: Span,
    /// Whether it holds escapes.
    pub escaped: bool,
}

impl Text {
    /// The string's value; borrowed unless it holds escapes. `bytes` is the input it was read from.
    pub fn value(self, bytes: &[u8]) -> Cow<'_, str> {
        let raw = core::str::from_utf8(self.span.of(bytes)).unwrap_or_default();
        if !self.escaped {
            return Cow::Borrowed(raw);
        }
        // The escapes have been checked, so serde_json only ever says yes to the quoted text.
        let quoted = Span { start: self.span.start.saturating_sub(1), end: self.span.end + 1 };
        Cow::Owned(serde_json::from_slice(quoted.of(bytes)).unwrap_or_default())
    }
}

type Result<T> = core::result::Result<T, JsonError>;

/// The reader. Each method consumes what it names, with the white space before it.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, depth: 0 }
    }

    /// The input.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    fn fail<T>(&self, kind: JsonErrorKind) -> Result<T> {
        Err(JsonError { kind, offset: self.at })
    }

    fn expected<T>(&self, what: &'static str) -> Result<T> {
        if self.at >= self.bytes.len() {
            return self.fail(JsonErrorKind::UnexpectedEnd);
        }
        self.fail(JsonErrorKind::Expected(what))
    }

    fn next_byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.next_byte() {
            self.at += 1;
        }
    }

    /// The kind of the next value, without consuming it.
    pub fn peek(&mut self) -> Result<Kind> {
        self.skip_space();
        match self.next_byte() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            _ => self.expected("a value"),
        }
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<()> {
        self.skip_space();
        if self.at < self.bytes.len() {
            return self.fail(JsonErrorKind::TrailingBytes);
        }
        Ok(())
    }

    fn open(&mut self, byte: u8, what: &'static str) -> Result<()> {
        self.skip_space();
        if self.next_byte() != Some(byte) {
            return self.expected(what);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(JsonErrorKind::TooDeep);
        }
        self.at += 1;
        Ok(())
    }

    /// Enters an object; then call [`Reader::next_key`] until it says `None`.
    pub fn enter_object(&mut self) -> Result<()> {
        self.open(b'{', "an object")
    }

    /// Enters an array; then call [`Reader::next_item`] until it says `false`.
    pub fn enter_array(&mut self) -> Result<()> {
        self.open(b'[', "an array")
    }

    /// The next key of the object that was entered, with its colon; `None` closes the object. `first` starts true.
    pub fn next_key(&mut self, first: &mut bool) -> Result<Option<Text>> {
        if !self.next_element(first, b'}', "',' or '}'")? {
            return Ok(None);
        }
        if self.next_byte() != Some(b'"') {
            return self.expected("a key");
        }
        let key = self.string()?;
        self.skip_space();
        if self.next_byte() != Some(b':') {
            return self.expected("':'");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether another item follows in the array that was entered; `false` closes it. `first` starts true.
    pub fn next_item(&mut self, first: &mut bool) -> Result<bool> {
        self.next_element(first, b']', "',' or ']'")
    }

    fn next_element(&mut self, first: &mut bool, close: u8, what: &'static str) -> Result<bool> {
        self.skip_space();
        let is_first = core::mem::replace(first, false);
        match self.next_byte() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(false);
            }
            Some(b',') if !is_first => self.at += 1,
            Some(_) if is_first => return Ok(true),
            _ => return self.expected(what),
        }
        self.skip_space();
        // A comma promises another element.
        match self.next_byte() {
            Some(byte) if byte != close => Ok(true),
            _ => self.expected("another element"),
        }
    }

    /// A string.
    pub fn string(&mut self) -> Result<Text> {
        self.skip_space();
        if self.next_byte() != Some(b'"') {
            return self.expected("a string");
        }
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        let mut beyond_ascii = false;
        loop {
            let (stop, high) = plain_run(self.bytes.get(self.at..).unwrap_or_default());
            self.at += stop;
            beyond_ascii |= high;
            match self.next_byte() {
                None => return self.fail(JsonErrorKind::UnexpectedEnd),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fail(JsonErrorKind::ControlCharacter),
            }
        }
        let span = Span { start, end: self.at };
        if beyond_ascii && let Err(error) = core::str::from_utf8(span.of(self.bytes)) {
            self.at = start + error.valid_up_to();
            return self.fail(JsonErrorKind::InvalidUtf8);
        }
        self.at += 1;
        Ok(Text { span, escaped })
    }

    fn escape(&mut self) -> Result<()> {
        self.at += 1;
        match self.next_byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.hex4()? {
                0xDC00..=0xDFFF => return self.fail(JsonErrorKind::LoneSurrogate),
                0xD800..=0xDBFF => {
                    if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                        return self.fail(JsonErrorKind::LoneSurrogate);
                    }
                    self.at += 1;
                    if !(0xDC00..=0xDFFF).contains(&self.hex4()?) {
                        return self.fail(JsonErrorKind::LoneSurrogate);
                    }
                }
                _ => {}
            },
            Some(_) => return self.fail(JsonErrorKind::InvalidEscape),
            None => return self.fail(JsonErrorKind::UnexpectedEnd),
        }
        Ok(())
    }

    /// The four hexadecimal digits after the `u` at which the reader stands.
    fn hex4(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            let Some(byte) = self.next_byte() else { return self.fail(JsonErrorKind::UnexpectedEnd) };
            let Some(digit) = (byte as char).to_digit(16) else {
                return self.fail(JsonErrorKind::InvalidEscape);
            };
            code = code * 16 + digit;
        }
        self.at += 1;
        Ok(code)
    }

    /// A number, as its text.
    pub fn number(&mut self) -> Result<Span> {
        self.skip_space();
        let start = self.at;
        if self.next_byte() == Some(b'-') {
            self.at += 1;
        }
        match self.next_byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.fail(JsonErrorKind::InvalidNumber),
        }
        if self.next_byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.next_byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.next_byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        // Otherwise `01` or `1x` would read as a number and a missing comma.
        if let Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z') = self.next_byte() {
            return self.fail(JsonErrorKind::InvalidNumber);
        }
        Ok(Span { start, end: self.at })
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.next_byte() {
            self.at += 1;
        }
        if self.at == start { self.fail(JsonErrorKind::InvalidNumber) } else { Ok(()) }
    }

    /// `true` or `false`.
    pub fn bool(&mut self) -> Result<bool> {
        self.skip_space();
        if self.next_byte() == Some(b't') {
            return self.literal(b"true").map(|()| true);
        }
        self.literal(b"false").map(|()| false)
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<()> {
        for &byte in word {
            if self.next_byte() != Some(byte) {
                return self.expected("true, false or null");
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Any scalar value.
    fn scalar(&mut self) -> Result<()> {
        match self.peek()? {
            Kind::String => self.string().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Null => self.literal(b"null"),
            _ => self.bool().map(drop),
        }
    }

    /// Consumes the next value, whatever it is, checking it in full.
    pub fn skip(&mut self) -> Result<Span> {
        self.skip_space();
        let start = self.at;
        let outside = self.depth;
        // One bit per open level, 1 for an object; MAX_DEPTH keeps it within 128.
        let mut objects: u128 = 0;
        let mut first = true;
        loop {
            match self.peek()? {
                Kind::Object => {
                    self.enter_object()?;
                    objects = objects << 1 | 1;
                    first = true;
                }
                Kind::Array => {
                    self.enter_array()?;
                    objects <<= 1;
                    first = true;
                }
                _ => self.scalar()?,
            }
            // Close what ends here, then stand before the next value.
            loop {
                if self.depth == outside {
                    return Ok(Span { start, end: self.at });
                }
                let more = match objects & 1 {
                    1 => self.next_key(&mut first)?.is_some(),
                    _ => self.next_item(&mut first)?,
                };
                if more {
                    break;
                }
                objects >>= 1;
                first = false;
            }
        }
    }
}

/// How many bytes from the start are plain characters of a string (no quote, backslash, control character), and
/// whether any of the bytes looked at is beyond ASCII. Eight bytes at a time.
fn plain_run(bytes: &[u8]) -> (usize, bool) {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut high = 0;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        high |= word & HIGH;
        let special = equal(word, b'"') | equal(word, b'\\') | less(word, 0x20);
        if special != 0 {
            return (index * 8 + first(special), high != 0);
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    high |= rest.iter().fold(0, |seen, byte| seen | (byte & 0x80) as u64);
    (words.len() * 8 + tail.unwrap_or(rest.len()), high != 0)
}

#[cfg(test)]
#[path = "json/tests.rs"]
mod tests;
