//! What the mock says to a question, and what that costs: the same text for the same question, whichever API asks it.
//!
//! Pure but for ids, the clock and the prompt cache; [`super::completion`] and [`super::responses`] put it into shapes.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::cache::PrefixCache;
use super::prompt::Prompt;
use super::tools::Tool;
use super::{ids, sample};

/// What an answer depends on.
#[derive(Debug)]
pub struct Question<'a> {
    /// What the model reads.
    pub prompt: Prompt,
    /// The tool that the answer has to call.
    pub forced: Option<Tool<'a>>,
    /// The schema of the JSON that the answer has to be; null when any object will do, `None` when text will.
    pub schema: Option<&'a Value>,
    /// `none` for models that do not reason.
    pub effort: &'a str,
    /// The most tokens a choice may have, reasoning included.
    pub budget: Option<u64>,
    /// How many choices.
    pub choices: u64,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// Seconds since 1970.
    pub created: u64,
    /// The snapshot that answers.
    pub model: String,
    /// As many as asked for.
    pub choices: Vec<Choice>,
    /// What it costs.
    pub cost: Cost,
}

/// Tokens of a question and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Of the prompt.
    pub prompt: u64,
    /// Those of the prompt that the cache had.
    pub cached: u64,
    /// Of all choices, reasoning included.
    pub completion: u64,
    /// Those of the choices that nobody sees.
    pub reasoning: u64,
}

/// One choice of an answer.
#[derive(Debug)]
pub struct Choice {
    /// The content, or what the tool is called with.
    pub text: String,
    /// The call that `text` belongs to.
    pub call: Option<Call>,
    /// `stop`, `length` or `tool_calls`.
    pub finish: &'static str,
}

/// A call of a tool.
#[derive(Debug)]
pub struct Call {
    /// `call_…`.
    pub id: String,
    /// `function` or `custom`.
    pub kind: String,
    /// The tool's name.
    pub name: String,
}

impl Call {
    /// Where the text of a call stands.
    pub fn text_field(&self) -> &'static str {
        if self.kind == "custom" { "input" } else { "arguments" }
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The mock's name.
    pub provider: &'a str,
    /// The snapshot.
    pub model: &'a str,
    /// Azure's shapes.
    pub azure: bool,
}

/// Answers a question.
pub fn answer(question: &Question<'_>, speaker: Speaker<'_>, cache: &PrefixCache) -> Answer {
    let budget = question.budget.unwrap_or(u64::MAX);
    let reasoning = thoughts(question.effort, budget);
    let mut completion = 0;
    let choices = (0..question.choices)
        .map(|index| {
            let (choice, tokens) = choice(question, speaker, index, budget - reasoning);
            completion += tokens + reasoning;
            choice
        })
        .collect();
    let cost = Cost {
        prompt: question.prompt.tokens(),
        cached: cache.visit(speaker.model, &question.prompt.text),
        completion,
        reasoning: reasoning * question.choices,
    };
    Answer { created: now(), model: speaker.model.to_owned(), choices, cost }
}

/// How many tokens a model that may make `budget` of them thinks at an effort.
pub fn thoughts(effort: &str, budget: u64) -> u64 {
    let wanted = match effort {
        "none" => 0,
        "minimal" => 64,
        "low" => 128,
        "high" => 512,
        "xhigh" | "max" => 1024,
        _ => 256,
    };
    // A real model may spend all of a small budget on thoughts; half of it leaves something to read.
    wanted.min(budget / 2)
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The choice at `index`, of at most `limit` tokens, and how many it has.
fn choice(question: &Question<'_>, speaker: Speaker<'_>, index: u64, limit: u64) -> (Choice, u64) {
    let (mut text, call) = if let Some(tool) = question.forced {
        let text = match tool.kind {
            "custom" => format!("mock {}", speaker.provider),
            _ => sample::object(tool.parameters).to_string(),
        };
        let call = Call { id: ids::call(), kind: tool.kind.to_owned(), name: tool.name.to_owned() };
        (text, Some(call))
    } else {
        let text = text(speaker, question.schema);
        let plain = question.schema.is_none();
        (if plain && index > 0 { format!("{text} (Choice {}.)", index + 1) } else { text }, None)
    };
    let mut finish = if call.is_some() { "tool_calls" } else { "stop" };
    let mut tokens = pieces(&text).count() as u64;
    if tokens > limit {
        let kept = pieces(&text).take(usize::try_from(limit).unwrap_or(usize::MAX)).map(str::len).sum();
        text.truncate(kept);
        (tokens, finish) = (limit, "length");
    }
    (Choice { text, call, finish }, tokens)
}

/// What is said to a question: text, or JSON that fits `schema`, any object where that is null.
pub fn text(speaker: Speaker<'_>, schema: Option<&Value>) -> String {
    let Speaker { provider, model, .. } = speaker;
    match schema {
        None => format!(
            "This is the mock provider {provider}, answering as {model}. No real model was called: this text is made \
             up, and costs nothing but the time to read it."
        ),
        Some(Value::Null) => json!({"provider": provider, "model": model, "mock": true}).to_string(),
        Some(schema) => sample::object(schema).to_string(),
    }
}

/// The word-like tokens of a text: a space begins a new one, and none is much longer than a word. Joined, they are
/// the text.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(at, letter)| *letter == ' ' || *at >= 12)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

impl Answer {
    /// The tokens that a reader waits for: those of the longest choice.
    pub fn visible_tokens(&self) -> u32 {
        let longest = self.choices.iter().map(|choice| pieces(&choice.text).count()).max();
        longest.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
    }
}
