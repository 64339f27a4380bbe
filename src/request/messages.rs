//! The body of a Messages request, Anthropic's API.
//!
//! Owns what is read of it and which shapes are refused, so that a conversation reads alike whether it comes in this
//! API or as Chat Completions. Members, roles and blocks that it does not know pass: the API grows.

use super::content::{Message, TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE, each_message, some_messages};
use super::count::TokenCount;
use super::json::{Kind, Reader, Span, Text};
use super::members::{MemberReader, Result, Typed, invalid, read_request, string_member};
use super::{Api, Conversation, Request, Texts};

/// Reads a whole request in one pass.
///
/// # Errors
/// [`super::ReadError`] when the body is no JSON object, names a top-level key twice (readers would disagree on its
/// meaning), has no messages, or a member that is read here has the wrong type.
pub fn read_messages(body: &[u8]) -> Result<Request<'_>> {
    some_messages(read_request(Api::Messages, body, read_member)?)
}

/// The header that asks for features in beta; a request may have several.
pub const BETAS: &str = "anthropic-beta";

/// Whether this can be the name of a feature in beta: such names stand in a header, with commas between them.
pub fn is_beta(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// The features in beta that are asked for, in the order of the header and then of the body, where clouds have them.
pub fn betas(request: &Request, header: Option<&str>) -> Vec<String> {
    let member = request.members.get(request.body, "anthropic_beta").map(|member| member.value.of(request.body));
    let in_body: Vec<String> = member.and_then(|list| serde_json::from_slice(list).ok()).unwrap_or_default();
    let mut all: Vec<String> = Vec::new();
    for name in header.unwrap_or_default().split(',').chain(in_body.iter().map(String::as_str)).map(str::trim) {
        if is_beta(name) && !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
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
        "model" | "stream" => members.common(key, &name, request),
        "max_tokens" => {
            request.max_output = Some(members.token_limit(key, &name)?);
            Ok(())
        }
        "system" => members.value(key, |reader| read_system(reader, request, count)),
        "tools" => members.tools(key, &name, request, count),
        "tool_choice" => {
            members.expect(Kind::Object, &name, "must be an object")?;
            members.tool_choice(key, request)
        }
        "thinking" => members.inner(key, &name, "type", |kind| request.thinking = Some(kind.value(body))),
        "output_config" => {
            members.expect(Kind::Object, &name, "must be an object")?;
            members.value(key, |reader| read_output(reader, request))
        }
        // The name that `output_config.format` had at first.
        "output_format" => members.inner(key, &name, "type", |kind| {
            request.needs.json_schema |= kind.value(body) == "json_schema";
        }),
        "stop_sequences" => members.value(key, |reader| check_strings(reader, &name)),
        _ => members.other(key, &name, &TYPES),
    }
}

/// Types of this API's own parameters that are not read here.
const TYPES: [Typed; 3] = [
    ("top_k", &[Kind::Number], "must be a number"),
    ("mcp_servers", &[Kind::Array], "must be an array"),
    ("context_management", &[Kind::Object], "must be an object"),
];

fn check_strings(reader: &mut Reader, name: &str) -> Result<()> {
    const RULE: &str = "must be an array of strings";
    if reader.peek()? != Kind::Array {
        return invalid(name, RULE);
    }
    let mut first = true;
    reader.enter_array()?;
    while reader.next_item(&mut first)? {
        if reader.peek()? != Kind::String {
            return invalid(name, RULE);
        }
        reader.skip()?;
    }
    Ok(())
}

/// `output_config`: the effort, and whether the format is a JSON schema.
fn read_output<'a>(reader: &mut Reader<'a>, request: &mut Request<'a>) -> Result<()> {
    let (mut first, body) = (true, request.body);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("effort", Kind::String) => request.effort = Some(reader.string()?.value(body)),
            ("format", Kind::Object) => {
                let kind = string_member(reader, "type")?;
                request.needs.json_schema |= kind.is_some_and(|kind| kind.value(body) == "json_schema");
            }
            ("effort" | "format", Kind::Null) => drop(reader.skip()?),
            ("effort", _) => return invalid("output_config.effort", "must be a string"),
            ("format", _) => return invalid("output_config.format", "must be an object"),
            _ => drop(reader.skip()?),
        }
    }
    Ok(())
}

