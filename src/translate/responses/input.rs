//! Reads `input` of a Responses request: messages, calls, their results, reasoning.

use crate::request::json::{Kind, Reader};
use crate::translate::body::{Result, each, escaped, object, object_of, required, string, text};
use crate::translate::conversation::{Call, Conversation, Part, Piece, Role};
use crate::translate::json::Raw;
use crate::translate::path::Path;

const ITEM: [&str; 10] =
    ["type", "role", "content", "call_id", "name", "arguments", "input", "output", "encrypted_content", "namespace"];

const PART: [&str; 10] =
    ["type", "text", "refusal", "image_url", "detail", "file_data", "file_id", "file_url", "filename", "input_audio"];

/// Adds the pieces of `input`.
pub fn read<'a>(input: Option<Raw<'a>>, conversation: &mut Conversation<'a>) -> Result<()> {
    const RULE: &str = "must be a string or an array of items";
    let path = Path::root("input");
    let Some(input) = input else { return path.invalid("is missing") };
    match input.kind() {
        Kind::String => {
            let parts = vec![Part::Text(escaped(input))];
            conversation.add(0, Piece::Message { role: Role::User, parts });
        }
        Kind::Array => each(input, |index, reader| {
            let piece = item(reader, &path.item(index))?;
            if matches!(&piece, Piece::Reasoning { texts, .. } if !texts.is_empty()) {
                conversation.lose("input.reasoning");
            }
            conversation.add(index as u32, piece);
            Ok(())
        })?,
        _ => return path.invalid(RULE),
    }
    // A request of nothing but reasoning would be one without messages.
    if conversation.pieces.iter().all(|piece| matches!(piece, Piece::Reasoning { .. })) {
        return path.invalid("must have at least one message");
    }
    Ok(())
}

fn item<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<Piece<'a>> {
    let [kind, role, content, call_id, name, arguments, input, output, encrypted, namespace] =
        object(reader, &ITEM, path)?;
    let kind = string(kind, &path.member("type"))?.and_then(Raw::string);
    let call = |input: Option<Raw<'a>>, member: &'static str, custom: bool| {
        if namespace.is_some() {
            return path.member("namespace").obstacle();
        }
        Ok(Piece::Call(Call {
            id: text(call_id, &path.member("call_id"))?,
            name: text(name, &path.member("name"))?,
            input: text(input, &path.member(member))?,
            custom,
        }))
    };
    match kind.as_deref() {
        Some("message") => message(role, content, path),
        None if role.is_some() => message(role, content, path),
        Some("function_call") => call(arguments, "arguments", false),
        Some("custom_tool_call") => call(input, "input", true),
        Some("function_call_output" | "custom_tool_call_output") => {
            let id = text(call_id, &path.member("call_id"))?;
            let parts = parts(output, &path.member("output"), |part| matches!(part, Part::Text(_)))?;
            let texts = parts.iter().filter_map(Part::text).collect();
            Ok(Piece::CallResult { id, texts, cache_point: None })
        }
        Some("reasoning") => {
            // Sealed by its maker: any other model would refuse it, and to lose it would break what the client counts on.
            if encrypted.is_some() {
                return path.member("encrypted_content").obstacle();
            }
            let parts = match content {
                Some(_) => parts(content, &path.member("content"), |part| matches!(part, Part::Text(_)))?,
                None => Vec::new(),
            };
            Ok(Piece::Reasoning { texts: parts.iter().filter_map(Part::text).collect(), signature: None })
        }
        // Calls of hosted tools, references to stored items, and what nobody knows yet.
        _ => path.member("type").obstacle(),
    }
}

fn message<'a>(role: Option<Raw<'a>>, content: Option<Raw<'a>>, path: &Path) -> Result<Piece<'a>> {
    let role = required(role, &path.member("role"))?.string();
    let (role, fits): (_, fn(&Part) -> bool) = match role.as_deref() {
        Some("user") => (Role::User, |part| !matches!(part, Part::Refusal(_))),
        Some("assistant") => (Role::Assistant, |part| matches!(part, Part::Text(_) | Part::Refusal(_))),
        Some("system" | "developer") => (Role::System, |part| matches!(part, Part::Text(_))),
        _ => return path.member("role").obstacle(),
    };
    Ok(Piece::Message { role, parts: parts(content, &path.member("content"), fits)? })
}

/// A text, or an array of parts, each of which must fit.
fn parts<'a>(content: Option<Raw<'a>>, path: &Path, fits: fn(&Part) -> bool) -> Result<Vec<Part<'a>>> {
    let Some(content) = content else { return path.invalid("is missing") };
    let mut parts = Vec::new();
    match content.kind() {
        Kind::String => parts.push(Part::Text(escaped(content))),
        Kind::Array => each(content, |index, reader| {
            let path = path.item(index);
            let part = part(reader, &path)?;
            if !fits(&part) {
                return path.member("type").obstacle();
            }
            parts.push(part);
            Ok(())
        })?,
        _ => return path.invalid("must be a string or an array of parts"),
    }
    Ok(parts)
}

fn part<'a>(reader: &mut Reader<'a>, path: &Path) -> Result<Part<'a>> {
    let [kind, words, refusal, image_url, detail, file_data, file_id, file_url, filename, audio] =
        object(reader, &PART, path)?;
    let kind = required(kind, &path.member("type"))?.string();
    match kind.as_deref() {
        Some("input_text" | "output_text" | "text" | "reasoning_text") => {
            Ok(Part::Text(text(words, &path.member("text"))?))
        }
        Some("refusal") => Ok(Part::Refusal(text(refusal, &path.member("refusal"))?)),
        Some("input_image") if file_id.is_some() => path.member("file_id").obstacle(),
        Some("input_image") => Ok(Part::Image {
            url: text(image_url, &path.member("image_url"))?,
            detail: string(detail, &path.member("detail"))?.map(|detail| match escaped(detail) {
                // The nearest that is known everywhere.
                b"original" => b"high",
                detail => detail,
            }),
        }),
        Some("input_file") if file_id.is_some() => path.member("file_id").obstacle(),
        Some("input_file") if file_url.is_some() => path.member("file_url").obstacle(),
        Some("input_file") => Ok(Part::File {
            name: string(filename, &path.member("filename"))?.map(escaped),
            data: text(file_data, &path.member("file_data"))?,
        }),
        Some("input_audio") => {
            let path = path.member("input_audio");
            let [data, format] = object_of(audio, &["data", "format"], &path)?;
            Ok(Part::Audio { data: text(data, &path.member("data"))?, format: text(format, &path.member("format"))? })
        }
        _ => path.member("type").obstacle(),
    }
}
