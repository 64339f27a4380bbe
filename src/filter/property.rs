//! Names of the filter state by which the two plugins, Envoy's matcher and the access log talk to each other.
//!
//! In Envoy's configuration each is `wasm.` and the name: `%FILTER_STATE(wasm.model_router.model:PLAIN)%`.

/// The plan, as [`crate::attempt::Brief`] in JSON.
pub const BRIEF: &str = "model_router.brief";
/// The cluster of the next attempt, which Envoy's matcher reads.
pub const CLUSTER: &str = "model_router.cluster";
/// What the client asked for.
pub const REQUEST_MODEL: &str = "model_router.request_model";
/// Router, empty for requests by model name.
pub const ROUTER: &str = "model_router.router";
/// Mode.
pub const MODE: &str = "model_router.mode";
/// Reason of the decision.
pub const REASON: &str = "model_router.reason";
/// The consumer on whose behalf the request came.
pub const CONSUMER: &str = "model_router.consumer";
/// The catalog's name of the model of the latest attempt.
pub const MODEL: &str = "model_router.model";
/// The provider of the latest attempt.
pub const PROVIDER: &str = "model_router.provider";
/// Parameters that the latest attempt left out, separated by commas.
pub const DROPPED: &str = "model_router.dropped";
/// Number of the latest attempt, from 1.
pub const ATTEMPT: &str = "model_router.attempt";
/// How each attempt ended: `gpt-5-mini=503,gpt-5=200`.
pub const TRACE: &str = "model_router.trace";
/// `model` of the answer.
pub const RESPONSE_MODEL: &str = "model_router.response_model";
/// Tokens of the answer.
pub const INPUT_TOKENS: &str = "model_router.input_tokens";
/// Tokens of the answer.
pub const CACHED_TOKENS: &str = "model_router.cached_tokens";
/// Tokens of the answer.
pub const OUTPUT_TOKENS: &str = "model_router.output_tokens";
/// Tokens of the answer.
pub const REASONING_TOKENS: &str = "model_router.reasoning_tokens";
/// USD, with six decimals.
pub const COST: &str = "model_router.cost";
