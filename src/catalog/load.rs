//! Reads `catalog.json`.
//!
//! Owns the file's shape: pools, named parameter rules, models whose `parameters` may be the name of a rule set and
//! whose abilities may be lent by a relative. Never looks outside of the text that it is given.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Facts;

/// The known models and the pools of the router versions.
#[derive(Clone, Debug)]
pub struct Catalog {
    pools: Vec<(String, Vec<String>)>,
    models: Vec<Facts>,
}

/// The file as it is written. A pool, rule set or model is checked when it is taken out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pools: Map<String, Value>,
    rules: Map<String, Value>,
    models: Vec<Map<String, Value>>,
}

impl Catalog {
    /// The catalog that is compiled in. Every call reads it anew, so a caller keeps it while it configures.
    ///
    /// # Errors
    /// When the committed `catalog.json` is broken, which the tests rule out.
    pub fn embedded() -> Result<Catalog, String> {
        Catalog::parse(include_str!("catalog.json"))
    }

    /// Reads a catalog from JSON text.
    ///
    /// # Errors
    /// Says what is wrong and, where it is known, in which model.
    pub fn parse(text: &str) -> Result<Catalog, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let models = file.models.into_iter().map(|row| facts(row, &file.rules)).collect::<Result<Vec<_>, _>>()?;
        let models = lend(models)?;
        let mut pools = Vec::new();
        for (version, members) in file.pools {
            let members = serde_json::from_value(members).map_err(|error| format!("pool {version}: {error}"))?;
            pools.push((version, members));
        }
        Ok(Catalog { pools, models })
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
    if let Some(Value::String(rule)) = row.get("parameters") {
        let known = rules.get(rule).and_then(Value::as_object);
        let mut set = known.ok_or_else(|| format!("{name}: there are no rules named {rule}"))?.clone();
        // A remark for those who maintain the file.
        set.remove("note");
        row.insert("parameters".to_owned(), Value::Object(set));
    }
    serde_json::from_value(Value::Object(row)).map_err(|error| format!("{name}: {error}"))
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
            }
            (Some(_), _) => return Err(format!("{}: has abilities and abilities_like", facts.name)),
            (None, None) => return Err(format!("{}: {} has no abilities to lend", facts.name, relative.name)),
        }
    }
    Ok(resolved)
}
