//! Names of the filter state by which the two plugins, Envoy's matcher, the access log and traces talk to each other.
//!
//! In Envoy's configuration each is `wasm.` and the name: `%FILTER_STATE(wasm.model_router.cost:PLAIN)%`. Each costs a
//! call to the host, so what the access log can take from response headers is not here.

/// The cluster of the next attempt, which Envoy's matcher reads.
pub const CLUSTER: &str = "model_router.cluster";
/// The plan, as [`crate::attempt::Brief`] publishes it.
pub const BRIEF: &str = "model_router.brief";
/// [`crate::attempt::Attempted`], as it publishes itself.
pub const ATTEMPTED: &str = "model_router.attempted";
/// The path that the client called, without its query, which may hold a key; attempts change `:path`.
pub const PATH: &str = "model_router.path";
/// What is done, as OpenTelemetry calls it: `chat`, `embeddings`, …
pub const OPERATION: &str = "model_router.operation";
/// What the client asked for.
pub const REQUEST_MODEL: &str = "model_router.request_model";
/// The policy that decided, where it has a name.
pub const POLICY: &str = "model_router.policy";
/// What the policy that does not serve would have done: `gpt-5-mini@azure:0.980:0.000120`, or the code of its refusal.
pub const SHADOW: &str = "model_router.shadow";
/// The consumer on whose behalf the request came.
pub const CONSUMER: &str = "model_router.consumer";
/// The router that was asked, for Envoy's rate limit filters. Only where the policy has limits, as for the next three.
pub const ROUTER: &str = "model_router.router";
/// What the request counts for, before its answer is there: tokens.
pub const TOKENS: &str = "model_router.tokens";
/// Likewise: millionths of a dollar.
pub const EXPECTED_MICRODOLLARS: &str = "model_router.expected_microdollars";
/// What the answer cost, in millionths of a dollar.
pub const MICRODOLLARS: &str = "model_router.microdollars";
/// The model of the latest attempt. Envoy ends the span of an attempt before the next begins.
pub const ATTEMPT_MODEL: &str = "model_router.attempt_model";
/// How the latest attempt failed: `503`, `no_response`, …; empty where a later one has not.
pub const ERROR: &str = "model_router.error";
/// How each attempt ended, where there was more than one: `gpt-5-mini=503,gpt-5=200`.
pub const TRACE: &str = "model_router.trace";
/// `model` of the answer.
pub const RESPONSE_MODEL: &str = "model_router.response_model";
/// Tokens of the answer; a count of 0 is left out, as for the next four.
pub const INPUT_TOKENS: &str = "model_router.input_tokens";
/// Tokens of the answer.
pub const CACHED_TOKENS: &str = "model_router.cached_tokens";
/// Tokens of the answer.
pub const CACHE_WRITE_TOKENS: &str = "model_router.cache_write_tokens";
/// Tokens of the answer.
pub const OUTPUT_TOKENS: &str = "model_router.output_tokens";
/// Tokens of the answer.
pub const REASONING_TOKENS: &str = "model_router.reasoning_tokens";
/// The likeliest task of the prompt.
pub const TASK: &str = "model_router.task";
/// Its difficulty, in log odds.
pub const DIFFICULTY: &str = "model_router.difficulty";
/// The slots: `gpt-5-mini@azure:0.980:0.000120,…`, each with predicted quality and expected USD.
pub const PLAN: &str = "model_router.plan";
/// Models that the request left out: `gpt-oss-120b:no_images,…`.
pub const EXCLUDED: &str = "model_router.excluded";
/// By what the conversation was recognised.
pub const AFFINITY_SOURCE: &str = "model_router.affinity_source";
/// What became of the conversation: `initialize`, `retain` or `switch`.
pub const AFFINITY: &str = "model_router.affinity";
/// USD, with six decimals.
pub const COST: &str = "model_router.cost";
/// USD that the router's baseline model would have cost for the same tokens, with six decimals.
pub const BASELINE_COST: &str = "model_router.baseline_cost";
/// What the content filter said: `passed`, `flagged:hate,violence`, `failed:504`, `skipped` where there was no text.
pub const CONTENT_FILTER: &str = "model_router.content_filter";
/// How long that took, in milliseconds.
pub const CONTENT_FILTER_TIME: &str = "model_router.content_filter_ms";
