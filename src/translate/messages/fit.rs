//! What of a conversation Messages can express, and the forms in which it takes single values.
//!
//! Owns the obstacles and what is lost, in the words of the API that was called. Never writes a request.

use super::schema::{self, Outcome};
use super::turns;
use crate::origin::fnv;
use crate::request::Api;
use crate::request::json::{JsonError, Kind, Reader, holds};
use crate::translate::Translation;
use crate::translate::conversation::{Choice, Conversation, Format, Part, Piece, Role, Settings, Takes, Tool};
use crate::translate::json::{Escaped, Raw, each_item, fields};
use hashbrown::{HashMap, HashSet};

/// Strict tools of one request, at most.
const MOST_STRICT: usize = 20;

/// Finds out what a request becomes in Messages.
pub fn check(api: Api, conversation: &Conversation) -> Translation {
    let names = Names(api);
    let format = format_outcome(conversation);
    let mut translation = Translation {
        obstacle: obstacle(names, conversation, &format),
        url: url(names, conversation),
        forced: matches!(
            conversation.choice,
            Some(Choice::Required | Choice::Tool(_) | Choice::Allowed { required: true, .. })
        ),
        unsigned: has_unsigned_calls(conversation),
        ..Translation::default()
    };
    let (strict, outcome) = strict_tools(conversation);
    translation.strict = strict > 0;
    let mut lose = |name: &str| translation.left_out.push(name.to_owned());
    conversation.lost.iter().for_each(|name| lose(name));
    if strict > MOST_STRICT || outcome.open {
        lose(names.of("tools.function.strict", "tools.strict"));
    } else if outcome.lost {
        lose(names.of("tools.function.parameters", "tools.parameters"));
    }
    if has_detail(conversation) {
        lose(names.of("messages.content.image_url.detail", "input.content.detail"));
    }
    let settings = &conversation.settings;
    if settings.temperature.is_some_and(is_hot) {
        lose("temperature");
    }
    if let Some(stop) = settings.stop {
        match (stops(stop).len(), strings(stop).len()) {
            (kept, all) if kept == all => {}
            (0, _) => lose("stop"),
            // What is called `stop` alone is left out as a whole.
            _ => lose("stop.blank"),
        }
    }
    let told = user(settings);
    for (name, value) in [("user", settings.user), ("safety_identifier", settings.safety_identifier)] {
        if value.is_some() && value != told {
            lose(name);
        }
    }
    match &conversation.format {
        Some(Format::Json) => lose(names.of("response_format", "text.format")),
        Some(Format::Schema { description, .. }) => {
            if format.is_some_and(|outcome| outcome.lost) {
                lose(names.of("response_format.json_schema.schema", "text.format.schema"));
            }
            if description.is_some() {
                lose(names.of("response_format.json_schema.description", "text.format.description"));
            }
        }
        None => {}
    }
    translation
}

/// The API whose words are used.
#[derive(Clone, Copy)]
struct Names(Api);

impl Names {
    fn of(self, chat: &'static str, responses: &'static str) -> &'static str {
        if self.0 == Api::Responses { responses } else { chat }
    }

    /// A member of the message or item at `place`.
    fn at(self, place: u32, chat: &str, responses: &str) -> String {
        match self.0 {
            Api::Responses => format!("input[{place}].{responses}"),
            _ => format!("messages[{place}].{chat}"),
        }
    }
}

