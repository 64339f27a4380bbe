//! Reads `catalog.json` and `abilities.json` and joins them.
//!
//! Owns the files' shapes: pools, named parameter rules, which may extend each other, models whose `parameters` may be
//! the name of a rule set and whose abilities stand in the other file or are lent by a relative. Never looks beyond the texts that it is given.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{Abilities, Facts, Parameters};

/// The known models and the pools of the router versions.
#[derive(Clone, Debug)]
pub struct Catalog {
    pools: Vec<(String, Vec<String>)>,
    /// What servers refuse, whatever the model.
    servers: Vec<(String, Parameters)>,
    models: Vec<Facts>,
}

/// The file as it is written. A pool, rule set or model is checked when it is taken out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pools: Map<String, Value>,
    rules: Map<String, Value>,
    #[serde(default)]
    servers: Map<String, Value>,
    models: Vec<Map<String, Value>>,
}

/// `abilities.json`, as `model-router link-abilities` writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Linked {
    #[serde(rename = "method")]
    _method: IgnoredAny,
    #[serde(rename = "link")]
    _link: IgnoredAny,
    models: BTreeMap<String, LinkedModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkedModel {
    #[serde(rename = "rows")]
    _rows: IgnoredAny,
    #[serde(rename = "error")]
    _error: IgnoredAny,
    thin: bool,
    abilities: Abilities,
}

const CATALOG: &str = include_str!("catalog.json");
const ABILITIES: &str = include_str!("abilities.json");

impl Catalog {
    /// The catalog that is compiled in. Every call reads it anew, so a caller keeps it while it configures.
    ///
    /// # Errors
    /// When a committed file is broken, which the tests rule out.
    pub fn embedded() -> Result<Catalog, String> {
        Catalog::parse(CATALOG, ABILITIES)
    }

    /// The catalog that is compiled in, before any model has abilities: what the abilities are made from.
    ///
    /// # Errors
    /// When the committed `catalog.json` is broken, which the tests rule out.
    pub fn without_abilities() -> Result<Catalog, String> {
        Catalog::read(CATALOG)
    }

    /// Reads a catalog and the abilities of its models from JSON texts.
    ///
    /// # Errors
    /// Says what is wrong and, where it is known, in which model.
    pub fn parse(catalog: &str, abilities: &str) -> Result<Catalog, String> {
        let mut catalog = Catalog::read(catalog)?;
        let linked: Linked = serde_json::from_str(abilities).map_err(|error| format!("abilities: {error}"))?;
        for (name, linked) in linked.models {
            let facts = catalog.models.iter_mut().find(|facts| facts.name == name);
            let facts = facts.ok_or_else(|| format!("abilities: there is no model {name}"))?;
            (facts.abilities, facts.thin_evidence) = (Some(linked.abilities), linked.thin);
        }
        catalog.models = lend(catalog.models)?;
        Ok(catalog)
    }

    fn read(text: &str) -> Result<Catalog, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let models = file.models.into_iter().map(|row| facts(row, &file.rules)).collect::<Result<Vec<_>, _>>()?;
        let mut pools = Vec::new();
        for (version, members) in file.pools {
            let members = serde_json::from_value(members).map_err(|error| format!("pool {version}: {error}"))?;
            pools.push((version, members));
        }
        let mut servers = Vec::new();
        for (name, set) in &file.servers {
            let set = rule_set(set, &file.rules).map_err(|error| format!("server {name}: {error}"))?;
            let rules =
                serde_json::from_value(Value::Object(set)).map_err(|error| format!("server {name}: {error}"))?;
            servers.push((name.clone(), rules));
        }
        Ok(Catalog { pools, servers, models })
    }

    /// What a server of this kind refuses, whatever the model: `vllm`, `ollama`.
    pub fn server(&self, name: &str) -> Option<&Parameters> {
        self.servers.iter().find(|(known, _)| known == name).map(|(_, rules)| rules)
    }

    /// The kinds of servers that are known.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|(name, _)| name.as_str())
    }

    /// The model of this name or alias, without regard to case.
    pub fn get(&self, name: &str) -> Option<&Facts> {
        find(&self.models, name)
    }

    /// Names of the models that a router of this version may use; `None`: no such version.
    pub fn pool(&self, version: &str) -> Option<&[String]> {
        self.pools.iter().find(|(known, _)| known == version).map(|(_, members)| members.as_slice())
    }

    /// Router versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.pools.iter().map(|(version, _)| version.as_str())
    }

    /// All models, in the order of the file.
    pub fn models(&self) -> &[Facts] {
        &self.models
    }
}

fn find<'a>(models: &'a [Facts], name: &str) -> Option<&'a Facts> {
    models.iter().find(|facts| {
        facts.name.eq_ignore_ascii_case(name) || facts.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// One row, with the rule set that it names put in its place.
fn facts(mut row: Map<String, Value>, rules: &Map<String, Value>) -> Result<Facts, String> {
    let name = row.get("name").and_then(Value::as_str).unwrap_or("a model without a name").to_owned();
    if row.contains_key("abilities") {
        return Err(format!("{name}: abilities stand in abilities.json"));
    }
    for member in ["parameters", "messages"] {
        let Some(Value::String(rule)) = row.get(member) else { continue };
        let set =
            named(rules, rule).and_then(|set| rule_set(set, rules)).map_err(|error| format!("{name}: {error}"))?;
        row.insert(member.to_owned(), Value::Object(set));
    }
    serde_json::from_value(Value::Object(row)).map_err(|error| format!("{name}: {error}"))
}

/// A set of rules with those that it `extends`, lists joined, without the remarks for those who maintain the file.
fn rule_set(set: &Value, rules: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut set = set.as_object().cloned().unwrap_or_default();
    // More steps than there are sets go round in a circle; reading what is left then fails at `extends`.
    for _ in 0..rules.len() {
        let Some(Value::String(base)) = set.remove("extends") else { break };
        for (member, value) in named(rules, &base)?.as_object().cloned().unwrap_or_default() {
            match (set.get_mut(&member), value) {
                (Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
                (Some(_), _) => {}
                (None, value) => drop(set.insert(member, value)),
            }
        }
    }
    set.remove("note");
    Ok(set)
}

fn named<'r>(rules: &'r Map<String, Value>, name: &str) -> Result<&'r Value, String> {
    rules.get(name).ok_or_else(|| format!("there are no rules named {name}"))
}

/// Fills in the abilities of models that name a relative; the relative must have its own.
fn lend(models: Vec<Facts>) -> Result<Vec<Facts>, String> {
    let mut resolved = models.clone();
    for facts in &mut resolved {
        let Some(relative) = &facts.abilities_like else { continue };
        let relative =
            find(&models, relative).ok_or_else(|| format!("{}: there is no model {relative}", facts.name))?;
        match (&facts.abilities, &relative.abilities) {
            (None, Some(abilities)) => {
                facts.abilities = Some(abilities.lent(relative.reasoning.as_ref(), facts.reasoning.as_ref()));
                facts.thin_evidence = true;
            }
            (Some(_), _) => return Err(format!("{}: has abilities and abilities_like", facts.name)),
            (None, None) => return Err(format!("{}: {} has no abilities to lend", facts.name, relative.name)),
        }
    }
    Ok(resolved)
}
