//! A whole answer, or one event of a stream: the same object as far as the router reads it.

use super::Answer;
use crate::decide::cost::Usage;
use crate::request::json::{JsonError, Kind, Reader, Span};
use core::ops::Range;

/// Why a 200 is no answer, and the status that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Status for the client; Envoy's retry policy sees it too.
    pub status: u16,
    /// Short code for metrics.
    pub result: &'static str,
    /// The provider's error as a JSON object `{"error": …}`, where it sent one.
    pub body: Option<Vec<u8>>,
}

impl Failure {
    /// A failure without an error object of the provider.
    pub fn without_body(result: &'static str) -> Self {
        Failure { status: 502, result, body: None }
    }
}

/// Reads a complete Chat Completions answer.
///
/// # Errors
/// [`Failure`] where it is no JSON object or carries an error instead of an answer.
pub fn read_answer(body: &[u8]) -> Result<Answer, Failure> {
    let object = read_object(body).map_err(|_| Failure::without_body("malformed"))?;
    if let Some(failure) = object.failure(body) {
        return Err(failure);
    }
    Ok(Answer { model: object.model(body), usage: object.usage(body) })
}

/// The members that the router reads of an answer or an event.
#[derive(Default)]
pub(super) struct Object {
    model: Option<Span>,
    usage: Option<Span>,
    error: Option<Span>,
    /// What to cut so that the object has no `usage`.
    usage_cut: Option<Range<usize>>,
    pub(super) has_choices: bool,
}

/// Reads the object's members in one pass, without allocation.
pub(super) fn read_object(body: &[u8]) -> Result<Object, JsonError> {
    let mut reader = Reader::new(body);
    let mut object = Object::default();
    let (mut first, mut before) = (true, None);
    reader.enter_object()?;
    // A cut of the first member must reach to the next key.
    let mut cut_to_next = false;
    while let Some(key) = reader.next_key(&mut first)? {
        let quote = key.span.start.saturating_sub(1);
        if let Some(cut) = object.usage_cut.as_mut().filter(|_| core::mem::take(&mut cut_to_next)) {
            cut.end = quote;
        }
        let kind = reader.peek()?;
        let value = reader.skip()?;
        match (key.span.of(body), kind) {
            (b"model", Kind::String) => object.model = Some(value),
            (b"error", Kind::Object | Kind::String) => object.error = Some(value),
            (b"choices", Kind::Array) => {
                object.has_choices = value.of(body).iter().any(|byte| !b"[] \n\r\t".contains(byte));
            }
            (b"usage", kind) => {
                object.usage = (kind == Kind::Object).then_some(value);
                object.usage_cut = Some(before.unwrap_or(quote)..value.end);
                cut_to_next = before.is_none();
            }
            _ => {}
        }
        before = Some(value.end);
    }
    reader.end()?;
    Ok(object)
}

impl Object {
    /// The snapshot's name; Azure's first event has an empty one.
    pub(super) fn model(&self, body: &[u8]) -> Option<String> {
        let name = serde_json::from_slice::<String>(self.model?.of(body)).ok()?;
        (!name.is_empty()).then_some(name)
    }

    pub(super) fn usage(&self, body: &[u8]) -> Option<Usage> {
        read_usage(self.usage?.of(body)).ok()
    }

    pub(super) fn has_usage(&self) -> bool {
        self.usage.is_some()
    }

    pub(super) fn usage_cut(&self) -> Option<Range<usize>> {
        self.usage_cut.clone()
    }

    /// The error that this object carries in place of an answer.
    pub(super) fn failure(&self, body: &[u8]) -> Option<Failure> {
        let error = self.error.filter(|_| !self.has_choices)?.of(body);
        let body = [b"{\"error\":", error, b"}"].concat();
        Some(Failure { status: status_of(error), result: "error_in_200", body: Some(body) })
    }
}

/// The status that an error object would have had, had it come in time.
fn status_of(error: &[u8]) -> u16 {
    #[derive(serde::Deserialize)]
    struct ErrorObject {
        #[serde(default)]
        code: serde_json::Value,
        #[serde(default, rename = "type")]
        kind: serde_json::Value,
    }
    let Ok(ErrorObject { code, kind }) = serde_json::from_slice(error) else { return 503 };
    let numeric = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    if let Some(status @ 400..=599) = numeric {
        return status as u16;
    }
    let says = |word: &str| {
        [&code, &kind].iter().any(|text| text.as_str().is_some_and(|text| text.to_ascii_lowercase().contains(word)))
    };
    if says("rate_limit") || says("ratelimit") || says("too_many_requests") || says("quota") {
        429
    } else if says("invalid_request") || says("content_filter") || says("context_length") {
        400
    } else {
        503
    }
}

/// Reads a Chat Completions `usage` object; absent counts are 0.
fn read_usage(object: &[u8]) -> Result<Usage, JsonError> {
    let mut usage = Usage::default();
    each_member(&mut Reader::new(object), &mut |name, reader| match name {
        b"prompt_tokens" => count(reader, &mut usage.input),
        b"completion_tokens" => count(reader, &mut usage.output),
        b"prompt_tokens_details" | b"completion_tokens_details" if reader.peek()? == Kind::Object => {
            each_member(reader, &mut |name, reader| match name {
                b"cached_tokens" => count(reader, &mut usage.cached_input),
                b"cache_write_tokens" => count(reader, &mut usage.cache_write),
                b"reasoning_tokens" => count(reader, &mut usage.reasoning),
                _ => reader.skip().map(drop),
            })
        }
        _ => reader.skip().map(drop),
    })?;
    Ok(usage)
}

type ReadMember<'f, 'a> = &'f mut dyn FnMut(&[u8], &mut Reader<'a>) -> Result<(), JsonError>;

fn each_member<'a>(reader: &mut Reader<'a>, read: ReadMember<'_, 'a>) -> Result<(), JsonError> {
    let mut first = true;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        read(key.span.of(reader.bytes()), reader)?;
    }
    Ok(())
}

/// A count of tokens; what is no whole number leaves `into` as it is.
fn count(reader: &mut Reader, into: &mut u64) -> Result<(), JsonError> {
    let value = reader.skip()?.of(reader.bytes());
    if let Some(number) = core::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()) {
        *into = number;
    }
    Ok(())
}
