//! Reads `routers` and checks that each has a model to route to.
//!
//! Owns a router's pool: which models the policy keeps out of it, and why. Never ranks them.

use super::error::{quoted, suggestion};
use super::facts::amount;
use super::fields::section;
use super::models::{Draft, Models};
use super::node::Node;
use super::{Affinity, Limits, Mode, ModelId, Outside, Provider, Router, limits};
use crate::catalog::Catalog;

section! {
    /// A virtual model that clients name in `model`; the filter chooses one of its pool for each request.
    ROUTER "routers[]" {
        /// What clients send.
        name: "a short name", "model-router";
        /// How far below the best predicted quality a cheaper model may be: `quality` 0, `balanced` 1.5 %, `cost` 5.5 %, or a band.
        mode: "`quality`, `balanced`, `cost`, or an object" = "balanced", "{band: 0.03}";
        /// A router version of the catalog, whose pool bounds the subset.
        version: "`2025-05-19`, `2025-08-07`, `2025-11-18`, `2026-11`" = "(every configured model)", "\"2025-11-18\"";
        /// The only models that may answer, failover included. Nothing joins it by itself.
        subset: "names of models" = "(every configured model)", "[gpt-5-mini, gpt-5]";
        /// Only models of these publishers.
        publishers: "names" = "(any)", "[OpenAI]";
        /// Only providers in this zone.
        data_zone: "a short name" = "(any)", "eu";
        /// How a conversation stays on its model.
        session_affinity: "`adaptive`, `sticky`, `none`" = "adaptive", "sticky";
        /// The model that savings are measured against.
        baseline: "the name of a model" = "(none)", "gpt-5";
        /// USD per million input tokens on top of the models' prices.
        fee: "USD" = "0", "0.14";
        /// How much it may be asked, by all together.
        limits: "an object" = "(none)", "{requests_per_minute: 600}";
    }
}

section! {
    /// A mode of your own.
    BAND "routers[].mode" {
        /// The share of quality that may be given up for a cheaper model.
        band: "a number from 0 to 1", "0.03";
    }
}

const MODES: [(&str, Mode); 3] = [("quality", Mode::Quality), ("balanced", Mode::Balanced), ("cost", Mode::Cost)];
const AFFINITIES: [(&str, Affinity); 3] =
    [("adaptive", Affinity::Adaptive), ("sticky", Affinity::Sticky), ("none", Affinity::None)];

/// Everything that a router is checked against.
pub(super) struct Context<'c> {
    pub catalog: &'c Catalog,
    pub models: &'c Models<'c>,
    pub providers: &'c [Provider],
}

/// The place of the router whose name is `node`.
pub(super) fn named_by(node: &Node<'_>, routers: &[Router]) -> Option<usize> {
    let name = node.text()?;
    let found = routers.iter().position(|router| router.name == name);
    if found.is_none() {
        let near = suggestion(name, routers.iter().map(|router| router.name.as_str()));
        node.fail(format!("there is no router {}{near}", quoted(name)));
    }
    found
}

