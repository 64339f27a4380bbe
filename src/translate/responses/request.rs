//! Reads a Responses request.
//!
//! Owns its top-level members: which of them are settings, which cannot be expressed elsewhere, which are left out.

use super::{input, tools};
use crate::request::json::Kind;
use crate::request::{Api, Members, ReadError, read_members};
use crate::translate::body::{Body, Result, each, string};
use crate::translate::conversation::{Conversation, Format, Part, Piece, Role, Settings};
use crate::translate::fit;
use crate::translate::json::Raw;
use crate::translate::path::Path;

/// State at a provider or a template of its: nothing that another API could be told. A `moderation` may block, so it
/// must not be lost in silence.
const OBSTACLES: [&str; 4] = ["previous_response_id", "conversation", "prompt", "moderation"];

/// What asks for log probabilities without naming a number.
const INCLUDE_LOGPROBS: &str = "message.output_text.logprobs";

/// Members that are translated, or whose absence says the same. Everything else is left out.
const TRANSLATED: [&str; 23] = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_logprobs",
    "user",
    "safety_identifier",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "stream",
    "background",
    "store",
    // The router's own.
    "routing_config",
    "previous_response_id",
    "conversation",
    "prompt",
    "moderation",
];

/// Members that Chat Completions has too, and Messages has not.
const ONLY_CHAT: [&str; 4] = ["top_logprobs", "service_tier", "prompt_cache_key", "prompt_cache_retention"];

/// Reads a request; members in `drop` are as absent, `input` is left unread without `with_input`.
pub fn read<'a>(body: &'a [u8], members: &Members, drop: &[String], with_input: bool) -> Result<Conversation<'a>> {
    let body = Body { bytes: body, members, drop };
    for name in OBSTACLES {
        if body.get(name).is_some() {
            return Path::root(name).obstacle();
        }
    }
    // Nothing runs on, and who says that a response be kept means to come back to it.
    for name in ["background", "store"] {
        if body.of_kind(name, Kind::Bool, "must be true or false")?.is_some_and(Raw::is_true) {
            return Path::root(name).obstacle();
        }
    }
    let mut conversation = Conversation::default();
    if let Some(text) = body.string("instructions")?.and_then(Raw::escaped) {
        conversation.add(0, Piece::Message { role: Role::System, parts: vec![Part::Text(text)] });
    }
    if with_input {
        input::read(body.get("input"), &mut conversation)?;
    }
    let (format, verbosity) = text(&body)?;
    conversation.tools = tools::read(body.get("tools"))?;
    conversation.choice = tools::read_choice(body.get("tool_choice"))?;
    conversation.format = format;
    conversation.settings = settings(&body, verbosity)?;
    Ok(conversation)
}

fn text<'a>(body: &Body<'a, '_>) -> Result<(Option<Format<'a>>, Option<Raw<'a>>)> {
    let path = Path::root("text");
    let [format, verbosity] = body.object("text", &["format", "verbosity"])?;
    let verbosity = string(verbosity.filter(|_| !body.drops("text.verbosity")), &path.member("verbosity"))?;
    let format = match format.filter(|_| !body.drops("text.format")) {
        Some(format) => tools::read_format(format, &path.member("format"))?,
        None => None,
    };
    Ok((format, verbosity))
}

fn settings<'a>(body: &Body<'a, '_>, verbosity: Option<Raw<'a>>) -> Result<Settings<'a>> {
    let [effort] = body.object("reasoning", &["effort"])?;
    let effort = string(effort.filter(|_| !body.drops("reasoning.effort")), &Path::root("reasoning").member("effort"))?;
    // 0 is the default, and asks for nothing.
    let top_logprobs = body.number("top_logprobs")?.filter(|number| number.bytes() != b"0");
    let include = include(body.get("include"))?;
    Ok(Settings {
        max_output: body.number("max_output_tokens")?,
        stop: None,
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        effort,
        verbosity,
        parallel_tool_calls: body.flag("parallel_tool_calls")?,
        // A model that refuses the number refuses the rest of it too.
        logprobs: top_logprobs.is_some() || include.logprobs && !body.drops("top_logprobs"),
        top_logprobs,
        user: body.string("user")?,
        safety_identifier: body.string("safety_identifier")?,
        service_tier: body.string("service_tier")?,
        prompt_cache_key: body.string("prompt_cache_key")?,
        prompt_cache_retention: body.string("prompt_cache_retention")?,
        stream: body.flag("stream")?.is_some_and(Raw::is_true),
    })
}

struct Include {
    logprobs: bool,
    others: bool,
}

fn include(value: Option<Raw>) -> Result<Include> {
    let mut include = Include { logprobs: false, others: false };
    let Some(value) = value else { return Ok(include) };
    if value.kind() != Kind::Array {
        return Path::root("include").invalid("must be an array");
    }
    each(value, |_, reader| {
        let item = Raw::at(reader.skip()?, reader.bytes());
        let is_logprobs = item.string().is_some_and(|name| name == INCLUDE_LOGPROBS);
        include.logprobs |= is_logprobs;
        include.others |= !is_logprobs;
        Ok(())
    })?;
    Ok(include)
}

/// Names what is left out.
pub fn left_out(body: &[u8], members: &Members, wire: Api) -> core::result::Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for member in &members.list {
        let (name, value) = (member.name(body), Raw::at(member.value, body));
        if value.kind() == Kind::Null {
            continue;
        }
        match &*name {
            "text" if wire == Api::Messages => others(value, "text", &["format"], &mut names)?,
            "text" => others(value, "text", &["format", "verbosity"], &mut names)?,
            "reasoning" => others(value, "reasoning", &["effort"], &mut names)?,
            // Nothing that is sent to the client is obfuscated.
            "stream_options" => others(value, "stream_options", &[], &mut names)?,
            "include"
                if include(Some(value))
                    .is_ok_and(|include| !(include.others || include.logprobs && wire == Api::Messages)) => {}
            // What is said here is what Chat Completions does anyway.
            "truncation" if value.bytes() == b"\"disabled\"" => {}
            // Only Chat Completions has these.
            name if wire == Api::Messages && ONLY_CHAT.contains(&name) => match (name, value.bytes()) {
                ("service_tier", b"\"auto\"" | b"\"default\"") | ("top_logprobs", b"0") => {}
                _ => add(&mut names, name.to_owned()),
            },
            name if TRANSLATED.contains(&name) => {}
            name => add(&mut names, fit(name)),
        }
    }
    Ok(names)
}

/// Names the members of an object that are neither translated nor switched off.
fn others(
    value: Raw,
    parent: &str,
    translated: &[&str],
    names: &mut Vec<String>,
) -> core::result::Result<(), ReadError> {
    if value.kind() != Kind::Object {
        return Ok(());
    }
    let members = read_members(value.bytes())?;
    for member in &members.list {
        let name = member.name(value.bytes());
        let off = matches!(member.value.of(value.bytes()), b"null" | b"false");
        if !off && !translated.contains(&&*name) {
            add(names, format!("{parent}.{}", fit(&name)));
        }
    }
    Ok(())
}

/// Names that do not fit are all called the same.
fn add(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}
