//! What the real API refuses of a JSON schema that an answer has to fit.

use serde_json::Value;

use super::refuse::{Checked, refuse};

/// Keywords that are refused, and the type they belong to.
const REFUSED: &[(&str, &str)] = &[
    ("minimum", "number"),
    ("maximum", "number"),
    ("exclusiveMinimum", "number"),
    ("exclusiveMaximum", "number"),
    ("multipleOf", "number"),
    ("minLength", "string"),
    ("maxLength", "string"),
    ("maxItems", "array"),
];

/// Refuses what cannot be enforced. `at` is where the schema stands.
pub fn check(schema: &Value, at: &str) -> Checked {
    let Some(object) = schema.as_object() else { return Ok(()) };
    if let Some((keyword, kind)) = REFUSED.iter().find(|(keyword, _)| object.contains_key(*keyword)) {
        return Err(refuse(at, format!("For '{kind}' type, property '{keyword}' is not supported")));
    }
    if object.get("minItems").and_then(Value::as_u64).is_some_and(|least| least > 1) {
        return Err(refuse(at, "For 'array' type, 'minItems' values other than 0 or 1 are not supported"));
    }
    if is_object(schema) && schema["additionalProperties"] != false {
        return Err(refuse(at, "For 'object' type, 'additionalProperties' must be explicitly set to false"));
    }
    // The keys in these are names, whatever they look like.
    for group in ["properties", "$defs", "definitions"] {
        for inner in object.get(group).and_then(Value::as_object).into_iter().flat_map(|group| group.values()) {
            check(inner, at)?;
        }
    }
    for list in ["anyOf", "allOf", "oneOf", "prefixItems"] {
        for inner in object.get(list).and_then(Value::as_array).into_iter().flatten() {
            check(inner, at)?;
        }
    }
    object.get("items").map_or(Ok(()), |items| check(items, at))
}

fn is_object(schema: &Value) -> bool {
    match &schema["type"] {
        Value::String(kind) => kind == "object",
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        _ => schema.get("properties").is_some(),
    }
}