/// The router of `node`; a broken one keeps its place.
pub(super) fn read(node: &Node<'_>, context: &Context<'_>) -> Router {
    let mut router = Router {
        name: String::new(),
        mode: Mode::Balanced,
        band: 0.015,
        version: None,
        pool: Vec::new(),
        data_zone: None,
        session_affinity: Affinity::Adaptive,
        baseline: None,
        fee: 0.0,
        limits: Limits::default(),
    };
    let before = node.notes.count();
    let Some(fields) = node.object(&ROUTER) else { return router };
    if let Some(name) = fields.require("name").and_then(|field| field.label()) {
        name.clone_into(&mut router.name);
    }
    if let Some((mode, band)) = fields.get("mode").and_then(|field| mode(&field)) {
        (router.mode, router.band) = (mode, band);
    }
    let version = fields.get("version").and_then(|field| version(&field, context.catalog));
    let subset = fields.get("subset").and_then(|field| subset(&field, context, version));
    let publishers = fields.get("publishers").and_then(|field| publishers(&field, context.models));
    // Zones are compared without regard to case; providers' are in lower case already.
    router.data_zone = fields.get("data_zone").and_then(|field| field.label().map(str::to_ascii_lowercase));
    if let Some(affinity) = fields.get("session_affinity").and_then(|field| field.choice(&AFFINITIES)) {
        router.session_affinity = affinity;
    }
    router.baseline = fields.get("baseline").and_then(|field| baseline(&field, context));
    router.fee = fields.get("fee").and_then(|field| amount(&field)).unwrap_or_default();
    router.limits = fields.get("limits").map(|field| limits::read(&field)).unwrap_or_default();
    router.version = version.map(|version| version.name.to_owned());

    let outside = |(id, draft): (ModelId, &Draft<'_>)| {
        if subset.as_ref().is_some_and(|subset| !subset.iter().any(|(member, _)| *member == id)) {
            Some(Outside::Subset)
        } else if version.is_some_and(|version| !version.has(draft)) {
            Some(Outside::Version)
        } else if publishers.as_ref().is_some_and(|publishers| !is_published_by(draft, publishers)) {
            Some(Outside::Publisher)
        } else if !is_in_zone(draft, &router, context.providers) {
            Some(Outside::DataZone)
        } else {
            None
        }
    };
    router.pool = context.models.0.iter().enumerate().map(outside).collect();
    // A pool that rests on a mistaken filter tells nothing.
    if node.notes.count() == before {
        check(node, &router, subset.as_deref(), context.models);
    }
    router
}

fn mode(node: &Node<'_>) -> Option<(Mode, f64)> {
    if !node.value.is_object() {
        return node.choice(&MODES).and_then(|mode| Some((mode, mode.band()?)));
    }
    let band = node.object(&BAND)?.require("band")?;
    let band = band.number("a number from 0 to 1", |band| (0.0..=1.0).contains(&band))?;
    Some((Mode::Band, band))
}

/// A router version and its pool.
#[derive(Clone, Copy)]
struct Version<'a> {
    name: &'a str,
    pool: &'a [String],
}

impl Version<'_> {
    fn has(&self, draft: &Draft<'_>) -> bool {
        draft.canonical.as_ref().is_some_and(|name| self.pool.contains(name))
    }
}

fn version<'a>(node: &Node<'a>, catalog: &'a Catalog) -> Option<Version<'a>> {
    let name = node.text()?;
    let pool = catalog.pool(name);
    if pool.is_none() {
        let known: Vec<&str> = catalog.versions().collect();
        node.fail(format!("unknown version {}; known are {}", quoted(name), known.join(", ")));
    }
    pool.map(|pool| Version { name, pool })
}