/// The first thing that cannot be expressed.
fn obstacle(names: Names, conversation: &Conversation, format: &Option<Outcome>) -> Option<String> {
    let placed = conversation.pieces.iter().zip(&conversation.places);
    let in_pieces = placed.filter_map(|(piece, place)| piece_obstacle(names, piece, *place)).next();
    in_pieces
        .or_else(|| {
            let odd = |tool: &Tool| {
                !matches!(tool.takes, Takes::Arguments { .. }) || !tool.name.escaped().is_some_and(is_name)
            };
            let tool = conversation.tools.iter().position(odd);
            tool.map(|index| format!("tools[{index}]"))
        })
        .or_else(|| {
            let odd = |tool: &Tool| matches!(tool.takes, Takes::Arguments { schema: Some(schema), .. } if !takes_object(schema));
            let tool = conversation.tools.iter().position(odd)?;
            Some(format!("tools[{tool}].{}", names.of("function.parameters.type", "parameters.type")))
        })
        .or_else(|| {
            let fits = format.is_some_and(|outcome| !outcome.open);
            let wanted = matches!(conversation.format, Some(Format::Schema { .. }));
            (wanted && !fits).then(|| names.of("response_format.json_schema.schema", "text.format.schema").to_owned())
        })
}

/// The first message with an image or a document that is to be fetched.
fn url(names: Names, conversation: &Conversation) -> Option<String> {
    let fetched = |part: &Part| {
        let source = match part {
            Part::Image { url, .. } => image(url),
            _ => None,
        };
        source.is_some_and(|source| source.media_type.is_none())
    };
    let mut placed = conversation.pieces.iter().zip(&conversation.places);
    let (_, place) = placed.find(|(piece, _)| match piece {
        Piece::Message { parts, .. } => parts.iter().any(fetched),
        _ => false,
    })?;
    Some(names.at(*place, "content", "content"))
}

/// Whether a schema lets an object pass, which arguments always are.
fn takes_object(schema: Raw) -> bool {
    let kind = fields(&mut schema.reader(), &["type"]).ok().and_then(|found| found.values.into_iter().next().flatten());
    kind.is_none_or(|kind| strings(kind).iter().any(|kind| kind.string().as_deref() == Some("object")))
}

/// What becomes of the schema of the answer; `None` where there is none that can be read.
fn format_outcome(conversation: &Conversation) -> Option<Outcome> {
    match conversation.format {
        Some(Format::Schema { schema, .. }) => schema::outcome(schema?).ok(),
        _ => None,
    }
}

fn piece_obstacle(names: Names, piece: &Piece, place: u32) -> Option<String> {
    match piece {
        Piece::Message { parts, .. } => {
            let odd = |part: &Part| match part {
                Part::Audio { .. } => true,
                Part::Image { url, .. } => image(url).is_none(),
                Part::File { data, .. } => file(data).is_none(),
                _ => false,
            };
            parts.iter().any(odd).then(|| names.at(place, "content", "content"))
        }
        Piece::Call(call) if call.custom => Some(names.at(place, "tool_calls", "type")),
        Piece::Call(call) if !is_name(call.name) => Some(names.at(place, "tool_calls.function.name", "name")),
        Piece::Call(call) if !is_object(call.input) => {
            Some(names.at(place, "tool_calls.function.arguments", "arguments"))
        }
        _ => None,
    }
}

/// Whether calls whose results came last were made without thinking that can be shown: models with a budget refuse that.
fn has_unsigned_calls(conversation: &Conversation) -> bool {
    let (mut signed, mut calls, mut results) = (false, false, false);
    for piece in &conversation.pieces {
        match piece {
            // What is asked behind results is in their turn.
            Piece::Message { role: Role::User, .. } if !results => (signed, calls) = (false, false),
            Piece::Message { role: Role::Assistant, .. } => results = false,
            Piece::Message { .. } => {}
            Piece::Reasoning { signature, .. } => signed |= signature.is_some(),
            Piece::Redacted(_) => signed = true,
            Piece::Call(_) => (calls, results) = (calls || !signed, false),
            // The next turn thinks anew.
            Piece::CallResult { .. } => (signed, results) = (false, true),
        }
    }
    calls
}

/// How many tools are strict, and what becomes of their schemas together.
fn strict_tools(conversation: &Conversation) -> (usize, Outcome) {
    let (mut count, mut all) = (0, Outcome::default());
    for tool in &conversation.tools {
        let Takes::Arguments { schema, strict: Some(strict) } = tool.takes else { continue };
        if !strict.is_true() {
            continue;
        }
        count += 1;
        let outcome = schema.and_then(|schema| schema::outcome(schema).ok()).unwrap_or_default();
        all = Outcome { lost: all.lost || outcome.lost, open: all.open || outcome.open };
    }
    (count, all)
}

