//! Reads `candidate`: another policy beside the one that serves, to be judged or brought in by and by.
//!
//! Owns what may differ between the two. Who may ask for what, and where it may go, is the same for both: consumers,
//! providers and their ids are the serving policy's. Never decides which of them serves a request.

use super::error::quoted;
use super::fields::section;
use super::node::{Fields, Node, Notes};
use super::read::document;
use super::{Consumer, Error, Policy, changes};
use crate::catalog::Catalog;
use serde_json::Value;

section! {
    /// Another policy beside the one that serves: [how to judge a change and roll it out](CHANGE.md#judge-a-change-then-roll-it-out).
    CANDIDATE "candidate" {
        /// What metrics and logs call it; another name draws other conversations.
        name: "a short name" = "candidate", "next";
        /// Of a hundred conversations it serves so many; 0: it only shadows.
        percent: "a whole number from 0 to 100" = "0", "10";
        /// What differs; the rest is taken over.
        policy: "an object", "{routers: [{name: model-router, mode: cost}]}";
    }
}

section! {
    /// What a candidate may have of its own.
    OWN "candidate.policy" {
        /// In the place of those of the same name, or beside them.
        routers: "a list of objects" = "[]", "[{name: model-router, mode: cost}]";
        /// In the place of those of the same name, or beside them.
        models: "a list of objects" = "[]", "[{name: gpt-5-nano, served_by: [{provider: openai}]}]";
        /// In the place of the policy's.
        cooldown: "an object" = "(that of the policy)", "{maximum_seconds: 300}";
        /// In the place of the policy's.
        timeouts: "an object" = "(those of the policy)", "{first_token_seconds: 20}";
    }
}

const PATH: &str = "candidate.policy";

/// A policy that serves a share of conversations, and shadows the others.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// How many of a hundred conversations it serves; 0: it only shadows.
    pub percent: u32,
    /// It has a name, and the providers and consumers of the policy whose candidate it is.
    pub policy: Policy,
}

/// The candidate of a policy's document as a document of its own; `None` where it has none. Its own routers and models come
/// first, then those of the policy that have other names, so that nothing leaves because nobody named it.
pub fn candidate_document(document: &Value) -> Option<Value> {
    let own = document.get("candidate").filter(|candidate| !candidate.is_null())?.get("policy")?.as_object()?;
    let mut merged = document.as_object()?.clone();
    ["name", "candidate"].iter().for_each(|name| drop(merged.remove(*name)));
    for (part, value) in own.iter().filter(|(_, value)| !value.is_null()) {
        let value = joined(value, merged.get(part));
        merged.insert(part.clone(), value);
    }
    Some(Value::Object(merged))
}

fn joined(own: &Value, taken: Option<&Value>) -> Value {
    let (Value::Array(own), Some(Value::Array(taken))) = (own, taken) else { return own.clone() };
    let is_own =
        |item: &&Value| own.iter().any(|own| own.get("name").is_some_and(|name| Some(name) == item.get("name")));
    own.iter().chain(taken.iter().filter(|item| !is_own(item))).cloned().collect()
}

/// The policy with its candidate, where the document has one.
pub(super) fn read(root: &Fields<'_>, mut policy: Policy, catalog: &Catalog) -> Policy {
    let Some(fields) = root.get("candidate").and_then(|node| node.object(&CANDIDATE)) else {
        return policy;
    };
    let percent = fields.get("percent").and_then(|field| field.whole(0, 100)).unwrap_or(0);
    let given = fields.get("name").and_then(|field| field.label().map(str::to_owned));
    let name = given.unwrap_or_else(|| "candidate".to_owned());
    let serving = policy.name.get_or_insert_with(|| "current".to_owned());
    if *serving == name {
        root.node.notes.fail(fields.path("name"), format!("{} is the name of the policy itself", quoted(&name)));
    }
    if let Some(candidate) = fields.require("policy").and_then(|node| candidate(&node, root, &policy, catalog)) {
        let candidate = Policy { name: Some(name), is_candidate: true, ..candidate };
        // What is wrong with either of them says nothing of their pools.
        if root.node.notes.count() == 0 {
            changes(&policy, &candidate).iter().for_each(|change| root.node.notes.warn(PATH, change));
        }
        policy.rollout = Some(Box::new(Rollout { percent, policy: candidate }));
    }
    policy
}

