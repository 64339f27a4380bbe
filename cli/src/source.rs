//! Where a policy comes from on the command line: a policy file, or an Envoy configuration that holds one.
//!
//! Owns files and YAML. Never validates: that is the filter's code.

use anyhow::{Context, bail};
use model_router::policy::Policy;
use model_router::predict::Predictor;
use model_router::predict::weights::Weights;
use serde_json::Value;
use std::path::Path;

/// The policies in a file, each with the place where it stands (empty for a policy file).
///
/// # Errors
/// Where the file cannot be read, is neither YAML nor JSON, or is an Envoy configuration without a `route` plugin.
pub fn read(path: &Path) -> anyhow::Result<Vec<(String, Value)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let document: Value = serde_yaml_ng::from_str(&text).with_context(|| format!("{} is no YAML", path.display()))?;
    if !looks_like_envoy(&document) {
        return Ok(vec![(String::new(), document)]);
    }
    let mut found = Vec::new();
    find_plugins(&document, "", &mut found)?;
    if found.is_empty() {
        bail!("{} is an Envoy configuration without a plugin whose root_id is 'route'", path.display());
    }
    Ok(found)
}

/// The one valid policy of a file.
///
/// # Errors
/// As [`read`], or with every error of the policy.
pub fn policy(path: &Path) -> anyhow::Result<Policy> {
    let found = read(path)?;
    let (place, value) = found.first().context("no policy")?;
    valid(value, path, place)
}

/// The policy of a document, which stands at `place` of a file.
///
/// # Errors
/// With every error of the policy.
pub fn valid(document: &Value, path: &Path, place: &str) -> anyhow::Result<Policy> {
    Policy::from_value(document).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{place}{error}")).collect();
        anyhow::anyhow!("{} is not valid:\n{}", path.display(), lines.join("\n"))
    })
}

fn looks_like_envoy(document: &Value) -> bool {
    ["static_resources", "dynamic_resources", "resources", "admin"].iter().any(|key| document.get(key).is_some())
}

/// Finds the configuration of each plugin with `root_id: route`.
fn find_plugins(value: &Value, place: &str, found: &mut Vec<(String, Value)>) -> anyhow::Result<()> {
    match value {
        Value::Object(members) => {
            if members.get("root_id").is_some_and(|root| root == "route") {
                let configuration = members.get("configuration").cloned().unwrap_or_default();
                found.push((format!("{place}.configuration.value: "), unwrap_any(configuration)?));
            }
            for (key, value) in members {
                let dot = if place.is_empty() { "" } else { "." };
                find_plugins(value, &format!("{place}{dot}{key}"), found)?;
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                find_plugins(value, &format!("{place}[{index}]"), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What the filter receives of a `google.protobuf.Any`: a Struct's fields, or a StringValue's text.
fn unwrap_any(any: Value) -> anyhow::Result<Value> {
    match any.get("value") {
        Some(Value::String(text)) => serde_json::from_str(text).context("the configuration's text is no JSON"),
        Some(value) => Ok(value.clone()),
        None => Ok(Value::Null),
    }
}

/// The routing model with the weights of a file, or with those that are compiled in.
///
/// # Errors
/// Where the file cannot be read or is no weights file.
pub fn predictor(path: Option<&Path>) -> anyhow::Result<&'static Predictor> {
    let Some(path) = path else { return Predictor::embedded().map_err(anyhow::Error::msg) };
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    // Weights live as long as the program, as the embedded ones do.
    let weights = Weights::read(bytes.leak()).map_err(anyhow::Error::msg);
    Ok(Box::leak(Box::new(Predictor::new(weights.with_context(|| path.display().to_string())?))))
}
