//! Anthropic's Messages API (FACTS §3.6, §4): the mock's answers in its shapes, at the doors of Anthropic, of Azure, of
//! Vertex and of Bedrock.
//!
//! Never decides what goes wrong ([`super::delivery`]). Words in the last message of the user make an answer special;
//! [`content`] lists them.
//!
//! | module | owns |
//! |---|---|
//! | [`door`] | the paths, and what each cloud wants besides the request itself |
//! | [`endpoint`] | the way of a request, from body to answer |
//! | [`request`] | a request, read |
//! | [`models`] | what the models called Claude take |
//! | [`validate`] | what the real API refuses of a request's parameters |
//! | [`sampling`] | the same of thinking and of what bends an answer |
//! | [`turns`] | the same of a conversation as a whole |
//! | [`blocks`] | the same of its blocks |
//! | [`tools`] | the same of tools; and which of them are called |
//! | [`schema`] | the same of JSON schemas |
//! | [`marks`] | the same of `cache_control` |
//! | [`refuse`] | the words of a refusal |
//! | [`reading`] | what a model reads, and what the prompt cache has of it |
//! | [`content`] | the blocks of an answer |
//! | [`signature`] | signatures of thoughts |
//! | [`object`] | the message object |
//! | [`events`] | the same as events, in either wire format |
//! | [`bedrock`] | the wire format and the errors of Bedrock |
//! | [`errors`] | error bodies and headers of Anthropic |

pub mod bedrock;
mod blocks;
mod content;
mod door;
mod endpoint;
mod errors;
mod events;
mod marks;
mod models;
mod object;
mod reading;
mod refuse;
mod request;
mod sampling;
mod schema;
mod signature;
mod tools;
mod turns;
mod validate;

pub use door::{Call, Head, call};
pub use errors::{error_body, headers, typical};

#[cfg(test)]
pub use errors::rfc3339;
