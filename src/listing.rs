//! The list of what a caller may ask for: `GET /v1/models`, and Azure's and Anthropic's forms of it.
//!
//! Owns the shapes of its entries. Never shows a name that the caller may not use.

use crate::decide::{Asked, Caller, Refusal, asked};
use crate::policy::Policy;
use crate::request::Shape;
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
/// The same, as Anthropic writes it.
const CREATED_AT: &str = "2025-11-18T00:00:00Z";

/// The answer, in JSON of the given shape.
///
/// # Errors
/// [`Refusal::UnknownModel`] or [`Refusal::NotAllowed`] for an entry, [`Refusal::NotAllowed`] for who is no consumer.
pub fn list(policy: &Policy, caller: Caller, listing: &Listing, shape: Shape) -> Result<String, Refusal> {
    if caller == Caller::Nobody {
        return Err(Refusal::NotAllowed("models".into()));
    }
    let answer = match listing {
        Listing::All if shape == Shape::Anthropic => page(all(policy, caller, shape)),
        Listing::All => json!({"object": "list", "data": all(policy, caller, shape)}),
        Listing::Entry(name) => entry(policy, asked(policy, Some(name), caller)?, shape),
        Listing::Info => {
            let first =
                all(policy, caller, shape).into_iter().next().ok_or_else(|| Refusal::NotAllowed("models".into()))?;
            json!({"model_name": first.get("id"), "model_type": "chat-completion", "model_provider_name": first.get("owned_by")})
        }
    };
    Ok(answer.to_string())
}

/// Everything on one page, which is what a client gets that asks for none.
fn page(data: Vec<Value>) -> Value {
    let id = |entry: Option<&Value>| entry.and_then(|entry| entry.get("id")).cloned();
    json!({"first_id": id(data.first()), "last_id": id(data.last()), "has_more": false, "data": data})
}

/// Routers first.
fn all(policy: &Policy, caller: Caller, shape: Shape) -> Vec<Value> {
    let routers = (0..policy.routers.len()).map(Asked::Router);
    let models = (0..policy.models.len()).map(Asked::Model);
    routers
        .chain(models)
        .filter(|asked| caller.may_ask(policy, *asked))
        .map(|asked| entry(policy, asked, shape))
        .collect()
}

fn entry(policy: &Policy, asked: Asked, shape: Shape) -> Value {
    let (name, owner) = match asked {
        Asked::Router(router) => (policy.routers.get(router).map(|router| &router.name), "model-router"),
        Asked::Model(model) => {
            let model = policy.models.get(model);
            let publisher = model.and_then(|model| model.publisher.as_deref());
            (model.map(|model| &model.name), publisher.unwrap_or("unknown"))
        }
    };
    if shape == Shape::Anthropic {
        return json!({"id": name, "type": "model", "display_name": name, "created_at": CREATED_AT});
    }
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": owner})
}