/// What a coding agent's first system block begins with, which says nothing to a model.
const BILLING: &[u8] = b"x-anthropic-billing-header:";

/// `system`: a message before all others, wherever the member stands.
fn read_system(reader: &mut Reader, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    const RULE: &str = "must be a string or an array of text blocks";
    let (body, mut texts, mut bytes, before) = (request.body, Texts::default(), 0, count.total());
    let mut add = |text: Text, count: &mut TokenCount| {
        let said = text.span.of(body);
        count.text(said);
        // Other in every request: no conversation would be known by it.
        if !said.starts_with(BILLING) {
            bytes += text.span.len();
            texts.add(text);
        }
    };
    count.add(TOKENS_PER_MESSAGE);
    match reader.peek()? {
        Kind::String => add(reader.string()?, count),
        Kind::Array => {
            let mut first = true;
            reader.enter_array()?;
            while reader.next_item(&mut first)? {
                if reader.peek()? != Kind::Object {
                    return invalid("system", RULE);
                }
                if let Some(text) = string_member(reader, "text")? {
                    add(text, count);
                }
            }
        }
        _ => return invalid("system", RULE),
    }
    let conversation = &mut request.conversation;
    conversation.system = Texts::default();
    conversation.add(b"system", texts, bytes, 0);
    // Clients write it behind the messages as often as not.
    if conversation.answered {
        let tokens = count.total().saturating_sub(before);
        conversation.earlier_tokens = conversation.earlier_tokens.saturating_add(tokens);
    }
    Ok(())
}

fn read_message(reader: &mut Reader, index: u32, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    let (mut first, mut role, mut has_content, mut blocks) = (true, None, false, Blocks::default());
    let body = request.body;
    let before = count.total();
    let mut message = Message::new(("messages", index), body, &mut request.needs, count);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("role", _) if role.is_some() => return message.invalid("role", "is there twice"),
            ("role", Kind::String) => role = Some(reader.string()?),
            ("role", _) => return message.invalid("role", "must be a string"),
            ("content", _) if has_content => return message.invalid("content", "is there twice"),
            ("content", kind) => {
                has_content = true;
                read_content(reader, kind, &mut message, &mut request.conversation, &mut blocks)?;
            }
            _ => drop(reader.skip()?),
        }
    }
    let Some(role) = role else { return message.invalid("role", "is missing") };
    if !has_content {
        return message.invalid("content", "is missing");
    }
    let (role, texts, bytes) = (role.span.of(body), message.texts, message.bytes);
    request.needs.prefill = role == b"assistant";
    // What is asked behind results is in their turn.
    let unsigned = &mut request.corners.unsigned_calls;
    *unsigned = match role {
        b"assistant" if blocks.calls => !blocks.thought,
        b"assistant" => false,
        _ => *unsigned && blocks.results,
    };
    request.conversation.add(role, texts, bytes, before);
    Ok(())
}

/// Which blocks a message has.
#[derive(Default)]
struct Blocks {
    calls: bool,
    thought: bool,
    results: bool,
}

fn read_content(
    reader: &mut Reader,
    kind: Kind,
    message: &mut Message,
    conversation: &mut Conversation,
    blocks: &mut Blocks,
) -> Result<()> {
    match kind {
        Kind::String => {
            let text = reader.string()?;
            message.text(text);
        }
        Kind::Array => {
            let mut first = true;
            reader.enter_array()?;
            while reader.next_item(&mut first)? {
                if reader.peek()? != Kind::Object {
                    return message.invalid("content", "must hold objects");
                }
                read_block(reader, message, conversation, blocks)?;
            }
        }
        _ => return message.invalid("content", "must be a string or an array of blocks"),
    }
    Ok(())
}

