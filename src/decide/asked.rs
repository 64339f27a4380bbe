//! Who asks, and for what.

use super::Refusal;
use crate::policy::{Consumer, ModelId, Policy, When};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A router: automatic choice.
    Router(usize),
    /// Exactly this model.
    Model(ModelId),
}

impl Asked {
    /// The router, where it is one.
    pub fn router(self) -> Option<usize> {
        match self {
            Asked::Router(router) => Some(router),
            Asked::Model(_) => None,
        }
    }

    /// Whether a model may be what is meant.
    pub fn includes(self, model: ModelId) -> bool {
        match self {
            Asked::Router(_) => true,
            Asked::Model(asked) => asked == model,
        }
    }
}

/// On whose behalf a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The policy has no consumers: everyone may use everything.
    Anyone,
    /// Index into the policy's consumers.
    Consumer(usize),
    /// The policy has consumers, this is none of them, and it gives nothing to nobody.
    Nobody,
}

impl Caller {
    /// Finds the caller by request headers; `header` gives the value of a (lower-case) header.
    pub fn identify<'h>(policy: &Policy, header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let Some(consumers) = &policy.consumers else { return Caller::Anyone };
        let named = |consumer: &Consumer| match &consumer.when {
            When::Header { name, equals } => header(name) == Some(equals.as_str()),
            When::Nobody => false,
        };
        let nobody = || consumers.iter().position(|consumer| consumer.when == When::Nobody);
        consumers.iter().position(named).or_else(nobody).map_or(Caller::Nobody, Caller::Consumer)
    }

    /// The consumer, where it is one.
    pub fn consumer(self, policy: &Policy) -> Option<&Consumer> {
        match self {
            Caller::Consumer(index) => policy.consumers.as_ref()?.get(index),
            Caller::Anyone | Caller::Nobody => None,
        }
    }

    /// Whether this caller may have answers of this model.
    pub fn may_use_model(self, policy: &Policy, model: ModelId) -> bool {
        match self.consumer(policy) {
            Some(consumer) => consumer.models.as_ref().is_none_or(|models| models.contains(&model)),
            None => self == Caller::Anyone,
        }
    }

    /// Whether this caller may ask for it.
    pub fn may_ask(self, policy: &Policy, asked: Asked) -> bool {
        match (self.consumer(policy), asked) {
            (_, Asked::Model(model)) => self.may_use_model(policy, model),
            (Some(consumer), Asked::Router(router)) => {
                consumer.routers.as_ref().is_none_or(|routers| routers.contains(&router))
            }
            (None, Asked::Router(_)) => self == Caller::Anyone,
        }
    }
}

/// Resolves a name, with LiteLLM's prefixes taken off where the whole name is not known.
///
/// # Errors
/// [`Refusal::NoModel`], [`Refusal::UnknownModel`] or [`Refusal::NotAllowed`]. A caller who may not use a name learns
/// no more about it than that.
pub fn asked(policy: &Policy, name: Option<&str>, caller: Caller) -> Result<Asked, Refusal> {
    let name = name.filter(|name| !name.is_empty()).ok_or(Refusal::NoModel)?;
    let stripped = || {
        let rest = name.strip_prefix("azure_ai/").unwrap_or(name);
        rest.strip_prefix("model_router/").and_then(|name| resolve(policy, name))
    };
    let asked = resolve(policy, name).or_else(stripped).ok_or_else(|| Refusal::UnknownModel(shown(name)))?;
    if caller.may_ask(policy, asked) { Ok(asked) } else { Err(Refusal::NotAllowed(shown(name))) }
}

/// As much of what a client sent as an error repeats.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(128).collect()
}

/// The model of this name or alias.
pub fn resolve_model(policy: &Policy, name: &str) -> Option<ModelId> {
    let same = |known: &String| known.eq_ignore_ascii_case(name);
    let exact = || policy.models.iter().position(|model| same(&model.name));
    exact().or_else(|| policy.models.iter().position(|model| model.aliases.iter().any(same)))
}

/// An exact name first, then any name or alias without regard to case, as Azure compares deployments.
fn resolve(policy: &Policy, name: &str) -> Option<Asked> {
    let by = |same: &dyn Fn(&str) -> bool| {
        let router = policy.routers.iter().position(|router| same(&router.name)).map(Asked::Router);
        let model = || policy.models.iter().position(|model| same(&model.name)).map(Asked::Model);
        router.or_else(model)
    };
    let alias = || resolve_model(policy, name).map(Asked::Model);
    by(&|known| known == name).or_else(|| by(&|known| known.eq_ignore_ascii_case(name))).or_else(alias)
}
