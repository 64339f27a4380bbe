//! The `usage` object of any API.
//!
//! Owns its names: Chat and Embeddings count `prompt` and `completion`, Responses count `input` and `output`. Never
//! guesses a count; what is absent is 0.

use crate::decide::cost::Usage;
use crate::request::json::{JsonError, Kind, Reader};

/// Reads a `usage` object; `None` where it is none.
pub(super) fn read_usage(object: &[u8]) -> Option<Usage> {
    let mut usage = Usage::default();
    let read = each_member(&mut Reader::new(object), &mut |name, reader| match name {
        b"prompt_tokens" | b"input_tokens" => count(reader, &mut usage.input),
        b"completion_tokens" | b"output_tokens" => count(reader, &mut usage.output),
        b"prompt_tokens_details"
        | b"input_tokens_details"
        | b"completion_tokens_details"
        | b"output_tokens_details"
            if reader.peek()? == Kind::Object =>
        {
            each_member(reader, &mut |name, reader| match name {
                b"cached_tokens" => count(reader, &mut usage.cached_input),
                b"cache_write_tokens" => count(reader, &mut usage.cache_write),
                b"reasoning_tokens" => count(reader, &mut usage.reasoning),
                _ => reader.skip().map(drop),
            })
        }
        _ => reader.skip().map(drop),
    });
    read.ok().map(|()| usage)
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
