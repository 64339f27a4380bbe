//! Writes a conversation as a Messages request.
//!
//! Owns its members; the turns are [`super::turns`]'. Never asks whether it can be expressed: [`super::fit`] has done so.

use super::turns;
use super::{fit, schema};
use crate::decide::Thinking;
use crate::request::json::{Kind, Reader, Span};
use crate::translate::ToMessages;
use crate::translate::conversation::{Call, Choice, Conversation, Format, Part, Piece, Role, Takes, Tool, ToolName};
use crate::translate::json::{Object, Raw, array, write_string};
use hashbrown::HashSet;

/// A prefix of fewer bytes of instructions and tools is not worth a mark: providers keep 1024 tokens at least.
pub const LONG_PREFIX: usize = 4 * 1024;
/// The mark for the prompt cache, the value of `cache_control`.
pub const CACHE_MARK: &str = r#"{"type":"ephemeral"}"#;

/// Writes a request. `strict`: tools may keep to their schema to the letter.
pub fn write(conversation: &Conversation, to: &ToMessages, strict: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::open(&mut out);
    if let Some(version) = to.version {
        write_string(body.key("anthropic_version"), version);
    }
    if let Some(model) = to.model {
        write_string(body.key("model"), model);
    }
    let settings = &conversation.settings;
    match settings.max_output {
        Some(limit) => body.json("max_tokens", limit.bytes()),
        None => body.number("max_tokens", to.max_tokens.into()),
    }
    let mark = to.cache_prefix && !has_marks(conversation) && prefix_length(conversation) >= LONG_PREFIX;
    let has_system = write_system(&mut body, conversation, mark);
    turns::write(body.key("messages"), conversation);
    write_tools(&mut body, conversation, strict, mark && !has_system);
    write_thinking(&mut body, conversation, to.thinking);
    if let Some(stop) = settings.stop {
        let stops = fit::stops(stop);
        if !stops.is_empty() {
            array(body.key("stop_sequences"), stops, |out, stop| out.extend_from_slice(stop.bytes()));
        }
    }
    // One above 1 is left out: 1 is what happens then.
    body.optional("temperature", settings.temperature.filter(|number| !fit::is_hot(*number)));
    body.optional("top_p", settings.top_p);
    if let Some(user) = fit::user(settings) {
        let mut metadata = body.object("metadata");
        metadata.json("user_id", user.bytes());
        metadata.close();
    }
    if settings.stream && to.stream {
        body.json("stream", b"true");
    }
    body.close();
    out
}

/// Whether the client has marked anything itself.
fn has_marks(conversation: &Conversation) -> bool {
    conversation.tools.iter().any(|tool| tool.cache_point.is_some())
        || conversation.pieces.iter().any(|piece| match piece {
            Piece::Message { parts, .. } => parts.iter().any(|part| part.cache_point().is_some()),
            Piece::CallResult { cache_point, .. } => cache_point.is_some(),
            _ => false,
        })
}

/// Bytes of instructions and tools, which stay the same from request to request.
fn prefix_length(conversation: &Conversation) -> usize {
    let schema = |tool: &Tool| match tool.takes {
        Takes::Arguments { schema, .. } => schema.map_or(0, |schema| schema.bytes().len()),
        _ => 0,
    };
    let tool = |tool: &Tool| schema(tool) + tool.description.map_or(0, |text| text.bytes().len());
    let system = system(conversation).flatten().filter_map(Part::text);
    system.map(<[u8]>::len).sum::<usize>() + conversation.tools.iter().map(tool).sum::<usize>()
}

fn system<'c, 'a>(conversation: &'c Conversation<'a>) -> impl Iterator<Item = &'c Vec<Part<'a>>> {
    conversation.pieces.iter().filter_map(|piece| match piece {
        Piece::Message { role: Role::System, parts } => Some(parts),
        _ => None,
    })
}

