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
    /// A bit for the low bits of each of these hashes: few words are in any list, and most are told apart by it.
    hints: Vec<u64>,
}

/// Bits of the hints: ten for each entry, about.
const HINTS: usize = 1 << 14;

impl Cues {
    /// The embedded lists.
    pub fn embedded() -> Cues {
        let mut table = HashMap::new();
        for (bit, (_, entries)) in lists().enumerate() {
            for entry in entries.split_whitespace() {
                *table.entry(key(entry)).or_insert(0) |= 1 << bit;
            }
        }
        let mut hints = vec![0; HINTS / 64];
        for hash in table.keys() {
            if let Some(hints) = hints.get_mut(*hash as usize % HINTS / 64) {
                *hints |= 1 << (hash % 64);
            }
        }
        Cues { table, hints }
    }

    /// A bit for each list that holds the hash of a word, of a stem, or of two ideographs that follow each other.
    pub fn of(&self, hash: u32) -> u32 {
        let hints = self.hints.get(hash as usize % HINTS / 64).copied().unwrap_or(0);
        if hints >> (hash % 64) & 1 == 0 {
            return 0;
        }
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
