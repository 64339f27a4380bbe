//! The size of a request in tokens, estimated while it is read.
//!
//! Owns how much of a request is looked at: everything in short ones, a share of the texts in long ones, so that a
//! conversation of many messages costs no more than one long message does.

use crate::predict::tokens::estimate;

/// Bytes of text that are always looked at.
const ALWAYS: usize = 4096;
/// Beyond that, texts are looked at while less than one byte in this many has been.
const SHARE: usize = 16;

/// A running estimate.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenCount {
    /// Tokens that are known without text.
    fixed: u32,
    /// Bytes of the texts that were estimated, and their tokens.
    read: usize,
    tokens: u32,
    /// Bytes of the texts that were not.
    unread: usize,
}

impl TokenCount {
    /// Adds tokens that are known.
    pub fn add(&mut self, tokens: u32) {
        self.fixed = self.fixed.saturating_add(tokens);
    }

    /// Adds a text.
    pub fn text(&mut self, text: &[u8]) {
        if self.read < ALWAYS + (self.read + self.unread) / SHARE {
            self.tokens = self.tokens.saturating_add(estimate(text));
            self.read += text.len();
        } else {
            self.unread += text.len();
        }
    }

    /// The estimate: texts that were not looked at count like those that were.
    pub fn total(&self) -> u32 {
        let unread = self.unread as u64 * u64::from(self.tokens) / self.read.max(1) as u64;
        let unread = u32::try_from(unread).unwrap_or(u32::MAX);
        self.fixed.saturating_add(self.tokens).saturating_add(unread)
    }
}
