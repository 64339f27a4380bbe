//! Raw JSON: values of a body as they stand there, and new objects around them.
//!
//! Owns the picking of members by name and the writing of objects. Never decodes a text that is only passed on, never
//! builds a tree.

use crate::request::json::{JsonError, Kind, Reader, Span, Text};
use std::borrow::Cow;

/// A text between its quotes, escapes and all: it can be written between quotes again, and pieces of it joined.
pub type Escaped<'a> = &'a [u8];

/// Any JSON value, as its bytes. Holds what a [`Reader`] has read, and nothing around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// The value at `span`, which a [`Reader`] has found in `body`.
    pub fn at(span: Span, body: &'a [u8]) -> Self {
        Raw(span.of(body))
    }

    /// Its bytes, strings with their quotes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What kind of value it is, as its first byte tells.
    pub fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    /// The text of a string; `None` for other kinds.
    pub fn escaped(self) -> Option<Escaped<'a>> {
        self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// The value of a string, to compare it; `None` for other kinds.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.escaped()?;
        let span = Span { start: 1, end: 1 + inner.len() };
        Some(Text { span, escaped: inner.contains(&b'\\') }.value(self.0))
    }

    /// Whether it is `true`.
    pub fn is_true(self) -> bool {
        self.0 == b"true"
    }

    /// A reader that stands before this value.
    pub fn reader(self) -> Reader<'a> {
        Reader::new(self.0)
    }
}

/// Members of an object by name.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    /// In the order of the names asked for; null is as absent.
    pub values: [Option<Raw<'a>>; N],
    /// One of the names that the object has twice.
    pub twice: Option<usize>,
}

/// Reads the object that comes next, which it must be, and picks out members; of two with one name the last.
///
/// # Errors
/// [`JsonError`] where no whole object follows.
pub fn fields<'a, const N: usize>(reader: &mut Reader<'a>, names: &[&str; N]) -> Result<Fields<'a, N>, JsonError> {
    let body = reader.bytes();
    let mut found = Fields { values: [None; N], twice: None };
    let mut seen = [false; N];
    let mut first = true;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let value = Raw::at(reader.skip()?, body);
        let plain = key.span.of(body);
        let place = match key.escaped {
            false => names.iter().position(|known| known.as_bytes() == plain),
            true => names.iter().position(|known| *known == key.value(body)),
        };
        let Some(place) = place else { continue };
        if let Some(seen) = seen.get_mut(place)
            && core::mem::replace(seen, true)
        {
            found.twice = Some(place);
        }
        if let Some(slot) = found.values.get_mut(place) {
            *slot = Some(value).filter(|value| value.kind() != Kind::Null);
        }
    }
    Ok(found)
}

/// Reads the array that comes next, which it must be; `read` must consume exactly one item.
///
/// # Errors
/// [`JsonError`] where no whole array follows, and what `read` says.
pub fn each_item<'a, E: From<JsonError>>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(usize, &mut Reader<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut first, mut index) = (true, 0);
    reader.enter_array()?;
    while reader.next_item(&mut first)? {
        read(index, reader)?;
        index += 1;
    }
    Ok(())
}

/// Writes one object. Keys must need no escapes.
pub struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    /// Opens an object at the end of `out`.
    pub fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Writes members alone, without braces; they are not to be closed.
    pub fn bare(out: &'o mut Vec<u8>) -> Self {
        Object { out, first: true }
    }

    /// Writes a key; the value must follow.
    pub fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !core::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a member whose value is JSON already.
    pub fn json(&mut self, name: &str, value: &[u8]) {
        self.key(name).extend_from_slice(value);
    }

    /// Writes a member where there is a value.
    pub fn optional(&mut self, name: &str, value: Option<Raw>) {
        if let Some(value) = value {
            self.json(name, value.bytes());
        }
    }

    /// Writes a text.
    pub fn text(&mut self, name: &str, text: Escaped) {
        quote(self.key(name), [text]);
    }

    /// Writes a whole number.
    pub fn number(&mut self, name: &str, number: u64) {
        write_number(self.key(name), number);
    }

    /// Writes members that are JSON already, with commas between them but at neither end.
    pub fn members(&mut self, members: &[u8]) {
        if !core::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(members);
    }

    /// Opens an object as the value of a member.
    pub fn object(&mut self, name: &str) -> Object<'_> {
        Object::open(self.key(name))
    }

    /// Closes the object.
    pub fn close(self) -> &'o mut Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

/// Writes texts as one string.
pub fn quote<'a>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = Escaped<'a>>) {
    out.push(b'"');
    texts.into_iter().for_each(|text| out.extend_from_slice(text));
    out.push(b'"');
}

/// Writes an array, whose items `write` writes.
pub fn array<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes a whole number.
pub fn write_number(out: &mut Vec<u8>, number: u64) {
    // Faster than by way of the formatter, for each event has some; and never deeper than twenty digits.
    if number >= 10 {
        write_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// A text that is no JSON yet, as a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

/// Writes JSON as the inside of a JSON string, without the white space between its tokens.
pub fn escape_json(out: &mut Vec<u8>, json: &[u8]) {
    let (mut inside, mut escape) = (false, false);
    for byte in json {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' if !inside => continue,
            b'"' => {
                inside = !inside || escape;
                out.push(b'\\');
            }
            b'\\' => out.push(b'\\'),
            _ => {}
        }
        escape = inside && !escape && *byte == b'\\';
        out.push(*byte);
    }
}

/// Copies JSON without the white space between its tokens, so that it fits on one line of an event.
pub fn compact(out: &mut Vec<u8>, json: &[u8]) {
    let (mut inside, mut escape) = (false, false);
    out.extend(json.iter().filter(|byte| {
        if inside {
            inside = escape || **byte != b'"';
            escape = !escape && **byte == b'\\';
            return true;
        }
        inside = **byte == b'"';
        !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
    }));
}