/// A block of a message. What its members are is known only when all are read: `type` may come last.
fn read_block(
    reader: &mut Reader,
    message: &mut Message,
    conversation: &mut Conversation,
    blocks: &mut Blocks,
) -> Result<()> {
    let (mut first, mut kind, mut text, mut bytes) = (true, None, None, 0);
    let (body, start) = (message.body, reader.offset());
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("type", _) if kind.is_some() => {
                return message.invalid("content", "has a block that names its type twice");
            }
            ("type", Kind::String) => kind = Some(reader.string()?),
            ("type", _) => return message.invalid("content", "must hold blocks whose type is a string"),
            ("text", Kind::String) => text = Some(reader.string()?),
            ("content", kind) => bytes = read_result(reader, kind, message)?,
            ("source", Kind::Object) => read_source(reader, message)?,
            _ => drop(reader.skip()?),
        }
    }
    let Some(kind) = kind else { return message.invalid("content", "must hold blocks with a type") };
    match kind.span.of(body) {
        b"tool_use" => blocks.calls = true,
        b"thinking" | b"redacted_thinking" => blocks.thought = true,
        b"tool_result" => blocks.results = true,
        _ => {}
    }
    match (kind.span.of(body), text) {
        (b"text", Some(text)) => message.text(text),
        (b"tool_use" | b"server_tool_use" | b"mcp_tool_use", _) => {
            message.count.text(Span { start, end: reader.offset() }.of(body));
        }
        // A message of its own in other APIs.
        (b"tool_result", _) => {
            message.count.add(TOKENS_PER_MESSAGE);
            conversation.add(b"tool", Texts::default(), bytes, 0);
        }
        // What a model thought stands for no text.
        (kind, _) => note_medium(kind, message),
    }
    Ok(())
}

fn note_medium(kind: &[u8], message: &mut Message) {
    match kind {
        b"image" => {
            message.needs.images = true;
            message.count.add(TOKENS_PER_IMAGE);
        }
        b"document" => message.needs.files = true,
        _ => {}
    }
}

/// The `content` of a block: what a tool returned, or what a search found. Gives the bytes of its texts.
fn read_result(reader: &mut Reader, kind: Kind, message: &mut Message) -> Result<usize> {
    let (mut first, mut bytes) = (true, 0);
    match kind {
        Kind::Array => reader.enter_array()?,
        Kind::String => {
            let text = reader.string()?.span;
            message.count.text(text.of(message.body));
            return Ok(text.len());
        }
        _ => {
            message.count.text(reader.skip()?.of(message.body));
            return Ok(0);
        }
    }
    while reader.next_item(&mut first)? {
        match reader.peek()? {
            Kind::Object => bytes += read_part(reader, message)?,
            _ => drop(reader.skip()?),
        }
    }
    Ok(bytes)
}

/// A part of what a tool returned. Gives the bytes of its text.
fn read_part(reader: &mut Reader, message: &mut Message) -> Result<usize> {
    let (mut first, mut bytes, body) = (true, 0, message.body);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("type", Kind::String) => {
                let kind = reader.string()?;
                note_medium(kind.span.of(body), message);
            }
            ("text", Kind::String) => {
                let text = reader.string()?.span;
                message.count.text(text.of(body));
                bytes += text.len();
            }
            ("source", Kind::Object) => read_source(reader, message)?,
            ("content", _) => message.count.text(reader.skip()?.of(body)),
            _ => drop(reader.skip()?),
        }
    }
    Ok(bytes)
}

/// Where an image or a document comes from. A document may be text, which counts; encoded bytes do not.
fn read_source(reader: &mut Reader, message: &mut Message) -> Result<()> {
    let (mut first, mut is_text, mut data, body) = (true, false, None, message.body);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("type", Kind::String) => {
                let kind = reader.string()?.value(body);
                is_text = kind == "text";
                message.needs.urls |= kind == "url";
            }
            ("data", Kind::String) => data = Some(reader.skip()?),
            ("content", _) => message.count.text(reader.skip()?.of(body)),
            _ => drop(reader.skip()?),
        }
    }
    if let Some(data) = data.filter(|_| is_text) {
        message.count.text(data.of(body));
    }
    Ok(())
}
