//! Model Router for Envoy: one `.wasm` that makes a fleet of language models look like one.
//!
//! The map of the crate, in the order in which a request meets it:
//!
//! | module | owns |
//! |---|---|
//! | [`policy`] | configuration text → a validated [`policy::Policy`] |
//! | [`catalog`] | facts about known models |
//! | [`request`] | any API's body → one view of the request, as spans |
//! | [`predict`] | prompt → expected quality and tokens per model |
//! | [`decide`] | request + policy → a ranked plan, with the reason for each exclusion |
//! | [`content_filter`] | what a moderation service is asked about a prompt, and its verdict |
//! | [`explain`] | a decision, shown with its reasons |
//! | [`bytes`] | looking at eight bytes at once |
//! | [`edit`] | splicing: a body with some ranges replaced |
//! | [`origin`] | the mark in ids by which a conversation finds back to its provider |
//! | [`listing`] | what a caller may ask for |
//! | [`attempt`] | the edits that fit a request to one candidate |
//! | [`response`] | judging, accounting and error shapes |
//! | [`translate`] | Responses for providers that only speak Chat Completions |
//! | [`routing`] | the order of these steps |
//! | [`filter`] | the host binding; the only module that names `proxy_wasm` |
//!
//! Everything but [`filter`] is pure: values in, values out, no clock, no host, so the command-line companion
//! calls the very same functions.

pub mod attempt;
pub mod bytes;
pub mod catalog;
pub mod content_filter;
pub mod decide;
pub mod edit;
pub mod explain;
pub mod filter;
pub mod listing;
pub mod origin;
pub mod policy;
pub mod predict;
pub mod request;
pub mod response;
pub mod routing;
pub mod translate;
