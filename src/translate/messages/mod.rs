//! Anthropic's Messages: its requests written, its answers read.

mod answer;
mod fit;
mod request;
mod schema;
mod turns;

pub use answer::{Counts, event, event_type, whole};
pub use fit::check;
pub use request::{CACHE_MARK, LONG_PREFIX, thinking, write};
