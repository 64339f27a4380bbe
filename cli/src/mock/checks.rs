//! Refusals in the words of the real providers, for members of any request.
//!
//! Each check refuses one thing; which checks apply is up to the endpoint.

use serde_json::Value;

use super::errors::ApiError;
use super::fields::Fields;
use super::models::Family;

/// Refuses members that are not among `known`.
pub fn known(request: &Fields, known: &[&str]) -> Result<(), ApiError> {
    match request.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

/// Refuses what only a router in front understands, whichever model is asked.
pub fn no_router(request: &Fields) -> Result<(), ApiError> {
    if request.contains_key("routing_config") { Err(unknown("routing_config")) } else { Ok(()) }
}

fn unknown(name: &str) -> ApiError {
    ApiError::invalid(name, "unknown_parameter", format!("Unknown parameter: '{name}'."))
}

/// Refuses the sampling parameters that a model does not take while it reasons.
pub fn sampling(request: &Fields) -> Result<(), ApiError> {
    refuse(request, "top_p")?;
    match request.given("temperature") {
        Some(value) if value.as_f64() != Some(1.0) => Err(ApiError::invalid(
            "temperature",
            "unsupported_value",
            format!(
                "Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) value \
                 is supported."
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses a member that the model does not take.
pub fn refuse(request: &Fields, name: &str) -> Result<(), ApiError> {
    match request.given(name) {
        None => Ok(()),
        Some(_) => Err(unsupported(name)),
    }
}

/// The refusal of a parameter that this model does not take.
pub fn unsupported(param: &str) -> ApiError {
    let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
    ApiError::invalid(param, "unsupported_parameter", message)
}

/// Refuses an effort that the models of `family` do not know.
pub fn effort(asked: Option<&str>, family: Family, param: &str) -> Result<(), ApiError> {
    match (asked, family.efforts()) {
        (Some(_), Some([])) => Err(unsupported(param)),
        (Some(asked), Some(accepted)) if !accepted.contains(&asked) => Err(unsupported_value(param, asked, accepted)),
        _ => Ok(()),
    }
}

/// Refuses a verbosity other than the one that older models know.
pub fn verbosity(asked: Option<&str>, family: Family, param: &str) -> Result<(), ApiError> {
    match asked {
        Some(asked) if asked != "medium" && matches!(family, Family::Gpt4 | Family::Gpt5Chat | Family::OSeries) => {
            Err(unsupported_value(param, asked, &["medium"]))
        }
        _ => Ok(()),
    }
}

/// Refuses a member that is there and has the wrong type.
pub fn expect(request: &Fields, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Result<(), ApiError> {
    match request.given(name) {
        Some(value) if !is(value) => Err(ApiError::wrong_type(name, what, value)),
        _ => Ok(()),
    }
}

/// Refuses a number that is out of bounds.
pub fn range(request: &Fields, name: &str, low: f64, high: f64) -> Result<(), ApiError> {
    let Some(value) = request.given(name) else { return Ok(()) };
    let (number, kind) = (value.as_f64().unwrap_or(low), if value.is_f64() { "decimal" } else { "integer" });
    let (code, relation, bound, side) = if number < low {
        (
            if kind == "integer" { "integer_below_min_value" } else { "decimal_below_min_value" },
            ">=",
            low,
            "below minimum",
        )
    } else if number > high {
        (
            if kind == "integer" { "integer_above_max_value" } else { "decimal_above_max_value" },
            "<=",
            high,
            "above maximum",
        )
    } else {
        return Ok(());
    };
    let message =
        format!("Invalid '{name}': {kind} {side} value. Expected a value {relation} {bound}, but got {value} instead.");
    Err(ApiError::invalid(name, code, message))
}

/// The refusal of a value that no model knows.
pub fn value_error(param: &str, got: &Value, accepted: &[&str]) -> ApiError {
    let got = got.as_str().map_or_else(|| got.to_string(), |text| format!("'{text}'"));
    let message = format!("Invalid value: {got}. Supported values are: {}.", listed(accepted));
    ApiError::invalid(param, "invalid_value", message)
}

/// The refusal of a value that this model does not take.
pub fn unsupported_value(param: &str, asked: &str, accepted: &[&str]) -> ApiError {
    let accepted = listed(accepted);
    let message = format!(
        "Unsupported value: '{param}' does not support '{asked}' with this model. Supported values are: {accepted}."
    );
    ApiError::invalid(param, "unsupported_value", message)
}

/// `'a', 'b', and 'c'`.
fn listed(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    }
}
