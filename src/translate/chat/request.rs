//! Writes a conversation as a Chat Completions request.

use crate::catalog::DISABLED;
use crate::translate::ToChat;
use crate::translate::conversation::{
    Call, Choice, Conversation, Format, Part, Piece, Role, Settings, Takes, Tool, ToolName,
};
use crate::translate::json::{Escaped, Object, array, quote, write_string};

/// Writes a request. `ask_usage`: a stream is to end with its usage.
pub fn write(conversation: &Conversation, to: &ToChat, ask_usage: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::open(&mut out);
    write_string(body.key("model"), to.model);
    write_messages(body.key("messages"), &conversation.pieces, to.reasoning);
    // Without tools, what is said of their use is refused.
    if !conversation.tools.is_empty() {
        array(body.key("tools"), &conversation.tools, write_tool);
        if let Some(choice) = &conversation.choice {
            write_choice(body.key("tool_choice"), choice);
        }
        body.optional("parallel_tool_calls", conversation.settings.parallel_tool_calls);
    }
    if let Some(format) = &conversation.format {
        write_format(body.key("response_format"), format);
    }
    write_settings(&mut body, &conversation.settings, to);
    if conversation.settings.stream {
        body.json("stream", b"true");
        if ask_usage {
            body.json("stream_options", br#"{"include_usage":true}"#);
        }
    }
    body.close();
    out
}

fn write_settings(body: &mut Object, settings: &Settings, to: &ToChat) {
    body.optional(to.limit, settings.max_output);
    match to.effort.filter(|_| settings.effort.is_some()) {
        None => body.optional("reasoning_effort", settings.effort),
        Some(DISABLED) => body.json("thinking", br#"{"type":"disabled"}"#),
        Some(effort) => write_string(body.key("reasoning_effort"), effort),
    }
    body.optional("verbosity", settings.verbosity);
    body.optional("temperature", settings.temperature);
    body.optional("top_p", settings.top_p);
    if settings.logprobs {
        body.json("logprobs", b"true");
        body.optional("top_logprobs", settings.top_logprobs);
    }
    body.optional("user", settings.user);
    body.optional("safety_identifier", settings.safety_identifier);
    body.optional("service_tier", settings.service_tier);
    body.optional("prompt_cache_key", settings.prompt_cache_key);
    body.optional("prompt_cache_retention", settings.prompt_cache_retention);
}

/// What becomes one message of the model.
#[derive(Default)]
struct Turn<'p, 'a> {
    thought: Vec<Escaped<'a>>,
    said: Vec<&'p [Part<'a>]>,
    calls: Vec<&'p Call<'a>>,
}

fn write_messages(out: &mut Vec<u8>, pieces: &[Piece], reasoning: Option<&str>) {
    let mut turn = Turn::default();
    // Belongs to what is said or called next.
    let mut thought = Vec::new();
    let mut first = true;
    out.push(b'[');
    for piece in pieces {
        match piece {
            // Something said between calls and their results belongs to the calls: results must follow at once.
            Piece::Message { role: Role::Assistant, parts } => {
                if turn.calls.is_empty() {
                    turn.end(out, &mut first, reasoning);
                }
                turn.thought.append(&mut thought);
                turn.said.push(parts);
            }
            Piece::Call(call) => {
                turn.thought.append(&mut thought);
                turn.calls.push(call);
            }
            Piece::Reasoning { texts, .. } => thought.extend_from_slice(texts),
            // Nobody but its maker could read it.
            Piece::Redacted(_) => {}
            Piece::Message { role, parts } => {
                thought.clear();
                turn.end(out, &mut first, reasoning);
                let mut message = Object::open(next(out, &mut first));
                message.json("role", if *role == Role::User { b"\"user\"" } else { b"\"system\"" });
                write_content(message.key("content"), parts);
                message.close();
            }
            Piece::CallResult { id, texts, .. } => {
                thought.clear();
                turn.end(out, &mut first, reasoning);
                let mut message = Object::open(next(out, &mut first));
                message.json("role", b"\"tool\"");
                message.text("tool_call_id", id);
                quote(message.key("content"), texts.iter().copied());
                message.close();
            }
        }
    }
    turn.end(out, &mut first, reasoning);
    out.push(b']');
}

fn next<'o>(out: &'o mut Vec<u8>, first: &mut bool) -> &'o mut Vec<u8> {
    if !core::mem::take(first) {
        out.push(b',');
    }
    out
}

