//! What is cut from an answer and what is put into it, as positions.
//!
//! Owns the texts that go in and the rule which ids get a mark. Never finds the places: the readers of the APIs do.
//! Positions are kept from event to event, so that none allocates.

use super::Treatment;
use crate::edit::Edit;
use crate::origin::place;
use crate::request::json::{Span, Text};

/// The name under which details go into an answer.
pub(super) const DETAILS: &str = "model_selection_details";

/// Changes to one JSON text: they rise and do not overlap.
pub(super) struct Splices {
    /// Empty where ids are left alone.
    mark: String,
    /// The mark of what the request continues; `None`: the same.
    earlier: Option<String>,
    /// The member with a comma behind it; empty where there are no details.
    details: String,
    list: Vec<(Span, Piece)>,
}

/// What comes in the place of a span.
#[derive(Clone, Copy)]
enum Piece {
    Nothing,
    Mark,
    Earlier,
    Details,
    /// Into an object that has no other member.
    DetailsAlone,
}

impl Splices {
    pub(super) fn new(treatment: &Treatment) -> Self {
        let details = treatment.details.as_deref().map(|details| format!("\"{DETAILS}\":{details},"));
        Splices {
            mark: treatment.mark.clone().unwrap_or_default(),
            earlier: treatment.earlier.clone(),
            details: details.unwrap_or_default(),
            list: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    pub(super) fn has_mark(&self) -> bool {
        !self.mark.is_empty()
    }

    pub(super) fn has_details(&self) -> bool {
        !self.details.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Marks an id; one with a mark is of a router behind this one, and gets another. An empty one names nothing.
    pub(super) fn mark(&mut self, id: Text, json: &[u8]) {
        self.put(Piece::Mark, id, json);
    }

    /// Marks the id of what the request continues, so that the client sees it as it sent it.
    pub(super) fn mark_earlier(&mut self, id: Text, json: &[u8]) {
        match self.earlier.as_deref() {
            None => self.put(Piece::Mark, id, json),
            Some("") => {}
            Some(_) => self.put(Piece::Earlier, id, json),
        }
    }

    fn put(&mut self, piece: Piece, id: Text, json: &[u8]) {
        let text = id.span.of(json);
        if self.has_mark() && !text.is_empty() {
            let at = id.span.start + place(text);
            self.list.push((Span { start: at, end: at }, piece));
        }
    }

    /// Puts the details at the start of an object, `inside` its brace. `index` is how many splices come before.
    pub(super) fn details(&mut self, index: usize, inside: usize, alone: bool) {
        if self.has_details() {
            let piece = if alone { Piece::DetailsAlone } else { Piece::Details };
            self.list.insert(index.min(self.list.len()), (Span { start: inside, end: inside }, piece));
        }
    }

    pub(super) fn cut(&mut self, span: Span) {
        self.list.push((span, Piece::Nothing));
    }

    /// Each span and what comes in its place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Span, &str)> {
        self.list.iter().map(|(span, piece)| (*span, self.text(*piece)))
    }

    pub(super) fn edits(&self) -> Vec<Edit> {
        self.iter().map(|(span, text)| Edit::replace(span, text.to_owned())).collect()
    }

    fn text(&self, piece: Piece) -> &str {
        match piece {
            Piece::Nothing => "",
            Piece::Mark => &self.mark,
            Piece::Earlier => self.earlier.as_deref().unwrap_or_default(),
            Piece::Details => &self.details,
            Piece::DetailsAlone => self.details.strip_suffix(',').unwrap_or_default(),
        }
    }
}
