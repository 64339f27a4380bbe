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

/// The boundary in a content type of `multipart/form-data`.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let named = |pair: &&str| pair.trim_start().get(..9).is_some_and(|name| name.eq_ignore_ascii_case("boundary="));
    let value = parameters.split(';').find(named)?.trim().get(9..)?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let good = (1..=LONGEST_BOUNDARY).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (kind.trim().eq_ignore_ascii_case("multipart/form-data") && good).then_some(value)
}

/// Reads the field `model`; it is the only member of the request, its value without quotes.
///
/// # Errors
/// [`super::ReadError::Invalid`] when the body has no such parts, or names a model twice or in no text.
pub fn read_form<'a>(body: &'a [u8], boundary: &str) -> Result<Request<'a>> {
    let mut request = Request::new(Api::Other, body);
    request.members = Members { length: body.len(), inside: 0, list: Vec::new() };
    let delimiter = format!("--{boundary}");
    let mut at = match body.starts_with(delimiter.as_bytes()) {
        true => delimiter.len(),
        false => return invalid("body", "must begin with the boundary that the content type names"),
    };
    let end = format!("\r\n{delimiter}");
    // Two dashes behind a delimiter close the form.
    while !body.get(at..).is_some_and(|rest| rest.starts_with(b"--")) {
        let part = Span { start: at, end: find(body, at, end.as_bytes()).unwrap_or(usize::MAX) };
        if part.end == usize::MAX {
            return invalid("body", "must end with the boundary that the content type names");
        }
        if let Some((key, value)) = field(part, body, b"model") {
            let text = core::str::from_utf8(value.of(body)).ok().filter(|text| !text.contains(['\r', '\n']));
            match text {
                Some(text) if request.model.is_none() => request.model = Some(Cow::Borrowed(text)),
                Some(_) => return invalid("model", "is there twice"),
                None => return invalid("model", "must be a line of text"),
            }
            request.members.list.push(Member { key, value });
        }
        at = part.end + end.len();
    }
    Ok(request)
}

/// Name and value of a part, if it is the field of this name.
fn field(part: Span, body: &[u8], name: &[u8]) -> Option<(Span, Span)> {
    let looked_at = Span { start: part.start, end: part.end.min(part.start + LONGEST_HEADERS) };
    let headers = find(looked_at.of(body), 0, b"\r\n\r\n")?;
    let quoted = [b"name=\"", name, b"\""].concat();
    let disposition = Span { start: part.start, end: part.start + headers };
    let at = find(disposition.of(body), 0, &quoted)?;
    // `filename="model"` is no name.
    let before = disposition.of(body).get(at.checked_sub(1)?)?;
    let start = part.start + at + b"name=\"".len();
    let value = Span { start: part.start + headers + 4, end: part.end };
    matches!(before, b' ' | b';' | b'\t').then_some((Span { start, end: start + name.len() }, value))
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