/// Writes the instructions, wherever they stood; whether there are any.
fn write_system(body: &mut Object, conversation: &Conversation, mark: bool) -> bool {
    let mut blocks: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
    for part in system(conversation).flatten() {
        match (part, blocks.last_mut()) {
            (Part::Text(text), _) if !turns::is_blank(text) => blocks.push((text, None)),
            (Part::CachePoint(point), Some(last)) => last.1 = Some(point.bytes()),
            _ => {}
        }
    }
    if let Some(last) = blocks.last_mut().filter(|_| mark) {
        last.1 = Some(CACHE_MARK.as_bytes());
    }
    if blocks.is_empty() {
        return false;
    }
    array(body.key("system"), blocks, |out, (text, mark)| {
        let mut block = Object::open(out);
        block.json("type", b"\"text\"");
        block.text("text", text);
        if let Some(mark) = mark {
            block.json("cache_control", mark);
        }
        block.close();
    });
    true
}

fn write_tools(body: &mut Object, conversation: &Conversation, strict: bool, mark: bool) {
    if conversation.tools.is_empty() {
        return write_forgotten_tools(body, conversation);
    }
    let allowed: Option<HashSet<&[u8]>> = match &conversation.choice {
        Some(Choice::Allowed { tools, .. }) => Some(tools.iter().map(|name| name.name.bytes()).collect()),
        _ => None,
    };
    let is_allowed = |tool: &&Tool| allowed.as_ref().is_none_or(|names| names.contains(tool.name.bytes()));
    let mut tools: Vec<&Tool> = conversation.tools.iter().filter(is_allowed).collect();
    let none_allowed = tools.is_empty();
    if none_allowed {
        // There must be some where there is a choice, be it to call none.
        tools = conversation.tools.iter().collect();
    }
    let last = tools.len().saturating_sub(1);
    array(body.key("tools"), tools.iter().enumerate(), |out, (index, tool)| {
        let point = tool.cache_point.map(Raw::bytes).or((mark && index == last).then_some(CACHE_MARK.as_bytes()));
        write_tool(out, tool, strict, point);
    });
    match none_allowed {
        true => body.json("tool_choice", br#"{"type":"none"}"#),
        false => write_choice(body, conversation),
    }
}

/// A conversation with calls must declare tools. Where the client declares none any more, none may be called.
fn write_forgotten_tools(body: &mut Object, conversation: &Conversation) {
    let mut known = HashSet::new();
    let called = |piece| match piece {
        &Piece::Call(Call { name, .. }) => Some(name),
        _ => None,
    };
    let names: Vec<&[u8]> = conversation.pieces.iter().filter_map(called).filter(|name| known.insert(*name)).collect();
    if names.is_empty() {
        return;
    }
    array(body.key("tools"), names, |out, name| {
        let mut tool = Object::open(out);
        tool.text("name", name);
        tool.json("input_schema", NO_ARGUMENTS);
        tool.close();
    });
    body.json("tool_choice", br#"{"type":"none"}"#);
}

const NO_ARGUMENTS: &[u8] = br#"{"type":"object","properties":{}}"#;
/// The same for a strict tool.
const CLOSED: &[u8] = br#"{"type":"object","properties":{},"additionalProperties":false}"#;

fn write_tool(out: &mut Vec<u8>, tool: &Tool, may_be_strict: bool, cache_point: Option<&[u8]>) {
    let Takes::Arguments { schema, strict } = tool.takes else { return };
    let strict = may_be_strict && strict.is_some_and(Raw::is_true);
    let mut object = Object::open(out);
    object.json("name", tool.name.bytes());
    object.optional("description", tool.description);
    write_input_schema(object.key("input_schema"), schema, strict);
    if strict {
        object.json("strict", b"true");
    }
    if let Some(mark) = cache_point {
        object.json("cache_control", mark);
    }
    object.close();
}

fn write_input_schema(out: &mut Vec<u8>, schema: Option<Raw>, strict: bool) {
    let Some(schema) = schema else { return out.extend_from_slice(if strict { CLOSED } else { NO_ARGUMENTS }) };
    let mut fitted = Vec::new();
    // It has been read before, so it is JSON.
    let is_fitted = strict && schema::write(schema, &mut fitted).is_ok();
    let written = if is_fitted { &fitted } else { schema.bytes() };
    let inside = written.strip_prefix(b"{").unwrap_or_default();
    match (inside.trim_ascii_start(), type_in(written)) {
        (b"}", _) if strict => out.extend_from_slice(CLOSED),
        (b"}", _) => out.extend_from_slice(NO_ARGUMENTS),
        // Of several types no other than this is taken, nor could arguments be any other.
        (_, Some(kind)) => {
            out.extend_from_slice(written.get(..kind.start).unwrap_or_default());
            out.extend_from_slice(b"\"object\"");
            out.extend_from_slice(written.get(kind.end..).unwrap_or_default());
        }
        (_, None) => {
            out.extend_from_slice(br#"{"type":"object","#);
            out.extend_from_slice(inside);
        }
    }
}

/// Where the value of `type` stands in a schema.
fn type_in(schema: &[u8]) -> Option<Span> {
    let (mut reader, mut first) = (Reader::new(schema), true);
    reader.enter_object().ok()?;
    while let Ok(Some(key)) = reader.next_key(&mut first) {
        let value = reader.skip().ok()?;
        if key.span.of(schema) == b"type" {
            return Some(value);
        }
    }
    None
}

fn write_choice(body: &mut Object, conversation: &Conversation) {
    let alone = conversation.settings.parallel_tool_calls.is_some_and(|flag| flag.bytes() == b"false");
    let (kind, name): (&[u8], Option<&ToolName>) = match &conversation.choice {
        Some(Choice::Never) => return body.json("tool_choice", br#"{"type":"none"}"#),
        None | Some(Choice::Auto | Choice::Allowed { required: false, .. }) => (b"auto", None),
        Some(Choice::Required | Choice::Allowed { required: true, .. }) => (b"any", None),
        Some(Choice::Tool(name)) => (b"tool", Some(name)),
    };
    if conversation.choice.is_none() && !alone {
        return;
    }
    let mut choice = body.object("tool_choice");
    choice.text("type", kind);
    if let Some(name) = name {
        choice.json("name", name.name.bytes());
    }
    if alone {
        choice.json("disable_parallel_tool_use", b"true");
    }
    choice.close();
}

/// The value of `thinking`. An effort stands elsewhere, and has a default.
pub fn thinking(thinking: Thinking) -> String {
    match thinking {
        Thinking::Adaptive(_) => r#"{"type":"adaptive"}"#.into(),
        Thinking::Budget(tokens) => format!(r#"{{"type":"enabled","budget_tokens":{tokens}}}"#),
    }
}

fn write_thinking(body: &mut Object, conversation: &Conversation, thinking: Option<Thinking>) {
    if let Some(thinking) = thinking {
        body.json("thinking", self::thinking(thinking).as_bytes());
    }
    let effort = match thinking {
        Some(Thinking::Adaptive(effort)) => Some(effort),
        _ => None,
    };
    let schema = match &conversation.format {
        Some(Format::Schema { schema, .. }) => schema.filter(|schema| schema.kind() == Kind::Object),
        _ => None,
    };
    if effort.is_none() && schema.is_none() {
        return;
    }
    let mut config = body.object("output_config");
    if let Some(effort) = effort {
        config.text("effort", effort.name().as_bytes());
    }
    if let Some(schema) = schema {
        let mut format = config.object("format");
        format.json("type", b"\"json_schema\"");
        let out = format.key("schema");
        let at = out.len();
        if schema::write(schema, out).is_err() {
            out.truncate(at);
            out.extend_from_slice(schema.bytes());
        }
        format.close();
    }
    config.close();
}
