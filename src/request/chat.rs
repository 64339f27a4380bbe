//! The body of a Chat Completions request.
//!
//! Owns what is read of it and which shapes are refused. Members and roles that it does not know pass: the API grows.

use super::count::TokenCount;
use super::json::{Kind, Reader, Span, Text};
use super::{Api, Conversation, Member, Members, Needs, ReadError, Request, Texts};

/// Tokens that the chat format adds to each message: role and delimiters.
const TOKENS_PER_MESSAGE: u32 = 4;
/// Tokens of an image at high detail (1024 × 1024: 85 + 4 tiles of 170); `low` is 85. The true number depends on the
/// size in pixels and the model, which a router does not know.
const TOKENS_PER_IMAGE: u32 = 765;
const TOKENS_PER_SMALL_IMAGE: u32 = 85;

type Result<T> = core::result::Result<T, ReadError>;

fn invalid<T>(param: impl Into<String>, rule: &'static str) -> Result<T> {
    Err(ReadError::Invalid { param: param.into(), rule })
}

/// Reads only the outermost object's members; used where a body changed on its way.
pub fn read_members(body: &[u8]) -> Result<Members> {
    let mut members = MemberReader::enter(body)?;
    while let Some(key) = members.next_key()? {
        members.skip(key)?;
    }
    members.end()
}

/// Reads a whole request in one pass.
///
/// # Errors
/// [`ReadError`] when the body is no JSON object, names a top-level key twice (readers would disagree on its meaning),
/// has no messages, or a member that is read here has the wrong type.
pub fn read_chat(body: &[u8]) -> Result<Request<'_>> {
    let mut members = MemberReader::enter(body)?;
    let mut request = Request {
        api: Api::Chat,
        body,
        members: Members::default(),
        model: None,
        stream: false,
        include_usage: false,
        max_output: None,
        effort: None,
        needs: Needs::default(),
        input_tokens: 0,
        messages: 0,
        conversation: Conversation::default(),
    };
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
        "model" => {
            let text = members.string(key, "model")?;
            request.model = Some(text.value(body));
            Ok(())
        }
        "reasoning_effort" => {
            let text = members.string(key, "reasoning_effort")?;
            request.effort = Some(text.value(body));
            Ok(())
        }
        "stream" => {
            members.expect(Kind::Bool, "stream", "must be true or false")?;
            members.value(key, |reader| {
                request.stream = reader.bool()?;
                Ok(())
            })
        }
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
            members.expect(Kind::Array, &name, "must be an array")?;
            let span = members.skip(key)?;
            let list = span.of(body);
            // `[]` and `[ ]` declare nothing.
            request.needs.tools |= list.iter().any(|byte| !matches!(byte, b'[' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            count.text(list);
            Ok(())
        }
        "response_format" => {
            members.expect(Kind::Object, "response_format", "must be an object")?;
            members.value(key, |reader| {
                request.needs.json_schema |= read_type(reader)?.is_some_and(|text| text.value(body) == "json_schema");
                Ok(())
            })
        }
        _ => {
            if let Some((_, kinds, rule)) = TYPES.iter().find(|(known, ..)| *known == name)
                && !kinds.contains(&members.reader.peek()?)
            {
                return invalid(name, rule);
            }
            members.skip(key).map(drop)
        }
    }
}

/// Types of parameters that are not read here: a wrong one is refused before any provider is called.
const TYPES: [(&str, &[Kind], &str); 17] = [
    ("temperature", &[Kind::Number], "must be a number"),
    ("top_p", &[Kind::Number], "must be a number"),
    ("presence_penalty", &[Kind::Number], "must be a number"),
    ("frequency_penalty", &[Kind::Number], "must be a number"),
    ("n", &[Kind::Number], "must be a number"),
    ("seed", &[Kind::Number], "must be a number"),
    ("top_logprobs", &[Kind::Number], "must be a number"),
    ("logprobs", &[Kind::Bool], "must be true or false"),
    ("parallel_tool_calls", &[Kind::Bool], "must be true or false"),
    ("store", &[Kind::Bool], "must be true or false"),
    ("logit_bias", &[Kind::Object], "must be an object"),
    ("metadata", &[Kind::Object], "must be an object"),
    ("user", &[Kind::String], "must be a string"),
    ("service_tier", &[Kind::String], "must be a string"),
    ("verbosity", &[Kind::String], "must be a string"),
    ("stop", &[Kind::String, Kind::Array], "must be a string or an array of strings"),
    ("tool_choice", &[Kind::String, Kind::Object], "must be a string or an object"),
];

/// Walks the outermost object and collects its members.
struct MemberReader<'a> {
    reader: Reader<'a>,
    members: Members,
    first: bool,
}