fn subset<'a>(
    node: &Node<'a>,
    context: &Context<'_>,
    version: Option<Version<'_>>,
) -> Option<Vec<(ModelId, Node<'a>)>> {
    let mut subset: Vec<(ModelId, Node<'a>)> = Vec::new();
    for item in node.some_items("; leave it out to allow every configured model")? {
        let Some(id) = context.models.named_by(&item, context.catalog) else { continue };
        if subset.iter().any(|(member, _)| *member == id) {
            item.fail("is in the list already");
            continue;
        }
        if let (Some(version), Some(draft)) = (version, context.models.0.get(id))
            && !version.has(draft)
        {
            item.fail(format!("is not in the pool of version {}", version.name));
        }
        subset.push((id, item));
    }
    Some(subset)
}

fn publishers<'a>(node: &Node<'a>, models: &Models<'_>) -> Option<Vec<&'a str>> {
    let mut publishers: Vec<&'a str> = Vec::new();
    for item in node.some_items("; leave it out to allow every publisher")? {
        let Some(publisher) = item.phrase() else { continue };
        if publishers.iter().any(|known| known.eq_ignore_ascii_case(publisher)) {
            item.fail("is in the list already");
        } else if !models.0.iter().any(|draft| is_published_by(draft, &[publisher])) {
            let known = models.0.iter().filter_map(|draft| draft.model.publisher.as_deref());
            let what = format!("no configured model is of {}{}", quoted(publisher), suggestion(publisher, known));
            item.notes.warn(&item.path, what);
        }
        publishers.push(publisher);
    }
    Some(publishers)
}

fn is_published_by(draft: &Draft<'_>, publishers: &[&str]) -> bool {
    let by = draft.model.publisher.as_deref();
    by.is_some_and(|by| publishers.iter().any(|publisher| publisher.eq_ignore_ascii_case(by)))
}

fn is_in_zone(draft: &Draft<'_>, router: &Router, providers: &[Provider]) -> bool {
    let mut served = draft.model.served_by.iter().filter_map(|served| providers.get(served.provider));
    // Where the list of providers is what is wrong, nothing follows for the zone.
    draft.broken || router.data_zone.is_none() || served.any(|provider| router.allows(provider))
}

fn baseline(node: &Node<'_>, context: &Context<'_>) -> Option<ModelId> {
    let id = context.models.named_by(node, context.catalog)?;
    let draft = context.models.0.get(id)?;
    if draft.model.price.is_none() && !draft.broken {
        node.fail(format!("no price is known: give {}.price", draft.path));
    }
    Some(id)
}

/// What a router needs of the models in its pool.
fn check(node: &Node<'_>, router: &Router, subset: Option<&[(ModelId, Node<'_>)]>, models: &Models<'_>) {
    let usable = || models.0.iter().enumerate().zip(&router.pool).filter(|(_, outside)| outside.is_none());
    for ((id, draft), _) in usable().filter(|((_, draft), _)| !draft.broken) {
        let lacks = |fact: &str, field: &str| {
            let entry = subset.into_iter().flatten().find(|(member, _)| *member == id);
            match entry {
                Some((_, entry)) => {
                    entry.fail(format!(
                        "no {fact} known: give {}.{field}, or take the model out of the subset",
                        draft.path
                    ));
                }
                None => node.fail(format!(
                    "no {fact} known for {}: give {}.{field}, or keep the model out with a subset",
                    quoted(&draft.model.name),
                    draft.path
                )),
            }
        };
        if draft.model.price.is_none() {
            lacks("price is", "price");
        }
        if draft.model.abilities.is_none() {
            lacks("abilities are", "abilities or abilities_like");
        }
    }
    if let Some(version) = router.version.as_deref().filter(|_| subset.is_none()) {
        let what = format!(
            "without a subset its pool is the catalog's for {version}, and changes when an upgrade changes that"
        );
        node.notes.warn(&node.path, what);
    }
    let mut names = usable().map(|((_, draft), _)| draft.model.name.as_str());
    match (names.next(), names.next()) {
        // Without any models at all that has been said already.
        (None, _) if !models.0.is_empty() => node.fail(no_usable_model(router, models)),
        (Some(only), None) => {
            node.notes.warn(&node.path, format!("only {} is usable, so there is no failover", quoted(only)));
        }
        _ => {}
    }
}

fn no_usable_model(router: &Router, models: &Models<'_>) -> String {
    let reason = |outside: &Option<Outside>| match outside {
        Some(Outside::Subset) | None => None,
        Some(Outside::Version) => Some("version"),
        Some(Outside::Publisher) => Some("publishers"),
        Some(Outside::DataZone) => Some("data_zone"),
    };
    let excluded = models.0.iter().zip(&router.pool);
    let excluded = excluded.filter_map(|(draft, outside)| Some((&draft.model.name, reason(outside)?)));
    let listed: Vec<String> = excluded.take(5).map(|(name, why)| format!("{why} excludes {}", quoted(name))).collect();
    format!("no model is usable: {}", listed.join(", "))
}