fn candidate(node: &Node<'_>, root: &Fields<'_>, serving: &Policy, catalog: &Catalog) -> Option<Policy> {
    node.object(&OWN)?;
    let mut merged = candidate_document(root.node.value)?;
    merged.as_object_mut()?.remove("consumers");
    let notes = Notes::default();
    let root = Node { value: &merged, path: PATH.to_owned(), notes: &notes }.any_object("an object")?;
    let mut policy = document(&root, catalog, serving.predictor);
    policy.consumers = consumers(serving, &policy);
    for router in &mut policy.routers {
        // Envoy counts by the router's name, whoever serves.
        let limits = serving.routers.iter().find(|known| known.name == router.name).map(|known| known.limits);
        let limits = limits.unwrap_or_default();
        if router.limits.any() && router.limits != limits {
            node.fail(format!("router {}: its limits stand in the policy, for both", quoted(&router.name)));
        }
        router.limits = limits;
    }
    pass_on(&notes, node, &merged);
    Some(policy)
}

/// Passes on what is wrong or odd with what the candidate itself says. What it takes over has been read before: there is only
/// something new to say of it where all was well.
fn pass_on(notes: &Notes, node: &Node<'_>, merged: &Value) {
    let was_well = node.notes.count() == 0;
    for Error { path, rule } in notes.errors.take() {
        match taken(&path, node.value, merged) {
            None => node.notes.fail(path, rule),
            Some(what) if was_well => node.notes.fail(PATH, format!("does not go with {what}: {rule}")),
            Some(_) => {}
        }
    }
    let own = |warning: &String| taken(warning.split(": ").next().unwrap_or_default(), node.value, merged).is_none();
    node.notes.warnings.borrow_mut().extend(notes.warnings.take().into_iter().filter(own));
}

/// What of the serving policy stands at this path of the candidate; `None` where the candidate itself says what is there.
fn taken(path: &str, own: &Value, merged: &Value) -> Option<String> {
    let path = path.strip_prefix(PATH)?.strip_prefix('.')?;
    let part = path.split(['.', '[']).next()?;
    let list = match own.get(part) {
        None | Some(Value::Null) => return Some(format!("`{path}`")),
        Some(list) => list.as_array()?,
    };
    let index: usize = path.strip_prefix(part)?.strip_prefix('[')?.split(']').next()?.parse().ok()?;
    let name = || merged.get(part)?.get(index)?.get("name")?.as_str();
    (index >= list.len()).then(|| format!("{} of `{part}`", quoted(name().unwrap_or_default())))
}

/// The serving policy's consumers, with what they may use by its place in the candidate. What it does not have nobody
/// may use.
fn consumers(serving: &Policy, candidate: &Policy) -> Option<Vec<Consumer>> {
    let consumer = |consumer: &Consumer| Consumer {
        routers: consumer.routers.as_ref().map(|ids| {
            let names = ids.iter().filter_map(|id| Some(&serving.routers.get(*id)?.name));
            names.filter_map(|name| candidate.routers.iter().position(|router| router.name == *name)).collect()
        }),
        models: consumer.models.as_ref().map(|ids| ids.iter().filter_map(|id| candidate.same(serving, *id)).collect()),
        ..consumer.clone()
    };
    Some(serving.consumers.as_ref()?.iter().map(consumer).collect())
}

impl Policy {
    /// What metrics and logs call it; empty where it has no name.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The model that another policy has under this id.
    pub fn same(&self, other: &Policy, id: super::ModelId) -> Option<super::ModelId> {
        let name = &other.models.get(id)?.name;
        self.models.iter().position(|model| model.name == *name)
    }
}
