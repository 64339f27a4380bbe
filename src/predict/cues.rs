//! Words that hint at a task or at difficulty.
//!
//! Owns the lists (`cues.txt`, embedded) and the table that finds them by hash.

use hashbrown::HashMap;

use super::words::{self, Kind, Tokens};

/// How many lists there are.
pub const CUES: usize = 24;

/// Finds the lists that a word stands in.
#[derive(Clone, Debug)]
pub struct Cues {
    /// Hash of a word, or of the stem of longer words → a bit for each list.
    table: HashMap<u32, u32>,
}

impl Cues {
    /// The embedded lists.
    pub fn embedded() -> Cues {
        let mut table = HashMap::new();
        for (bit, (_, entries)) in lists().enumerate() {
            for entry in entries.split_whitespace() {
                *table.entry(key(entry)).or_insert(0) |= 1 << bit;
            }
        }
        Cues { table }
    }

    /// A bit for each list that holds the hash of a word, of a stem, or of two ideographs that follow each other.
    pub fn of(&self, hash: u32) -> u32 {
        self.table.get(&hash).copied().unwrap_or(0)
    }
}

/// Names of the lists, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    lists().map(|(name, _)| name)
}

fn lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("cues.txt").lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'))
}

fn key(entry: &str) -> u32 {
    if let Some(stem) = entry.strip_suffix('*') {
        let stem: String = stem.chars().take(words::PREFIX as usize).collect();
        return words::prefix_hash(&stem);
    }
    let mut tokens = Tokens::new(entry.as_bytes());
    match (tokens.next(), tokens.next()) {
        (Some(first), Some(second)) if first.kind == Kind::Ideograph => words::pair(first.hash, second.hash),
        (Some(word), _) => word.hash,
        (None, _) => 0,
    }
}
