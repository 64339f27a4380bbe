//! The body of a Responses request.
//!
//! Owns what is read of it, which of its parts are state at one provider, and which shapes are refused. Items and
//! members that it does not know pass: the API grows.

use super::content::{Message, TOKENS_PER_MESSAGE, each_object};
use super::count::TokenCount;
use super::json::{Kind, Reader, Span, Text};
use super::members::{MemberReader, Result, Typed, invalid, read_request, string_member};
use super::{Api, Request, Texts, Thought};
use crate::origin::Origin;

/// Reads a whole request in one pass.
///
/// # Errors
/// [`super::ReadError`] when the body is no JSON object, names a top-level key twice (readers would disagree on its
/// meaning), asks nothing, or a member that is read here has the wrong type.
pub fn read_responses(body: &[u8]) -> Result<Request<'_>> {
    let mut request = read_request(Api::Responses, body, read_member)?;
    if request.messages == 0 && request.state.param.is_none() {
        return invalid("input", "must be a string or an array with at least one item");
    }
    request.state.marks.sort_by_key(|mark| mark.start);
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
    if members.reader.peek()? == Kind::Null {
        return members.skip(key).map(drop);
    }
    match &*name {
        "model" | "stream" => members.common(key, &name, request),
        "background" => {
            request.background = members.bool(key, &name)?;
            Ok(())
        }
        "input" => members.value(key, |reader| read_input(reader, request, count)),
        "instructions" => {
            let text = members.string(key, &name)?;
            let mut texts = Texts::default();
            texts.add(text);
            count.text(text.span.of(body));
            // They stand before all messages, wherever the member stands.
            request.conversation.system = Texts::default();
            request.conversation.add(b"system", texts, text.span.len(), 0);
            Ok(())
        }
        "max_output_tokens" => {
            request.max_output = Some(members.token_limit(key, &name)?);
            Ok(())
        }
        "reasoning" => members.inner(key, &name, "effort", |effort| request.effort = Some(effort.value(body))),
        "text" => {
            members.expect(Kind::Object, "text", "must be an object")?;
            members.value(key, |reader| {
                let format = format_type(reader)?.map(|text| text.value(body));
                request.needs.json_schema |= format.as_deref() == Some("json_schema");
                request.needs.json_object |= format.as_deref() == Some("json_object");
                Ok(())
            })
        }
        "tool_choice" => members.tool_choice(key, request),
        "tools" => members.tools(key, &name, request, count),
        "previous_response_id" => {
            let id = members.string(key, &name)?;
            request.previous_response = Some(id.value(body));
            request.state.refer(body, "previous_response_id".into(), id)
        }
        "conversation" => {
            let id = match members.reader.peek()? {
                Kind::String => Some(members.string(key, &name)?),
                _ => {
                    let mut id = None;
                    members.inner(key, &name, "id", |text| id = Some(text))?;
                    id
                }
            };
            let Some(id) = id else { return invalid("conversation.id", "is missing") };
            request.kept_conversation = Some(id.value(body));
            request.state.refer(body, "conversation".into(), id)
        }
        "prompt" => {
            request.state.param.get_or_insert_with(|| "prompt".into());
            members.skip(key).map(drop)
        }
        _ => members.other(key, &name, &TYPES),
    }
}

/// Types of this API's own parameters that are not read here.
const TYPES: [Typed; 6] = [
    ("max_tool_calls", &[Kind::Number], "must be a number"),
    ("stream_options", &[Kind::Object], "must be an object"),
    ("include", &[Kind::Array], "must be an array"),
    ("safety_identifier", &[Kind::String], "must be a string"),
    ("prompt_cache_key", &[Kind::String], "must be a string"),
    ("truncation", &[Kind::String], "must be a string"),
];

/// `text`: the type of its `format`.
fn format_type(reader: &mut Reader) -> Result<Option<Text>> {
    let (mut first, mut found) = (true, None);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        if key.value(reader.bytes()) == "format" && reader.peek()? == Kind::Object {
            found = string_member(reader, "type")?;
        } else {
            reader.skip()?;
        }
    }
    Ok(found)
}

fn read_input(reader: &mut Reader, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    match reader.peek()? {
        Kind::String => {
            let text = reader.string()?;
            let mut texts = Texts::default();
            texts.add(text);
            count.add(TOKENS_PER_MESSAGE);
            let before = count.total();
            count.text(text.span.of(request.body));
            request.conversation.add(b"user", texts, text.span.len(), before);
            request.messages = 1;
            Ok(())
        }
        Kind::Array => each_object("input", reader, request, count, read_item),
        _ => invalid("input", "must be a string or an array of items"),
    }
}

