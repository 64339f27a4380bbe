//! Reads `models` and puts catalog facts, overrides and relatives together.
//!
//! Owns which names a model goes by and where it is served. Never asks whether a router could use it.

use super::error::{quoted, suggestion};
use super::facts;
use super::fields::section;
use super::names::Names;
use super::node::{Fields, Node};
use super::{Model, ModelId, Provider, Served};
use crate::catalog::{Catalog, Efforts};

section! {
    /// A model that may be used. What the catalog knows of it need not be said; all of it can be said otherwise.
    MODEL "models[]" {
        /// What the policy and clients call it. The catalog's names bring the catalog's facts.
        name: "a short name", "gpt-5-mini";
        /// Where it is served, in this order: each is an attempt of its own.
        served_by: "a list of objects", "[{provider: openai}]";
        /// Other names by which clients may ask for it.
        aliases: "short names" = "(the catalog's)", "[mini]";
        /// Who made it, for `routers[].publishers`.
        publisher: "text" = "(the catalog's)", "OpenAI";
        /// What it costs.
        price: "an object" = "(the catalog's)", "{input: 0.25, output: 2}";
        /// How many tokens fit.
        context: "an object" = "(the catalog's)", "{input: 272000, output: 128000}";
        /// What it can take.
        capabilities: "an object" = "(the catalog's)", "{images: false}";
        /// How long it can be asked to think.
        reasoning: "an object" = "(the catalog's)", "{accepts: [low, high], default: low}";
        /// What its API refuses or calls otherwise.
        parameters: "an object" = "(the catalog's)", "{drop: [seed]}";
        /// What it takes in the Messages API.
        messages: "an object" = "(the catalog's)", "{thinking: budget}";
        /// How good it is: a score from 0 to 100, `{general: 60, math: 75}` by task, `{default: ..., high: ...}` by effort.
        abilities: "a number or an object" = "(the catalog's)", "{general: 60, math: 75}";
        /// A model that is as good, in place of `abilities`.
        abilities_like: "the name of a model" = "(none)", "gpt-4.1";
    }
}

section! {
    /// A model at a provider.
    SERVED "models[].served_by[]" {
        /// Where.
        provider: "the name of a provider", "openai";
        /// What the provider calls it: the `model` of the request there, or Azure's deployment.
        deployment: "a short name" = "(the model's name)", "my-gpt-5-mini";
    }
}

/// A model with what only the checks need.
pub(super) struct Draft<'a> {
    pub model: Model,
    /// Its name in the catalog, which the pools of versions use.
    pub canonical: Option<String>,
    /// `models[3]`
    pub path: String,
    /// Whether something was wrong with it, so that errors that follow from that are not told too.
    pub broken: bool,
    /// `abilities_like`, until it is resolved.
    like: Option<Node<'a>>,
}

/// The models in the order of the document; a broken one keeps its place.
pub(super) struct Models<'a>(pub Vec<Draft<'a>>);

impl Models<'_> {
    /// The model of this name, or else of this alias.
    pub fn find(&self, name: &str) -> Option<ModelId> {
        let same = |known: &String| known.eq_ignore_ascii_case(name);
        let by = |matches: &dyn Fn(&Model) -> bool| self.0.iter().position(|draft| matches(&draft.model));
        by(&|model| model.name == name)
            .or_else(|| by(&|model| same(&model.name)))
            .or_else(|| by(&|model| model.aliases.iter().any(same)))
    }

    /// Like [`Models::find`] for the text of `node`; notes an error where there is no such model.
    pub fn named_by(&self, node: &Node<'_>, catalog: &Catalog) -> Option<ModelId> {
        let name = node.text()?;
        let found = self.find(name);
        if found.is_none() {
            let what = match catalog.get(name) {
                Some(_) => "; add it to models, with served_by".to_owned(),
                None => suggestion(name, self.0.iter().map(|draft| draft.model.name.as_str())),
            };
            node.fail(format!("no model {} is configured{what}", quoted(name)));
        }
        found
    }
}

