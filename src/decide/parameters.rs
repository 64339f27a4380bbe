//! Which parameters of a request a model's API refuses.
//!
//! The catalog knows them by their names in Chat Completions; a Responses request calls some of them otherwise.

use super::eligible::Way;
use crate::catalog::Effort;
use crate::policy::Model;
use crate::predict::effective_effort;
use crate::request::{Api, Request, read_members};

/// Changes to a request's parameters for one model: names to drop, and names to rename (from, to).
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Removed; a dot leads into an object: `reasoning.effort`.
    pub drop: Vec<String>,
    /// Renamed.
    pub rename: Vec<(String, String)>,
}

/// What must change for `model`; only parameters that the request has are named.
pub fn changes(request: &Request, model: &Model, way: &Way) -> Changes {
    match request.api {
        Api::Chat => of_chat(request, model),
        Api::Responses => {
            let left_out = match way {
                Way::Translated(left_out) => left_out.to_vec(),
                Way::Native => Vec::new(),
            };
            Changes { drop: of_responses(request, model, left_out), rename: Vec::new() }
        }
        Api::Messages | Api::Other => Changes::default(),
    }
}

fn of_chat(request: &Request, model: &Model) -> Changes {
    let mut changes = Changes::default();
    let refuses = refuses(request, model);
    for member in &request.members.list {
        let name = member.name(request.body);
        let refused = match &*name {
            // A value that this model does not know is refused like a parameter that it does not know.
            "reasoning_effort" => refuses(&name) || !takes_effort(request, model),
            _ => refuses(&name),
        };
        if refused {
            changes.drop.push(name.into_owned());
        } else if let Some((_, to)) = model.parameters.rename.iter().find(|(from, _)| *from == name) {
            match request.members.get(request.body, to) {
                // Both names were sent: the one that this model knows stays.
                Some(_) => changes.drop.push(name.into_owned()),
                None => changes.rename.push((name.into_owned(), to.clone())),
            }
        }
    }
    changes
}

fn of_responses(request: &Request, model: &Model, mut drop: Vec<String>) -> Vec<String> {
    let refuses = refuses(request, model);
    for member in &request.members.list {
        let name = member.name(request.body);
        let has = |inner: &str| {
            let object = member.value.of(request.body);
            read_members(object).is_ok_and(|members| members.get(object, inner).is_some())
        };
        match &*name {
            "reasoning" if refuses("reasoning_effort") || model.reasoning.is_none() => drop.push(name.into_owned()),
            "reasoning" if request.effort.is_some() && !takes_effort(request, model) => {
                drop.push("reasoning.effort".into());
            }
            "text" if refuses("verbosity") && has("verbosity") => drop.push("text.verbosity".into()),
            // Its limit has one name in this API.
            "reasoning" | "text" | "max_output_tokens" => {}
            _ if refuses(&name) && !drop.iter().any(|dropped| *dropped == name) => drop.push(name.into_owned()),
            _ => {}
        }
    }
    drop
}

/// Whether the model refuses a parameter of this name.
fn refuses<'a>(request: &'a Request, model: &'a Model) -> impl Fn(&str) -> bool + 'a {
    let rules = &model.parameters;
    let effort = model.reasoning.as_ref().map(|efforts| effective_effort(efforts, request.effort.as_deref()));
    let reasons = effort.is_some_and(|effort| effort != Effort::None);
    move |name| {
        let in_list = |list: &[String]| list.iter().any(|known| *known == name);
        in_list(&rules.drop) || (reasons && in_list(&rules.drop_when_reasoning))
    }
}

fn takes_effort(request: &Request, model: &Model) -> bool {
    let asked = request.effort.as_deref().and_then(Effort::from_name);
    let accepts = |effort| model.reasoning.as_ref().is_some_and(|efforts| efforts.accepts.contains(&effort));
    asked.is_some_and(accepts)
}