/// Members of an item by which it is known.
#[derive(Default)]
struct Item {
    kind: Option<Text>,
    role: Option<Text>,
    id: Option<Text>,
    approval: Option<Text>,
    encrypted: Option<Text>,
}

impl Item {
    fn place(&mut self, name: &str) -> Option<&mut Option<Text>> {
        match name {
            "type" => Some(&mut self.kind),
            "role" => Some(&mut self.role),
            "id" => Some(&mut self.id),
            "approval_request_id" => Some(&mut self.approval),
            "encrypted_content" => Some(&mut self.encrypted),
            _ => None,
        }
    }
}

fn read_item(reader: &mut Reader, index: u32, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    let (mut first, mut item, mut contents, mut plain) = (true, Item::default(), 0, true);
    let body = request.body;
    let before = count.total();
    let start = reader.offset();
    let mut message = Message::new(("input", index), body, &mut request.needs, count);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.value(body);
        plain &= !key.escaped && matches!(&*name, "type" | "role" | "content" | "id" | "status");
        contents += u32::from(name == "content");
        match (item.place(&name), &*name) {
            (Some(place), _) => match reader.peek()? {
                Kind::String if place.is_some() => return message.invalid(&name, "is there twice"),
                Kind::String => *place = Some(reader.string()?),
                Kind::Null => {
                    plain = false;
                    reader.skip()?;
                }
                _ => return message.invalid(&name, "must be a string"),
            },
            (None, "content") => message.content(reader, "content")?,
            // A tool's result is text or parts; other items have other outputs.
            (None, "output") if matches!(reader.peek()?, Kind::String | Kind::Array) => {
                let output = reader.skip()?;
                message.count.text(output.of(body));
            }
            (None, "arguments" | "input") => message.count.text(reader.skip()?.of(body)),
            _ => drop(reader.skip()?),
        }
    }
    let (texts, bytes) = (message.texts, message.bytes);
    plain &= message.plain && contents == 1;
    let kind = item.kind.map(|kind| kind.value(body));
    let role = match kind.as_deref() {
        Some("message") | None => item.role.map_or(b"".as_slice(), |role| role.span.of(body)),
        Some(kind) if kind.ends_with("_call_output") => b"tool",
        // What a model said, whatever it is: a call, reasoning, a hosted tool's work.
        Some(_) => b"assistant",
    };
    let speaks = matches!(role, b"user" | b"assistant" | b"system" | b"developer");
    request.plain_input &= plain && speaks && matches!(kind.as_deref(), None | Some("message"));
    request.conversation.add(role, texts, bytes, before);
    // Calls and reasoning at the end are nothing that an answer could go on with.
    request.needs.prefill = role == b"assistant" && matches!(kind.as_deref(), None | Some("message"));
    item_state(request, index, kind.as_deref(), &item, Span { start, end: reader.offset() })
}

/// Notes what an item refers to at a provider: messages, calls of the client's functions and their results are there in
/// full, so that their ids refer to nothing; what a provider's own tools did is there by its id.
fn item_state(request: &mut Request, index: u32, kind: Option<&str>, item: &Item, span: Span) -> Result<()> {
    let (body, state) = (request.body, &mut request.state);
    let mut refer = |id| state.refer(body, format!("input[{index}].id"), id);
    match (item.id, kind) {
        (Some(id), Some("item_reference")) => refer(id)?,
        (Some(id), None) if item.role.is_none() => refer(id)?,
        (Some(id), Some("reasoning")) if item.encrypted.is_none() => {
            if let Some(origin) = state.unmark(body, id) {
                let [start, end] = [span.start, span.end].map(|offset| offset as u32);
                state.thoughts.push(Thought { provider: origin.provider, start, end });
            }
        }
        (Some(id), None | Some("message" | "reasoning" | "function_call" | "custom_tool_call")) => {
            state.unmark(body, id);
        }
        (Some(id), Some(kind)) if kind.ends_with("_output") => drop(state.unmark(body, id)),
        // An id without a mark is the client's business, as it always was.
        (Some(id), Some(_)) if Origin::of(id.span.of(body)).is_some() => refer(id)?,
        _ => {}
    }
    if let Some(approval) = item.approval {
        request.state.refer(body, format!("input[{index}].approval_request_id"), approval)?;
    }
    match item.encrypted {
        Some(encrypted) => request.state.refer(body, format!("input[{index}].encrypted_content"), encrypted),
        None => Ok(()),
    }
}
