//! The body of a Chat Completions request.
//!
//! Owns what is read of it and which shapes are refused. Members and roles that it does not know pass: the API grows.

use super::content::Message;
use super::count::TokenCount;
use super::json::{Kind, Reader, Text};
use super::members::{MemberReader, Result, Typed, check_type, invalid, string_member};
use super::{Api, Request, Texts};

/// Tokens that the chat format adds to each message: role and delimiters.
pub(super) const TOKENS_PER_MESSAGE: u32 = 4;

/// Reads a whole request in one pass.
///
/// # Errors
/// [`ReadError`] when the body is no JSON object, names a top-level key twice (readers would disagree on its meaning),
/// has no messages, or a member that is read here has the wrong type.
pub fn read_chat(body: &[u8]) -> Result<Request<'_>> {
    let mut members = MemberReader::enter(body)?;
    let mut request = Request::new(Api::Chat, body);
    let mut count = TokenCount::default();
    while let Some(key) = members.next_key()? {
        read_member(&mut members, key, &mut request, &mut count)?;
    }
    request.members = members.end()?;
    request.input_tokens = count.total();
    if request.messages == 0 {
        return invalid("messages", "must be an array with at least one message");
    }
    Ok(request)
}

fn read_member<'a>(
    members: &mut MemberReader<'a>,
    key: Text,
    request: &mut Request<'a>,
    count: &mut TokenCount,
) -> Result<()> {
    let body = request.body;
    let name = key.value(body);
    let is_null = members.reader.peek()? == Kind::Null;
    match &*name {
        "messages" => members.value(key, |reader| read_messages(reader, request, count)),
        _ if is_null => members.skip(key).map(drop),
        "reasoning_effort" => {
            let text = members.string(key, "reasoning_effort")?;
            request.effort = Some(text.value(body));
            Ok(())
        }
        "model" | "stream" => members.common(key, &name, request),
        "stream_options" => {
            members.expect(Kind::Object, "stream_options", "must be an object")?;
            members.value(key, |reader| {
                request.include_usage = read_include_usage(reader)?;
                Ok(())
            })
        }
        "max_tokens" | "max_completion_tokens" => {
            let limit = members.token_limit(key, &name)?;
            request.max_output = Some(request.max_output.map_or(limit, |other| other.min(limit)));
            Ok(())
        }
        "tools" | "functions" => members.tools(key, &name, request, count),
        "response_format" => {
            members.expect(Kind::Object, "response_format", "must be an object")?;
            members.value(key, |reader| {
                request.needs.json_schema |=
                    string_member(reader, "type")?.is_some_and(|text| text.value(body) == "json_schema");
                Ok(())
            })
        }
        _ => {
            check_type(members, &name, &TYPES)?;
            members.skip(key).map(drop)
        }
    }
}

/// Types of this API's own parameters that are not read here.
const TYPES: [Typed; 8] = [
    ("presence_penalty", &[Kind::Number], "must be a number"),
    ("frequency_penalty", &[Kind::Number], "must be a number"),
    ("n", &[Kind::Number], "must be a number"),
    ("seed", &[Kind::Number], "must be a number"),
    ("logprobs", &[Kind::Bool], "must be true or false"),
    ("logit_bias", &[Kind::Object], "must be an object"),
    ("verbosity", &[Kind::String], "must be a string"),
    ("stop", &[Kind::String, Kind::Array], "must be a string or an array of strings"),
];

fn read_include_usage(reader: &mut Reader) -> Result<bool> {
    let (mut first, mut include_usage) = (true, false);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        if key.value(reader.bytes()) == "include_usage" && reader.peek()? == Kind::Bool {
            include_usage = reader.bool()?;
        } else {
            reader.skip()?;
        }
    }
    Ok(include_usage)
}

fn read_messages(reader: &mut Reader, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    if reader.peek()? != Kind::Array {
        return invalid("messages", "must be an array of messages");
    }
    reader.enter_array()?;
    let mut first = true;
    while reader.next_item(&mut first)? {
        let index = request.messages;
        if reader.peek()? != Kind::Object {
            return invalid(format!("messages[{index}]"), "must be an object");
        }
        count.add(TOKENS_PER_MESSAGE);
        read_message(reader, index, request, count)?;
        request.messages = index.saturating_add(1);
    }
    Ok(())
}

fn read_message(reader: &mut Reader, index: u32, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    let (mut first, mut seen, mut role) = (true, [false; 2], Text::default());
    let body = request.body;
    let before = count.total();
    let (place, needs) = (("messages", index), &mut request.needs);
    let mut message = Message { place, needs, count, body, texts: Texts::default(), bytes: 0, plain: true };
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.value(body);
        let known = ["role", "content"].iter().position(|known| *known == name);
        if let Some(seen) = known.and_then(|known| seen.get_mut(known))
            && core::mem::replace(seen, true)
        {
            return message.invalid(&name, "is there twice");
        }
        match &*name {
            "role" => match reader.peek()? {
                Kind::String => role = reader.string()?,
                _ => return message.invalid("role", "must be a string"),
            },
            "content" => message.content(reader, "content")?,
            "tool_calls" | "function_call" => message.count.text(reader.skip()?.of(body)),
            _ => drop(reader.skip()?),
        }
    }
    if !matches!(seen, [true, _]) {
        return message.invalid("role", "is missing");
    }
    let (texts, bytes) = (message.texts, message.bytes);
    request.conversation.add(role.span.of(body), texts, bytes, before);
    Ok(())
}
