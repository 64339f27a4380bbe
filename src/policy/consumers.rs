//! Reads `consumers`.
//!
//! Owns the rules on who is recognised by what. Never decides what a request may do.

use super::error::quoted;
use super::fields::section;
use super::models::Models;
use super::names::Names;
use super::node::{Fields, Node};
use super::{Consumer, Router, When, limits, routers};
use crate::catalog::Catalog;

section! {
    /// Who may use what. The first consumer whose header matches a request is the one who asks; without any, everyone may use
    /// everything.
    CONSUMER "consumers[]" {
        /// Its name in log and metrics.
        name: "a short name", "batch";
        /// How a request of it is recognised; `nobody`: it is of no other consumer.
        when: "an object, or `nobody`", "{header: x-consumer, equals: batch}";
        /// The routers that it may use; an empty list: none.
        routers: "names of routers" = "(all)", "[model-router]";
        /// The models that it may use, through routers too; an empty list: none.
        models: "names of models" = "(all)", "[gpt-5-mini]";
        /// How much it may use.
        limits: "an object" = "(none)", "{tokens_per_minute: 100000, usd_per_day: 20}";
    }
}

section! {
    /// A header that Envoy sets once it knows who calls. Clients must not be able to set it themselves.
    WHEN "consumers[].when" {
        /// The header's name.
        header: "the name of a header", "x-consumer";
        /// Its exact value.
        equals: "text", "batch";
    }
}

/// The consumers in the order of the document, `None` where the field is absent.
pub(super) fn read(
    root: &Fields<'_>,
    routers: &[Router],
    models: &Models<'_>,
    catalog: &Catalog,
) -> Option<Vec<Consumer>> {
    let items = root.get("consumers")?.some_items("; leave it out to let everyone use everything")?;
    let (mut names, mut consumers) = (Names::default(), Vec::new());
    for node in &items {
        if let Some(consumer) = consumer(node, &mut names, &consumers, routers, models, catalog) {
            consumers.push(consumer);
        }
    }
    Some(consumers)
}

fn consumer(
    node: &Node<'_>,
    names: &mut Names,
    earlier: &[Consumer],
    routers: &[Router],
    models: &Models<'_>,
    catalog: &Catalog,
) -> Option<Consumer> {
    let fields = node.object(&CONSUMER)?;
    let name = fields.require("name").and_then(|field| {
        let name = field.label()?;
        names.claim(&field, name);
        Some(name.to_owned())
    });
    let when = fields.require("when").and_then(|field| when(&field, earlier));
    let routers = fields.get("routers").and_then(|field| ids(&field, |item| routers::named_by(item, routers)));
    let models = fields.get("models").and_then(|field| ids(&field, |item| models.named_by(item, catalog)));
    let limits = fields.get("limits").map(|field| limits::read(&field)).unwrap_or_default();
    Some(Consumer { name: name?, when: when?, routers, models, limits })
}

fn when(node: &Node<'_>, earlier: &[Consumer]) -> Option<When> {
    let when =
        if node.value.is_string() { node.choice(&[("nobody", ())]).map(|()| When::Nobody) } else { by_header(node) };
    // The first match decides, so the later one would never be asked.
    if let Some(same) = earlier.iter().find(|consumer| Some(&consumer.when) == when.as_ref()) {
        node.fail(format!("is the same as that of consumer {}", quoted(&same.name)));
    }
    when
}

fn by_header(node: &Node<'_>) -> Option<When> {
    let fields = node.object(&WHEN)?;
    let header = fields.require("header").and_then(|field| {
        let name = field.label()?;
        // `token` of RFC 9110.
        let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if !name.chars().all(legal) {
            field.fail(format!("must be the name of a header, found {}", quoted(name)));
            return None;
        }
        Some(name.to_ascii_lowercase())
    });
    let equals = fields.require("equals").and_then(|field| field.phrase().map(str::to_owned));
    Some(When::Header { name: header?, equals: equals? })
}

fn ids(node: &Node<'_>, find: impl Fn(&Node<'_>) -> Option<usize>) -> Option<Vec<usize>> {
    let mut ids = Vec::new();
    for item in node.items()? {
        match find(&item) {
            Some(id) if ids.contains(&id) => item.fail("is in the list already"),
            Some(id) => ids.push(id),
            None => {}
        }
    }
    Some(ids)
}
