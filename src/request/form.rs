//! The body of a `multipart/form-data` request that goes to a model by its name: transcription, image edits.
//!
//! Owns where the field `model` stands in it. Never looks into files.

use super::json::Span;
use super::members::{Result, invalid};
use super::{Api, Member, Members, Request};
use std::borrow::Cow;

/// Longest boundary, as RFC 2046 has it.
const LONGEST_BOUNDARY: usize = 70;
/// Longest headers of a part that are looked at.
const LONGEST_HEADERS: usize = 8 << 10;

/// The boundary in a content type of `multipart/form-data`, in the one form in which clients send it: a second parameter
/// of this name would be another boundary to another reader.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let (name, value) = parameters.trim().split_once('=')?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let good = (1..=LONGEST_BOUNDARY).contains(&value.len()) && value.bytes().all(plain);
    let named = kind.trim().eq_ignore_ascii_case("multipart/form-data") && name.eq_ignore_ascii_case("boundary");
    (named && good).then_some(value)
}

/// Reads the field `model`; it is the only member of the request, its value without quotes.
///
/// Only the grammar that clients write is taken, so that no other reader of the body finds another model in it.
///
/// # Errors
/// [`super::ReadError::Invalid`] when the body is not of this grammar, or names a model twice or in no line of text.
pub fn read_form<'a>(body: &'a [u8], boundary: &str) -> Result<Request<'a>> {
    const RULE: &str = "must be a form with the boundary that the content type names";
    let mut request = Request::new(Api::Other, body);
    request.members = Members { length: body.len(), inside: 0, list: Vec::new() };
    let delimiter = format!("--{boundary}");
    let end = format!("\r\n{delimiter}");
    let mut at = delimiter.len();
    if !body.starts_with(delimiter.as_bytes()) {
        return invalid("body", RULE);
    }
    loop {
        match body.get(at..).unwrap_or_default() {
            b"--" | b"--\r\n" => return Ok(request),
            [b'\r', b'\n', ..] => at += 2,
            _ => return invalid("body", RULE),
        }
        let Some(close) = find(body, at, end.as_bytes()) else { return invalid("body", RULE) };
        let (name, value) = part(Span { start: at, end: close }, body)?;
        if name.of(body).eq_ignore_ascii_case(b"model") {
            let text = core::str::from_utf8(value.of(body)).ok().filter(|text| !text.contains(['\r', '\n']));
            match text {
                Some(text) if request.model.is_none() => request.model = Some(Cow::Borrowed(text)),
                Some(_) => return invalid("model", "is there twice"),
                None => return invalid("model", "must be a line of text"),
            }
            request.members.list.push(Member { key: name, value });
        }
        at = close + end.len();
    }
}

/// Name and value of a part.
fn part(part: Span, body: &[u8]) -> Result<(Span, Span)> {
    const RULE: &str = "must have parts with one header 'Content-Disposition: form-data; name=\"...\"'";
    let looked_at = Span { start: part.start, end: part.end.min(part.start + LONGEST_HEADERS) };
    let Some(length) = find(looked_at.of(body), 0, b"\r\n\r\n") else { return invalid("body", RULE) };
    let mut name = None;
    let mut at = part.start;
    let headers = Span { start: at, end: at + length };
    for line in headers.of(body).split(|byte| *byte == b'\n') {
        let is_disposition = line.get(..19).is_some_and(|key| key.eq_ignore_ascii_case(b"content-disposition"));
        match (is_disposition, &name, disposition(line)) {
            (true, None, Some(found)) => name = Some(Span { start: at + found.start, end: at + found.end }),
            (true, ..) => return invalid("body", RULE),
            // A folded line would go on with the header before it.
            (false, ..) if line.first().is_none_or(|byte| !byte.is_ascii_alphabetic()) => return invalid("body", RULE),
            (false, ..) => {}
        }
        at += line.len() + 1;
    }
    let value = Span { start: part.start + length + 4, end: part.end };
    name.map_or_else(|| invalid("body", RULE), |name| Ok((name, value)))
}

/// Where the name stands in `Content-Disposition: form-data; name="…"`, with nothing behind it but a file's name.
fn disposition(line: &[u8]) -> Option<Span> {
    const HEAD: &[u8] = b"content-disposition: form-data; name=\"";
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let rest =
        line.get(HEAD.len()..).filter(|_| line.get(..HEAD.len()).is_some_and(|it| it.eq_ignore_ascii_case(HEAD)))?;
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let behind = rest.get(length..)?.strip_prefix(b"\"")?;
    let file = |behind: &[u8]| {
        let quoted = behind.strip_prefix(b"; filename=\"").and_then(|rest| rest.strip_suffix(b"\""));
        quoted.is_some_and(|name| name.iter().filter(|byte| **byte == b'"').count() == 0)
    };
    (behind.is_empty() || file(behind)).then_some(Span { start: HEAD.len(), end: HEAD.len() + length })
}

/// Where `text` stands at or after `from`.
fn find(bytes: &[u8], from: usize, text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| byte == first)?;
        if bytes.get(at + 1..)?.starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}