/// Whether an image is to be seen at another resolution than the usual one.
fn has_detail(conversation: &Conversation) -> bool {
    let asks = |part: &Part| matches!(part, Part::Image { detail: Some(detail), .. } if *detail != b"auto");
    conversation.pieces.iter().any(|piece| match piece {
        Piece::Message { parts, .. } => parts.iter().any(asks),
        _ => false,
    })
}

fn is_name(name: Escaped) -> bool {
    (1..=128).contains(&name.len()) && name.iter().all(is_plain)
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Arguments as JSON text; none are as an empty object.
fn decoded(input: Escaped) -> Vec<u8> {
    let quoted = [b"\"", input, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map(String::into_bytes).unwrap_or_default()
}

fn is_object(input: Escaped) -> bool {
    let text = decoded(input);
    if text.trim_ascii().is_empty() {
        return turns::is_blank(input);
    }
    let mut reader = Reader::new(&text);
    reader.peek().is_ok_and(|kind| kind == Kind::Object) && reader.skip().is_ok() && reader.end().is_ok()
}

/// Writes arguments as the object that they are.
pub fn write_input(out: &mut Vec<u8>, input: Escaped) {
    let text = decoded(input);
    out.extend_from_slice(match text.trim_ascii() {
        b"" => b"{}",
        text => text,
    });
}

/// The ids of calls, in the letters that are taken, each of another call.
#[derive(Default)]
pub struct Ids {
    /// By the client's id: what its latest call is called, and how many calls had it.
    latest: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    used: HashSet<Vec<u8>>,
}

impl Ids {
    /// Of a call. Clients of other APIs may use an id again in a later turn.
    pub fn of_call(&mut self, id: Escaped) -> Vec<u8> {
        let plain = plain_id(id);
        let (latest, times) = self.latest.entry(plain.clone()).or_default();
        loop {
            *times += 1;
            *latest = plain.clone();
            if *times > 1 {
                latest.extend_from_slice(format!("_{times}").as_bytes());
            }
            if self.used.insert(latest.clone()) {
                return latest.clone();
            }
        }
    }

    /// Of the result of the latest call with this id.
    pub fn of_result(&self, id: Escaped) -> Vec<u8> {
        let plain = plain_id(id);
        self.latest.get(&plain).map(|(latest, _)| latest.clone()).unwrap_or(plain)
    }
}

fn plain_id(id: Escaped) -> Vec<u8> {
    // A call and its result may be escaped otherwise.
    let decoded = if id.contains(&b'\\') { decoded(id) } else { Vec::new() };
    let id = if decoded.is_empty() { id } else { &decoded };
    let mut plain: Vec<u8> = id.iter().copied().filter(is_plain).collect();
    if plain.is_empty() || plain.len() < id.len() {
        plain.extend_from_slice(format!("_{:016x}", fnv(id)).as_bytes());
    }
    plain
}

/// Whether what a tool gave back says that it failed: a JSON object with a member `error` that says something.
pub fn is_error(texts: &[Escaped]) -> bool {
    let Some(first) = texts.first().filter(|text| text.trim_ascii_start().starts_with(b"{")) else { return false };
    // Most results are long and have no such member.
    if !texts.iter().any(|text| holds(text, "error")) {
        return false;
    }
    let text = if texts.len() > 1 { decoded(&texts.concat()) } else { decoded(first) };
    let mut reader = Reader::new(&text);
    fields(&mut reader, &["error"]).is_ok_and(|found| {
        let says = matches!(found.values, [Some(value)] if !matches!(value.bytes(), b"false" | b"\"\""));
        says && reader.end().is_ok()
    })
}

/// An image or a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// A document, no image.
    pub is_document: bool,
    /// Of base64 data; `None`: it is a URL.
    pub media_type: Option<&'static str>,
    /// The data, or the URL.
    pub data: Escaped<'a>,
}

const IMAGES: [(&[u8], &str); 5] = [
    (b"image/jpeg", "image/jpeg"),
    (b"image/jpg", "image/jpeg"),
    (b"image/png", "image/png"),
    (b"image/gif", "image/gif"),
    (b"image/webp", "image/webp"),
];
const PDF: &str = "application/pdf";

/// The source of an image, which may be a document in disguise; `None` where no such source is taken.
pub fn image(url: Escaped) -> Option<Source> {
    if let Some((media_type, data)) = data_url(url) {
        let known = IMAGES.iter().find(|(name, _)| media_type.eq_ignore_ascii_case(name));
        return match known {
            Some((_, media_type)) => Some(Source { is_document: false, media_type: Some(media_type), data }),
            None => pdf(&media_type, data),
        };
    }
    let is_web = url.starts_with(b"https:");
    let path = url.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let is_document = path.len() >= 4 && path.iter().rev().take(4).rev().map(u8::to_ascii_lowercase).eq(*b".pdf");
    is_web.then_some(Source { is_document, media_type: None, data: url })
}

/// The source of a file; only PDF is taken.
pub fn file(data: Escaped) -> Option<Source> {
    let (media_type, data) = data_url(data)?;
    pdf(&media_type, data)
}

fn pdf<'a>(media_type: &[u8], data: Escaped<'a>) -> Option<Source<'a>> {
    let is_pdf = media_type.eq_ignore_ascii_case(PDF.as_bytes());
    is_pdf.then_some(Source { is_document: true, media_type: Some(PDF), data })
}

