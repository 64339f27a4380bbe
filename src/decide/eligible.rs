//! Which models can serve a request at all.

use super::Caller;
use crate::catalog::Context;
use crate::policy::{Dialect, Model, ModelId, Outside, Policy, Provider, Router};
use crate::request::{Api, Request};

/// Why a model is not eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// The router's policy keeps it out.
    Outside(Outside),
    /// The consumer may not use it.
    Consumer,
    /// The estimated input, the requested output, or both together do not fit.
    Context {
        /// Estimated input tokens.
        input: u32,
        /// Requested output tokens.
        output: u32,
        /// What the model takes.
        limit: Context,
    },
    /// It takes no images, or that is not known of it.
    Images,
    /// It takes no audio.
    Audio,
    /// It takes no tools, or that is not known of it.
    Tools,
    /// It takes no JSON schema, or that is not known of it.
    JsonSchema,
    /// No provider of it speaks the API that was called.
    Api,
}

impl Exclusion {
    /// A short stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Exclusion::Outside(Outside::Subset) => "not_in_subset",
            Exclusion::Outside(Outside::Version) => "not_in_version",
            Exclusion::Outside(Outside::Publisher) => "publisher_not_allowed",
            Exclusion::Outside(Outside::DataZone) => "outside_data_zone",
            Exclusion::Consumer => "not_allowed_for_consumer",
            Exclusion::Context { .. } => "context_length_exceeded",
            Exclusion::Images => "no_images",
            Exclusion::Audio => "no_audio",
            Exclusion::Tools => "no_tools",
            Exclusion::JsonSchema => "no_json_schema",
            Exclusion::Api => "api_not_spoken",
        }
    }
}

/// Why `model` cannot serve `request`; `None` where it can.
pub fn check(
    policy: &Policy,
    request: &Request,
    id: ModelId,
    router: Option<&Router>,
    caller: Caller,
) -> Option<Exclusion> {
    let model = policy.models.get(id)?;
    if let Some(outside) = router.and_then(|router| router.pool.get(id).copied().flatten()) {
        return Some(Exclusion::Outside(outside));
    }
    if !caller.may_use_model(policy, id) {
        return Some(Exclusion::Consumer);
    }
    let zone = router.and_then(|router| router.data_zone.as_deref());
    if places(policy, request, model, zone).next().is_none() {
        return Some(Exclusion::Api);
    }
    // Who names a model gets that model: its own API says what it does not take.
    router?;
    context(request, model).or_else(|| capability(request, model))
}

fn context(request: &Request, model: &Model) -> Option<Exclusion> {
    let context = model.context?;
    let (input, output) = (request.input_tokens, request.max_output.unwrap_or(0));
    let window = context.window.unwrap_or(context.input);
    let fits = input <= context.input && output <= context.output && input.saturating_add(output) <= window;
    (!fits).then_some(Exclusion::Context { input, output, limit: context })
}

fn capability(request: &Request, model: &Model) -> Option<Exclusion> {
    let (needs, can) = (request.needs, model.capabilities);
    let missing = |needed: bool, can: Option<bool>| needed && can != Some(true);
    if missing(needs.images, can.images) {
        return Some(Exclusion::Images);
    }
    if needs.audio {
        return Some(Exclusion::Audio);
    }
    if missing(needs.tools, can.tools) {
        return Some(Exclusion::Tools);
    }
    missing(needs.json_schema, can.json_schema).then_some(Exclusion::JsonSchema)
}

/// Indices into the model's `served_by` of the providers that may serve this request, in the policy's order.
pub fn places<'a>(
    policy: &'a Policy,
    request: &Request,
    model: &'a Model,
    zone: Option<&'a str>,
) -> impl Iterator<Item = usize> + 'a {
    let api = request.api;
    let may_serve = move |provider: &Provider| {
        speaks(provider.dialect, api) && zone.is_none_or(|zone| provider.data_zone.as_deref() == Some(zone))
    };
    let served = model.served_by.iter().enumerate();
    served.filter(move |(_, served)| policy.providers.get(served.provider).is_some_and(may_serve)).map(|(at, _)| at)
}

/// Whether requests of `api` can be put to a provider of `dialect`.
fn speaks(dialect: Dialect, api: Api) -> bool {
    match (dialect, api) {
        (Dialect::OpenAi | Dialect::AzureOpenAi, Api::Chat | Api::Responses) => true,
        (Dialect::Anthropic, Api::Chat | Api::Responses) => false,
    }
}