impl Turn<'_, '_> {
    /// Writes the message, if there is any, and begins anew.
    fn end(&mut self, out: &mut Vec<u8>, first: &mut bool, reasoning: Option<&str>) {
        let Turn { thought, said, calls } = core::mem::take(self);
        if said.is_empty() && calls.is_empty() {
            return;
        }
        let refusals = || said.iter().copied().flatten().filter_map(|part| part.refusal());
        let has_text = said.iter().copied().flatten().any(|part| part.text().is_some());
        let mut message = Object::open(next(out, first));
        message.json("role", b"\"assistant\"");
        if let Some(name) = reasoning.filter(|_| !thought.is_empty()) {
            quote(message.key(name), thought);
        }
        if has_text || calls.is_empty() && refusals().next().is_none() {
            let content = message.key("content");
            content.push(b'"');
            for (index, parts) in said.iter().enumerate() {
                if index > 0 {
                    content.extend_from_slice(br"\n\n");
                }
                parts.iter().filter_map(Part::text).for_each(|text| content.extend_from_slice(text));
            }
            content.push(b'"');
        } else {
            message.json("content", b"null");
        }
        if refusals().next().is_some() {
            quote(message.key("refusal"), refusals());
        }
        if !calls.is_empty() {
            array(message.key("tool_calls"), calls, write_call);
        }
        message.close();
    }
}

fn write_call(out: &mut Vec<u8>, call: &Call) {
    let mut object = Object::open(out);
    object.text("id", call.id);
    let (kind, input) = if call.custom { ("custom", "input") } else { ("function", "arguments") };
    object.text("type", kind.as_bytes());
    let mut inner = object.object(kind);
    inner.text("name", call.name);
    inner.text(input, call.input);
    inner.close();
    object.close();
}

fn write_content(out: &mut Vec<u8>, parts: &[Part]) {
    match parts {
        [] => out.extend_from_slice(b"\"\""),
        [Part::Text(text)] => quote(out, [*text]),
        parts => array(out, parts.iter().filter(|part| !matches!(part, Part::CachePoint(_))), write_part),
    }
}

fn write_part(out: &mut Vec<u8>, part: &Part) {
    let mut object = Object::open(out);
    match part {
        // Chat Completions has no words for it.
        Part::CachePoint(_) => {}
        Part::Text(text) => {
            object.json("type", b"\"text\"");
            object.text("text", text);
        }
        Part::Refusal(text) => {
            object.json("type", b"\"refusal\"");
            object.text("refusal", text);
        }
        Part::Image { url, detail } => {
            object.json("type", b"\"image_url\"");
            let mut image = object.object("image_url");
            image.text("url", url);
            if let Some(detail) = detail {
                image.text("detail", detail);
            }
            image.close();
        }
        Part::Audio { data, format } => {
            object.json("type", b"\"input_audio\"");
            let mut audio = object.object("input_audio");
            audio.text("data", data);
            audio.text("format", format);
            audio.close();
        }
        Part::File { name, data } => {
            object.json("type", b"\"file\"");
            let mut file = object.object("file");
            if let Some(name) = name {
                file.text("filename", name);
            }
            file.text("file_data", data);
            file.close();
        }
    }
    object.close();
}

fn write_tool(out: &mut Vec<u8>, tool: &Tool) {
    let mut object = Object::open(out);
    let kind = if matches!(tool.takes, Takes::Arguments { .. }) { "function" } else { "custom" };
    object.text("type", kind.as_bytes());
    let mut inner = object.object(kind);
    inner.json("name", tool.name.bytes());
    inner.optional("description", tool.description);
    match tool.takes {
        Takes::Arguments { schema, strict } => {
            inner.optional("parameters", schema);
            inner.optional("strict", strict);
        }
        Takes::Text => {}
        Takes::Grammar { syntax, definition } => {
            let mut format = inner.object("format");
            format.json("type", b"\"grammar\"");
            let mut grammar = format.object("grammar");
            grammar.json("syntax", syntax.bytes());
            grammar.json("definition", definition.bytes());
            grammar.close();
            format.close();
        }
    }
    inner.close();
    object.close();
}

fn write_choice(out: &mut Vec<u8>, choice: &Choice) {
    match choice {
        Choice::Never => out.extend_from_slice(b"\"none\""),
        Choice::Auto => out.extend_from_slice(b"\"auto\""),
        Choice::Required => out.extend_from_slice(b"\"required\""),
        Choice::Tool(name) => write_tool_name(out, name),
        Choice::Allowed { required, tools } => {
            let mut object = Object::open(out);
            object.json("type", b"\"allowed_tools\"");
            let mut allowed = object.object("allowed_tools");
            allowed.json("mode", if *required { b"\"required\"" } else { b"\"auto\"" });
            array(allowed.key("tools"), tools, write_tool_name);
            allowed.close();
            object.close();
        }
    }
}

fn write_tool_name(out: &mut Vec<u8>, tool: &ToolName) {
    let mut object = Object::open(out);
    let kind = if tool.custom { "custom" } else { "function" };
    object.text("type", kind.as_bytes());
    let mut inner = object.object(kind);
    inner.json("name", tool.name.bytes());
    inner.close();
    object.close();
}

fn write_format(out: &mut Vec<u8>, format: &Format) {
    let Format::Schema { name, description, schema, strict } = format else {
        return out.extend_from_slice(br#"{"type":"json_object"}"#);
    };
    let mut object = Object::open(out);
    object.json("type", b"\"json_schema\"");
    let mut inner = object.object("json_schema");
    inner.json("name", name.bytes());
    inner.optional("description", *description);
    inner.optional("schema", *schema);
    inner.optional("strict", *strict);
    inner.close();
    object.close();
}
