//! What a request refers to that one provider keeps: earlier responses, conversations, items, encrypted reasoning.
//!
//! Owns where these ids were made, and the marks that come off before the provider sees them. Never decides.

use super::json::{Span, Text};
use super::members::{Result, invalid};
use crate::origin::Origin;

/// State at a provider, as a request refers to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The first member that refers to any; `None` where the request stands for itself.
    pub param: Option<String>,
    /// Where it was made; `None` where no id tells.
    pub origin: Option<Origin>,
    /// The marks in the body's ids, rising.
    pub marks: Vec<Span>,
}

impl State {
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
