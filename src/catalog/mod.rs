//! Facts about known models: price, context, capabilities, parameters, abilities.
//!
//! Owns the catalog (`catalog.json`, embedded) and its types. Never decides anything and never invents a number: what
//! is not known is `None`.
//!
//! Facts were collected in November 2026. Prices are list prices, those of Azure for open models; where sources differ,
//! the catalog follows LiteLLM's table. Contexts follow Azure's pages where these name one, else LiteLLM.
//!
//! # How the abilities were made
//! They are a stand-in until the predictor is trained on outcomes. Rows of LiveBench release 2026-01-08 are taken as
//! they are. Models that are only in LiveBench 2025-04-25 or 2025-05-30, or only in LMArena (November, and July to
//! August 2025), were linked to that scale by weighted least squares: one unknown ability for each model and effort on
//! the logit scale, one offset and one slope for each source, held together by the models that sources share (Arena at
//! a quarter of the weight, slopes drawn toward 1). The successor of grok-4-fast-reasoning, which is in both, links the
//! two newest LiveBench releases. claude-opus-4-1 has an Arena rating alone and hangs on that of claude-sonnet-4-5,
//! since the Arena rates all of Claude's plain answers above their LiveBench scores.
//!
//! An effort without a usable row takes the step that a sibling makes between the same two efforts: gpt-5.4 and
//! gpt-5.5 from gpt-5.2, gpt-5.2 `xhigh` from gpt-5.4, gpt-5-nano from gpt-5-mini, gpt-5.4-nano `none` from
//! gpt-5.4-mini, claude-opus-4-6 without thinking from claude-sonnet-4-5. Not usable are rows with a task at zero
//! (gpt-5-nano `low`, gpt-5.4-nano `none`, gpt-5.5 `medium`); gpt-5-mini `low` is kept, for it lies above its
//! neighbours' interpolation although a zero only drags it down. Claude and hybrid DeepSeek count without thinking,
//! as a plain Chat Completions request runs them. Models with no public score name a relative in `abilities_like`.

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

/// What a model's API refuses in a Chat Completions request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Top-level parameters that are removed.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Parameters that are removed unless the effective effort is `none`.
    #[serde(default)]
    pub drop_when_reasoning: Vec<String>,
    /// Parameters that this API knows under another name: from → to.
    #[serde(default)]
    pub rename: Vec<(String, String)>,
}

impl Parameters {
    /// Whether this API never takes the parameter.
    pub fn refuses(&self, name: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == name)
    }
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
    /// `None` where no public score is known, not even that of a relative.
    pub abilities: Option<Abilities>,
    /// The relative that lends its abilities, where the model has no public score of its own; resolved at load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities_like: Option<String>,
}
