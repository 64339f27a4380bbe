//! The Responses API: its requests read.

mod input;
mod request;
mod tools;

pub(super) use request::{left_out, read};
