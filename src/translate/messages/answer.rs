//! Reads a Messages answer, whole or one event of a stream, as deltas.
//!
//! Owns the names of events, of blocks and of the reasons why an answer stops, and how OpenAI's APIs call its errors. What
//! it does not know it passes over: the API grows by such. Never allocates.

use crate::decide::cost;
use crate::request::json::{JsonError, Kind, Reader};
use crate::translate::delta::{Delta, Fault, Finish, Start, Usage};
use crate::translate::json::{Escaped, Raw, each_item, fields};

type Result<T> = core::result::Result<T, JsonError>;
/// Takes the deltas in order.
type Take<'t, 'a> = &'t mut dyn FnMut(Delta<'a>);

/// What an answer took so far. Its events say what is new to them only, each count being the sum until then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Input tokens outside of the cache.
    input: u64,
    cached_input: u64,
    cache_write: u64,
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
}

impl Counts {
    /// Sets what a `usage` object says, and leaves what it does not.
    fn set(&mut self, usage: Raw) -> Result<()> {
        let names = [
            "input_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation",
            "output_tokens",
            "output_tokens_details",
        ];
        let [input, cached, written, creation, output, details] = fields(&mut usage.reader(), &names)?.values;
        let reasoning = inner(details, "thinking_tokens")?;
        let written_1h = inner(creation, "ephemeral_1h_input_tokens")?;
        let said = [
            (&mut self.input, input),
            (&mut self.cached_input, cached),
            (&mut self.cache_write, written),
            (&mut self.cache_write_1h, written_1h),
            (&mut self.output, output),
            (&mut self.reasoning, reasoning),
        ];
        for (count, value) in said {
            *count = value.and_then(number).unwrap_or(*count);
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        let input = self.input.saturating_add(self.cached_input).saturating_add(self.cache_write);
        let counts = cost::Usage {
            input,
            cached_input: self.cached_input,
            cache_write: self.cache_write,
            cache_write_1h: self.cache_write_1h,
            output: self.output,
            reasoning: self.reasoning,
        };
        Usage { counts, total: input.saturating_add(self.output) }
    }
}

/// A member of a value that may be an object.
fn inner<'a>(object: Option<Raw<'a>>, name: &str) -> Result<Option<Raw<'a>>> {
    let Some(object) = object.filter(|object| object.kind() == Kind::Object) else { return Ok(None) };
    let [value] = fields(&mut object.reader(), &[name])?.values;
    Ok(value)
}

/// Says what a whole answer says. What has no content is none, and not begun.
///
/// # Errors
/// [`JsonError`] where it is no JSON object.
pub fn whole<'a>(body: &'a [u8], take: Take<'_, 'a>) -> Result<()> {
    let mut reader = Reader::new(body);
    let names = ["type", "id", "model", "content", "stop_reason", "usage", "error", "message"];
    let [kind, id, model, content, stop, usage, error, message] = fields(&mut reader, &names)?.values;
    // Bedrock words an error without an envelope.
    let error = error.or(message);
    reader.end()?;
    let content = content.filter(|content| content.kind() == Kind::Array);
    if content.is_none() && (error.is_some() || text(kind) == b"error") {
        take(Delta::Fault(fault(error)?));
        return Ok(());
    }
    take(Delta::Start(Start { begun: content.is_some(), ..start(id, model) }));
    if let Some(content) = content {
        each_item(&mut content.reader(), |index, reader| match reader.peek()? {
            Kind::Object => block(reader, index as u64, true, take),
            _ => reader.skip().map(drop),
        })?;
    }
    took(usage, &mut Counts::default(), take)?;
    stopped(stop, take);
    Ok(())
}

/// Says what the payload of an event says; `counts` are those of its stream.
///
/// # Errors
/// [`JsonError`] where it is no JSON object.
pub fn event<'a>(payload: &'a [u8], counts: &mut Counts, take: Take<'_, 'a>) -> Result<()> {
    let mut reader = Reader::new(payload);
    let names = ["type", "index", "delta", "content_block", "message", "usage", "error"];
    let [kind, index, delta, content_block, message, usage, error] = fields(&mut reader, &names)?.values;
    reader.end()?;
    let index = index.and_then(number).unwrap_or(0);
    let is_object = |value: &Raw| value.kind() == Kind::Object;
    let begun = Delta::Start(Start { begun: true, ..Start::default() });
    match text(kind) {
        b"message_start" => {
            if let Some(message) = message.filter(is_object) {
                let [id, model, usage] = fields(&mut message.reader(), &["id", "model", "usage"])?.values;
                // A provider that is overloaded may still say so.
                take(Delta::Start(start(id, model)));
                took(usage, counts, take)?;
            }
        }
        b"content_block_start" => {
            take(begun);
            if let Some(content_block) = content_block.filter(is_object) {
                block(&mut content_block.reader(), index, false, take)?;
            }
        }
        b"content_block_delta" => {
            take(begun);
            if let Some(delta) = delta.filter(is_object) {
                piece(delta, index, take)?;
            }
        }
        b"content_block_stop" => take(Delta::CallEnd { index }),
        b"message_delta" => {
            take(begun);
            took(usage, counts, take)?;
            if let Some(delta) = delta.filter(is_object) {
                let [stop] = fields(&mut delta.reader(), &["stop_reason"])?.values;
                stopped(stop, take);
            }
        }
        b"message_stop" => {
            take(begun);
            take(Delta::End);
        }
        b"error" => take(Delta::Fault(fault(error)?)),
        // As a proxy words its own.
        b"" if error.is_some() => take(Delta::Fault(fault(error)?)),
        _ => {}
    }
    Ok(())
}