/// Reads the models; their names and aliases join those that are `names` already.
pub(super) fn read<'a>(
    root: &Fields<'a>,
    catalog: &Catalog,
    providers: &[Provider],
    names: &mut Names,
    routers: &[Node<'a>],
) -> Models<'a> {
    let nodes = root.require("models").and_then(|node| node.some_items("")).unwrap_or_default();
    // All names come first, so that an alias that clashes with a name is the one to blame, then explicit aliases, then
    // routers, then what the catalog adds.
    for node in &nodes {
        if let Some((field, name)) = name(node).and_then(|field| Some((field.clone(), field.value.as_str()?))) {
            names.claim(&field, name);
        }
    }
    let mut drafts: Vec<Draft<'a>> = nodes.iter().map(|node| draft(node, catalog, providers, names)).collect();
    for router in routers {
        if let Some((field, name)) = name(router).and_then(|field| Some((field.clone(), field.value.as_str()?))) {
            names.claim(&field, name);
        }
    }
    for draft in &mut drafts {
        let Some(known) = draft.canonical.as_deref().and_then(|name| catalog.get(name)) else { continue };
        for alias in std::iter::once(&known.name).chain(&known.aliases) {
            if names.claim_quietly(&draft.path, alias) {
                draft.model.aliases.push(alias.clone());
            }
        }
    }
    let mut models = Models(drafts);
    lend(&mut models, catalog);
    models
}

fn name<'a>(node: &Node<'a>) -> Option<Node<'a>> {
    let value = node.value.get("name").filter(|value| value.is_string())?;
    Some(Node { value, path: format!("{}.name", node.path), notes: node.notes })
}

fn draft<'a>(node: &Node<'a>, catalog: &Catalog, providers: &[Provider], names: &mut Names) -> Draft<'a> {
    let before = node.notes.count();
    let name = name(node).and_then(|field| field.value.as_str()).unwrap_or_default();
    let known = catalog.get(name);
    let mut model = Model {
        name: name.to_owned(),
        aliases: Vec::new(),
        publisher: known.and_then(|facts| facts.publisher.clone()),
        served_by: Vec::new(),
        price: known.and_then(|facts| facts.price.clone()),
        context: known.and_then(|facts| facts.context),
        capabilities: known.map(|facts| facts.capabilities).unwrap_or_default(),
        reasoning: known.and_then(|facts| facts.reasoning.clone()),
        parameters: known.map(|facts| facts.parameters.clone()).unwrap_or_default(),
        messages: known.map(|facts| facts.messages.clone()).unwrap_or_default(),
        abilities: known.and_then(|facts| facts.abilities.clone()),
    };
    let mut like = None;
    if let Some(fields) = node.object(&MODEL) {
        if let Some(field) = fields.require("name") {
            field.label();
        }
        if let Some(field) = fields.require("served_by") {
            model.served_by = served_by(&field, name, providers);
        }
        if let Some(field) = fields.get("aliases") {
            for item in field.items().unwrap_or_default() {
                if let Some(alias) = item.label() {
                    names.claim(&item, alias);
                    model.aliases.push(alias.to_owned());
                }
            }
        }
        if let Some(field) = fields.get("publisher") {
            model.publisher = field.phrase().map(str::to_owned);
        }
        if let Some(field) = fields.get("price") {
            model.price = facts::price(&field, model.price.as_ref());
        }
        if let Some(field) = fields.get("context") {
            model.context = facts::context(&field, model.context);
        }
        if let Some(field) = fields.get("capabilities") {
            model.capabilities = facts::capabilities(&field, model.capabilities);
        }
        if let Some(field) = fields.get("reasoning") {
            model.reasoning = facts::reasoning(&field, model.reasoning.as_ref());
        }
        if let Some(field) = fields.get("parameters") {
            model.parameters = facts::parameters(&field, model.parameters);
        }
        if let Some(field) = fields.get("messages") {
            model.messages = facts::messages(&field, model.messages);
        }
        like = fields.get("abilities_like");
        match (fields.get("abilities"), &like) {
            (Some(_), Some(like)) => like.fail("give either abilities or abilities_like"),
            (Some(field), None) => model.abilities = facts::abilities(&field),
            (None, _) => {}
        }
    }
    let canonical = known.map(|facts| facts.name.clone());
    Draft { model, canonical, path: node.path.clone(), broken: node.notes.count() > before, like }
}

