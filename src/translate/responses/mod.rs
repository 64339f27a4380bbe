//! The Responses API: its requests read, its answers written.

mod about;
mod input;
mod item;
mod request;
mod stream;
mod tools;
mod writer;

pub use about::About;
pub(super) use request::{left_out, read};
pub use stream::Stream;
pub(super) use stream::Whole;
