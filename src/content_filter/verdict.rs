//! The answer to the call.
//!
//! Owns what counts as a verdict, and the categories in the words of Azure's content filter. Never trusts a name in it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The longest answer that is read, in bytes.
pub const LONGEST: usize = 1 << 20;
/// Categories that are told, at most.
const MOST: usize = 16;

/// What a moderation service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The prompt may go on.
    Passed,
    /// It may not, for these categories, in the service's words; they may be none.
    Flagged(Vec<String>),
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    flagged: bool,
    #[serde(default)]
    categories: BTreeMap<String, Value>,
}

impl Verdict {
    /// The verdict in an answer's body; `None` where it has none.
    pub fn read(body: &[u8]) -> Option<Verdict> {
        let answer: Answer = serde_json::from_slice(body).ok().filter(|answer: &Answer| !answer.results.is_empty())?;
        let flagged: Vec<One> = answer.results.into_iter().filter(|result| result.flagged).collect();
        if flagged.is_empty() {
            return Some(Verdict::Passed);
        }
        let named = flagged.into_iter().flat_map(|result| result.categories);
        let mut names: Vec<String> =
            named.filter(|(name, is)| *is == true && is_plain(name)).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(MOST);
        Some(Verdict::Flagged(names))
    }
}

/// Whether this can be the name of a category: it gets into the log and into an error.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// The `content_filter_result` of Azure's error: its four categories, and by its own name any that is none of these.
pub fn content_filter_result(categories: &[String]) -> Value {
    // A verdict has no severity. `medium` is from where on Azure filters unless told otherwise.
    let judged = |filtered: bool| json!({ "filtered": filtered, "severity": if filtered { "medium" } else { "safe" } });
    let mut result = Map::new();
    for name in ["hate", "self_harm", "sexual", "violence"] {
        let filtered = categories.iter().any(|category| azures(category) == Some(name));
        result.insert(name.into(), judged(filtered));
    }
    for category in categories.iter().filter(|category| azures(category).is_none()) {
        result.insert(category.clone(), json!({ "filtered": true, "detected": true }));
    }
    Value::Object(result)
}

/// Azure's category for one of OpenAI's.
fn azures(category: &str) -> Option<&'static str> {
    match category.split('/').next().unwrap_or_default() {
        "hate" | "harassment" => Some("hate"),
        "self-harm" | "self_harm" => Some("self_harm"),
        "sexual" => Some("sexual"),
        "violence" => Some("violence"),
        _ => None,
    }
}
