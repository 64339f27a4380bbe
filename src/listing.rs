//! The list of what a caller may ask for: `GET /v1/models` and Azure's forms of it.
//!
//! Owns the shape of its entries. Never shows a name that the caller may not use.

use crate::decide::{Asked, Caller, Refusal, asked};
use crate::policy::Policy;
use serde_json::{Value, json};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing<'a> {
    /// Everything.
    All,
    /// The entry of this name.
    Entry(&'a str),
    /// What answers here, as Azure's inference API has it.
    Info,
}

/// When the entries were made, as far as clients care: a configuration has no date of its own.
const CREATED: u64 = 1_763_424_000;

/// The answer, in JSON.
///
/// # Errors
/// [`Refusal::UnknownModel`] or [`Refusal::NotAllowed`] for an entry, [`Refusal::NotAllowed`] for who is no consumer.
pub fn list(policy: &Policy, caller: Caller, listing: &Listing) -> Result<String, Refusal> {
    if caller == Caller::Nobody {
        return Err(Refusal::NotAllowed("models".into()));
    }
    let answer = match listing {
        Listing::All => json!({"object": "list", "data": all(policy, caller)}),
        Listing::Entry(name) => entry(policy, asked(policy, Some(name), caller)?),
        Listing::Info => {
            let first = all(policy, caller).into_iter().next().ok_or_else(|| Refusal::NotAllowed("models".into()))?;
            json!({"model_name": first.get("id"), "model_type": "chat-completion", "model_provider_name": first.get("owned_by")})
        }
    };
    Ok(answer.to_string())
}

/// Routers first.
fn all(policy: &Policy, caller: Caller) -> Vec<Value> {
    let routers = (0..policy.routers.len()).map(Asked::Router);
    let models = (0..policy.models.len()).map(Asked::Model);
    routers.chain(models).filter(|asked| caller.may_ask(policy, *asked)).map(|asked| entry(policy, asked)).collect()
}

fn entry(policy: &Policy, asked: Asked) -> Value {
    let (name, owner) = match asked {
        Asked::Router(router) => (policy.routers.get(router).map(|router| &router.name), "model-router"),
        Asked::Model(model) => {
            let model = policy.models.get(model);
            let publisher = model.and_then(|model| model.publisher.as_deref());
            (model.map(|model| &model.name), publisher.unwrap_or("unknown"))
        }
    };
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": owner})
}
