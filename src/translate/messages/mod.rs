//! Anthropic's Messages: its answers read.

mod answer;

pub use answer::{Counts, event, event_type, whole};
