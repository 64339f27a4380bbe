//! Which models can serve a request at all, and where.

use super::parameters::changes;
use super::{Caller, Cooldowns, Terms};
use crate::catalog::Context;
use crate::origin::Origin;
use crate::policy::{Dialect, Model, ModelId, Outside, Policy, Provider, Served};
use crate::request::{Api, COUNT_TOKENS, Request};
use crate::translate::Translation;

/// Why a model is not eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// The router's policy keeps it out.
    Outside(Outside),
    /// The consumer may not use it.
    Consumer,
    /// The request's `routing_config.models` leaves it out.
    Models,
    /// No provider of it speaks the API that was called.
    Api,
    /// What the request refers to is kept by another provider.
    Bound,
    /// Its provider speaks only another API, or not all of it, which cannot express the request.
    Inexpressible,
    /// It does not take every parameter, and the request requires that.
    Parameters,
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
    /// It cannot promise a JSON object.
    JsonObject,
    /// It takes no files, or that is not known of it.
    Files,
    /// It cannot be forced to call a tool.
    ForcedTools,
    /// It does not go on from a last message of the assistant.
    Prefill,
    /// It wants its earlier reasoning back, and the request does not have it.
    Reasoning,
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
            Exclusion::Models => "not_in_routing_config",
            Exclusion::Api => "api_not_spoken",
            Exclusion::Bound => "bound_to_other_provider",
            Exclusion::Inexpressible => "not_expressible",
            Exclusion::Parameters => "unsupported_parameters",
            Exclusion::Context { .. } => "context_length_exceeded",
            Exclusion::Images => "no_images",
            Exclusion::Audio => "no_audio",
            Exclusion::Tools => "no_tools",
            Exclusion::JsonSchema => "no_json_schema",
            Exclusion::JsonObject => "no_json_object",
            Exclusion::Files => "no_files",
            Exclusion::ForcedTools => "no_forced_tools",
            Exclusion::Prefill => "no_prefill",
            Exclusion::Reasoning => "reasoning_missing",
        }
    }
}

impl Exclusion {
    /// How far a place got; the one that got furthest says why the model is not eligible.
    fn reached(&self) -> u8 {
        match self {
            Exclusion::Outside(_) => 0,
            Exclusion::Api => 1,
            Exclusion::Bound => 2,
            Exclusion::Inexpressible => 3,
            _ => 4,
        }
    }
}

/// How a request gets to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'q> {
    /// In the API that was called.
    Native,
    /// In this other one.
    Translated(Api, &'q Translation),
}

/// What a request is in other APIs than the one that was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translations {
    /// In Chat Completions; of no meaning where no provider of the policy needs it.
    pub chat: Translation,
    /// In Messages; likewise.
    pub messages: Translation,
}

impl Translations {
    /// What cannot be expressed in one of them.
    pub fn obstacle(&self) -> Option<String> {
        let Translations { chat, messages } = self;
        [&messages.obstacle, &chat.obstacle, &messages.url].into_iter().flatten().next().cloned()
    }
}

/// All that eligibility depends on.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q, 'a> {
    /// The policy.
    pub policy: &'q Policy,
    /// The request.
    pub request: &'q Request<'a>,
    /// The path behind the prefix, where it is not that of the API itself.
    pub endpoint: Option<&'q str>,
    /// What it is for providers that speak another API.
    pub translations: &'q Translations,
    /// On which terms.
    pub terms: &'q Terms<'q>,
    /// What has failed lately.
    pub cooldowns: &'q Cooldowns,
    /// On whose behalf.
    pub caller: Caller,
}

