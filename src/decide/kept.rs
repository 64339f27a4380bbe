//! Who keeps a response or a conversation that a path names.
//!
//! Owns the rule that only a provider of a model that the caller may use is ever reached.

use super::{Asked, Caller, Refusal, asked::shown};
use crate::origin::{Origin, unmarked};
use crate::policy::{Model, ModelId, Policy, Provider, ProviderId};
use crate::request::Kept;

/// Who keeps something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// Where.
    pub provider: ProviderId,
    /// The model that made it, where that is known.
    pub model: Option<ModelId>,
    /// The provider's own id of it.
    pub id: String,
}

/// Finds the keeper. An id that says nothing of its origin is only followed where there is but one provider it can be
/// from; a conversation that is to be made goes to the first that keeps any, in the data zone of the caller's routers.
///
/// # Errors
/// [`Refusal::NotAllowed`] for who is no consumer, [`Refusal::NotKept`] where no provider that the caller may reach has
/// it.
pub fn keeper(policy: &Policy, kept: &Kept, caller: Caller) -> Result<Keeper, Refusal> {
    if caller == Caller::Nobody {
        return Err(Refusal::NotAllowed(kept.collection.into()));
    }
    let serves = |model: &Model, provider| model.served_by.iter().any(|served| served.provider == provider);
    let reachable = |(id, provider): &(ProviderId, &Provider)| {
        let mut models = policy.models.iter().enumerate();
        provider.speaks_responses()
            && models.any(|(model, facts)| serves(facts, *id) && caller.may_use_model(policy, model))
    };
    let mut providers = policy.providers.iter().enumerate().filter(reachable);
    let origin = Origin::of(kept.id.as_bytes()).map(|(origin, _)| origin);
    let provider = match origin {
        Some(origin) => providers.find(|(_, provider)| Origin::means(origin.provider, &provider.name)),
        // What is to be made must be of use to, and allowed by, every router that the caller may ask.
        None if kept.id.is_empty() => providers.find(|(_, provider)| {
            let mut asked =
                policy.routers.iter().enumerate().filter(|(id, _)| caller.may_ask(policy, Asked::Router(*id)));
            asked.all(|(_, router)| router.allows(provider))
        }),
        None => match (providers.next(), providers.next()) {
            (first, None) => first,
            _ => None,
        },
    };
    let (provider, _) = provider.ok_or_else(|| Refusal::NotKept(shown(kept.id)))?;
    let made_by = |(model, facts): &(ModelId, &Model)| {
        let named = origin.is_some_and(|origin| Origin::means(origin.model, &facts.name));
        named && serves(facts, provider) && caller.may_use_model(policy, *model)
    };
    let model = policy.models.iter().enumerate().find(made_by).map(|(model, _)| model);
    Ok(Keeper { provider, model, id: unmarked(kept.id) })
}
