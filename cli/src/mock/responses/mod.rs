//! The Responses API (FACTS §3.4, §3.5): the mock's answers in its shapes, and what the provider keeps of them.
//!
//! Never decides what is said ([`super::answer`]) or what goes wrong ([`super::delivery`]).
//!
//! | module | owns |
//! |---|---|
//! | [`endpoint`] | the way of a request, from body to answer |
//! | [`request`] | a request, read |
//! | [`validate`] | what a real provider would refuse of a request |
//! | [`items`] | the items of an input: which exist, and their stored form |
//! | [`context`] | what a request refers to: earlier answers, conversations, items |
//! | [`store`] | what is kept |
//! | [`object`] | the response object |
//! | [`events`] | the same as server-sent events |

mod context;
mod endpoint;
mod events;
mod items;
mod object;
mod request;
mod store;
mod validate;

pub use store::Store;

#[cfg(test)]
pub use store::{KEPT, Stored};
