//! The pools of a policy's routers, and what changes in them when another policy takes its place.
//!
//! Owns what counts as a change: a model joins or leaves, or a provider for it. Never judges it.

use super::{Policy, Router};

/// What may answer for a router: `model@provider`, in the policy's order, zones heeded.
pub fn pool(policy: &Policy, router: &Router) -> Vec<String> {
    let mut pool = Vec::new();
    let inside = policy.models.iter().zip(&router.pool).filter(|(_, outside)| outside.is_none());
    for (model, _) in inside {
        let providers = model.served_by.iter().filter_map(|served| policy.providers.get(served.provider));
        for provider in providers.filter(|provider| router.allows(provider)) {
            let place = [&model.name, "@", &provider.name].concat();
            // A model may have several deployments at a provider.
            if !pool.contains(&place) {
                pool.push(place);
            }
        }
    }
    pool
}

/// A line for each router whose pool differs between `old` and `new`, and for each that one of them does not have.
pub fn changes(old: &Policy, new: &Policy) -> Vec<String> {
    let find = |policy: &Policy, name: &str| {
        policy.routers.iter().find(|router| router.name == name).map(|router| pool(policy, router))
    };
    let added = new.routers.iter().filter(|router| !old.routers.iter().any(|known| known.name == router.name));
    let routers = old.routers.iter().chain(added);
    routers.filter_map(|router| change(&router.name, find(old, &router.name), find(new, &router.name))).collect()
}

fn change(router: &str, old: Option<Vec<String>>, new: Option<Vec<String>>) -> Option<String> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return Some(format!("router `{router}` is gone: requests for it are refused")),
        (None, new) => return Some(format!("router `{router}` is new: {}", new.unwrap_or_default().join(", "))),
    };
    let only = |these: &[String], those: &[String], what: &str| {
        let found: Vec<&str> = these.iter().filter(|it| !those.contains(it)).map(String::as_str).collect();
        (!found.is_empty()).then(|| format!("{} {what}", found.join(", ")))
    };
    let parts: Vec<String> =
        [only(&new, &old, "joins its pool"), only(&old, &new, "leaves it")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("router `{router}`: {}", parts.join("; ")))
}
