//! Chat Completions: its requests and answers, read and written.

mod about;
mod answer;
mod chunks;
mod completion;
mod reader;
mod request;
mod tools;

pub use about::About;
pub use answer::read;
pub use chunks::Stream;
pub use completion::Whole;
pub(super) use reader::{left_out, read as read_request};
pub use request::{Target, write};
