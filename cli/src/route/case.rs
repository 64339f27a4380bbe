//! The cases that are compared: every mode with every subset, each as a policy of its own.
//!
//! Owns what the arguments change in the policy. The changed document is validated as at the filter's start, so that
//! bands, versions and rules of publishers hold as they do there. Never decides.

use anyhow::{Context, bail};
use model_router::decide::Caller;
use model_router::decide::Memory;
use model_router::policy::{Policy, candidate_document};
use model_router::request::Api;
use model_router::routing::{Call, route};
use serde_json::{Value, json};

/// The modes that are compared where none are asked for.
const MODES: [&str; 3] = ["quality", "balanced", "cost"];

/// A mode as given on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeArg(Value);

impl ModeArg {
    /// Reads `quality` or `band=0.03`; whether there is such a mode or band, the policy's validation says.
    pub fn parse(text: &str) -> Result<ModeArg, String> {
        let Some(band) = text.strip_prefix("band=") else { return Ok(ModeArg(json!(text))) };
        let band: f64 = band.parse().map_err(|_| "expected a number from 0 to 1 after `band=`")?;
        Ok(ModeArg(json!({ "band": band })))
    }

    /// How the mode is shown.
    fn name(&self) -> String {
        match self.0.get("band") {
            Some(band) => format!("band {band}"),
            None => self.0.as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// A mode with a subset, ready to decide.
pub struct Case {
    /// The policy with this mode and subset, and without consumers.
    pub policy: Policy,
    /// Index of the router that decides.
    pub router: usize,
    /// `balanced`, `band 0.03`
    pub mode: String,
    /// Which of the subsets, from 0.
    pub subset: usize,
    /// The subset as asked for; `None`: the router's own.
    pub only: Option<Vec<String>>,
}

impl Case {
    /// The band of the mode.
    pub fn band(&self) -> f64 {
        self.policy.routers.get(self.router).map_or(0.0, |router| router.band)
    }

    /// Indices of the models that the router chooses among.
    pub fn pool(&self) -> impl Iterator<Item = usize> + '_ {
        let pool = self.policy.routers.get(self.router).map(|router| router.pool.as_slice()).unwrap_or_default();
        pool.iter().enumerate().filter(|(_, outside)| outside.is_none()).map(|(model, _)| model)
    }
}

/// The document without its candidate, or the candidate as a document of its own. Neither has consumers: what they may
/// use need not be in a candidate.
///
/// # Errors
/// Where a candidate is asked for and there is none.
pub fn one_policy(mut document: Value, candidate: bool) -> anyhow::Result<Value> {
    if candidate {
        document = candidate_document(&document).context("--candidate: the policy has no candidate")?;
    }
    if let Some(parts) = document.as_object_mut() {
        ["candidate", "consumers"].iter().for_each(|part| drop(parts.remove(*part)));
    }
    Ok(document)
}

/// The index of the router of this name; the first one where none is named.
///
/// # Errors
/// Where the policy has no such router.
pub fn router(policy: &Policy, name: Option<&str>) -> anyhow::Result<usize> {
    let names: Vec<&str> = policy.routers.iter().map(|router| router.name.as_str()).collect();
    if names.is_empty() {
        bail!("the policy has no router");
    }
    let Some(name) = name else { return Ok(0) };
    let found = names.iter().position(|known| *known == name);
    found.with_context(|| format!("--router {name}: there is no such router; known are {}", names.join(", ")))
}

/// Every subset with every mode, in the order of the arguments; what is given twice counts once.
///
/// # Errors
/// A mode or a subset that the policy does not take, or a subset without an eligible model.
pub fn cases(document: &Value, router: usize, modes: &[ModeArg], subsets: &[String]) -> anyhow::Result<Vec<Case>> {
    let own = MODES.map(|name| ModeArg(json!(name)));
    let modes = unique(if modes.is_empty() { &own } else { modes });
    let given = subsets.iter().map(|text| names(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let subsets = match given.is_empty() {
        true => vec![None],
        false => unique(&given).into_iter().map(Some).collect(),
    };
    let mut cases = Vec::new();
    for (subset, only) in subsets.into_iter().enumerate() {
        for mode in &modes {
            let policy = changed(document, router, mode, only.as_deref())?;
            cases.push(Case { policy, router, mode: mode.name(), subset, only: only.clone() });
        }
        if let Some(case) = cases.last() {
            can_answer(case)?;
        }
    }
    Ok(cases)
}

fn unique<T: Clone + PartialEq>(items: &[T]) -> Vec<T> {
    let mut unique: Vec<T> = Vec::new();
    for item in items {
        if !unique.contains(item) {
            unique.push(item.clone());
        }
    }
    unique
}

fn names(subset: &str) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = subset.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        bail!("--subset '{subset}': expected names of models with commas between them");
    }
    Ok(names)
}

/// The policy of `document` with another mode and subset.
fn changed(document: &Value, router: usize, mode: &ModeArg, only: Option<&[String]>) -> anyhow::Result<Policy> {
    let mut document = document.clone();
    let rules = document.pointer_mut(&format!("/routers/{router}")).and_then(Value::as_object_mut);
    let rules = rules.context("the policy has no such router")?;
    rules.insert("mode".into(), mode.0.clone());
    if let Some(only) = only {
        rules.insert("subset".into(), json!(only));
    }
    let policy = Policy::from_value(&document).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let subset = only.map(|only| format!(" --subset {}", only.join(","))).unwrap_or_default();
        anyhow::anyhow!("--mode {}{subset} does not fit the policy:\n{}", mode.name(), lines.join("\n"))
    })?;
    Ok(policy)
}

/// Checks that some model of the case would answer the simplest of requests.
fn can_answer(case: &Case) -> anyhow::Result<()> {
    let name = case.policy.routers.get(case.router).map(|router| router.name.as_str());
    let body = json!({ "model": name, "messages": [{ "role": "user", "content": "." }] }).to_string();
    let what = case.only.as_ref().map_or("the router's pool".into(), |only| format!("--subset {}", only.join(",")));
    match route(&case.policy, &Call::of(Api::Chat, Caller::Anyone), body.as_bytes(), Memory::NONE) {
        Ok(_) => Ok(()),
        Err(error) => bail!("{what} has no eligible model: {}", error.message),
    }
}
