//! On which terms a router decides on one request: its own, and what the request asks of it.
//!
//! Owns the rule that a request may only narrow what the policy allows. Never looks at prompts.

use super::{Asked, Caller, Refusal, resolve_model};
use crate::policy::{Affinity, Mode, ModelId, Policy, Router};
use crate::request::Controls;

/// The terms of one decision.
#[derive(Clone, Debug)]
pub struct Terms<'p> {
    /// `None` where the client named a model.
    pub router: Option<&'p Router>,
    /// How quality is weighed against cost; of no meaning without a router.
    pub mode: Mode,
    /// Relative quality that may be given up for a cheaper model.
    pub band: f64,
    /// Only these may answer.
    pub models: Option<Vec<ModelId>>,
    /// Only models that take every parameter may answer.
    pub require_parameters: bool,
    /// How the conversation stays on its model.
    pub affinity: Affinity,
}

impl<'p> Terms<'p> {
    /// The terms for what was asked.
    ///
    /// # Errors
    /// [`Refusal::Control`] where the request asks for what is no router's to give, or for models that this router does
    /// not have.
    pub fn new(policy: &'p Policy, asked: Asked, caller: Caller, controls: Option<&Controls>) -> Result<Self, Refusal> {
        let router = match asked {
            Asked::Router(router) => policy.routers.get(router),
            Asked::Model(_) => None,
        };
        let (mode, band) = router.map_or((Mode::Quality, 0.0), |router| (router.mode, router.band));
        let affinity = router.map_or(Affinity::None, |router| router.session_affinity);
        let mut terms = Terms { router, mode, band, models: None, require_parameters: false, affinity };
        let Some(controls) = controls else { return Ok(terms) };
        let Some(router) = router else {
            return Err(Refusal::Control("routing_config".into(), "is for routers; the request names a model"));
        };
        if let Some((mode, band)) = controls.mode.and_then(|mode| Some((mode, mode.band()?))) {
            (terms.mode, terms.band) = (mode, band);
        }
        terms.models = controls.models.as_ref().map(|names| models(policy, router, caller, names)).transpose()?;
        terms.require_parameters = controls.require_parameters;
        terms.affinity = controls.session.strategy.unwrap_or(terms.affinity);
        Ok(terms)
    }
}

fn models(policy: &Policy, router: &Router, caller: Caller, names: &[String]) -> Result<Vec<ModelId>, Refusal> {
    let find = |(index, name): (usize, &String)| {
        // One that is kept out is not told from one that does not exist.
        let in_pool =
            |id: &ModelId| router.pool.get(*id).is_some_and(Option::is_none) && caller.may_use_model(policy, *id);
        resolve_model(policy, name)
            .filter(in_pool)
            .ok_or_else(|| Refusal::Control(format!("routing_config.models[{index}]"), "is no model of this router"))
    };
    names.iter().enumerate().map(find).collect()
}
