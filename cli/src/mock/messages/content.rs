//! The blocks of an answer: thoughts, texts, calls; how it ends, and what it costs.
//!
//! The text is that of every API. Words in the user's last message make more of it:
//!
//! | words | the answer |
//! |---|---|
//! | `[mock:call]` | says a sentence, then calls the first tool, though nothing forces it |
//! | `[mock:call-all]` | calls every tool once, forced or not, unless it may call only one |
//! | `[mock:two-texts]` | has two blocks of text |
//! | `[mock:redacted]` | has its thoughts in a `redacted_thinking` block |
//! | `[mock:stop=REASON]` | ends with this `stop_reason`, be it `refusal`, `pause_turn` or one that nobody knows |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::request::MessageRequest;
use super::signature;
use super::tools::{self, Mood};
use crate::mock::answer::{self, Speaker, pieces};
use crate::mock::{ids, sample};

/// The second of two texts.
const MORE: &str = "This is a second block of text, because the question asked for it.";

/// A block of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Thoughts and their signature; without text when the client does not want to see it.
    Thinking(String, String),
    /// Thoughts that only the model can read.
    Redacted(String),
    /// Text.
    Text(String),
    /// A call of a tool.
    Call {
        /// `toolu_…`.
        id: String,
        /// The tool's name.
        name: String,
        /// What it is called with: JSON, or the beginning of it.
        input: String,
    },
}

/// Everything that an answer says.
#[derive(Debug)]
pub struct Said {
    /// In order.
    pub blocks: Vec<Block>,
    /// Why it ends.
    pub stop_reason: String,
    /// The stop sequence that ended it.
    pub stop_sequence: Option<String>,
    /// Tokens of it all, thoughts included.
    pub tokens: u64,
    /// Tokens of the thoughts; `None` when the model does not think.
    pub thoughts: Option<u64>,
}

/// What `speaker` says to `request`.
pub fn say(request: &MessageRequest, speaker: Speaker<'_>) -> Said {
    let words = request.last_words();
    let budget = request.given("max_tokens").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let thoughts = request.thinking().map(|_| {
        let most = request.thinking_budget().unwrap_or(u64::MAX);
        answer::thoughts(request.effort(), budget).min(most)
    });
    let mut said = Said {
        blocks: spoken(request, speaker, &words),
        stop_reason: String::new(),
        stop_sequence: None,
        tokens: 0,
        thoughts,
    };
    said.stop_reason = if said.has_calls() { "tool_use" } else { "end_turn" }.to_owned();
    said.stop_at(request.list("stop_sequences"));
    if let Some(reason) = marker(&words, "[mock:stop=") {
        said.stop_reason = reason.to_owned();
    }
    said.cut(budget - thoughts.unwrap_or(0));
    said.tokens = thoughts.unwrap_or(0) + said.visible_tokens();
    if thoughts.is_some() {
        said.blocks.insert(0, thought(request, speaker, &words));
    }
    said
}

/// What stands in `words` between `start` and the next bracket.
fn marker<'a>(words: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = words.split_once(start)?;
    rest.split_once(']').map(|(inside, _)| inside)
}

fn spoken(request: &MessageRequest, speaker: Speaker<'_>, words: &str) -> Vec<Block> {
    let mood = match words {
        _ if words.contains("[mock:call-all]") => Mood::All,
        _ if words.contains("[mock:call]") => Mood::One,
        _ => Mood::Idle,
    };
    let calls = tools::called(request, mood);
    let mut blocks = Vec::new();
    if calls.is_empty() {
        blocks.push(Block::Text(answer::text(speaker, request.json_schema())));
    } else if mood == Mood::One && request.choice() == "auto" {
        blocks.push(Block::Text("Let me look that up.".to_owned()));
    }
    if words.contains("[mock:two-texts]") {
        blocks.push(Block::Text(MORE.to_owned()));
    }
    blocks.extend(calls.into_iter().map(|tool| call(tool, request)));
    blocks
}

fn call(tool: &Map<String, Value>, request: &MessageRequest) -> Block {
    let schema = tool.get("input_schema").unwrap_or(&Value::Null);
    Block::Call {
        id: ids::message(&format!("toolu{}", request.door.mark())),
        name: tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        input: sample::object(schema).to_string(),
    }
}

fn thought(request: &MessageRequest, speaker: Speaker<'_>, words: &str) -> Block {
    let text = format!("The mock provider {} thinks about this, at effort {}.", speaker.provider, request.effort());
    if words.contains("[mock:redacted]") {
        return Block::Redacted(STANDARD.encode(text));
    }
    let omitted = request.inner("thinking", "display").is_some_and(|display| display == "omitted");
    let text = if omitted { String::new() } else { text };
    let signature = signature::sign(&text);
    Block::Thinking(text, signature)
}

impl Block {
    /// What is streamed of it token by token.
    pub fn text(&self) -> &str {
        match self {
            Self::Thinking(text, _) | Self::Text(text) | Self::Call { input: text, .. } => text,
            Self::Redacted(_) => "",
        }
    }

    fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Thinking(text, _) | Self::Redacted(text) | Self::Text(text) | Self::Call { input: text, .. } => text,
        }
    }

    fn is_call(&self) -> bool {
        matches!(self, Self::Call { .. })
    }
}

impl Said {
    /// The tokens that a reader waits for.
    pub fn visible_tokens(&self) -> u64 {
        self.blocks.iter().map(|block| pieces(block.text()).count() as u64).sum()
    }

    fn has_calls(&self) -> bool {
        self.blocks.iter().any(Block::is_call)
    }

    /// Ends the answer in front of the first of `stops` that its text has.
    fn stop_at(&mut self, stops: &[Value]) {
        let stops: Vec<&str> = stops.iter().filter_map(Value::as_str).filter(|stop| !stop.is_empty()).collect();
        for index in 0..self.blocks.len() {
            let Some(Block::Text(text)) = self.blocks.get_mut(index) else { continue };
            let found = stops.iter().filter_map(|stop| text.find(stop).map(|at| (at, *stop))).min();
            if let Some((at, stop)) = found {
                text.truncate(at);
                self.blocks.truncate(index + 1);
                (self.stop_reason, self.stop_sequence) = ("stop_sequence".to_owned(), Some(stop.to_owned()));
                return;
            }
        }
    }

    /// Ends the answer after `limit` tokens.
    fn cut(&mut self, limit: u64) {
        let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
        for index in 0..self.blocks.len() {
            let Some(block) = self.blocks.get_mut(index) else { continue };
            let tokens = pieces(block.text()).count();
            if tokens > left {
                let kept = pieces(block.text()).take(left).map(str::len).sum();
                block.text_mut().truncate(kept);
                self.blocks.truncate(index + usize::from(left > 0));
                (self.stop_reason, self.stop_sequence) = ("max_tokens".to_owned(), None);
                return;
            }
            left -= tokens;
        }
    }
}
