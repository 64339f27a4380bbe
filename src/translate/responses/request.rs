//! Reads a Responses request.
//!
//! Owns its top-level members: which of them are settings, which cannot be expressed elsewhere, which are left out.

use super::{input, tools};
use crate::request::json::{Kind, Reader};
use crate::request::{Members, ReadError, read_members};
use crate::translate::conversation::{Conversation, Format, Part, Piece, Role, Settings};
use crate::translate::json::{Fields, Raw, each_item, fields};
use crate::translate::path::{Path, Stop};

pub(super) type Result<T> = core::result::Result<T, Stop>;

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
    let mut pieces = Vec::new();
    if let Some(text) = body.string("instructions")?.and_then(Raw::escaped) {
        pieces.push(Piece::Message { role: Role::System, parts: vec![Part::Text(text)] });
    }
    if with_input {
        input::read(body.get("input"), &mut pieces)?;
    }
    let (format, verbosity) = body.text()?;
    Ok(Conversation {
        pieces,
        tools: tools::read(body.get("tools"))?,
        choice: tools::read_choice(body.get("tool_choice"))?,
        format,
        settings: body.settings(verbosity)?,
    })
}

struct Body<'a, 'd> {
    bytes: &'a [u8],
    members: &'d Members,
    drop: &'d [String],
}

impl<'a> Body<'a, '_> {
    fn drops(&self, name: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == name)
    }

    /// A member; null and dropped ones are as absent.
    fn get(&self, name: &str) -> Option<Raw<'a>> {
        let value = Raw::at(self.members.get(self.bytes, name)?.value, self.bytes);
        Some(value).filter(|value| value.kind() != Kind::Null && !self.drops(name))
    }

    fn of_kind(&self, name: &'static str, kind: Kind, rule: &'static str) -> Result<Option<Raw<'a>>> {
        match self.get(name) {
            Some(value) if value.kind() != kind => Path::root(name).invalid(rule),
            value => Ok(value),
        }
    }

    fn string(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::String, "must be a string")
    }

    fn number(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::Number, "must be a number")
    }

    fn flag(&self, name: &'static str) -> Result<Option<Raw<'a>>> {
        self.of_kind(name, Kind::Bool, "must be true or false")
    }

    /// Members of an object in the body, none where it is absent.
    fn object<const N: usize>(&self, name: &'static str, names: &[&'static str; N]) -> Result<[Option<Raw<'a>>; N]> {
        match self.of_kind(name, Kind::Object, "must be an object")? {
            Some(object) => once(fields(&mut object.reader(), names)?, names, &Path::root(name)),
            None => Ok([None; N]),
        }
    }

    fn text(&self) -> Result<(Option<Format<'a>>, Option<Raw<'a>>)> {
        let path = Path::root("text");
        let [format, verbosity] = self.object("text", &["format", "verbosity"])?;
        let verbosity = string(verbosity.filter(|_| !self.drops("text.verbosity")), &path.member("verbosity"))?;
        let format = match format.filter(|_| !self.drops("text.format")) {
            Some(format) => tools::read_format(format, &path.member("format"))?,
            None => None,
        };
        Ok((format, verbosity))
    }

    fn settings(&self, verbosity: Option<Raw<'a>>) -> Result<Settings<'a>> {
        let [effort] = self.object("reasoning", &["effort"])?;
        let effort =
            string(effort.filter(|_| !self.drops("reasoning.effort")), &Path::root("reasoning").member("effort"))?;
        // 0 is the default, and asks for nothing.
        let top_logprobs = self.number("top_logprobs")?.filter(|number| number.bytes() != b"0");
        let include = include(self.get("include"))?;
        Ok(Settings {
            max_output: self.number("max_output_tokens")?,
            stop: None,
            temperature: self.number("temperature")?,
            top_p: self.number("top_p")?,
            effort,
            verbosity,
            parallel_tool_calls: self.flag("parallel_tool_calls")?,
            // A model that refuses the number refuses the rest of it too.
            logprobs: top_logprobs.is_some() || include.logprobs && !self.drops("top_logprobs"),
            top_logprobs,
            user: self.string("user")?,
            safety_identifier: self.string("safety_identifier")?,
            service_tier: self.string("service_tier")?,
            prompt_cache_key: self.string("prompt_cache_key")?,
            prompt_cache_retention: self.string("prompt_cache_retention")?,
            stream: self.flag("stream")?.is_some_and(Raw::is_true),
        })
    }
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

/// Reads the items of an array.
pub(super) fn each<'a>(list: Raw<'a>, read: impl FnMut(usize, &mut Reader<'a>) -> Result<()>) -> Result<()> {
    each_item(&mut list.reader(), read)
}

/// The members of an object that must not be there twice.
pub(super) fn once<'a, const N: usize>(
    found: Fields<'a, N>,
    names: &[&'static str; N],
    path: &Path,
) -> Result<[Option<Raw<'a>>; N]> {
    match found.twice.and_then(|place| names.get(place)) {
        Some(name) => path.member(name).invalid("is there twice"),
        None => Ok(found.values),
    }
}

/// A value that must be a string where it is there.
pub(super) fn string<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Option<Raw<'a>>> {
    match value {
        Some(value) if value.kind() != Kind::String => path.invalid("must be a string"),
        value => Ok(value),
    }
}

/// A string that must be there.
pub(super) fn required<'a>(value: Option<Raw<'a>>, path: &Path) -> Result<Raw<'a>> {
    match string(value, path)? {
        Some(value) => Ok(value),
        None => path.invalid("is missing"),
    }
}

/// Names what is left out.
pub fn left_out(body: &[u8], members: &Members) -> core::result::Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for member in &members.list {
        let (name, value) = (member.name(body), Raw::at(member.value, body));
        if value.kind() == Kind::Null {
            continue;
        }
        match &*name {
            "text" => others(value, "text", &["format", "verbosity"], &mut names)?,
            "reasoning" => others(value, "reasoning", &["effort"], &mut names)?,
            // Nothing that is sent to the client is obfuscated.
            "stream_options" => others(value, "stream_options", &[], &mut names)?,
            "include" if include(Some(value)).is_ok_and(|include| !include.others) => {}
            // What is said here is what Chat Completions does anyway.
            "truncation" if value.bytes() == b"\"disabled\"" => {}
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

/// A name as it may stand in a header: the client chose it.
fn fit(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(plain);
    if fits { name.to_owned() } else { "unknown".to_owned() }
}
