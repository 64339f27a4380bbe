//! What the real API refuses of thinking, of sampling, and of what an answer has to look like.

use serde_json::Value;

use super::models::Claude;
use super::refuse::{Checked, expect, known, list, missing, object, one_of, refuse, refuse_all, text};
use super::request::MessageRequest;
use super::schema;

/// The fewest tokens that a model can be told to think.
const LEAST_BUDGET: u64 = 1024;

/// Refuses a way to think that the model does not know.
pub fn thinking(request: &MessageRequest, claude: Claude<'_>) -> Checked {
    let Some(thinking) = request.given("thinking") else { return Ok(()) };
    let thinking = object(thinking, "thinking")?;
    match text(thinking, "thinking", "type")? {
        "disabled" => known(thinking, "thinking.disabled", &["type"]),
        "adaptive" if !claude.takes_adaptive_thinking() => {
            Err(refuse("thinking.type", "adaptive thinking is not supported on this model"))
        }
        "adaptive" => {
            known(thinking, "thinking.adaptive", &["type", "display"])?;
            display(request)
        }
        "enabled" if !claude.takes_thinking_budget() => Err(refuse(
            "thinking.type",
            "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \
             \"output_config.effort\" to control thinking behavior.",
        )),
        "enabled" => {
            known(thinking, "thinking.enabled", &["type", "budget_tokens", "display"])?;
            display(request)?;
            budget(request)
        }
        kind => one_of(kind, "thinking.type", &["enabled", "disabled", "adaptive"]),
    }
}

fn display(request: &MessageRequest) -> Checked {
    match request.inner("thinking", "display").and_then(Value::as_str) {
        Some(display) => one_of(display, "thinking.display", &["summarized", "omitted"]),
        None => Ok(()),
    }
}

fn budget(request: &MessageRequest) -> Checked {
    let at = "thinking.enabled.budget_tokens";
    let budget = request.inner("thinking", "budget_tokens").ok_or_else(|| missing(at))?;
    match budget.as_u64() {
        Some(budget) if budget < LEAST_BUDGET => {
            Err(refuse(at, format!("Input should be greater than or equal to {LEAST_BUDGET}")))
        }
        Some(budget) if request.given("max_tokens").and_then(Value::as_u64).is_some_and(|most| most <= budget) => {
            Err(refuse_all("`max_tokens` must be greater than `thinking.budget_tokens`."))
        }
        Some(_) => Ok(()),
        None => Err(refuse(at, "Input should be a valid integer")),
    }
}

/// Refuses sampling parameters that the model does not take, or not together, or not while it thinks.
pub fn sampling(request: &MessageRequest, claude: Claude<'_>) -> Checked {
    for (name, high) in [("temperature", 1.0), ("top_p", 1.0), ("top_k", f64::INFINITY)] {
        let what = if name == "top_k" { "a valid integer" } else { "a valid number" };
        let is = |value: &Value| if name == "top_k" { value.is_i64() || value.is_u64() } else { value.is_number() };
        expect(request, "", name, what, is)?;
        let number = request.given(name).and_then(Value::as_f64).unwrap_or(0.0);
        if number < 0.0 {
            return Err(refuse(name, "Input should be greater than or equal to 0"));
        }
        if number > high {
            return Err(refuse(name, format!("range: 0..{high}")));
        }
    }
    let warm = request.given("temperature").filter(|value| value.as_f64() != Some(1.0));
    let (top_p, top_k) = (request.given("top_p"), request.given("top_k"));
    if !claude.takes_sampling()
        && let Some((name, _)) =
            [("temperature", warm), ("top_p", top_p), ("top_k", top_k)].iter().find(|(_, value)| value.is_some())
    {
        return Err(refuse(name, format!("`{name}` is deprecated for this model.")));
    }
    if !claude.takes_both() && top_p.is_some() && request.given("temperature").is_some() {
        let why = "`temperature` and `top_p` cannot both be specified for this model. Please use only one.";
        return Err(refuse_all(why));
    }
    if request.thinking().is_none() {
        return Ok(());
    }
    if warm.is_some() {
        let why = "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.";
        return Err(refuse("temperature", why));
    }
    if top_k.is_some() {
        return Err(refuse("top_k", "`top_k` must be unset when thinking is enabled."));
    }
    if top_p.and_then(Value::as_f64).is_some_and(|top_p| top_p < 0.95) {
        let why = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.";
        return Err(refuse("top_p", why));
    }
    Ok(())
}

/// Refuses an effort or a format that the model does not know.
pub fn output(request: &MessageRequest, claude: Claude<'_>) -> Checked {
    let Some(config) = request.given("output_config") else { return Ok(()) };
    let config = object(config, "output_config")?;
    known(config, "output_config", &["effort", "format"])?;
    if config.get("effort").is_some_and(|effort| !effort.is_null()) {
        let effort = text(config, "output_config", "effort")?;
        let accepted = claude.efforts();
        if accepted.is_empty() {
            return Err(refuse("output_config.effort", "This model does not support the effort parameter."));
        }
        one_of(effort, "output_config.effort", accepted)?;
    }
    let Some(format) = config.get("format").filter(|format| !format.is_null()) else { return Ok(()) };
    let at = "output_config.format";
    if !claude.takes_format() {
        return Err(refuse(at, "This model does not support output formats."));
    }
    let format = object(format, at)?;
    known(format, at, &["type", "schema"])?;
    one_of(text(format, at, "type")?, "output_config.format.type", &["json_schema"])?;
    let at = "output_config.format.schema";
    let schema = format.get("schema").ok_or_else(|| missing(at))?;
    object(schema, at)?;
    schema::check(schema, at)
}

/// Refuses stop sequences that stop nothing.
pub fn stops(request: &MessageRequest) -> Checked {
    let Some(stops) = request.given("stop_sequences") else { return Ok(()) };
    for (index, stop) in list(stops, "stop_sequences")?.iter().enumerate() {
        match stop.as_str() {
            None => return Err(refuse(&format!("stop_sequences.{index}"), "Input should be a valid string")),
            Some(stop) if stop.trim().is_empty() => {
                return Err(refuse("stop_sequences", "each stop sequence must contain non-whitespace"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
