//! An entry of the access log.
//!
//! Owns what is read of a line, and whether it was a request whose cost is known. Its errors name the rule, never text of
//! the line.

use super::money::Amount;
use super::report::Dimension;
use super::sums::Sums;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Letters of a name, at most.
const LONGEST: usize = 200;

/// A member of the entry; `None` where it is missing, which `null` is not.
type Member = Option<Value>;

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    #[serde(default, deserialize_with = "there")]
    time: Member,
    #[serde(default, deserialize_with = "there")]
    status: Member,
    #[serde(default, deserialize_with = "there", rename = "gen_ai.usage.input_tokens")]
    input: Member,
    #[serde(default, deserialize_with = "there", rename = "gen_ai.usage.cache_read.input_tokens")]
    cached: Member,
    #[serde(default, deserialize_with = "there", rename = "gen_ai.usage.cache_creation.input_tokens")]
    cache_write: Member,
    #[serde(default, deserialize_with = "there", rename = "gen_ai.usage.output_tokens")]
    output: Member,
    #[serde(default, deserialize_with = "there", rename = "gen_ai.usage.reasoning.output_tokens")]
    reasoning: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.router")]
    router: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.mode")]
    mode: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.model")]
    model: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.reason")]
    reason: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.plan")]
    plan: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.consumer")]
    consumer: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.cost_usd")]
    cost: Member,
    #[serde(default, deserialize_with = "there", rename = "model_router.baseline_cost_usd")]
    baseline: Member,
}

fn there<'de, D: Deserializer<'de>>(value: D) -> Result<Member, D::Error> {
    Value::deserialize(value).map(Some)
}

/// What a request belongs to; empty where it belongs to none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    router: String,
    model: String,
    consumer: String,
    day: String,
}

impl Names {
    /// The name by which it is grouped.
    pub fn of(&mut self, dimension: Dimension) -> &mut String {
        match dimension {
            Dimension::Router => &mut self.router,
            Dimension::Model => &mut self.model,
            Dimension::Consumer => &mut self.consumer,
            Dimension::Day => &mut self.day,
        }
    }
}

/// Reads a line: a request that went to a model, or was to; `None`: the filter answered, refused, or let it pass. What
/// stands before the first brace is no part of it: `docker compose` puts a container's name there.
///
/// # Errors
/// The rule that the line breaks.
pub fn read(line: &[u8]) -> Result<Option<(Names, Sums)>, String> {
    let json = line.iter().position(|byte| *byte == b'{').and_then(|start| line.get(start..));
    let json = json.ok_or("is not a JSON object")?;
    let line: Line = serde_json::from_slice(json).map_err(|error| match error.is_eof() {
        true => "is not valid JSON: it ends too early".to_owned(),
        false => "is not valid JSON".to_owned(),
    })?;
    let own = [&line.router, &line.mode, &line.model, &line.reason, &line.plan, &line.cost];
    if own.iter().all(|member| member.is_none()) {
        return Err("is no entry of this access log: it has no `model_router` members".into());
    }
    let mode = text(&line.mode, "model_router.mode")?;
    let sums = sums(&line)?;
    if mode.is_empty() && text(&line.plan, "model_router.plan")?.is_empty() && sums.priced == 0 {
        return Ok(None);
    }
    let router = match text(&line.router, "model_router.router")? {
        none if none.is_empty() && mode == "direct" => mode,
        router => router,
    };
    let names = Names {
        router: name(router),
        model: name(text(&line.model, "model_router.model")?),
        consumer: name(text(&line.consumer, "model_router.consumer")?),
        day: day(text(&line.time, "time")?),
    };
    Ok(Some((names, sums)))
}

/// The sums of this one request.
fn sums(line: &Line) -> Result<Sums, String> {
    let cost = amount(&line.cost, "model_router.cost_usd")?;
    let baseline = amount(&line.baseline, "model_router.baseline_cost_usd")?;
    let mut sums = Sums {
        requests: 1,
        input: tokens(&line.input, "gen_ai.usage.input_tokens")?,
        cached: tokens(&line.cached, "gen_ai.usage.cache_read.input_tokens")?,
        cache_write: tokens(&line.cache_write, "gen_ai.usage.cache_creation.input_tokens")?,
        output: tokens(&line.output, "gen_ai.usage.output_tokens")?,
        reasoning: tokens(&line.reasoning, "gen_ai.usage.reasoning.output_tokens")?,
        ..Sums::default()
    };
    let status = number(&line.status).map_err(|()| "`status` is not a number")?;
    match cost {
        Some(cost) => {
            (sums.priced, sums.cost) = (1, cost);
            if let Some(baseline) = baseline {
                (sums.compared, sums.baseline, sums.savings) = (1, baseline, baseline - cost);
            }
        }
        None if sums.input + sums.output > 0 => sums.no_price = 1,
        None if status.is_some_and(|status| !(200.0..300.0).contains(&status)) => sums.failed = 1,
        None if text(&line.reason, "model_router.reason")? == "kept" => sums.kept = 1,
        None => sums.no_usage = 1,
    }
    Ok(sums)
}

/// What Envoy writes where it has nothing to say, as JSON or as text.
fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "-")
}

fn text<'a>(member: &'a Member, what: &str) -> Result<&'a str, String> {
    match member {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) if is_nothing(text) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("`{what}` is not text")),
    }
}

/// A number, which the log has as text, and others may have made one of.
fn number(member: &Member) -> Result<Option<f64>, ()> {
    match member {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_nothing(text) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| ()),
        Some(Value::Number(number)) => number.as_f64().map(Some).ok_or(()),
        Some(_) => Err(()),
    }
}

fn amount(member: &Member, what: &str) -> Result<Option<Amount>, String> {
    let wrong = || format!("`{what}` is no amount of money");
    let usd = number(member).map_err(|()| wrong())?;
    usd.map(|usd| Amount::of_request(usd).ok_or_else(wrong)).transpose()
}

fn tokens(member: &Member, what: &str) -> Result<u64, String> {
    let tokens = number(member).ok().map(Option::unwrap_or_default);
    // Of so many the sums hold any log's, and doubles hold them exactly.
    let tokens = tokens.filter(|tokens| (0.0..=f64::from(u32::MAX)).contains(tokens) && tokens.fract() == 0.0);
    tokens.map(|tokens| tokens as u64).ok_or_else(|| format!("`{what}` is no count of tokens"))
}

/// The name without what could move a terminal's cursor, and not too long.
fn name(text: &str) -> String {
    text.chars().take(LONGEST).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// The day of a time as Envoy writes it, in UTC; empty where it is written in another way.
fn day(time: &str) -> String {
    let day = time.get(..10).filter(|day| day.as_bytes().get(4) == Some(&b'-'));
    day.and_then(|day| day.parse::<Date>().ok()).map(|day| day.to_string()).unwrap_or_default()
}
