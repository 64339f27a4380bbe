//! Chat Completions: its requests written, its answers read.

mod answer;
mod request;

pub use answer::read;
pub use request::{Target, write};
