//! The outermost object of a body.
//!
//! Owns the walk over its members, which are noted as spans, and the checks that every API shares. Never knows an API.

use super::count::TokenCount;
use super::json::{JsonError, Kind, Reader, Span, Text};
use super::{Api, Member, Members, ReadError, Request};

pub(super) type Result<T> = core::result::Result<T, ReadError>;

pub(super) fn invalid<T>(param: impl Into<String>, rule: &'static str) -> Result<T> {
    Err(ReadError::Invalid { param: param.into(), rule })
}

/// Reads only the outermost object's members; used where a body changed on its way, and for objects inside it.
///
/// # Errors
/// [`ReadError`] when the body is no JSON object or names a member twice.
pub fn read_members(body: &[u8]) -> Result<Members> {
    let mut members = MemberReader::enter(body)?;
    while let Some(key) = members.next_key()? {
        members.skip(key)?;
    }
    members.end()
}

/// Reads a request in one pass; `read` takes the value of each member.
pub(super) fn read_request<'a>(
    api: Api,
    body: &'a [u8],
    read: impl Fn(&mut MemberReader<'a>, Text, &mut Request<'a>, &mut TokenCount) -> Result<()>,
) -> Result<Request<'a>> {
    let mut members = MemberReader::enter(body)?;
    let mut request = Request::new(api, body);
    let mut count = TokenCount::default();
    while let Some(key) = members.next_key()? {
        read(&mut members, key, &mut request, &mut count)?;
    }
    request.members = members.end()?;
    request.input_tokens = count.total();
    Ok(request)
}

/// Members of one object, at most: ten times what any API has.
const MOST_MEMBERS: usize = 512;

/// Walks the outermost object and collects its members.
pub(super) struct MemberReader<'a> {
    pub(super) reader: Reader<'a>,
    members: Members,
    first: bool,
}

