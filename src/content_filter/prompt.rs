//! The texts of a request that a model would read.
//!
//! Owns which members hold them, in any API. Never copies one: it notes where they stand.

use crate::request::json::{Kind, Reader, Text};
use crate::request::{Member, Request};

type Result<T> = core::result::Result<T, crate::request::json::JsonError>;

/// Members of the body that hold the prompt: what stands before a conversation, then the conversation.
const PROMPTS: [&str; 5] = ["system", "instructions", "prompt", "messages", "input"];
/// Members inside them whose strings are texts, if they are strings or lists of strings.
const TEXTS: [&str; 9] =
    ["content", "text", "output", "refusal", "reasoning_content", "thinking", "title", "context", "summary"];
/// Members inside them all of whose strings are texts, however deep: what a tool is called with, what is put into a
/// stored prompt.
const VALUES: [&str; 3] = ["arguments", "input", "variables"];

/// Which strings count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    /// None here; perhaps in members.
    Members,
    /// This one, and those of a list.
    These,
    /// All, however deep.
    All,
}

/// The texts, the latest last.
pub(super) fn texts(request: &Request) -> Vec<Text> {
    let mut texts = Vec::new();
    for name in PROMPTS {
        if let Some(Member { value, .. }) = request.members.get(request.body, name) {
            let mut reader = Reader::new(value.of(request.body));
            let from = texts.len();
            // The body has been read before, so this cannot fail; if it did, what was found before would still be checked.
            walk(&mut reader, Take::These, &mut texts).unwrap_or_default();
            let found: &mut [Text] = texts.get_mut(from..).unwrap_or_default();
            found.iter_mut().for_each(|text| text.span = text.span.within(*value));
        }
    }
    texts
}

/// Takes in the value that comes next. The reader bounds the depth.
fn walk(reader: &mut Reader, take: Take, texts: &mut Vec<Text>) -> Result<()> {
    let mut first = true;
    match reader.peek()? {
        Kind::String if take != Take::Members => push(reader.string()?, texts),
        Kind::Array => {
            reader.enter_array()?;
            while reader.next_item(&mut first)? {
                walk(reader, take, texts)?;
            }
        }
        Kind::Object => object(reader, take, texts)?,
        _ => drop(reader.skip()?),
    }
    Ok(())
}

fn object(reader: &mut Reader, take: Take, texts: &mut Vec<Text>) -> Result<()> {
    let (mut first, mut is_text, mut data) = (true, false, None);
    reader.enter_object()?;
    while let Some(key) = reader.next_key(&mut first)? {
        let name = key.value(reader.bytes());
        match (&*name, reader.peek()?) {
            _ if take == Take::All => walk(reader, take, texts)?,
            ("type", Kind::String) => is_text = reader.string()?.value(reader.bytes()) == "text",
            ("data", Kind::String) => data = Some(reader.string()?),
            (name, _) if TEXTS.contains(&name) => walk(reader, Take::These, texts)?,
            (name, _) if VALUES.contains(&name) => walk(reader, Take::All, texts)?,
            _ => walk(reader, Take::Members, texts)?,
        }
    }
    // The source of a document may be text; any other is encoded bytes.
    if let Some(data) = data.filter(|_| is_text) {
        push(data, texts);
    }
    Ok(())
}

fn push(text: Text, texts: &mut Vec<Text>) {
    if !text.span.is_empty() {
        texts.push(text);
    }
}
