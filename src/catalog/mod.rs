//! Facts about known models: price, context, capabilities, parameters, abilities.
//!
//! Owns the catalog (`catalog.json` and `abilities.json`, embedded) and its types. Never decides anything and never
//! invents a number: what is not known is `None`.
//!
//! Facts were collected in November 2026. Prices are list prices, those of Azure for open models; where sources differ,
//! the catalog follows LiteLLM's table. Contexts follow Azure's pages where these name one, else LiteLLM.
//!
//! # How the abilities were made
//! `abilities.json` is written by `model-router link-abilities` from public benchmark scores and never by hand. Each
//! score is a line over a model's ability at the score's effort; abilities, offsets and slopes are fitted together,
//! and models that the predictor was trained on (gpt-4o, gpt-4o-mini, command-r, o1-preview for o1) hold the scale, so
//! that quality = σ(ability − difficulty) holds for newer ones too. What a model does better or worse than its general
//! ability says comes from scores by task, drawn toward 0 where they are few. An effort that nobody measured takes the
//! step that other models make; abilities never fall when the effort rises.
//!
//! Claude and hybrid DeepSeek count without thinking, as a plain Chat Completions request runs them, claude-opus-4-7 at
//! `high`, the default of its own `effort`. Models with no public score name a relative in `abilities_like`. The rules,
//! and which models have thin evidence, are told in `docs/ROUTING.md` and in `cli/src/link/`.

mod ability;
mod load;
#[cfg(test)]
mod tests;

pub use ability::{Abilities, Skill, TASKS, Task, log_odds, sigmoid};
pub use load::Catalog;

use serde::{Deserialize, Serialize};

/// List price in USD per million tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Uncached input tokens.
    pub input: f64,
    /// Input tokens read from the provider's prompt cache; unknown: charged as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Input tokens written to the prompt cache; unknown: charged as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// Input tokens written to it for an hour; unknown: charged as twice `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<f64>,
    /// Output tokens, reasoning included.
    pub output: f64,
    /// The price of the whole request when its input is longer than a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_context: Option<LongContextPrice>,
}

/// The price of a request whose input is longer than `above` tokens; it applies to the whole request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContextPrice {
    /// Input tokens above which this price applies.
    pub above: u32,
    /// USD per million uncached input tokens.
    pub input: f64,
    /// USD per million cached input tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// USD per million output tokens.
    pub output: f64,
}

/// Size limits in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Largest input.
    pub input: u32,
    /// Largest output, reasoning included.
    pub output: u32,
    /// Largest sum of input and output; absent: the same as `input`, as where both share one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
}

/// What a model can take. `None` is unknown and counts as no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Image parts in messages.
    #[serde(default)]
    pub images: Option<bool>,
    /// Function tools.
    #[serde(default)]
    pub tools: Option<bool>,
    /// `response_format: json_schema`.
    #[serde(default)]
    pub json_schema: Option<bool>,
    /// `response_format: json_object`. Unlike the others, unknown counts as yes: nearly every API has it.
    #[serde(default)]
    pub json_object: Option<bool>,
    /// PDF files in messages.
    #[serde(default)]
    pub files: Option<bool>,
    /// A `tool_choice` that forces a tool to be called; unknown counts as yes.
    #[serde(default)]
    pub forced_tools: Option<bool>,
    /// A last message of the assistant, which the answer goes on from; unknown counts as yes.
    #[serde(default)]
    pub prefill: Option<bool>,
}

/// Reasoning effort, in rising order, as in the APIs' `reasoning_effort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    /// All values, in rising order, with the names that the APIs use.
    pub const NAMES: [(&'static str, Effort); 7] = [
        ("none", Effort::None),
        ("minimal", Effort::Minimal),
        ("low", Effort::Low),
        ("medium", Effort::Medium),
        ("high", Effort::High),
        ("xhigh", Effort::Xhigh),
        ("max", Effort::Max),
    ];

    /// The name that the APIs use.
    pub fn name(self) -> &'static str {
        Effort::NAMES.iter().find(|(_, effort)| *effort == self).map_or("none", |(name, _)| name)
    }

    /// The effort of this name.
    pub fn from_name(name: &str) -> Option<Effort> {
        Effort::NAMES.iter().find(|(known, _)| *known == name).map(|(_, effort)| *effort)
    }
}

