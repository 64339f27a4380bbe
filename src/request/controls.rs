//! `routing_config`: what one request asks of its router, in the shape of Azure's preview.
//!
//! Owns its fields and their rules. Never knows the policy: whether a model of that name exists is decided elsewhere.

use super::members::{Result, invalid};
use crate::policy::{Affinity, Mode};
use serde_json::{Map, Value};

/// Longest text of a `routing_config`, in bytes.
const LONGEST: usize = 64 << 10;
/// Longest session id, in Unicode code points.
const LONGEST_SESSION: usize = 256;

/// What a request asks of its router; what it leaves open is the router's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controls {
    /// `mode`
    pub mode: Option<Mode>,
    /// `models`: only these may answer.
    pub models: Option<Vec<String>>,
    /// `require_parameters`: only models that take every parameter may answer.
    pub require_parameters: bool,
    /// `session_affinity`
    pub session: SessionControls,
}

/// `session_affinity` of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionControls {
    /// `strategy`, also called `mode`.
    pub strategy: Option<Affinity>,
    /// `session_id`, where it is valid.
    pub id: Option<String>,
}

/// Reads the value of `routing_config`.
///
/// # Errors
/// [`super::ReadError::Invalid`] with the field that breaks a rule: `routing_config.mode`.
pub fn read_controls(text: &[u8]) -> Result<Controls> {
    if text.len() > LONGEST {
        return invalid("routing_config", "must not be longer than 64 KiB");
    }
    let value = serde_json::from_slice(text).unwrap_or_default();
    let mut controls = Controls::default();
    for (field, value) in fields(&value, "routing_config")? {
        match field.as_str() {
            _ if value.is_null() => {}
            "mode" => controls.mode = Some(choice(value, "routing_config.mode", &MODES, MODE_RULE)?),
            "models" => controls.models = Some(models(value)?),
            "require_parameters" => controls.require_parameters = flag(value, "routing_config.require_parameters")?,
            "session_affinity" => controls.session = session(value)?,
            _ => return unknown("routing_config", field),
        }
    }
    Ok(controls)
}

const MODES: [(&str, Mode); 3] = [("quality", Mode::Quality), ("balanced", Mode::Balanced), ("cost", Mode::Cost)];
const MODE_RULE: &str = "must be 'quality', 'balanced' or 'cost'";
const STRATEGIES: [(&str, Affinity); 3] =
    [("adaptive", Affinity::Adaptive), ("sticky", Affinity::Sticky), ("none", Affinity::None)];

fn fields<'v>(value: &'v Value, path: &str) -> Result<&'v Map<String, Value>> {
    value.as_object().map_or_else(|| invalid(path, "must be an object"), Ok)
}

fn unknown<T>(path: &str, field: &str) -> Result<T> {
    let field: String = field.chars().take(64).collect();
    invalid(format!("{path}.{field}"), "is no field that this router knows")
}

fn choice<T: Copy>(value: &Value, path: &str, choices: &[(&str, T)], rule: &'static str) -> Result<T> {
    let chosen = choices.iter().find(|(name, _)| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(name)));
    chosen.map_or_else(|| invalid(path, rule), |(_, choice)| Ok(*choice))
}

/// SDKs send it as a boolean or as its text.
fn flag(value: &Value, path: &str) -> Result<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        _ => choice(value, path, &[("true", true), ("false", false)], "must be true or false"),
    }
}

fn models(value: &Value) -> Result<Vec<String>> {
    const PATH: &str = "routing_config.models";
    const RULE: &str = "must be an array with the name of at least one model";
    let list = value.as_array().filter(|list| !list.is_empty()).map_or_else(|| invalid(PATH, RULE), Ok)?;
    let name = |(index, name): (usize, &Value)| match name.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => invalid(format!("{PATH}[{index}]"), "must be the name of a model"),
    };
    list.iter().enumerate().map(name).collect()
}

fn session(value: &Value) -> Result<SessionControls> {
    const PATH: &str = "routing_config.session_affinity";
    const RULE: &str = "must be 'adaptive', 'sticky' or 'none'";
    let mut session = SessionControls::default();
    for (field, value) in fields(value, PATH)? {
        match (field.as_str(), value) {
            (_, Value::Null) => {}
            // The name has changed; both are in use.
            ("strategy" | "mode", _) => {
                session.strategy = Some(choice(value, &format!("{PATH}.{field}"), &STRATEGIES, RULE)?);
            }
            ("session_id", Value::String(id)) => session.id = Some(id.clone()).filter(|id| is_session_id(id)),
            ("session_id", _) => return invalid(format!("{PATH}.session_id"), "must be a string"),
            _ => return unknown(PATH, field),
        }
    }
    Ok(session)
}

/// Whether a session id is one: 1 to 256 code points, not all blank. One that is not is as good as none.
pub fn is_session_id(id: &str) -> bool {
    !id.trim().is_empty() && id.chars().count() <= LONGEST_SESSION
}
