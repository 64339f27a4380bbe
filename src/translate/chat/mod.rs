//! Chat Completions: its requests written, its answers read and written.

mod about;
mod answer;
mod chunks;
mod completion;
mod request;

pub use about::About;
pub use answer::read;
pub use chunks::Stream;
pub use completion::Whole;
pub use request::{Target, write};
