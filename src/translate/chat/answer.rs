//! Reads a Chat Completions answer, whole or one event of a stream, as deltas.
//!
//! Providers differ in what they leave out or send empty, so nothing here is required. Only the choice of index 0 is
//! read. Never allocates.

use crate::decide::cost;
use crate::request::json::{JsonError, Kind, Reader};
use crate::translate::delta::{Delta, Fault, Finish, Start, Usage};
use crate::translate::json::{Escaped, Raw, each_item, fields};

type Result<T> = core::result::Result<T, JsonError>;
/// Takes the deltas in order.
type Take<'t, 'a> = &'t mut dyn FnMut(Delta<'a>);

/// Says what the payload of an event, or a whole answer, says.
///
/// # Errors
/// [`JsonError`] where it is no JSON object.
pub fn read<'a>(payload: &'a [u8], take: Take<'_, 'a>) -> Result<()> {
    let mut reader = Reader::new(payload);
    let [id, model, created, service_tier, choices, usage, error] =
        fields(&mut reader, &["id", "model", "created", "service_tier", "choices", "usage", "error"])?.values;
    reader.end()?;
    let choices = choices.filter(|choices| choices.kind() == Kind::Array);
    let has_choices = choices.is_some_and(|list| list.bytes().iter().any(|byte| !b"[] \n\r\t".contains(byte)));
    if let Some(error) = error.filter(|error| matches!(error.kind(), Kind::Object | Kind::String))
        && !has_choices
    {
        take(Delta::Fault(fault(error)?));
        return Ok(());
    }
    let id = text(id);
    take(Delta::Start(Start {
        id,
        model: text(model),
        created: created.filter(|created| created.kind() == Kind::Number),
        service_tier: text(service_tier),
        begun: has_choices || usage.is_some_and(|usage| usage.kind() == Kind::Object),
    }));
    if let Some(choices) = choices {
        each_item(&mut choices.reader(), |_, reader| match reader.peek()? {
            Kind::Object => choice(reader, take),
            _ => reader.skip().map(drop),
        })?;
    }
    if let Some(usage) = usage.filter(|usage| usage.kind() == Kind::Object) {
        take(Delta::Usage(read_usage(usage)?));
    }
    Ok(())
}

fn choice<'a>(reader: &mut Reader<'a>, take: Take<'_, 'a>) -> Result<()> {
    let [index, delta, message, finish, logprobs] =
        fields(reader, &["index", "delta", "message", "finish_reason", "logprobs"])?.values;
    if index.is_some_and(|index| index.bytes() != b"0") {
        return Ok(());
    }
    let logprobs = match logprobs.filter(|logprobs| logprobs.kind() == Kind::Object) {
        Some(logprobs) => {
            let [content] = fields(&mut logprobs.reader(), &["content"])?.values;
            content.filter(|list| list.kind() == Kind::Array && list.bytes().contains(&b'{'))
        }
        None => None,
    };
    if let Some(message) = delta.or(message).filter(|message| message.kind() == Kind::Object) {
        read_message(message, logprobs, take)?;
    }
    match text(finish) {
        b"" => {}
        b"length" => take(Delta::Finish(Finish::Length)),
        b"content_filter" => take(Delta::Finish(Finish::Filter)),
        _ => take(Delta::Finish(Finish::Whole)),
    }
    Ok(())
}

