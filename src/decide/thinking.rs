//! What a request asks of a model in the Messages API: how it is to think, and what must give way to that.
//!
//! Budgets follow LiteLLM's table. Never writes a request.

use super::parameters::Changes;
use crate::catalog::{Effort, Thinking as Style};
use crate::policy::Model;
use crate::request::{Api, Request};
use crate::translate::Translation;

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// As much as it finds fit, at an effort.
    Adaptive(Effort),
    /// With this many tokens.
    Budget(u32),
}

/// The smallest budget that the API takes.
const SMALLEST_BUDGET: u32 = 1024;

/// Tokens of an answer whose limit nobody knows: every model gives as many.
pub const SMALLEST_OUTPUT: u32 = 4096;

/// The limit of output tokens that a request without one gets: all that the model can give, and its window holds.
pub fn output_limit(request: &Request, model: &Model) -> u32 {
    let Some(context) = model.context else { return SMALLEST_OUTPUT };
    let window = context.window.unwrap_or(context.input);
    context.output.min(window.saturating_sub(request.input_tokens)).max(1)
}

/// The changes for a request that is translated into Messages.
pub(super) fn of_translation(request: &Request, model: &Model, translation: &Translation, changes: &mut Changes) {
    changes.thinking = asked(request, model).filter(|thinking| {
        let budget = matches!(thinking, Thinking::Budget(_));
        // Neither goes together with a tool that must be called, nor a budget with calls whose thinking is gone.
        !(translation.forced || budget && translation.unsigned)
    });
    if changes.thinking.is_none() && asks_to_think(request) {
        changes.drop(if request.api == Api::Responses { "reasoning.effort" } else { "reasoning_effort" });
    }
    // Who thinks does so at a temperature of its own.
    drop_sampling(request, model, &["temperature", "top_p"], changes.thinking.is_some(), changes);
    if translation.strict && model.capabilities.json_schema != Some(true) {
        changes.drop(if request.api == Api::Responses { "tools.strict" } else { "tools.function.strict" });
    }
}

/// Drops the parameters of sampling that the model refuses, by themselves or beside another one; or `all` of them. A 1 is
/// what happens without.
fn drop_sampling(request: &Request, model: &Model, names: &[&'static str], all: bool, changes: &mut Changes) {
    let rules = &model.messages;
    let is_one =
        |name: &str| name != "top_k" && value(request, name).is_some_and(|value| matches!(value, b"1" | b"1.0"));
    for name in names.iter().copied().filter(|name| has(request, name)) {
        let stays = |other: &&str| {
            has(request, other) && !changes.drop.iter().chain(&changes.moot).any(|dropped| dropped == other)
        };
        let refused = all || rules.drop.iter().any(|dropped| dropped == name);
        let beside =
            || rules.drop_beside.iter().filter(|(dropped, _)| dropped == name).map(|(_, other)| other.as_str());
        match beside().find(stays) {
            _ if !stays(&name) => {}
            _ if refused && is_one(name) => changes.moot.push(name.to_owned()),
            _ if refused => changes.drop(name),
            Some(_) if is_one(name) => changes.moot.push(name.to_owned()),
            Some(other) if is_one(other) => changes.moot.push(other.to_owned()),
            Some(_) => changes.drop(name),
            None => {}
        }
    }
}

/// Whether a parameter is there, and not null.
fn has(request: &Request, name: &str) -> bool {
    value(request, name).is_some_and(|value| value != b"null")
}

fn value<'a>(request: &Request<'a>, name: &str) -> Option<&'a [u8]> {
    Some(request.members.get(request.body, name)?.value.of(request.body))
}

fn asks_to_think(request: &Request) -> bool {
    request.effort.as_deref().is_some_and(|effort| effort != "none")
}

/// How the model is asked to think, if it is and can be.
fn asked(request: &Request, model: &Model) -> Option<Thinking> {
    let effort = request.effort.as_deref().and_then(Effort::from_name).filter(|effort| *effort != Effort::None)?;
    match model.messages.thinking? {
        Style::Budget => budget_of(effort, request, model),
        Style::Adaptive | Style::Either => Some(Thinking::Adaptive(nearest(effort, model)?)),
    }
}

/// The greatest effort that the model takes and that is no more than what was asked for; else its smallest.
fn nearest(asked: Effort, model: &Model) -> Option<Effort> {
    let accepts = || model.messages.efforts.iter().filter(|one| **one != Effort::None);
    accepts().filter(|effort| **effort <= asked).max().or_else(|| accepts().min()).copied()
}

/// A budget that leaves half of the limit for the answer; `None` where that is too small.
fn budget_of(effort: Effort, request: &Request, model: &Model) -> Option<Thinking> {
    let limit = request.max_output.unwrap_or_else(|| output_limit(request, model));
    let budget = budget(effort).min(limit / 2);
    (budget >= SMALLEST_BUDGET).then_some(Thinking::Budget(budget))
}

fn budget(effort: Effort) -> u32 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => 1024,
        Effort::Medium => 2048,
        Effort::High => 4096,
        Effort::Xhigh => 8192,
        Effort::Max => 16_384,
    }
}

/// The changes for a request that came in Messages.
pub(super) fn of_messages(request: &Request, model: &Model, changes: &mut Changes) {
    let rules = &model.messages;
    drop_sampling(request, model, &["temperature", "top_p", "top_k"], false, changes);
    // A router's models differ in how they are asked; the client may have had another in mind.
    let effort = request.effort.as_deref().and_then(Effort::from_name);
    match (effort, rules.thinking) {
        _ if request.effort.is_none() => {}
        (_, Some(Style::Budget)) => changes.drop("output_config.effort"),
        (Some(effort), Some(_)) if !rules.efforts.contains(&effort) => {
            changes.effort = nearest(effort, model).map(|effort| effort.name().to_owned());
        }
        _ => {}
    }
    let effort = effort.unwrap_or(Effort::High);
    let other = match (request.thinking.as_deref(), rules.thinking) {
        (Some("enabled"), Some(Style::Adaptive)) => nearest(effort, model).map(Thinking::Adaptive),
        (Some("adaptive"), Some(Style::Budget)) if request.corners.unsigned_calls => None,
        (Some("adaptive"), Some(Style::Budget)) => budget_of(effort, request, model),
        _ => return,
    };
    match other {
        Some(thinking) => changes.thinking = Some(thinking),
        None => changes.drop("thinking"),
    }
}