fn served_by(node: &Node<'_>, model: &str, providers: &[Provider]) -> Vec<Served> {
    let mut all: Vec<Served> = Vec::new();
    for item in node.some_items(": a model needs a provider").unwrap_or_default() {
        let Some(fields) = item.object(&SERVED) else { continue };
        let deployment = match fields.get("deployment") {
            Some(field) => field.label(),
            None => Some(model),
        };
        let Some(field) = fields.require("provider") else { continue };
        let Some(name) = field.text() else { continue };
        let Some(provider) = providers.iter().position(|provider| provider.name == name) else {
            let near = suggestion(name, providers.iter().map(|provider| provider.name.as_str()));
            field.fail(format!("there is no provider {}{near}", quoted(name)));
            continue;
        };
        let Some(deployment) = deployment else { continue };
        if all.iter().any(|served| served.provider == provider && served.deployment == deployment) {
            item.fail("the same provider and deployment are in the list already");
        } else {
            all.push(Served { provider, deployment: deployment.to_owned() });
        }
    }
    all
}

/// Resolves `abilities_like`. A relative may itself be like another, so this goes round until nothing more is settled.
fn lend(models: &mut Models<'_>, catalog: &Catalog) {
    let mut settled = true;
    while settled {
        settled = false;
        for at in 0..models.0.len() {
            let Some(like) = models.0.get(at).and_then(|draft| draft.like.clone()) else { continue };
            let own = models.0.get(at).and_then(|draft| draft.model.reasoning.clone());
            let abilities = match relative(models, catalog, &like, own.as_ref()) {
                Relative::Waits => continue,
                Relative::Lends(abilities) => Some(abilities),
                Relative::Nothing => None,
            };
            if let Some(draft) = models.0.get_mut(at) {
                draft.like = None;
                draft.broken |= abilities.is_none();
                draft.model.abilities = abilities;
                settled = true;
            }
        }
    }
    for draft in &mut models.0 {
        if let Some(like) = draft.like.take() {
            like.fail("goes round in a circle");
            draft.broken = true;
        }
    }
}

enum Relative {
    /// The relative's own abilities are not settled yet.
    Waits,
    Lends(crate::catalog::Abilities),
    /// There are none; an error is noted.
    Nothing,
}

fn relative(models: &Models<'_>, catalog: &Catalog, like: &Node<'_>, own: Option<&Efforts>) -> Relative {
    let Some(name) = like.text() else { return Relative::Nothing };
    let configured = models.find(name).and_then(|id| models.0.get(id));
    let (abilities, efforts, broken) = match (configured, catalog.get(name)) {
        (Some(draft), _) if draft.like.is_some() => return Relative::Waits,
        (Some(draft), _) => (&draft.model.abilities, &draft.model.reasoning, draft.broken),
        (None, Some(facts)) => (&facts.abilities, &facts.reasoning, false),
        (None, None) => {
            let known = models.0.iter().map(|draft| &draft.model.name).chain(catalog.models().iter().map(|m| &m.name));
            let near = suggestion(name, known.map(String::as_str));
            like.fail(format!("no model {} is configured or in the catalog{near}", quoted(name)));
            return Relative::Nothing;
        }
    };
    match abilities {
        Some(abilities) => Relative::Lends(abilities.lent(efforts.as_ref(), own)),
        None => {
            if !broken {
                like.fail(format!("{} has no abilities to lend", quoted(name)));
            }
            Relative::Nothing
        }
    }
}
