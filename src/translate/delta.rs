//! What an answer says, in no API's words: a sequence of deltas.
//!
//! Readers of one API make them of an event or of a whole answer, writers of another consume them. Texts are borrowed
//! from the payload. Never names a member of an API.

use super::json::{Escaped, Raw};
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
    /// The answer ends.
    Finish(Finish),
    /// What it took; the last one counts.
    Usage(Usage),
    /// The provider failed in the middle.
    Fault(Fault<'a>),
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

/// An error in the middle of an answer.
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
}
