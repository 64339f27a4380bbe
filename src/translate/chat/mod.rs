//! Chat Completions: its requests written.

mod request;

pub use request::{Target, write};
