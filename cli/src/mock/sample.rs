//! A JSON value that fits a JSON schema: the required properties, by type, with the smallest plausible values.
//!
//! Covers what tool parameters and response formats use (types, `enum`, `const`, `default`, `anyOf`, `allOf`, local
//! `$ref`, bounds); never validates anything.

use serde_json::{Map, Value, json};

/// How deep a schema is followed; a recursive one ends in `null` there.
const DEPTH: usize = 12;

/// An object that fits `schema`; `{}` when the schema asks for nothing or is not an object's.
pub fn object(schema: &Value) -> Value {
    match sample(schema, schema, DEPTH) {
        value @ Value::Object(_) => value,
        _ => Value::Object(Map::new()),
    }
}

fn sample(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |schema| sample(root, schema, depth - 1));
    }
    for fixed in ["const", "default"] {
        if let Some(value) = schema.get(fixed) {
            return value.clone();
        }
    }
    if let Some(value) = first(schema, "enum") {
        return value.clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(schema) = first(schema, choice) {
            return sample(root, schema, depth - 1);
        }
    }
    match kind(schema) {
        "object" => required(root, schema, depth),
        "array" => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(16);
            (0..count).map(|_| sample(root, items, depth - 1)).collect()
        }
        "integer" => bounded(schema).unwrap_or_else(|| json!(1)),
        "number" => bounded(schema).unwrap_or_else(|| json!(1.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => string(schema),
    }
}

fn required(root: &Value, schema: &Value, depth: usize) -> Value {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let object: Map<String, Value> = names
        .map(|name| {
            let property = schema.get("properties").and_then(|properties| properties.get(name));
            (name.to_owned(), property.map_or_else(|| json!("mock"), |schema| sample(root, schema, depth - 1)))
        })
        .collect();
    Value::Object(object)
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn bounded(schema: &Value) -> Option<Value> {
    let integral = kind(schema) == "integer";
    for (bound, step) in [("minimum", 0), ("exclusiveMinimum", 1), ("maximum", 0), ("exclusiveMaximum", -1)] {
        match schema.get(bound) {
            Some(value) if step == 0 && value.is_number() => return Some(value.clone()),
            Some(value) if integral => return value.as_i64().map(|value| json!(value.saturating_add(step))),
            Some(value) => return value.as_f64().map(|value| json!(value + step as f64 * 0.5)),
            None => {}
        }
    }
    None
}

fn string(schema: &Value) -> Value {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-01",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("email") => "mock@example.com",
        Some("uri") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "mock",
    };
    let limit = |key| schema.get(key).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let mut text = text.to_owned();
    while text.len() < limit("minLength").unwrap_or(0).min(4096) {
        text.push('k');
    }
    text.truncate(limit("maxLength").unwrap_or(usize::MAX));
    json!(text)
}

fn first<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    schema.get(key).and_then(Value::as_array).and_then(|values| values.first())
}
