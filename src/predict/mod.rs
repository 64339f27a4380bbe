//! How well each model would answer, and how many tokens it would take.
//!
//! Owns the one function [`predict`] behind which the prediction lives. Never looks at prices and never decides.
//!
//! This is a stand-in until a model is trained on outcomes: quality comes from public benchmark scores alone, with one
//! difficulty for every prompt, so a router's choice depends on the mode and the eligible models, not on the text.

pub mod tokens;

use crate::catalog::{Effort, Efforts};
use crate::policy::Model;
use crate::request::Request;

/// What is expected of one model on one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Probability that the answer is good, 0..=1.
    pub quality: f64,
    /// Output tokens, reasoning included.
    pub output_tokens: u32,
}

/// The score at which a model answers half of the prompts well, on the scale of [`crate::catalog::Abilities`].
const DIFFICULTY: f64 = 40.0;
/// Output tokens of an ordinary chat answer, without reasoning.
const ANSWER_TOKENS: u32 = 350;

/// Predicts the outcome of `request` on `model`. A model without known abilities counts as hopeless.
pub fn predict(request: &Request, model: &Model) -> Prediction {
    let effort = model.reasoning.as_ref().map(|efforts| effective_effort(efforts, request.effort.as_deref()));
    let score = model.abilities.as_ref().map_or(0.0, |abilities| {
        let at_effort = abilities.by_effort.iter().find(|(known, _)| Some(*known) == effort);
        at_effort.map_or(abilities.default, |(_, score)| *score)
    });
    let answer = ANSWER_TOKENS + effort.map_or(0, reasoning_tokens);
    let limit = request.max_output.or(model.context.map(|context| context.output)).unwrap_or(u32::MAX);
    Prediction { quality: sigmoid(logit(score) - logit(DIFFICULTY)), output_tokens: answer.min(limit) }
}

/// The effort at which a model works: what was asked for where its API takes that, else its default.
pub fn effective_effort(efforts: &Efforts, asked: Option<&str>) -> Effort {
    asked.and_then(Effort::from_name).filter(|effort| efforts.accepts.contains(effort)).unwrap_or(efforts.default)
}

/// Reasoning tokens of an ordinary request; guesses in steps of about three, to be replaced by measurement.
fn reasoning_tokens(effort: Effort) -> u32 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => 50,
        Effort::Low => 300,
        Effort::Medium => 900,
        Effort::High => 2500,
        Effort::Xhigh | Effort::Max => 6000,
    }
}

/// Log odds of a score 0..100, kept finite at both ends.
fn logit(score: f64) -> f64 {
    let share = (score / 100.0).clamp(0.001, 0.999);
    (share / (1.0 - share)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
