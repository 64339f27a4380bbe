//! What goes wrong next: the faults asked for through `/_mock/faults`, in order, and how often each still applies.
//!
//! Describes failures; [`super::provider`], [`super::stream`] and [`super::compress`] carry them out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One fault, as it stands in the JSON of `/_mock/faults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub kind: Kind,
    /// How many more requests it happens to; absent or null: to all.
    #[serde(default)]
    pub count: Option<u64>,
    /// Only requests for this model (or deployment), as the client names it; absent or null: for any.
    #[serde(default)]
    pub model: Option<String>,
}

/// The ways to fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Kind {
    /// An HTTP error.
    Status {
        /// 200 to 599.
        status: u16,
        /// Text is sent as it is, anything else as JSON; absent: what the provider says along with this status.
        #[serde(default)]
        body: Option<Value>,
        /// In place of the provider's: strings or numbers, null for a header to leave out. `retry-after` also leaves
        /// out `retry-after-ms`.
        #[serde(default)]
        headers: Option<BTreeMap<String, Value>>,
    },
    /// The connection is reset before any byte of a response.
    Reset,
    /// Nothing is ever answered.
    Hang,
    /// The first event comes late; an answer that is not streamed is late as a whole.
    SlowFirstToken {
        /// How late.
        ms: u64,
    },
    /// A 200 whose stream carries an error. Without streaming: a 200 with an error for a body.
    StreamError {
        /// Content chunks before it; absent or 0: it is the first event.
        #[serde(default)]
        after: Option<usize>,
        /// The object under `error`; absent: `rate_limit_exceeded`, or `overloaded_error` in the Messages API.
        #[serde(default)]
        error: Option<Value>,
        /// How Responses carries it; the other APIs know one way.
        #[serde(default, rename = "as")]
        form: ErrorForm,
    },
    /// The connection ends in the middle of an event, or after half of the promised body.
    Truncated {
        /// Content chunks before the broken event; absent: half of them.
        #[serde(default)]
        after: Option<usize>,
    },
    /// A stream ends in the middle of an event, as if it were whole. Without streaming nothing happens.
    EndsEarly {
        /// Content chunks before the broken event; absent: half of them.
        #[serde(default)]
        after: Option<usize>,
    },
    /// A 200 whose JSON, or one of whose events, is broken.
    Malformed {
        /// Content chunks before the broken event; absent or 0: it is the first.
        #[serde(default)]
        after: Option<usize>,
    },
    /// A 200 with an empty body.
    EmptyStream,
    /// A good answer, compressed with gzip though nobody asked for it.
    Gzip,
}

/// How a stream of the Responses API says that it failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorForm {
    /// An `error` event.
    #[default]
    Error,
    /// A `response.failed` event; without streaming, a response whose status is `failed`.
    Failed,
}

/// The faults of one provider.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds the fault or the array of faults in `body`, behind those that are there. One without a count would never
    /// let anything behind it happen, so it gives way to a new one for the same model.
    ///
    /// Fails, and adds nothing, when `body` is not JSON, or names an unknown fault or field.
    pub fn add(&self, body: &[u8]) -> anyhow::Result<()> {
        let value: Value = serde_json::from_slice(body).context("not JSON")?;
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        let new = values.into_iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in new {
            faults.retain(|old| old.count.is_some() || old.model != fault.model);
            faults.push(fault);
        }
        Ok(())
    }

    /// Removes all.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A JSON array of the faults to come, in order, with what is left of their counts.
    pub fn to_json(&self) -> Value {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_value(&*faults).unwrap_or(Value::Null)
    }

    /// The fault that happens to a request for `model`, counted off.
    pub fn take(&self, model: &str) -> Option<Kind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let matches = |fault: &Fault| fault.model.as_deref().is_none_or(|only| only == model);
        let index = faults.iter().position(matches)?;
        let fault = faults.get_mut(index)?;
        match &mut fault.count {
            None => Some(fault.kind.clone()),
            Some(1) => Some(faults.remove(index).kind),
            Some(count) => {
                *count -= 1;
                Some(fault.kind.clone())
            }
        }
    }
}

fn parse(value: Value) -> anyhow::Result<Fault> {
    let fault: Fault = serde_json::from_value(value.clone())?;
    // serde cannot refuse unknown fields of a flattened enum; everything known comes back when serialised.
    let known = serde_json::to_value(&fault)?;
    for field in value.as_object().into_iter().flat_map(|object| object.keys()) {
        ensure!(known.get(field).is_some(), "unknown field `{field}`");
    }
    ensure!(fault.count != Some(0), "a count of 0 does nothing; leave it out for every request");
    if let Kind::Status { status, headers, .. } = &fault.kind {
        ensure!((200..600).contains(status), "status {status} is not within 200 and 599");
        for (name, value) in headers.iter().flatten() {
            header(name, value)?;
        }
    }
    Ok(fault)
}

/// A header as it goes onto the wire, `None` for one to leave out. Fails on what HTTP does not allow there.
pub fn header(name: &str, value: &Value) -> anyhow::Result<(HeaderName, Option<HeaderValue>)> {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => bail!("header `{name}` is neither a string nor a number nor null"),
    };
    let name = HeaderName::from_bytes(name.as_bytes()).with_context(|| format!("header name `{name}`"))?;
    Ok((name, text.map(HeaderValue::try_from).transpose()?))
}