impl<'a> MemberReader<'a> {
    pub(super) fn enter(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(ReadError::Empty);
        }
        let mut reader = Reader::new(body);
        reader.enter_object()?;
        let members = Members { length: body.len(), inside: reader.offset(), list: Vec::with_capacity(16) };
        Ok(MemberReader { reader, members, first: true })
    }

    pub(super) fn next_key(&mut self) -> Result<Option<Text>> {
        let Some(key) = self.reader.next_key(&mut self.first)? else { return Ok(None) };
        let body = self.reader.bytes();
        let name = key.value(body);
        // Each is compared with those before it.
        if self.members.list.len() >= MOST_MEMBERS {
            return invalid("body", "has too many members");
        }
        if self.members.get(body, &name).is_some() {
            return invalid(name.chars().take(64).collect::<String>(), "is there twice");
        }
        Ok(Some(key))
    }

    /// Reads the value of `key` with `read`, which must consume exactly one value.
    pub(super) fn value<T>(&mut self, key: Text, read: impl FnOnce(&mut Reader<'a>) -> Result<T>) -> Result<T> {
        self.reader.peek()?;
        let start = self.reader.offset();
        let value = read(&mut self.reader)?;
        self.members.list.push(Member { key: key.span, value: Span { start, end: self.reader.offset() } });
        Ok(value)
    }

    pub(super) fn skip(&mut self, key: Text) -> Result<Span> {
        self.value(key, |reader| Ok(reader.skip()?))
    }

    pub(super) fn expect(&mut self, kind: Kind, name: &str, rule: &'static str) -> Result<()> {
        if self.reader.peek()? == kind { Ok(()) } else { invalid(name, rule) }
    }

    pub(super) fn string(&mut self, key: Text, name: &str) -> Result<Text> {
        self.expect(Kind::String, name, "must be a string")?;
        self.value(key, |reader| Ok(reader.string()?))
    }

    pub(super) fn token_limit(&mut self, key: Text, name: &str) -> Result<u32> {
        const RULE: &str = "must be a whole number of tokens";
        self.expect(Kind::Number, name, RULE)?;
        let span = self.value(key, |reader| Ok(reader.number()?))?;
        let text = span.of(self.reader.bytes());
        if !text.iter().all(u8::is_ascii_digit) {
            return invalid(name, RULE);
        }
        Ok(core::str::from_utf8(text).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX))
    }

    /// `model` or `stream`, which every API has.
    pub(super) fn common(&mut self, key: Text, name: &str, request: &mut Request<'a>) -> Result<()> {
        if name == "model" {
            request.model = Some(self.string(key, name)?.value(request.body));
            return Ok(());
        }
        request.stream = self.bool(key, name)?;
        Ok(())
    }

    pub(super) fn bool(&mut self, key: Text, name: &str) -> Result<bool> {
        self.expect(Kind::Bool, name, "must be true or false")?;
        self.value(key, |reader| Ok(reader.bool()?))
    }

    /// An object of which one member that is a string is wanted.
    pub(super) fn inner(&mut self, key: Text, name: &str, member: &str, take: impl FnOnce(Text)) -> Result<()> {
        self.expect(Kind::Object, name, "must be an object")?;
        if let Some(text) = self.value(key, |reader| Ok(string_member(reader, member)?))? {
            take(text);
        }
        Ok(())
    }

    /// A list of tools.
    pub(super) fn tools(
        &mut self,
        key: Text,
        name: &str,
        request: &mut Request<'a>,
        count: &mut TokenCount,
    ) -> Result<()> {
        self.expect(Kind::Array, name, "must be an array")?;
        let list = self.skip(key)?.of(request.body);
        // `[]` and `[ ]` declare nothing.
        request.needs.tools |= list.iter().any(|byte| !matches!(byte, b'[' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        count.text(list);
        Ok(())
    }

    /// The value that was read last.
    pub(super) fn last(&self) -> Option<Span> {
        self.members.list.last().map(|member| member.value)
    }

    /// `tool_choice`, a string or an object.
    pub(super) fn tool_choice(&mut self, key: Text, request: &mut Request<'a>) -> Result<()> {
        self.check_type("tool_choice", &[])?;
        self.value(key, |reader| {
            request.needs.forced_tool = forces_tool(reader)?;
            Ok(())
        })
    }

    /// A parameter that is not read here: only its type is checked, against `types` or those that several APIs have. A wrong
    /// one is refused before any provider is called.
    pub(super) fn other(&mut self, key: Text, name: &str, types: &[Typed]) -> Result<()> {
        self.check_type(name, types)?;
        self.skip(key).map(drop)
    }

    fn check_type(&mut self, name: &str, types: &[Typed]) -> Result<()> {
        match types.iter().chain(&COMMON).find(|(known, ..)| *known == name) {
            Some((_, kinds, rule)) if !kinds.contains(&self.reader.peek()?) => invalid(name, rule),
            _ => Ok(()),
        }
    }

    pub(super) fn end(mut self) -> Result<Members> {
        self.reader.end()?;
        Ok(self.members)
    }
}

/// The string member `name` of the object that comes next.
pub(crate) fn string_member(reader: &mut Reader, name: &str) -> core::result::Result<Option<Text>, JsonError> {
    let (mut first, mut found) = (true, None);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        if key.value(reader.bytes()) == name && reader.peek()? == Kind::String {
            found = Some(reader.string()?);
        } else {
            reader.skip()?;
        }
    }
    Ok(found)
}

/// `tool_choice`, a string or an object: whether the model must call a tool, one of its choice or a named one.
fn forces_tool(reader: &mut Reader) -> Result<bool> {
    let body = reader.bytes();
    let is_required = |text: Text| text.value(body) == "required";
    if reader.peek()? == Kind::String {
        return Ok(is_required(reader.string()?));
    }
    let (mut first, mut kind, mut required) = (true, None, false);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        match (&*key.value(body), reader.peek()?) {
            ("type", Kind::String) => kind = Some(reader.string()?.value(body)),
            // Responses has the mode here, Chat Completions one level deeper.
            ("mode", Kind::String) => required |= is_required(reader.string()?),
            ("allowed_tools", Kind::Object) => required |= string_member(reader, "mode")?.is_some_and(is_required),
            _ => drop(reader.skip()?),
        }
    }
    Ok(match kind.as_deref() {
        None | Some("auto" | "none") => false,
        Some("allowed_tools") => required,
        Some(_) => true,
    })
}

/// A parameter, the kinds of value that it may have, and the rule that says so.
pub(super) type Typed = (&'static str, &'static [Kind], &'static str);

/// Parameters that both of OpenAI's APIs have.
const COMMON: [Typed; 9] = [
    ("temperature", &[Kind::Number], "must be a number"),
    ("top_p", &[Kind::Number], "must be a number"),
    ("top_logprobs", &[Kind::Number], "must be a number"),
    ("parallel_tool_calls", &[Kind::Bool], "must be true or false"),
    ("store", &[Kind::Bool], "must be true or false"),
    ("metadata", &[Kind::Object], "must be an object"),
    ("user", &[Kind::String], "must be a string"),
    ("service_tier", &[Kind::String], "must be a string"),
    ("tool_choice", &[Kind::String, Kind::Object], "must be a string or an object"),
];