/// The type of an event, as it stands in its payload.
pub fn event_type(payload: &[u8]) -> Option<Escaped<'_>> {
    let [kind] = fields(&mut Reader::new(payload), &["type"]).ok()?.values;
    kind.and_then(Raw::escaped)
}

fn start<'a>(id: Option<Raw<'a>>, model: Option<Raw<'a>>) -> Start<'a> {
    Start { id: text(id), model: text(model), ..Start::default() }
}

/// A block: all of it, or its start, in which all texts are mostly empty and come later.
fn block<'a>(reader: &mut Reader<'a>, index: u64, whole: bool, take: Take<'_, 'a>) -> Result<()> {
    let names = ["type", "text", "thinking", "signature", "data", "id", "name", "input"];
    let [kind, content, thinking, signature, data, id, name, input] = fields(reader, &names)?.values;
    match text(kind) {
        b"text" => said(text(content), take, |text| Delta::Text { text, logprobs: None }),
        b"thinking" => {
            said(text(thinking), take, Delta::Reasoning);
            said(text(signature), take, Delta::Signature);
        }
        b"redacted_thinking" => said(text(data), take, Delta::Redacted),
        b"tool_use" => {
            take(Delta::CallStart { index, id: text(id), name: text(name), custom: false });
            // The empty object at the start of a call only holds the place of what comes.
            if let Some(input) =
                input.filter(|input| input.kind() == Kind::Object && (whole || input.bytes().contains(&b'"')))
            {
                take(Delta::CallObject { index, input });
            }
            if whole {
                take(Delta::CallEnd { index });
            }
        }
        _ => {}
    }
    Ok(())
}

/// A piece of a block.
fn piece<'a>(delta: Raw<'a>, index: u64, take: Take<'_, 'a>) -> Result<()> {
    let names = ["type", "text", "thinking", "signature", "partial_json"];
    let [kind, content, thinking, signature, input] = fields(&mut delta.reader(), &names)?.values;
    match text(kind) {
        b"text_delta" => said(text(content), take, |text| Delta::Text { text, logprobs: None }),
        b"thinking_delta" => said(text(thinking), take, Delta::Reasoning),
        b"signature_delta" => said(text(signature), take, Delta::Signature),
        b"input_json_delta" => said(text(input), take, |input| Delta::CallInput { index, input }),
        _ => {}
    }
    Ok(())
}

/// Passes on a text that is not empty.
fn said<'a>(text: Escaped<'a>, take: Take<'_, 'a>, delta: impl FnOnce(Escaped<'a>) -> Delta<'a>) {
    if !text.is_empty() {
        take(delta(text));
    }
}

fn took(usage: Option<Raw>, counts: &mut Counts, take: Take) -> Result<()> {
    if let Some(usage) = usage.filter(|usage| usage.kind() == Kind::Object) {
        counts.set(usage)?;
        take(Delta::Usage(counts.usage()));
    }
    Ok(())
}

fn stopped(reason: Option<Raw>, take: Take) {
    match text(reason) {
        b"" => {}
        b"max_tokens" | b"model_context_window_exceeded" | b"compaction" => take(Delta::Finish(Finish::Length)),
        b"refusal" => take(Delta::Finish(Finish::Filter)),
        _ => take(Delta::Finish(Finish::Whole)),
    }
}

/// An error in the words of OpenAI's APIs.
fn fault(error: Option<Raw>) -> Result<Fault> {
    let Some(error) = error else { return Ok(Fault::default()) };
    if error.kind() != Kind::Object {
        return Ok(Fault { message: error.escaped(), ..Fault::default() });
    }
    let [kind, message] = fields(&mut error.reader(), &["type", "message"])?.values;
    let message = message.and_then(Raw::escaped);
    let too_long = || message.is_some_and(|text| contains(text, b"prompt is too long"));
    let (kind, code): (&[u8], Escaped) = match text(kind) {
        b"invalid_request_error" if too_long() => (b"invalid_request_error", b"context_length_exceeded"),
        b"not_found_error" => (b"invalid_request_error", b"model_not_found"),
        b"authentication_error" => (b"invalid_request_error", b"invalid_api_key"),
        b"rate_limit_error" => (b"requests", b"rate_limit_exceeded"),
        b"overloaded_error" => (b"server_error", b"server_overloaded"),
        kind @ (b"invalid_request_error" | b"permission_error" | b"billing_error" | b"request_too_large") => {
            (b"invalid_request_error", kind)
        }
        kind => (b"server_error", kind),
    };
    let code = Some(code).filter(|code| !code.is_empty());
    Ok(Fault { kind: Some(kind), code, message, ..Fault::default() })
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
}

/// A string's text, empty for anything else.
fn text(value: Option<Raw>) -> Escaped {
    value.and_then(Raw::escaped).unwrap_or_default()
}

fn number(value: Raw) -> Option<u64> {
    core::str::from_utf8(value.bytes()).ok()?.parse().ok()
}
