//! The words in which the Messages API refuses a request: the path of what is wrong, and why.
//!
//! Each check refuses one thing; which checks apply is up to the caller.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::mock::errors::ApiError;

/// Nothing, or the first fault found.
pub type Checked = Result<(), ApiError>;

/// The refusal of what stands at `at`.
pub fn refuse(at: &str, why: impl Display) -> ApiError {
    ApiError::request(400, format!("{at}: {why}"))
}

/// The refusal of a request for a reason that belongs to no field.
pub fn refuse_all(why: impl Into<String>) -> ApiError {
    ApiError::request(400, why)
}

/// The refusal of a member that is absent.
pub fn missing(at: &str) -> ApiError {
    refuse(at, "Field required")
}

/// Refuses members that are not among `known`. `at` is empty for the request itself.
pub fn known(object: &Map<String, Value>, at: &str, known: &[&str]) -> Checked {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(refuse(&path(at, name), "Extra inputs are not permitted")),
        None => Ok(()),
    }
}

/// The members of an object, or a refusal.
pub fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| refuse(at, "Input should be a valid dictionary or object"))
}

/// The elements of a list, or a refusal.
pub fn list<'a>(value: &'a Value, at: &str) -> Result<&'a [Value], ApiError> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| refuse(at, "Input should be a valid list"))
}

/// A member that has to be there and to be text.
pub fn text<'a>(object: &'a Map<String, Value>, at: &str, name: &str) -> Result<&'a str, ApiError> {
    let at = path(at, name);
    let value = object.get(name).ok_or_else(|| missing(&at))?;
    value.as_str().ok_or_else(|| refuse(&at, "Input should be a valid string"))
}

/// Refuses a member that is there, is not null, and is not what it should be.
pub fn expect(object: &Map<String, Value>, at: &str, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Checked {
    match object.get(name).filter(|value| !value.is_null()) {
        Some(value) if !is(value) => Err(refuse(&path(at, name), format!("Input should be {what}"))),
        _ => Ok(()),
    }
}

/// Refuses text that is not among `accepted`.
pub fn one_of(value: &str, at: &str, accepted: &[&str]) -> Checked {
    if accepted.contains(&value) { Ok(()) } else { Err(refuse(at, format!("Input should be {}", choices(accepted)))) }
}

/// Refuses text that has other letters than names have, or is longer than `most`.
pub fn name(value: &str, at: &str, most: usize, pattern: &str) -> Checked {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
    if !value.is_empty() && value.len() <= most && value.bytes().all(fits) {
        return Ok(());
    }
    Err(refuse(at, format!("String should match pattern '{pattern}'")))
}

/// `at.name`, or `name` alone.
pub fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// `'a', 'b' or 'c'`.
fn choices(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => quoted.concat(),
    }
}