impl<'q> Question<'q, '_> {
    /// Why the model cannot serve the request; `None` where it can.
    pub fn excludes(&self, id: ModelId) -> Option<Exclusion> {
        let Question { request, terms, .. } = self;
        let model = self.policy.models.get(id)?;
        if let Some(outside) = terms.router.and_then(|router| router.pool.get(id).copied().flatten()) {
            return Some(Exclusion::Outside(outside));
        }
        if !self.caller.may_use_model(self.policy, id) {
            return Some(Exclusion::Consumer);
        }
        if terms.models.as_ref().is_some_and(|models| !models.contains(&id)) {
            return Some(Exclusion::Models);
        }
        if self.places(model).next().is_none() {
            return self.closest(model);
        }
        // Who names a model gets that model: its own API says what it does not take.
        terms.router?;
        context(request, model).or_else(|| capability(request, model))
    }

    /// Indices into the model's `served_by` of the providers that may serve the request, in the policy's order.
    pub fn places<'s>(&'s self, model: &'s Model) -> impl Iterator<Item = usize> + 's {
        let served = model.served_by.iter().enumerate();
        served.filter(|(_, served)| self.excludes_place(model, served).is_none()).map(|(at, _)| at)
    }

    /// How the request gets to a provider; `None` where it cannot.
    pub fn way(&self, provider: &Provider) -> Option<Way<'q>> {
        let wire = provider.wire(self.request.api)?;
        // Bedrock has a counter of its own, with a body of another shape.
        if self.endpoint == Some(COUNT_TOKENS) && provider.dialect == Dialect::BedrockAnthropic {
            return None;
        }
        Some(match wire {
            wire if wire == self.request.api => Way::Native,
            Api::Messages => Way::Translated(wire, &self.translations.messages),
            _ => Way::Translated(wire, &self.translations.chat),
        })
    }

    /// Why the place that got furthest cannot serve.
    fn closest(&self, model: &Model) -> Option<Exclusion> {
        let places = model.served_by.iter().filter_map(|served| self.excludes_place(model, served));
        places.max_by_key(|exclusion| exclusion.reached()).or(Some(Exclusion::Api))
    }

    fn excludes_place(&self, model: &Model, served: &Served) -> Option<Exclusion> {
        let Some(provider) = self.policy.providers.get(served.provider) else { return Some(Exclusion::Api) };
        if self.terms.router.is_some_and(|router| !router.allows(provider)) {
            return Some(Exclusion::Outside(Outside::DataZone));
        }
        let Some(way) = self.way(provider) else { return Some(Exclusion::Api) };
        let state = &self.request.state;
        let elsewhere = state.origin.is_some_and(|origin| !Origin::means(origin.provider, &provider.name));
        if state.param.is_some() && (elsewhere || way != Way::Native) {
            return Some(Exclusion::Bound);
        }
        let (obstacle, url) = match way {
            Way::Translated(_, translation) => (translation.obstacle.is_some(), translation.url.is_some()),
            Way::Native => (false, self.request.needs.urls),
        };
        if obstacle || url && !provider.dialect.fetches() {
            return Some(Exclusion::Inexpressible);
        }
        let strict = self.terms.require_parameters && !changes(self.request, model, provider, &way).drop.is_empty();
        strict.then_some(Exclusion::Parameters)
    }
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
    let refused = |needed: bool, can: Option<bool>| needed && can == Some(false);
    if missing(needs.images, can.images) {
        return Some(Exclusion::Images);
    }
    if needs.audio {
        return Some(Exclusion::Audio);
    }
    if missing(needs.tools, can.tools) {
        return Some(Exclusion::Tools);
    }
    if missing(needs.json_schema, can.json_schema) {
        return Some(Exclusion::JsonSchema);
    }
    if missing(needs.files, can.files) {
        return Some(Exclusion::Files);
    }
    if refused(needs.json_object, can.json_object) {
        return Some(Exclusion::JsonObject);
    }
    if refused(needs.forced_tool, can.forced_tools) {
        return Some(Exclusion::ForcedTools);
    }
    if refused(needs.prefill, can.prefill) {
        return Some(Exclusion::Prefill);
    }
    let silent = request.corners.silent_calls && model.parameters.wants_reasoning;
    silent.then_some(Exclusion::Reasoning)
}
