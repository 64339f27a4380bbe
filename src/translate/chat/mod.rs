//! Chat Completions: its requests and answers, read and written.

mod about;
mod answer;
mod chunks;
mod completion;
mod left_out;
mod reader;
mod request;
mod tools;

pub use about::About;
pub use answer::read;
pub use chunks::Stream;
pub use completion::Whole;
pub(super) use left_out::left_out;
pub(super) use reader::read as read_request;
pub use request::write;
