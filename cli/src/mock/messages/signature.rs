//! Signatures of thoughts: made of the text alone, so that any mock knows those of another, as the models of Anthropic
//! know each other's whichever cloud they run in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mock::ids;

/// The signature of a thought.
pub fn sign(thought: &str) -> String {
    STANDARD.encode(format!("mock thought {:016x}{:016x}", ids::hash(thought), thought.len()))
}

/// Whether `signature` is that of a thought.
pub fn fits(thought: &str, signature: &str) -> bool {
    signature == sign(thought)
}
