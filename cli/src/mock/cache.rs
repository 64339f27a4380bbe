//! The imitation of a provider's prompt cache: remembers which prefixes it has seen, per model, and says how much of
//! a prompt it would not have to read again. Keeps hashes, never text.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Tokens by which a cached prefix grows, as OpenAI documents it.
const STEP: u64 = 128;

/// The shortest prompt that is cached at all, in steps: 1,024 tokens.
const MINIMUM: u64 = 8;

/// Bytes taken for one step.
const STEP_BYTES: usize = 512;

/// How many prefixes are remembered.
const KEPT: usize = 1 << 16;

/// Prefixes seen by one provider.
#[derive(Debug, Default)]
pub struct PrefixCache {
    hasher: RandomState,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl PrefixCache {
    /// The number of tokens of `prompt` that an earlier prompt to the same model began with: 0, or a multiple of 128
    /// from 1,024 up. Remembers this prompt.
    pub fn visit(&self, model: &str, prompt: &str) -> u64 {
        if (prompt.len() as u64) < STEP_BYTES as u64 * MINIMUM {
            return 0;
        }
        let prefixes = self.hashes(model, prompt.as_bytes().chunks_exact(STEP_BYTES));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prefixes.iter().take_while(|hash| seen.hashes.contains(hash)).count() as u64;
        for hash in prefixes {
            seen.remember(hash);
        }
        if known < MINIMUM { 0 } else { known * STEP }
    }

    /// The index of the last one of `parts` with which a prefix ends that was kept for `model`; a prefix is a part
    /// and all before it. Keeps those that end with the parts at `marked`.
    pub fn revisit(&self, model: &str, parts: &[&str], marked: &[usize]) -> Option<usize> {
        let prefixes = self.hashes(model, parts.iter().map(|part| part.as_bytes()));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prefixes.iter().rposition(|hash| seen.hashes.contains(hash));
        for hash in marked.iter().filter_map(|index| prefixes.get(*index)) {
            seen.remember(*hash);
        }
        known
    }

    /// A hash of every prefix of a prompt that consists of `parts`.
    fn hashes<'a>(&self, model: &str, parts: impl Iterator<Item = &'a [u8]>) -> Vec<u64> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(model.as_bytes());
        parts
            .map(|part| {
                hasher.write(part);
                hasher.finish()
            })
            .collect()
    }
}

impl Seen {
    fn remember(&mut self, hash: u64) {
        if !self.hashes.insert(hash) {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
    }
}
