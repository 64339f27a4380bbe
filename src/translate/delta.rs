//! What an answer says, in no API's words: a sequence of deltas.
//!
//! Readers of one API make them of an event or of a whole answer, writers of another consume them. Texts are borrowed
//! from the payload. Never names a member of an
//! API, but for those of an error.

use super::json::{Escaped, Object, Raw};
use crate::decide::cost;

/// A step of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Delta<'a> {
    /// Who answers. Comes with every payload that says so; what was said first counts, empty is unsaid.
    Start(Start<'a>),
    /// More of what the model thinks.
    Reasoning(Escaped<'a>),
    /// The end of a piece of reasoning: that by which its maker knows it again.
    Signature(Escaped<'a>),
    /// A piece of reasoning that only its maker can read.
    Redacted(Escaped<'a>),
    /// More of the answer's text.
    Text {
        /// The text.
        text: Escaped<'a>,
        /// Log probabilities of its tokens: an array that is not empty.
        logprobs: Option<Raw<'a>>,
    },
    /// More of a refusal.
    Refusal(Escaped<'a>),
    /// A tool is called; may be said again with every delta of the same call.
    CallStart {
        /// Tells calls apart that come at the same time.
        index: u64,
        /// The call's own id, empty where unsaid.
        id: Escaped<'a>,
        /// Name of the tool, empty where unsaid.
        name: Escaped<'a>,
        /// The tool takes free text.
        custom: bool,
    },
    /// More of what is passed to the tool.
    CallInput {
        /// Of the call.
        index: u64,
        /// Free text for a custom tool, else JSON in a string.
        input: Escaped<'a>,
    },
    /// All that is passed to the tool, as JSON that stands in no string.
    CallObject {
        /// Of the call.
        index: u64,
        /// The JSON.
        input: Raw<'a>,
    },
    /// Nothing more is passed to the tool; a call that was passed nothing at all takes an empty object. Comes only of
    /// APIs whose calls have an end, and may name an index that is no call's.
    CallEnd {
        /// Of the call.
        index: u64,
    },
    /// Why the answer ends.
    Finish(Finish),
    /// What it took so far; the last one counts.
    Usage(Usage),
    /// The provider failed.
    Fault(Fault<'a>),
    /// The proper end of a stream: nothing comes after it.
    End,
}

/// Who answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Of the answer.
    pub id: Escaped<'a>,
    /// The model's name.
    pub model: Escaped<'a>,
    /// Seconds since 1970, a number.
    pub created: Option<Raw<'a>>,
    /// The tier that served it.
    pub service_tier: Escaped<'a>,
    /// Whether it really is a part of the answer, and no preliminary.
    pub begun: bool,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is whole; tools may be called.
    Whole,
    /// The limit of output tokens was reached.
    Length,
    /// A filter stopped it.
    Filter,
}

/// What an answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Counts of tokens.
    pub counts: cost::Usage,
    /// Their total as the provider says.
    pub total: u64,
}

/// An error in the place of an answer, or in its middle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault<'a> {
    /// The class of error, as OpenAI's APIs call it in `type`.
    pub kind: Option<Escaped<'a>>,
    /// Machine-readable.
    pub code: Option<Escaped<'a>>,
    /// For people.
    pub message: Option<Escaped<'a>>,
    /// The parameter that is to blame.
    pub param: Option<Escaped<'a>>,
    /// The whole error, where its API words it as OpenAI's do.
    pub as_sent: Option<Raw<'a>>,
}

impl Fault<'_> {
    /// Writes it as OpenAI's APIs do, in its envelope.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut envelope = Object::open(out);
        let mut error = envelope.object("error");
        error.text("message", self.message.unwrap_or(b"The provider reported an error."));
        error.text("type", self.kind.unwrap_or(b"server_error"));
        for (name, value) in [("param", self.param), ("code", self.code)] {
            match value {
                Some(value) => error.text(name, value),
                None => error.json(name, b"null"),
            }
        }
        error.close();
        envelope.close();
    }
}