impl<'a> MemberReader<'a> {
    fn enter(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(ReadError::Empty);
        }
        let mut reader = Reader::new(body);
        reader.enter_object()?;
        let members = Members { length: body.len(), inside: reader.offset(), list: Vec::with_capacity(16) };
        Ok(MemberReader { reader, members, first: true })
    }

    fn next_key(&mut self) -> Result<Option<Text>> {
        let Some(key) = self.reader.next_key(&mut self.first)? else { return Ok(None) };
        let body = self.reader.bytes();
        let name = key.value(body);
        if self.members.get(body, &name).is_some() {
            return invalid(name.chars().take(64).collect::<String>(), "is there twice");
        }
        Ok(Some(key))
    }

    /// Reads the value of `key` with `read`, which must consume exactly one value.
    fn value<T>(&mut self, key: Text, read: impl FnOnce(&mut Reader<'a>) -> Result<T>) -> Result<T> {
        self.reader.peek()?;
        let start = self.reader.offset();
        let value = read(&mut self.reader)?;
        self.members.list.push(Member { key: key.span, value: Span { start, end: self.reader.offset() } });
        Ok(value)
    }

    fn skip(&mut self, key: Text) -> Result<Span> {
        self.value(key, |reader| Ok(reader.skip()?))
    }

    fn expect(&mut self, kind: Kind, name: &str, rule: &'static str) -> Result<()> {
        if self.reader.peek()? == kind { Ok(()) } else { invalid(name, rule) }
    }

    fn string(&mut self, key: Text, name: &str) -> Result<Text> {
        self.expect(Kind::String, name, "must be a string")?;
        self.value(key, |reader| Ok(reader.string()?))
    }

    fn token_limit(&mut self, key: Text, name: &str) -> Result<u32> {
        const RULE: &str = "must be a whole number of tokens";
        self.expect(Kind::Number, name, RULE)?;
        let span = self.value(key, |reader| Ok(reader.number()?))?;
        let text = span.of(self.reader.bytes());
        if !text.iter().all(u8::is_ascii_digit) {
            return invalid(name, RULE);
        }
        Ok(core::str::from_utf8(text).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX))
    }

    fn end(mut self) -> Result<Members> {
        self.reader.end()?;
        Ok(self.members)
    }
}

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

/// The string member `type` of the object that comes next.
fn read_type(reader: &mut Reader) -> Result<Option<Text>> {
    let (mut first, mut found) = (true, None);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        if key.value(reader.bytes()) == "type" && reader.peek()? == Kind::String {
            found = Some(reader.string()?);
        } else {
            reader.skip()?;
        }
    }
    Ok(found)
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

/// What one message leaves behind.
struct MessageReader<'r, 'a> {
    index: u32,
    needs: &'r mut Needs,
    count: &'r mut TokenCount,
    body: &'a [u8],
    texts: Texts,
    /// Bytes of all texts.
    bytes: usize,
}

fn read_message(reader: &mut Reader, index: u32, request: &mut Request, count: &mut TokenCount) -> Result<()> {
    let (mut first, mut seen, mut role) = (true, [false; 2], Text::default());
    let body = request.body;
    let needs = &mut request.needs;
    let mut message = MessageReader { index, needs, count, body, texts: Texts::default(), bytes: 0 };
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.value(body);
        let known = ["role", "content"].iter().position(|known| *known == name);
        if let Some(seen) = known.and_then(|known| seen.get_mut(known))
            && core::mem::replace(seen, true)
        {
            return invalid(format!("messages[{index}].{name}"), "is there twice");
        }
        match &*name {
            "role" => match reader.peek()? {
                Kind::String => role = reader.string()?,
                _ => return invalid(format!("messages[{index}].role"), "must be a string"),
            },
            "content" => message.content(reader)?,
            "tool_calls" | "function_call" => message.count.text(reader.skip()?.of(body)),
            _ => drop(reader.skip()?),
        }
    }
    let (texts, bytes) = (message.texts, message.bytes);
    request.conversation.add(role.span.of(body), texts);
    request.conversation.bytes = request.conversation.bytes.saturating_add(bytes);
    match seen {
        [true, _] => Ok(()),
        _ => invalid(format!("messages[{index}].role"), "is missing"),
    }
}

impl MessageReader<'_, '_> {
    /// `content`: a string, an array of parts, or null.
    fn content(&mut self, reader: &mut Reader) -> Result<()> {
        match reader.peek()? {
            Kind::String => {
                let text = reader.string()?;
                self.text(text);
            }
            Kind::Array => {
                reader.enter_array()?;
                let mut first = true;
                while reader.next_item(&mut first)? {
                    if reader.peek()? != Kind::Object {
                        return invalid(format!("messages[{}].content", self.index), "must hold objects");
                    }
                    self.part(reader)?;
                }
            }
            Kind::Null => drop(reader.skip()?),
            _ => {
                return invalid(
                    format!("messages[{}].content", self.index),
                    "must be a string, an array of parts, or null",
                );
            }
        }
        Ok(())
    }

    /// A part of a message: `text`, `image_url`, `input_audio`, `file`, …, told by the members it has, so that nothing
    /// needs to be read twice when `type` comes last.
    fn part(&mut self, reader: &mut Reader) -> Result<()> {
        let mut first = true;
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut first)? {
            let name = key.value(self.body);
            match &*name {
                "text" | "refusal" if reader.peek()? == Kind::String => {
                    let text = reader.string()?;
                    self.text(text);
                }
                "image_url" => {
                    let image = reader.skip()?.of(self.body);
                    self.needs.images = true;
                    self.count.add(image_tokens(image));
                }
                "input_audio" => {
                    reader.skip()?;
                    self.needs.audio = true;
                }
                _ => drop(reader.skip()?),
            }
        }
        Ok(())
    }

    fn text(&mut self, text: Text) {
        self.count.text(text.span.of(self.body));
        self.bytes = self.bytes.saturating_add(text.span.len());
        self.texts.add(text);
    }
}

fn image_tokens(image_url: &[u8]) -> u32 {
    // `detail` stands before or after a URL that may be megabytes of base64: look at both ends only.
    const LOOK: usize = 64;
    let head = image_url.get(..LOOK).unwrap_or(image_url);
    let tail = image_url.get(image_url.len().saturating_sub(LOOK)..).unwrap_or_default();
    let is_low = |bytes: &[u8]| bytes.windows(5).any(|window| window == b"\"low\"");
    if is_low(head) || is_low(tail) { TOKENS_PER_SMALL_IMAGE } else { TOKENS_PER_IMAGE }
}
