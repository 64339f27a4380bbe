//! Where the texts of a conversation stand that tell what it is about.
//!
//! Owns which of them are kept: few, whatever the length of the conversation. Never copies a text.

use super::json::Text;

/// Texts of a message that are kept: the first two and the last two.
const KEPT: usize = 4;

/// Texts of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    list: [Text; KEPT],
    kept: usize,
}

impl Texts {
    /// Adds the next text of the message.
    pub fn add(&mut self, text: Text) {
        if let Some(place) = self.list.get_mut(self.kept) {
            *place = text;
            self.kept += 1;
        } else {
            let [first, second, _, last] = self.list;
            self.list = [first, second, last, text];
        }
    }

    /// Those that were kept, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Text> + '_ {
        self.list.iter().take(self.kept).copied()
    }

    /// Whether the message had no text.
    pub fn is_empty(&self) -> bool {
        self.kept == 0
    }
}

/// What is kept of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Texts of the first system or developer message.
    pub system: Texts,
    /// Texts of the last user message that has any.
    pub question: Texts,
    /// Those of the one before.
    pub previous: Texts,
    /// Those of the first one.
    pub opening: Texts,
    /// Messages that are results of tools.
    pub tool_results: u32,
    /// Bytes of the texts of all messages.
    pub bytes: usize,
    /// Whether a model has spoken.
    pub answered: bool,
    /// Tokens of what stands before the last that a model said: likely in the cache of that model's provider.
    pub earlier_tokens: u32,
}

impl Conversation {
    /// Takes in the next message, its texts and their `bytes`. `before` are the tokens of all that stands before it.
    pub fn add(&mut self, role: &[u8], texts: Texts, bytes: usize, before: u32) {
        self.bytes = self.bytes.saturating_add(bytes);
        match role {
            b"assistant" => {
                self.answered = true;
                self.earlier_tokens = before;
            }
            b"user" if !texts.is_empty() => {
                if self.opening.is_empty() {
                    self.opening = texts;
                }
                self.previous = core::mem::replace(&mut self.question, texts);
            }
            b"system" | b"developer" if self.system.is_empty() => self.system = texts,
            b"tool" | b"function" => self.tool_results = self.tool_results.saturating_add(1),
            _ => {}
        }
    }
}