/// Media type and data of a `data:` URL in base64. Slashes may be escaped.
fn data_url(url: Escaped) -> Option<(Vec<u8>, Escaped)> {
    const LONGEST_HEAD: usize = 128;
    let rest = url.strip_prefix(b"data:")?;
    let comma = rest.iter().take(LONGEST_HEAD).position(|byte| *byte == b',')?;
    let (head, data) = rest.split_at_checked(comma)?;
    let head: Vec<u8> = head.iter().copied().filter(|byte| *byte != b'\\').collect();
    let media_type = head.strip_suffix(b";base64")?;
    let media_type = media_type.split(|byte| *byte == b';').next().unwrap_or_default().to_vec();
    Some((media_type, data.strip_prefix(b",")?))
}

/// Whether a temperature is above 1, the highest that is taken.
pub fn is_hot(temperature: Raw) -> bool {
    let number = core::str::from_utf8(temperature.bytes()).ok().and_then(|text| text.parse::<f64>().ok());
    number.is_some_and(|number| number > 1.0)
}

/// The sequences at which the answer ends; blank ones are refused.
pub fn stops(stop: Raw) -> Vec<Raw> {
    let mut all = strings(stop);
    all.retain(|stop| stop.escaped().is_some_and(|text| !turns::is_blank(text)));
    all
}

fn strings(stop: Raw) -> Vec<Raw> {
    let mut list = Vec::new();
    match stop.kind() {
        Kind::String => list.push(stop),
        Kind::Array => {
            // It has been read before, so it is JSON.
            let _ = each_item(&mut stop.reader(), |_, reader| {
                list.push(Raw::at(reader.skip()?, stop.bytes()));
                Ok::<_, JsonError>(())
            });
        }
        _ => {}
    }
    list
}

/// Who asks, unless that names a person: an e-mail address or a telephone number.
pub fn user<'a>(settings: &Settings<'a>) -> Option<Raw<'a>> {
    let is_phone =
        |text: &[u8]| text.len() >= 7 && text.iter().all(|byte| byte.is_ascii_digit() || b"+-() ".contains(byte));
    let fits =
        |user: &Raw| user.escaped().is_some_and(|text| !text.is_empty() && !text.contains(&b'@') && !is_phone(text));
    [settings.user, settings.safety_identifier].into_iter().flatten().find(fits)
}
