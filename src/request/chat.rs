//! The body of a Chat Completions request.
//!
//! Owns what is read of it and which shapes are refused. Members and roles that it does not know pass: the API grows.

use super::content::{Message, each_message, some_messages};
use super::count::TokenCount;
use super::json::{Kind, Reader, Text, holds};
use super::members::{MemberReader, Result, Typed, read_request, string_member};
use super::{Api, Corners, Request};

/// Reads a whole request in one pass.
///
/// # Errors
/// [`ReadError`] when the body is no JSON object, names a top-level key twice (readers would disagree on its meaning),
/// has no messages, or a member that is read here has the wrong type.
pub fn read_chat(body: &[u8]) -> Result<Request<'_>> {
    some_messages(read_request(Api::Chat, body, read_member)?)
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
        "messages" => members.value(key, |reader| each_message(reader, request, count, read_message)),
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
        "tools" | "functions" => {
            members.tools(key, &name, request, count)?;
            let tools = members.last().map_or(b"".as_slice(), |tools| tools.of(body));
            request.corners.cache_marks |= holds(tools, "\"cache_control\"");
            request.corners.strict_tools |= holds(tools, "\"strict\"");
            Ok(())
        }
        "tool_choice" => members.tool_choice(key, request),
        "modalities" if members.reader.peek()? == Kind::Array => members.value(key, |reader| {
            request.needs.audio |= has_audio(reader)?;
            Ok(())
        }),
        "response_format" => {
            members.expect(Kind::Object, "response_format", "must be an object")?;
            members.value(key, |reader| {
                let format = string_member(reader, "type")?.map(|text| text.value(body));
                request.needs.json_schema |= format.as_deref() == Some("json_schema");
                request.needs.json_object |= format.as_deref() == Some("json_object");
                Ok(())
            })
        }
        _ => members.other(key, &name, &TYPES),
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

/// `modalities`: whether the answer is to be spoken.
fn has_audio(reader: &mut Reader) -> Result<bool> {
    let (mut first, mut found) = (true, false);
    reader.enter_array()?;
    while reader.next_item(&mut first)? {
        match reader.peek()? {
            Kind::String => found |= reader.string()?.value(reader.bytes()) == "audio",
            _ => drop(reader.skip()?),
        }
    }
    Ok(found)
}

fn read_message(reader: &mut Reader, index: u32, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    let (mut first, mut seen, mut role, mut plain) = (true, [false; 2], Text::default(), true);
    let body = request.body;
    let before = count.total();
    let (mut named, mut calls, mut reasons) = (false, false, false);
    let mut message = Message::new(("messages", index), body, &mut request.needs, count);
    let corners = &mut request.corners;
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.value(body);
        plain &= matches!(&*name, "role" | "content") && !key.escaped;
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
            "content" => {
                plain &= reader.peek()? == Kind::String;
                message.content(reader, "content")?;
            }
            "tool_calls" | "function_call" => {
                let list = reader.skip()?.of(body);
                calls |= name == "tool_calls" && list.contains(&b'{');
                message.count.text(list);
            }
            // A null says as much as no member.
            "name" | "reasoning_content" | "thinking_blocks" | "cache_control" => {
                let kind = reader.peek()?;
                let length = reader.skip()?.len();
                let there = kind != Kind::Null;
                match &*name {
                    "name" => named = there,
                    "thinking_blocks" => corners.thinking_blocks |= there,
                    "cache_control" => corners.cache_marks |= there,
                    _ => {
                        corners.reasoning |= there;
                        // Two of its bytes are the quotes.
                        reasons = kind == Kind::String && length > 2;
                    }
                }
            }
            _ => drop(reader.skip()?),
        }
    }
    plain &= seen == [true; 2];
    if !matches!(seen, [true, _]) {
        return message.invalid("role", "is missing");
    }
    let role = role.span.of(body);
    let Message { texts, bytes, marked, .. } = message;
    *corners = Corners {
        names: corners.names || (named && !matches!(role, b"tool" | b"function")),
        developer: corners.developer || role == b"developer",
        cache_marks: corners.cache_marks || marked,
        silent_calls: corners.silent_calls || (calls && !reasons && role == b"assistant"),
        ..*corners
    };
    request.plain_input &= plain && matches!(role, b"system" | b"developer" | b"user" | b"assistant");
    request.needs.prefill = role == b"assistant";
    request.conversation.add(role, texts, bytes, before);
    Ok(())
}
