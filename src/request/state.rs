//! What a request refers to that one provider keeps: earlier responses, conversations, items, encrypted reasoning.
//!
//! Owns where these ids were made, and the marks that come off before the provider sees them. Never decides.

use super::json::{JsonError, Kind, Reader, Span, Text};
use super::members::{Result, invalid};
use crate::origin::Origin;

/// The marks in the ids of any JSON text, rising; none where it is no JSON.
pub fn marks(body: &[u8]) -> Vec<Span> {
    let mut state = State::default();
    match walk(body, &mut state) {
        Ok(()) => state.marks,
        Err(_) => Vec::new(),
    }
}

fn walk(body: &[u8], state: &mut State) -> core::result::Result<(), JsonError> {
    let mut reader = Reader::new(body);
    // Whether each open level is an object; the reader bounds their number.
    let mut open: Vec<bool> = Vec::new();
    let (mut first, mut is_id) = (true, false);
    loop {
        let kind = reader.peek()?;
        match kind {
            Kind::Object => reader.enter_object()?,
            Kind::Array => reader.enter_array()?,
            Kind::String if is_id => drop(state.unmark(body, reader.string()?)),
            _ => drop(reader.skip()?),
        }
        if let Kind::Object | Kind::Array = kind {
            open.push(kind == Kind::Object);
            first = true;
        }
        // Close what ends here, then stand before the next value.
        loop {
            let key = match open.last() {
                None => return reader.end(),
                Some(true) => reader.next_key(&mut first)?,
                Some(false) => reader.next_item(&mut first)?.then(Text::default),
            };
            is_id = key.is_some_and(|key| matches!(key.span.of(body), b"id" | b"encrypted_content"));
            if key.is_some() {
                break;
            }
            open.pop();
            first = false;
        }
    }
}

/// State at a provider, as a request refers to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The first member that refers to any; `None` where the request stands for itself.
    pub param: Option<String>,
    /// Where it was made; `None` where no id tells.
    pub origin: Option<Origin>,
    /// The marks in the body's ids, rising.
    pub marks: Vec<Span>,
    /// Items of reasoning without what their maker sealed: any other provider does not know them, and they are cut.
    pub thoughts: Vec<Thought>,
}

/// An item of reasoning that is known by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thought {
    /// Hash of its maker's name, as in [`Origin`].
    pub provider: u32,
    /// Where the item begins.
    pub start: u32,
    /// And ends.
    pub end: u32,
}

impl State {
    /// Start and end of each mark. Bodies are bounded far below 4 GiB, so positions fit 32 bits.
    pub fn published_marks(&self) -> Vec<(u32, u32)> {
        self.marks.iter().map(|mark| (mark.start as u32, mark.end as u32)).collect()
    }

    /// Takes in a reference to something that a provider keeps.
    ///
    /// # Errors
    /// Where an earlier reference is to another provider: nobody has both.
    pub(super) fn refer(&mut self, body: &[u8], param: String, id: Text) -> Result<()> {
        let origin = self.unmark(body, id);
        if let (Some(known), Some(new)) = (self.origin, origin)
            && known.provider != new.provider
        {
            return invalid(param, "was made by another provider than what the request refers to before it");
        }
        self.origin = self.origin.or(origin);
        self.param.get_or_insert(param);
        Ok(())
    }

    /// Notes the mark of an id, if it has one. Marks have no escapes, so a text with any has none.
    pub(super) fn unmark(&mut self, body: &[u8], id: Text) -> Option<Origin> {
        let (origin, mark) = Origin::of(id.span.of(body)).filter(|_| !id.escaped)?;
        let at = id.span.start;
        self.marks.push(Span { start: at + mark.start, end: at + mark.end });
        Some(origin)
    }
}
