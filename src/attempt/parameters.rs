//! Which parameters of a request a model's API refuses.

use crate::catalog::Effort;
use crate::policy::Model;
use crate::predict::effective_effort;
use crate::request::Request;

/// Changes to a request's parameters for one model: names to drop, and names to rename (from, to).
pub struct Changes {
    /// Removed.
    pub drop: Vec<String>,
    /// Renamed.
    pub rename: Vec<(String, String)>,
}

/// What must change for `model`; only parameters that the request has are named.
pub fn changes(request: &Request, model: &Model) -> Changes {
    let rules = &model.parameters;
    let mut changes = Changes { drop: Vec::new(), rename: Vec::new() };
    let effort = model.reasoning.as_ref().map(|efforts| effective_effort(efforts, request.effort.as_deref()));
    let reasons = effort.is_some_and(|effort| effort != Effort::None);
    for member in &request.members.list {
        let name = member.name(request.body);
        let in_list = |list: &[String]| list.iter().any(|known| *known == name);
        let refused = match &*name {
            // A value that this model does not know is refused like a parameter that it does not know.
            "reasoning_effort" if !in_list(&rules.drop) => !takes_effort(request, model),
            _ => in_list(&rules.drop) || (reasons && in_list(&rules.drop_when_reasoning)),
        };
        if refused {
            changes.drop.push(name.into_owned());
        } else if let Some((_, to)) = rules.rename.iter().find(|(from, _)| *from == name) {
            match request.members.get(request.body, to) {
                // Both names were sent: the one that this model knows stays.
                Some(_) => changes.drop.push(name.into_owned()),
                None => changes.rename.push((name.into_owned(), to.clone())),
            }
        }
    }
    changes
}

fn takes_effort(request: &Request, model: &Model) -> bool {
    let asked = request.effort.as_deref().and_then(Effort::from_name);
    let accepts = |effort| model.reasoning.as_ref().is_some_and(|efforts| efforts.accepts.contains(&effort));
    asked.is_some_and(accepts)
}
