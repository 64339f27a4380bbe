//! What is wrong with a configuration.
//!
//! Owns the one error type of the policy and the way values are shown in it. Never shows a long value in full.

use std::fmt;

/// A rule that the configuration breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where: `routers[0].mode.band`; empty for the configuration as a whole.
    pub path: String,
    /// Which rule, in words.
    pub rule: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "configuration" } else { &self.path };
        write!(f, "{path}: {}", self.rule)
    }
}

impl std::error::Error for Error {}

/// The text in backticks, control characters escaped, cut after 40 characters.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// `; did you mean …?` where a known name is close to the wrong one, else nothing.
pub(super) fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let allowed = match wrong.chars().take(65).count() {
        0..=3 => 1,
        4..=64 => 2,
        _ => return String::new(),
    };
    let near = known.into_iter().map(|name| (distance(wrong, name), name)).min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, name)) if distance <= allowed => format!("; did you mean {}?", quoted(name)),
        _ => String::new(),
    }
}

/// Levenshtein distance without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        let mut next = vec![left];
        for (to, &up) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(from != *to)).min(left + 1).min(up + 1);
            diagonal = up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
