//! What the fuzz targets check, a module per target. tests/corpus.rs runs the same functions over the committed corpus.

pub mod filter;
pub mod json;
pub mod policy;
pub mod read;
pub mod rewrite;
pub mod sse;
pub mod translate;

use model_router::policy::Policy;
use std::sync::LazyLock;

/// A target: its name, which is its folder in the corpus, and its check, which panics.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("read", read::run),
    ("rewrite", rewrite::run),
    ("sse", sse::run),
    ("policy", policy::run),
    ("translate", translate::run),
    ("filter", filter::run),
];

/// A provider of each kind; a router's plan has them all.
const POLICY: &str = include_str!("policy.json");

fn fixed_policy() -> &'static Policy {
    static FIXED: LazyLock<Policy> = LazyLock::new(|| Policy::parse(POLICY.as_bytes()).unwrap());
    &FIXED
}

/// `bytes` in pieces whose lengths hang on `seed`; some are empty.
fn pieces(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let (mut rest, mut state, mut pieces) = (bytes, u32::from(seed), Vec::new());
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, next) = rest.split_at(rest.len().min(state as usize >> 24 & usize::from(seed | 1)));
        pieces.push(piece);
        rest = next;
    }
    pieces
}
