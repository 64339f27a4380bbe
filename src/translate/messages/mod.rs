<<<<<<< HEAD
//! Anthropic's Messages: its requests written, its answers read.

mod fit;
mod request;
mod schema;

pub(super) use fit::check;
pub use request::{Target, write};
=======
//! Anthropic's Messages: its answers read.

mod answer;

pub use answer::{Counts, event, event_type, whole};
>>>>>>> wt-answers
