//! Splicing: a body with some ranges replaced, copied once.

use crate::request::json::Span;

/// Replaces a range of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

impl Edit {
    /// Puts `text` in the place of `span`.
    pub fn replace(span: Span, text: String) -> Self {
        Edit { span, text }
    }

    /// Puts `text` before the byte at `at`.
    pub fn insert(at: usize, text: String) -> Self {
        Edit { span: Span { start: at, end: at }, text }
    }

    /// Takes out `start..end`.
    pub fn remove(start: usize, end: usize) -> Self {
        Edit { span: Span { start, end }, text: String::new() }
    }
}

/// `body` with `edits` applied, which rise; one that begins inside another's range is left out.
pub fn apply(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let removed: usize = edits.iter().map(|edit| edit.span.len()).sum();
    let mut edited = Vec::with_capacity((body.len() + added).saturating_sub(removed));
    let mut at = 0;
    for edit in edits {
        // What lies in a range that is gone is gone with it.
        if edit.span.start < at {
            continue;
        }
        edited.extend_from_slice(Span { start: at, end: edit.span.start }.of(body));
        edited.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    edited.extend_from_slice(body.get(at..).unwrap_or_default());
    edited
}