fn read_message<'a>(message: Raw<'a>, logprobs: Option<Raw<'a>>, take: Take<'_, 'a>) -> Result<()> {
    let names = ["reasoning_content", "reasoning", "content", "refusal", "tool_calls"];
    let [reasoning_content, reasoning, content, refusal, calls] = fields(&mut message.reader(), &names)?.values;
    // Some providers send the same under both names.
    match (text(reasoning_content), text(reasoning)) {
        (b"", b"") => {}
        (b"", reasoning) | (reasoning, _) => take(Delta::Reasoning(reasoning)),
    }
    let content = text(content);
    // A token may be but a part of a character: then it has a probability and no text.
    if !content.is_empty() || logprobs.is_some() {
        take(Delta::Text { text: content, logprobs });
    }
    match text(refusal) {
        b"" => {}
        refusal => take(Delta::Refusal(refusal)),
    }
    match calls.filter(|calls| calls.kind() == Kind::Array) {
        Some(calls) => each_item(&mut calls.reader(), |place, reader| match reader.peek()? {
            Kind::Object => call(reader, place, take),
            _ => reader.skip().map(drop),
        }),
        None => Ok(()),
    }
}

fn call<'a>(reader: &mut Reader<'a>, place: usize, take: Take<'_, 'a>) -> Result<()> {
    let [index, id, function, custom] = fields(reader, &["index", "id", "function", "custom"])?.values;
    // Whole answers, and some providers' streams, have no index.
    let index = index.and_then(number).unwrap_or(place as u64);
    let is_object = |value: &Raw| value.kind() == Kind::Object;
    let (custom, inner) = match (function.filter(is_object), custom.filter(is_object)) {
        (None, Some(custom)) => (true, Some(custom)),
        (function, _) => (false, function),
    };
    let [name, arguments, input] = match inner {
        Some(inner) => fields(&mut inner.reader(), &["name", "arguments", "input"])?.values,
        None => [None; 3],
    };
    take(Delta::CallStart { index, id: text(id), name: text(name), custom });
    match text(if custom { input } else { arguments }) {
        b"" => {}
        input => take(Delta::CallInput { index, input }),
    }
    Ok(())
}

fn fault<'a>(error: Raw<'a>) -> Result<Fault<'a>> {
    if let Some(message) = error.escaped() {
        return Ok(Fault { message: Some(message), as_sent: Some(error), ..Fault::default() });
    }
    let [code, kind, message, param] = fields(&mut error.reader(), &["code", "type", "message", "param"])?.values;
    let said = |value: Option<Raw<'_>>| value.and_then(Raw::escaped).is_some_and(|text| !text.is_empty());
    let number = code.filter(|code| code.kind() == Kind::Number).map(Raw::bytes);
    let code = [code, kind].into_iter().find(|value| said(*value)).flatten().and_then(Raw::escaped);
    let text = |value: Option<Raw<'a>>| value.and_then(Raw::escaped);
    let code = number.or(code);
    Ok(Fault { kind: text(kind), code, message: text(message), param: text(param), as_sent: Some(error) })
}

/// Absent counts are 0.
fn read_usage(usage: Raw) -> Result<Usage> {
    let names =
        ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"];
    let [input, output, total, input_details, output_details] = fields(&mut usage.reader(), &names)?.values;
    let count = |value: Option<Raw>| value.and_then(number);
    let details = |value: Option<Raw<'_>>, names: &[&str; 2]| match value {
        Some(value) if value.kind() == Kind::Object => {
            fields(&mut value.reader(), names).map(|found| found.values.map(|value| count(value).unwrap_or(0)))
        }
        _ => Ok([0; 2]),
    };
    let [cached_input, cache_write] = details(input_details, &["cached_tokens", "cache_write_tokens"])?;
    let [reasoning, _] = details(output_details, &["reasoning_tokens", ""])?;
    let (input, output) = (count(input).unwrap_or(0), count(output).unwrap_or(0));
    let counts = cost::Usage { input, cached_input, cache_write, output, reasoning, ..cost::Usage::default() };
    Ok(Usage { counts, total: count(total).unwrap_or(input.saturating_add(output)) })
}

/// A string's text, empty for anything else.
fn text(value: Option<Raw>) -> Escaped {
    value.and_then(Raw::escaped).unwrap_or_default()
}

fn number(value: Raw) -> Option<u64> {
    core::str::from_utf8(value.bytes()).ok()?.parse().ok()
}
