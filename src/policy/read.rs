//! From bytes to a value, and from a value to a [`Policy`].
//!
//! Owns the top level of the document and the order in which its parts are read. Never judges what is inside a part.

use serde_json::Value;

use super::error::Error;
use super::fields::section;
use super::names::Names;
use super::node::{Fields, Node, Notes};
use super::{MAX_ATTEMPTS, Policy, UnknownPaths};
use super::{consumers, content_filter, failover, models, providers, rollout, routers, structpb};
use crate::catalog::Catalog;
use crate::predict::Predictor;

section! {
    /// A policy: YAML, or JSON.
    POLICY "" {
        /// Virtual models that clients can name.
        routers: "a list of objects" = "[]", "[{name: auto}]";
        /// The models that may be used.
        models: "a list of objects", "[{name: gpt-5-mini, served_by: [{provider: openai}]}]";
        /// Where they are served.
        providers: "a list of objects", "[{name: openai, preset: openai}]";
        /// Who may use what.
        consumers: "a list of objects" = "(everyone may use everything)", "[{name: batch, when: {header: x-consumer, equals: batch}}]";
        /// What happens to requests on paths that are no model API: 404, or on to the route untouched.
        unknown_paths: "`reject`, `pass`" = "reject", "pass";
        /// How many models a request may try.
        max_attempts: "a whole number from 1 to 8" = "5", "3";
        /// How long models rest after they failed.
        cooldown: "an object" = "{}", "{maximum_seconds: 300}";
        /// How long something may take.
        timeouts: "an object" = "{}", "{first_token_seconds: 20}";
        /// Who is asked whether a prompt may go on. [CONTENT_FILTER.md](CONTENT_FILTER.md) has all about it.
        content_filter: "an object" = "(nobody)", "{endpoint: \"https://api.openai.com\", on_error: reject}";
        /// For `model-router envoy`; the filter does not look into it.
        envoy: "an object" = "{}", "{listener: {port: 8080}}";
        /// What metrics and logs call this policy.
        name: "a short name" = "(none; `current` beside a candidate)", "stable";
        /// Another policy beside it: judged on live traffic without a call, or serving a share of conversations.
        candidate: "an object" = "(none)", "{percent: 10, policy: {routers: [{name: model-router, mode: cost}]}}";
    }
}

const UNKNOWN_PATHS: [(&str, UnknownPaths); 2] = [("reject", UnknownPaths::Reject), ("pass", UnknownPaths::Pass)];
const EMPTY: &str = "is empty: give models, providers that serve them, and routers that choose among them";

/// The JSON value that a plugin's configuration stands for.
pub(super) fn value(bytes: &[u8]) -> Result<Value, Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    // No Struct with a field is valid JSON: each of its values follows a control character (0x12) that JSON allows
    // nowhere. Nor can the first byte decide, as a Struct's (0x0a) is a line feed.
    let rule = match (serde_json::from_slice(text), structpb::decode(bytes)) {
        (Ok(value), _) | (Err(_), Ok(value)) => return Ok(value),
        (Err(error), Err(_)) if matches!(text.first(), Some(b'{' | b'[')) => format!("is not valid JSON: {error}"),
        (Err(_), Err(reason)) => format!("is neither JSON text nor a Struct ({reason})"),
    };
    Err(Error { path: String::new(), rule })
}

pub(super) fn policy(value: &Value) -> Result<Policy, Vec<Error>> {
    let fail = |rule: String| vec![Error { path: String::new(), rule }];
    if value.is_null() || value.as_object().is_some_and(|map| map.is_empty()) {
        return Err(fail(EMPTY.to_owned()));
    }
    let catalog = Catalog::embedded().map_err(|error| fail(format!("the built-in catalog is broken: {error}")))?;
    let broken = |error| fail(format!("the built-in weights are broken: {error}"));
    let predictor = Predictor::embedded().map_err(broken)?;
    let notes = Notes::default();
    let policy = Node::root(value, &notes).object(&POLICY).map(|root| {
        let policy = rollout::read(&root, document(&root, &catalog, predictor), &catalog);
        unused_providers(&policy, &notes);
        policy
    });
    let errors = notes.errors.take();
    match policy {
        Some(policy) if errors.is_empty() => Ok(Policy { warnings: notes.warnings.take(), ..policy }),
        _ => Err(errors),
    }
}

/// The policy of a document, but for its candidate.
pub(super) fn document(root: &Fields<'_>, catalog: &Catalog, predictor: &'static Predictor) -> Policy {
    let providers = providers::read(root, catalog);
    let nodes = root.get("routers").and_then(|node| node.items()).unwrap_or_default();
    let models = models::read(root, catalog, &providers, &mut Names::default(), &nodes);
    let context = routers::Context { catalog, models: &models, providers: &providers };
    let routers: Vec<_> = nodes.iter().map(|node| routers::read(node, &context)).collect();
    let consumers = consumers::read(root, &routers, &models, catalog);
    let unknown_paths = root.get("unknown_paths").and_then(|field| field.choice(&UNKNOWN_PATHS));
    let max_attempts = root.get("max_attempts").and_then(|field| field.whole(1, MAX_ATTEMPTS as u32));
    let content_filter = root.get("content_filter").and_then(|node| content_filter::read(&node, &routers, &providers));
    Policy {
        name: root.get("name").and_then(|field| field.label().map(str::to_owned)),
        is_candidate: false,
        rollout: None,
        routers,
        models: models.0.into_iter().map(|draft| draft.model).collect(),
        providers,
        consumers,
        unknown_paths: unknown_paths.unwrap_or(UnknownPaths::Reject),
        cooldown: failover::cooldown(root),
        timeouts: failover::timeouts(root),
        content_filter,
        max_attempts: max_attempts.map_or(5, |attempts| attempts as usize),
        predictor,
        warnings: Vec::new(),
    }
}

fn unused_providers(policy: &Policy, notes: &Notes) {
    let candidate = policy.rollout.iter().flat_map(|rollout| &rollout.policy.models);
    let served: Vec<_> = policy.models.iter().chain(candidate).flat_map(|model| &model.served_by).collect();
    for (at, provider) in policy.providers.iter().enumerate() {
        if !served.iter().any(|served| served.provider == at) {
            notes.warn(format!("providers[{at}]"), format!("no model is served by `{}`", provider.name));
        }
    }
}
