//! Which parameters of a request a model's API refuses.
//!
//! The catalog knows them by their names in Chat Completions; the other APIs call some of them otherwise.

use super::eligible::Way;
use super::thinking::{self, Thinking};
use crate::catalog::{DISABLED, Effort, Parameters};
use crate::policy::{Model, Provider};
use crate::predict::effective_effort;
use crate::request::json::holds;
use crate::request::{Api, Request, read_members};

/// Changes to a request's parameters for one model: names to drop, and names to rename (from, to).
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Removed; a dot leads into an object: `reasoning.effort`.
    pub drop: Vec<String>,
    /// Removed too, without a loss: they ask for what happens anyway.
    pub moot: Vec<String>,
    /// Renamed.
    pub rename: Vec<(String, String)>,
    /// What the effort becomes, where the API calls it otherwise.
    pub effort: Option<String>,
    /// How a model of the Messages API is asked to think, where that is not as the request says.
    pub thinking: Option<Thinking>,
}

impl Changes {
    /// Drops a parameter, once.
    pub(super) fn drop(&mut self, name: &str) {
        if !self.drop.iter().any(|dropped| dropped == name) {
            self.drop.push(name.to_owned());
        }
    }
}

/// What must change for `model` at `provider`; only parameters that the request has are named.
pub fn changes(request: &Request, model: &Model, provider: &Provider, way: &Way) -> Changes {
    let mut changes = Changes::default();
    if let Way::Translated(_, translation) = way {
        changes.drop.clone_from(&translation.left_out);
    }
    let rules = Rules { request, model, also: &provider.parameters };
    match (request.api, way) {
        (Api::Other, _) => {}
        (Api::Chat | Api::Responses, Way::Translated(Api::Messages, translation)) => {
            thinking::of_translation(request, model, translation, &mut changes);
        }
        (Api::Chat, _) => {
            rules.of_chat(&mut changes);
            rules.of_corners(&mut changes);
        }
        (Api::Responses, _) => rules.of_responses(way, &mut changes),
        (Api::Messages, _) => thinking::of_messages(request, model, &mut changes),
    }
    changes
}

struct Rules<'r, 'a> {
    request: &'r Request<'a>,
    model: &'r Model,
    /// What the provider refuses, whatever the model.
    also: &'r Parameters,
}

impl Rules<'_, '_> {
    fn of_chat(&self, changes: &mut Changes) {
        let Rules { request, model, also } = self;
        let refuses = self.refuses();
        for member in &request.members.list {
            let name = member.name(request.body);
            if name == "reasoning_effort"
                && let Some(effort) = self.effort()
            {
                changes.effort = Some(effort.to_owned());
                continue;
            }
            let refused = match &*name {
                // A value that this model does not know is refused like a parameter that it does not know.
                "reasoning_effort" => refuses(&name) || !takes_effort(request, model),
                _ => refuses(&name),
            };
            if refused {
                changes.drop.push(name.into_owned());
            } else if let Some(to) = model.parameters.renamed(&name).or(also.renamed(&name)) {
                match request.members.get(request.body, to) {
                    // Both names were sent: the one that this model knows stays.
                    Some(_) => changes.drop.push(name.into_owned()),
                    None => changes.rename.push((name.into_owned(), to.to_owned())),
                }
            }
        }
    }

    /// What stands inside of messages and tools.
    fn of_corners(&self, changes: &mut Changes) {
        let refuses = self.refuses();
        let corners = &self.request.corners;
        for (name, is_there) in [
            ("cache_control", corners.cache_marks),
            ("messages.name", corners.names),
            ("messages.reasoning_content", corners.reasoning),
            ("messages.thinking_blocks", corners.thinking_blocks),
            ("tools.function.strict", corners.strict_tools),
        ] {
            if is_there && refuses(name) {
                changes.drop(name);
            }
        }
    }

    fn of_responses(&self, way: &Way, changes: &mut Changes) {
        let Rules { request, model, .. } = self;
        let refuses = self.refuses();
        for member in &request.members.list {
            let name = member.name(request.body);
            let has = |inner: &str| {
                let object = member.value.of(request.body);
                read_members(object).is_ok_and(|members| members.get(object, inner).is_some())
            };
            match &*name {
                // Only Chat Completions are known to have efforts by other names.
                "reasoning" if *way != Way::Native && self.effort().is_some() => {
                    changes.effort = self.effort().map(str::to_owned);
                }
                "reasoning" if refuses("reasoning_effort") || model.reasoning.is_none() => changes.drop(&name),
                "reasoning" if request.effort.is_some() && !takes_effort(request, model) => {
                    changes.drop("reasoning.effort");
                }
                "include" => {
                    let includes = |item: &str| holds(member.value.of(request.body), item);
                    if refuses("logprobs") && includes("\"message.output_text.logprobs\"") {
                        changes.drop("include.message.output_text.logprobs");
                    }
                    // Who does not reason has nothing to include.
                    if model.reasoning.is_none() && includes("\"reasoning.encrypted_content\"") {
                        changes.moot.push("include.reasoning.encrypted_content".to_owned());
                    }
                }
                "text" if refuses("verbosity") && has("verbosity") => changes.drop("text.verbosity"),
                // Its limit has one name in this API.
                "reasoning" | "text" | "max_output_tokens" => {}
                _ if refuses(&name) => changes.drop(&name),
                _ => {}
            }
        }
    }

    /// What the API calls the effort that was asked for; `None`: it takes it as it is, or not at all.
    fn effort(&self) -> Option<&str> {
        let Rules { request, model, also } = self;
        let asked = request.effort.as_deref().filter(|_| !self.refuses()("reasoning_effort"))?;
        let called = model.parameters.effort(asked).or(also.effort(asked))?;
        // A client that speaks of thinking itself has the word.
        let told = request.members.get(request.body, "thinking").is_some();
        (called != DISABLED || !told).then_some(called)
    }

    /// Whether a parameter of this name is refused.
    fn refuses(&self) -> impl Fn(&str) -> bool {
        let Rules { request, model, also } = self;
        let effort = model.reasoning.as_ref().map(|efforts| effective_effort(efforts, request.effort.as_deref()));
        let reasons = effort.is_some_and(|effort| effort != Effort::None);
        move |name| {
            let rules = &model.parameters;
            let when_reasoning = reasons && rules.drop_when_reasoning.iter().any(|known| known == name);
            rules.refuses(name) || also.refuses(name) || when_reasoning
        }
    }
}

fn takes_effort(request: &Request, model: &Model) -> bool {
    let asked = request.effort.as_deref().and_then(Effort::from_name);
    let accepts = |effort| model.reasoning.as_ref().is_some_and(|efforts| efforts.accepts.contains(&effort));
    asked.is_some_and(accepts)
}
