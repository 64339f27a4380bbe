//! What stands in a message: texts, images, audio, files.
//!
//! Owns what of it counts for routing; the walk over parts is that of OpenAI's two APIs. Never copies a text.

use super::count::TokenCount;
use super::json::{Kind, Reader, Text};
use super::members::{Result, invalid};
use super::{Needs, Request, Texts};

/// Tokens that the chat format adds to each message: role and delimiters.
pub(super) const TOKENS_PER_MESSAGE: u32 = 4;
/// Tokens of an image at high detail (1024 × 1024: 85 + 4 tiles of 170); `low` is 85. The true number depends on the
/// size in pixels and the model, which a router does not know.
pub(super) const TOKENS_PER_IMAGE: u32 = 765;
const TOKENS_PER_SMALL_IMAGE: u32 = 85;

/// Reads one message or item, whose place in the list is given.
type ReadOne = fn(&mut Reader, u32, &mut Request, &mut TokenCount) -> Result<()>;

/// Reads the value of `messages`.
pub(super) fn each_message(
    reader: &mut Reader,
    request: &mut Request,
    count: &mut TokenCount,
    read: ReadOne,
) -> Result<()> {
    if reader.peek()? != Kind::Array {
        return invalid("messages", "must be an array of messages");
    }
    each_object("messages", reader, request, count, read)
}

/// Reads the array that comes next, which is the value of `list`.
pub(super) fn each_object(
    list: &str,
    reader: &mut Reader,
    request: &mut Request,
    count: &mut TokenCount,
    read: ReadOne,
) -> Result<()> {
    reader.enter_array()?;
    let mut first = true;
    while reader.next_item(&mut first)? {
        let index = request.messages;
        if reader.peek()? != Kind::Object {
            return invalid(format!("{list}[{index}]"), "must be an object");
        }
        count.add(TOKENS_PER_MESSAGE);
        read(reader, index, request, count)?;
        request.messages = index.saturating_add(1);
    }
    Ok(())
}

/// A request that must have messages.
pub(super) fn some_messages(request: Request<'_>) -> Result<Request<'_>> {
    match request.messages {
        0 => invalid("messages", "must be an array with at least one message"),
        _ => Ok(request),
    }
}

/// What one message leaves behind.
pub(super) struct Message<'r, 'a> {
    /// `messages` or `input`, and the place in it, for errors.
    pub place: (&'static str, u32),
    pub needs: &'r mut Needs,
    pub count: &'r mut TokenCount,
    pub body: &'a [u8],
    pub texts: Texts,
    /// Bytes of all texts.
    pub bytes: usize,
    /// Nothing but text, told in the plainest way.
    pub plain: bool,
    /// A part is marked for a provider's cache.
    pub marked: bool,
}

impl<'r, 'a> Message<'r, 'a> {
    /// A message of which nothing is read yet.
    pub fn new(place: (&'static str, u32), body: &'a [u8], needs: &'r mut Needs, count: &'r mut TokenCount) -> Self {
        Message { place, needs, count, body, texts: Texts::default(), bytes: 0, plain: true, marked: false }
    }

    /// An error about this message's `member`.
    pub fn invalid<T>(&self, member: &str, rule: &'static str) -> Result<T> {
        let (list, index) = self.place;
        invalid(format!("{list}[{index}].{member}"), rule)
    }

    /// `content`, or a tool's `output`: a string, an array of parts, or null.
    pub fn content(&mut self, reader: &mut Reader, member: &str) -> Result<()> {
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
                        return self.invalid(member, "must hold objects");
                    }
                    self.part(reader)?;
                }
            }
            Kind::Null => {
                self.plain = false;
                reader.skip()?;
            }
            _ => return self.invalid(member, "must be a string, an array of parts, or null"),
        }
        Ok(())
    }

    /// A part of a message: `text`, `image_url`, `input_image`, `input_audio`, `file`, …, told by the members it has, so
    /// that nothing needs to be read twice when `type` comes last.
    fn part(&mut self, reader: &mut Reader) -> Result<()> {
        let (mut first, mut types, mut texts) = (true, 0, 0);
        reader.enter_object()?;
        while let Some(key) = reader.next_key(&mut first)? {
            let name = key.value(self.body);
            self.plain &= !key.escaped && matches!(&*name, "type" | "text" | "annotations" | "logprobs");
            types += u32::from(name == "type");
            texts += u32::from(name == "text");
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
                "file" => {
                    reader.skip()?;
                    self.needs.files = true;
                }
                "cache_control" => {
                    self.marked |= reader.peek()? != Kind::Null;
                    reader.skip()?;
                }
                // An image by its id alone has no URL.
                "type" if reader.peek()? == Kind::String => {
                    let kind = reader.string()?;
                    let kind = kind.span.of(self.body);
                    self.needs.images |= kind == b"input_image";
                    self.needs.files |= kind == b"input_file";
                    self.plain &= matches!(kind, b"input_text" | b"output_text");
                }
                "type" | "text" => {
                    self.plain = false;
                    reader.skip()?;
                }
                _ => drop(reader.skip()?),
            }
        }
        self.plain &= (types, texts) == (1, 1);
        Ok(())
    }

    pub fn text(&mut self, text: Text) {
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
