//! What a request says, in no API's words: the pieces of a conversation, tools and settings.
//!
//! Readers of one API make them, writers of another consume them, so that each API is read and written once. Texts and
//! values are borrowed from the body. Never names a member of an API.

use super::json::{Escaped, Raw};

/// A request.
#[derive(Debug, Default)]
pub struct Conversation<'a> {
    /// In the order of the request, instructions first.
    pub pieces: Vec<Piece<'a>>,
    /// For each piece: of which message or item of the request it is a part.
    pub places: Vec<u32>,
    /// What was read of messages and has no place here, in the words of the API.
    pub lost: Vec<&'static str>,
    /// Tools that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Which of them it may or must call.
    pub choice: Option<Choice<'a>>,
    /// Shape of the answer's text, where it is not free.
    pub format: Option<Format<'a>>,
    /// Everything else.
    pub settings: Settings<'a>,
}

impl<'a> Conversation<'a> {
    /// Adds a piece of the message or item at `place`.
    pub fn add(&mut self, place: u32, piece: Piece<'a>) {
        self.pieces.push(piece);
        self.places.push(place);
    }

    /// Notes that something is lost, once.
    pub fn lose(&mut self, name: &'static str) {
        if !self.lost.contains(&name) {
            self.lost.push(name);
        }
    }
}

/// A piece of a conversation.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Something said.
    Message {
        /// By whom.
        role: Role,
        /// In order; none where nothing was said.
        parts: Vec<Part<'a>>,
    },
    /// The model called a tool.
    Call(Call<'a>),
    /// What a tool gave back.
    CallResult {
        /// Of the call.
        id: Escaped<'a>,
        /// To be read as one text.
        texts: Vec<Escaped<'a>>,
        /// As [`Part::CachePoint`].
        cache_point: Option<Raw<'a>>,
    },
    /// What the model thought. Text that only its maker can read never gets here.
    Reasoning {
        /// To be read as one text; none where only a summary is known.
        texts: Vec<Escaped<'a>>,
        /// By which its maker knows it again, where that is known.
        signature: Option<Escaped<'a>>,
    },
    /// What the model thought and only its maker can read, in a form that only Messages has.
    Redacted(Escaped<'a>),
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions, by whatever name.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Plain text.
    Text(Escaped<'a>),
    /// Text by which the model refused.
    Refusal(Escaped<'a>),
    /// An image.
    Image {
        /// `https:` or `data:`.
        url: Escaped<'a>,
        /// `low`, `high` or `auto`.
        detail: Option<Escaped<'a>>,
    },
    /// A recording.
    Audio {
        /// Base64.
        data: Escaped<'a>,
        /// `wav` or `mp3`.
        format: Escaped<'a>,
    },
    /// The prefix up to here is worth keeping in the provider's prompt cache. The mark as it was sent.
    CachePoint(Raw<'a>),
    /// A file.
    File {
        /// Its name.
        name: Option<Escaped<'a>>,
        /// `data:` URL.
        data: Escaped<'a>,
    },
}

impl<'a> Part<'a> {
    /// Plain text.
    pub fn text(&self) -> Option<Escaped<'a>> {
        match self {
            Part::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text by which the model refused.
    pub fn refusal(&self) -> Option<Escaped<'a>> {
        match self {
            Part::Refusal(text) => Some(text),
            _ => None,
        }
    }

    /// The mark of a prefix.
    pub fn cache_point(&self) -> Option<Raw<'a>> {
        match self {
            Part::CachePoint(mark) => Some(*mark),
            _ => None,
        }
    }
}

/// A call of a tool.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// By which the result refers to it.
    pub id: Escaped<'a>,
    /// Name of the tool.
    pub name: Escaped<'a>,
    /// Free text for a custom tool, else JSON in a string.
    pub input: Escaped<'a>,
    /// The tool takes free text.
    pub custom: bool,
}

/// A tool.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    /// Its name, a string.
    pub name: Raw<'a>,
    /// What it is for, a string.
    pub description: Option<Raw<'a>>,
    /// What it takes.
    pub takes: Takes<'a>,
    /// The prefix up to here is worth keeping in the provider's prompt cache. The mark as it was sent.
    pub cache_point: Option<Raw<'a>>,
}

/// What a tool takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes<'a> {
    /// Arguments.
    Arguments {
        /// JSON Schema.
        schema: Option<Raw<'a>>,
        /// Whether the schema must be kept to the letter.
        strict: Option<Raw<'a>>,
    },
    /// Free text.
    Text,
    /// Text of a grammar.
    Grammar {
        /// `lark` or `regex`, a string.
        syntax: Raw<'a>,
        /// The grammar, a string.
        definition: Raw<'a>,
    },
}

/// Which tools the model may or must call.
#[derive(Clone, Debug)]
pub enum Choice<'a> {
    /// None.
    Never,
    /// Any or none.
    Auto,
    /// At least one.
    Required,
    /// This one.
    Tool(ToolName<'a>),
    /// Only some of them.
    Allowed {
        /// At least one.
        required: bool,
        /// These.
        tools: Vec<ToolName<'a>>,
    },
}

/// Names a tool.
#[derive(Clone, Copy, Debug)]
pub struct ToolName<'a> {
    /// A string.
    pub name: Raw<'a>,
    /// The tool takes free text.
    pub custom: bool,
}

/// Shape of the answer's text.
#[derive(Clone, Copy, Debug)]
pub enum Format<'a> {
    /// Some JSON object.
    Json,
    /// JSON of a schema.
    Schema {
        /// A string.
        name: Raw<'a>,
        /// What it is for.
        description: Option<Raw<'a>>,
        /// JSON Schema.
        schema: Option<Raw<'a>>,
        /// Whether the schema must be kept to the letter.
        strict: Option<Raw<'a>>,
    },
}

/// Settings of a request, as sent.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Settings<'a> {
    /// Limit of output tokens, reasoning included.
    pub max_output: Option<Raw<'a>>,
    /// A string, or an array of strings, at which the answer ends.
    pub stop: Option<Raw<'a>>,
    pub temperature: Option<Raw<'a>>,
    pub top_p: Option<Raw<'a>>,
    /// How much to think.
    pub effort: Option<Raw<'a>>,
    pub verbosity: Option<Raw<'a>>,
    pub parallel_tool_calls: Option<Raw<'a>>,
    /// Log probabilities of the tokens of the answer are wanted.
    pub logprobs: bool,
    /// Of how many alternatives as well.
    pub top_logprobs: Option<Raw<'a>>,
    pub user: Option<Raw<'a>>,
    pub safety_identifier: Option<Raw<'a>>,
    pub service_tier: Option<Raw<'a>>,
    pub prompt_cache_key: Option<Raw<'a>>,
    pub prompt_cache_retention: Option<Raw<'a>>,
    /// The answer is a stream.
    pub stream: bool,
}
