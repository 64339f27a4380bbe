//! `model-router reference`: every field of the policy, as docs/CONFIGURATION.md has it.
//!
//! Owns the page's form. What fields there are, and all that is said of them, comes from the code that reads them: the
//! filter's, and for the part `envoy` that of `model-router envoy`.

use crate::envoy::Settings;
use anyhow::Context;
use model_router::policy::{Field, SECTIONS, Section};
use serde_json::{Map, Value};
use std::fmt::Write;

const HEAD: &str = "# Configuration

Every field of a policy. `model-router reference` prints this page, from the code that reads the policy; unknown fields are
errors. [README.md](../README.md#configure-it) begins with an example, `envoy/policy.yaml` is another.
";

/// Prints the page.
///
/// # Errors
/// Where the schema of the part `envoy` has another form than expected, which the tests rule out.
pub fn run() -> anyhow::Result<()> {
    print!("{}", page()?);
    Ok(())
}

fn page() -> anyhow::Result<String> {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        write_section(&mut page, section)?;
    }
    let schema = schemars::schema_for!(Settings).to_value();
    let defaults = serde_json::to_value(Settings::default())?;
    write_schema(&mut page, "envoy", &schema, &schema, &defaults)?;
    Ok(page)
}

fn write_section(page: &mut String, section: &Section) -> std::fmt::Result {
    write_head(page, section.path, section.about)?;
    for Field { name, kind, default, example, about } in section.fields {
        let default = match default {
            None => "**required**".to_owned(),
            Some(words) if words.starts_with('(') => words.trim_matches(['(', ')']).to_owned(),
            Some(yaml) => format!("`{yaml}`"),
        };
        write_row(page, name, about, kind, &default, example)?;
    }
    Ok(())
}

fn write_head(page: &mut String, path: &str, about: &str) -> std::fmt::Result {
    let title = if path.is_empty() { "The policy".to_owned() } else { format!("`{path}`") };
    writeln!(page, "\n## {title}\n\n{}\n\n| field | | it is | default | example |\n|---|---|---|---|---|", about.trim())
}

fn write_row(page: &mut String, name: &str, about: &str, kind: &str, default: &str, example: &str) -> std::fmt::Result {
    writeln!(page, "| `{name}` | {} | {kind} | {default} | `{example}` |", about.trim())
}

/// An object of the part `envoy`, and the objects in it.
fn write_schema(page: &mut String, path: &str, root: &Value, object: &Value, defaults: &Value) -> anyhow::Result<()> {
    let text =
        |schema: &Value, key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    write_head(page, path, &text(object, "description"))?;
    let none = Map::new();
    let fields = object.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = object.get("required").and_then(Value::as_array);
    let mut inner = Vec::new();
    for (name, field) in fields {
        let target = resolve(root, field);
        let is_object = target.get("properties").is_some();
        let default = match defaults.get(name).or(field.get("default")) {
            _ if required.is_some_and(|names| names.iter().any(|known| known == name)) => "**required**".to_owned(),
            // What is not there by default has defaults of its own once it is.
            None | Some(Value::Null) => match field.get("default").filter(|default| !default.is_null()) {
                Some(value) => format!("`{}`", yaml(value)),
                None => "none".to_owned(),
            },
            Some(_) if is_object => "`{}`".to_owned(),
            Some(value) => format!("`{}`", yaml(value)),
        };
        let example = field.get("examples").and_then(|examples| examples.get(0)).map(yaml);
        let example = example.with_context(|| format!("{path}.{name} has no example"))?;
        let kind = match is_object {
            true => "an object".to_owned(),
            false if field.get("items").is_some() => "a list".to_owned(),
            false => kind(target),
        };
        write_row(page, name, &text(field, "description"), &kind, &default, &example)?;
        if is_object {
            inner.push((format!("{path}.{name}"), target, defaults.get(name).cloned().unwrap_or_default()));
        }
    }
    inner.iter().try_for_each(|(path, object, defaults)| write_schema(page, path, root, object, defaults))
}

/// The schema that a field's refers to, an optional one's too; of a list that of its items.
fn resolve<'a>(root: &'a Value, field: &'a Value) -> &'a Value {
    let options = field.get("anyOf").and_then(Value::as_array);
    let one = options.and_then(|options| options.first()).or(field.get("items")).unwrap_or(field);
    let name = one.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.and_then(|name| root.get("$defs")?.get(name)).unwrap_or(one)
}

fn kind(schema: &Value) -> String {
    let choices = schema.get("enum").and_then(Value::as_array);
    if let Some(choices) = choices {
        return choices.iter().map(|choice| format!("`{}`", yaml(choice))).collect::<Vec<_>>().join(", ");
    }
    let types = match schema.get("type") {
        Some(Value::Array(types)) => types.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    match types {
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "`true` or `false`",
        Some("array") => "a list",
        Some("object") => "an object",
        _ => "text",
    }
    .to_owned()
}

/// In one line, as a person would write it.
fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", yaml(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