/// Reasoning effort of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Efforts {
    /// Values of `reasoning_effort` that the model's API takes; empty: the parameter is refused.
    pub accepts: Vec<Effort>,
    /// What the model does when the parameter is absent.
    pub default: Effort,
}

/// What an effort may become: a request not to think at all.
pub const DISABLED: &str = "disabled";

/// What a model's API refuses in a Chat Completions request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Parameters that are removed: top-level ones, and these inside of lists: `messages.name`,
    /// `messages.reasoning_content`, `messages.thinking_blocks`, `cache_control`, `tools.function.strict`.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Parameters that are removed unless the effective effort is `none`.
    #[serde(default)]
    pub drop_when_reasoning: Vec<String>,
    /// Parameters that this API knows under another name: from → to.
    #[serde(default)]
    pub rename: Vec<(String, String)>,
    /// Values of `reasoning_effort` and what this API calls them: asked → sent. [`DISABLED`] is sent as
    /// `thinking: {"type": "disabled"}` in place of an effort.
    #[serde(default)]
    pub efforts: Vec<(String, String)>,
    /// The role `developer` is unknown, and becomes `system`.
    #[serde(default)]
    pub no_developer: bool,
    /// Earlier reasoning must come back with the calls that it led to, as `reasoning_content`.
    #[serde(default)]
    pub wants_reasoning: bool,
}

impl Parameters {
    /// Whether this API never takes the parameter.
    pub fn refuses(&self, name: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == name)
    }

    /// The name by which this API knows the parameter, where that is another.
    pub fn renamed(&self, name: &str) -> Option<&str> {
        self.rename.iter().find(|(from, _)| from == name).map(|(_, to)| to.as_str())
    }

    /// What this API calls the effort that was asked for, where it says so.
    pub fn effort(&self, asked: &str) -> Option<&str> {
        self.efforts.iter().find(|(from, _)| from == asked).map(|(_, to)| to.as_str())
    }
}

/// How a model's Messages API is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thinking {
    /// With a budget of tokens.
    Budget,
    /// With an effort, and as much as the model finds fit.
    Adaptive,
    /// Either way.
    Either,
}

/// What a model takes in the Messages API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesRules {
    /// `None`: it is not asked to think.
    #[serde(default)]
    pub thinking: Option<Thinking>,
    /// The efforts that it takes; abilities and costs are those without thinking all the same.
    #[serde(default)]
    pub efforts: Vec<Effort>,
    /// Parameters that are refused: `temperature`.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Parameters that are refused beside another: the refused one, the other.
    #[serde(default)]
    pub drop_beside: Vec<(String, String)>,
}

/// Everything that is known of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The name that clients and policies use: `gpt-5-mini`.
    pub name: String,
    /// Other names of the same model, compared without regard to case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Who made it, as Azure's `format` spells it: `OpenAI`, `Anthropic`, `xAI`, `Meta`, `DeepSeek`, `Cohere`.
    pub publisher: Option<String>,
    /// Publisher's version of the model (`2025-08-07`); a provider's `model` field often ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `None` where no price is published.
    pub price: Option<Price>,
    /// `None` where unknown.
    pub context: Option<Context>,
    /// What it can take.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// `None`: the model does not reason, or has no control for it and never reasons. One that always reasons but has
    /// no control accepts nothing and has the default `medium`.
    #[serde(default)]
    pub reasoning: Option<Efforts>,
    /// What its API refuses.
    #[serde(default)]
    pub parameters: Parameters,
    /// What it takes in the Messages API; of no meaning for models that are not spoken to in it.
    #[serde(default)]
    pub messages: MessagesRules,
    /// On the scale of the predictor's difficulties; `None` where no public score is known, not even of a relative.
    #[serde(default)]
    pub abilities: Option<Abilities>,
    /// Whether `abilities` rest on fewer than three public scores of the model itself, or are a relative's.
    #[serde(default)]
    pub thin_evidence: bool,
    /// The relative that lends its abilities, where the model has no public score of its own; resolved at load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities_like: Option<String>,
}
