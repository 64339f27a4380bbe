//! The configuration of the filter, validated.
//!
//! Owns the way from the plugin's configuration bytes to a [`Policy`]: every error names its path and the rule it
//! breaks, and all errors are reported at once. Never talks to the host and never sees a request.

mod consumers;
mod content_filter;
mod endpoint;
mod error;
mod facts;
mod failover;
mod fields;
mod limits;
mod models;
mod names;
mod node;
mod pools;
mod presets;
mod providers;
mod read;
mod rollout;
mod routers;
mod structpb;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use content_filter::{ContentFilter, OnError};
pub use endpoint::{Credential, Endpoint};
pub use error::Error;
pub use failover::{Cooldown, Timeouts};
pub use fields::{Field, Section};
pub use limits::Limits;
pub use pools::{changes, pool};
pub use presets::{PRESETS, Preset};
pub use rollout::{Rollout, candidate_document};

use crate::catalog::{Abilities, Capabilities, Context, Efforts, MessagesRules, Parameters, Price};
use crate::predict::Predictor;
use crate::request::Api;

/// Slots of a plan, and thereby attempts of a request, at most.
pub const MAX_ATTEMPTS: usize = 8;

/// A validated configuration. Indices (`ModelId`, `ProviderId`) point into its own lists and are always in range.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What metrics and logs call it; `None`: nothing, and then there is no candidate either.
    pub name: Option<String>,
    /// Whether it is another policy's candidate.
    pub is_candidate: bool,
    /// Another policy beside this one; `None` for a candidate itself.
    pub rollout: Option<Box<Rollout>>,
    /// Virtual models.
    pub routers: Vec<Router>,
    /// Every configured model, catalog facts and overrides resolved.
    pub models: Vec<Model>,
    /// Where models are served.
    pub providers: Vec<Provider>,
    /// `None`: everyone may use everything.
    pub consumers: Option<Vec<Consumer>>,
    /// What happens to requests on paths that are no model API.
    pub unknown_paths: UnknownPaths,
    /// Attempts per request, 1..=[`MAX_ATTEMPTS`].
    pub max_attempts: usize,
    /// How long models rest after they failed; `None`: they do not.
    pub cooldown: Option<Cooldown>,
    /// How long attempts and requests may take.
    pub timeouts: Timeouts,
    /// Who is asked whether a prompt may go on; `None`: nobody.
    pub content_filter: Option<ContentFilter>,
    /// The model that predicts quality, the same for every request of this policy.
    pub predictor: &'static Predictor,
    /// Things worth telling at start that are no errors (a router without failover, …), each with its path.
    pub warnings: Vec<String>,
}

impl Policy {
    /// Reads the plugin's configuration: JSON text (a StringValue's content) or a serialised `google.protobuf.Struct`
    /// (plain YAML in the Envoy YAML).
    ///
    /// # Errors
    /// All rules that the configuration breaks, never an empty list.
    pub fn parse(bytes: &[u8]) -> Result<Policy, Vec<Error>> {
        Policy::from_value(&read::value(bytes).map_err(|error| vec![error])?)
    }

    /// The headers by which consumers are told apart.
    pub fn consumer_headers(&self) -> impl Iterator<Item = &str> {
        self.consumers.iter().flatten().filter_map(|consumer| match &consumer.when {
            When::Header { name, .. } => Some(name.as_str()),
            When::Nobody => None,
        })
    }

    /// Whether anybody or anything has limits.
    pub fn has_limits(&self) -> bool {
        let consumers = self.consumers.iter().flatten().map(|consumer| consumer.limits);
        self.routers.iter().map(|router| router.limits).chain(consumers).any(|limits| limits.any())
    }

    /// Like [`Policy::parse`], from a document that is read already.
    ///
    /// # Errors
    /// All rules that the configuration breaks, never an empty list.
    pub fn from_value(value: &Value) -> Result<Policy, Vec<Error>> {
        read::policy(value)
    }

    /// The same without failover, its candidate too: for where there is only one attempt.
    pub fn with_one_attempt(mut self) -> Policy {
        self.max_attempts = 1;
        if let Some(rollout) = &mut self.rollout {
            rollout.policy.max_attempts = 1;
        }
        self
    }
}

/// Every object of the policy, in the order of the documentation.
pub static SECTIONS: [&Section; 22] = [
    &read::POLICY,
    &routers::ROUTER,
    &routers::BAND,
    &limits::LIMITS,
    &models::MODEL,
    &models::SERVED,
    &facts::PRICE,
    &facts::LONG_CONTEXT,
    &facts::CONTEXT,
    &facts::CAPABILITIES,
    &facts::REASONING,
    &facts::PARAMETERS,
    &facts::MESSAGES,
    &providers::PROVIDER,
    &endpoint::CREDENTIAL,
    &consumers::CONSUMER,
    &consumers::WHEN,
    &failover::COOLDOWN,
    &failover::TIMEOUTS,
    &content_filter::CONTENT_FILTER,
    &rollout::CANDIDATE,
    &rollout::OWN,
];

/// Index into [`Policy::models`].
pub type ModelId = usize;
/// Index into [`Policy::providers`].
pub type ProviderId = usize;

/// A virtual model that clients name in `model`.
#[derive(Clone, Debug)]
pub struct Router {
    /// What clients send.
    pub name: String,
    /// Its mode.
    pub mode: Mode,
    /// Relative quality that may be given up for a cheaper model, 0..=1.
    pub band: f64,
    /// Router version, a key of the catalog's pools.
    pub version: Option<String>,
    /// For each of [`Policy::models`]: why the policy keeps it out of this router, or `None` where it is in the pool.
    pub pool: Vec<Option<Outside>>,
    /// Only providers in this zone may serve.
    pub data_zone: Option<String>,
    /// How conversations stay on a model.
    pub session_affinity: Affinity,
    /// The model against which savings are measured; it has a price.
    pub baseline: Option<ModelId>,
    /// USD per million input tokens on top of the model's price.
    pub fee: f64,
    /// How much may be asked of it.
    pub limits: Limits,
}

impl Router {
    /// Whether a provider keeps its data where this router wants it.
    pub fn allows(&self, provider: &Provider) -> bool {
        self.data_zone.is_none() || self.data_zone == provider.data_zone
    }
}

/// Why a configured model does not belong to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Not in the router's subset.
    Subset,
    /// Not in the pool of the router's version.
    Version,
    /// Its publisher is not allowed.
    Publisher,
    /// No provider in the router's data zone.
    DataZone,
}

/// How a router weighs quality against cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mode {
    Quality,
    Balanced,
    Cost,
    /// `mode: {band: …}`
    Band,
}

impl Mode {
    /// The share of quality that this mode gives up, after the percentages that Azure publishes; a band has its own.
    pub fn band(self) -> Option<f64> {
        match self {
            Mode::Quality => Some(0.0),
            Mode::Balanced => Some(0.015),
            Mode::Cost => Some(0.055),
            Mode::Band => None,
        }
    }
}

/// How conversations stay on a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Affinity {
    Adaptive,
    Sticky,
    None,
}

/// What happens to requests on paths that are no model API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPaths {
    /// 404 in OpenAI's shape.
    Reject,
    /// Untouched.
    Pass,
}

/// A model with all that deciding and rewriting need.
#[derive(Clone, Debug)]
pub struct Model {
    /// The name in the policy, unique.
    pub name: String,
    /// Other names by which a client may ask for it.
    pub aliases: Vec<String>,
    /// Publisher, where known.
    pub publisher: Option<String>,
    /// Providers in order of preference, at least one; each is a slot of its own.
    pub served_by: Vec<Served>,
    /// `None`: unknown; such a model is in no router's pool.
    pub price: Option<Price>,
    /// `None`: unknown, and not checked.
    pub context: Option<Context>,
    /// What it can take.
    pub capabilities: Capabilities,
    /// Effort control, where it has one.
    pub reasoning: Option<Efforts>,
    /// What its API refuses.
    pub parameters: Parameters,
    /// What it takes in the Messages API.
    pub messages: MessagesRules,
    /// `None`: unknown; such a model is in no router's pool.
    pub abilities: Option<Abilities>,
}

/// A model at a provider.
#[derive(Clone, Debug)]
pub struct Served {
    /// Where.
    pub provider: ProviderId,
    /// What the provider calls the model: the value of `model`, or Azure's deployment.
    pub deployment: String,
}

/// Where models are served.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Unique name.
    pub name: String,
    /// Where it is. For Envoy's configuration, like the next: the filter asks Envoy for a cluster, whatever its address.
    pub endpoint: Option<Endpoint>,
    /// Where Envoy finds its key; `None`: it needs none.
    pub credential: Option<Credential>,
    /// Envoy cluster.
    pub cluster: String,
    /// Wire format.
    pub dialect: Dialect,
    /// Which of OpenAI's APIs it speaks.
    pub apis: Apis,
    /// Path prefix without a trailing slash: `/v1`, `/openai`, or empty.
    pub path: String,
    /// Value of `:authority` toward the provider; `None` leaves it to Envoy and the client.
    pub authority: Option<String>,
    /// `api-version` of Azure's classic paths; `None`: Azure's v1 paths, which need none.
    pub api_version: Option<String>,
    /// Data zone.
    pub data_zone: Option<String>,
    /// What it refuses, whatever the model.
    pub parameters: Parameters,
    /// Long stable prefixes of requests in the Messages API are marked for its prompt cache.
    pub prompt_caching: bool,
    /// The features in beta of the Messages API that clients may ask it for; `None`: any.
    pub betas: Option<Vec<String>>,
}

impl Provider {
    /// The API in which a request of `api` reaches it: another where the request is translated, `None` where it cannot be.
    pub fn wire(&self, api: Api) -> Option<Api> {
        let messages = self.dialect.is_messages();
        match api {
            Api::Chat | Api::Responses | Api::Messages if messages => Some(Api::Messages),
            Api::Chat => self.apis.chat.then_some(Api::Chat),
            Api::Responses if self.apis.responses => Some(Api::Responses),
            Api::Responses => Some(Api::Chat),
            Api::Messages => None,
            Api::Other => (!messages).then_some(Api::Other),
        }
    }

    /// Whether it speaks the Responses API, and so keeps what is made in it.
    pub fn speaks_responses(&self) -> bool {
        self.wire(Api::Responses) == Some(Api::Responses)
    }
}

/// Which of OpenAI's APIs a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apis {
    /// Chat Completions.
    pub chat: bool,
    /// Responses; where not, requests are translated into Chat Completions.
    pub responses: bool,
}

/// Wire format of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dialect {
    OpenAi,
    AzureOpenAi,
    Anthropic,
    /// Claude on Google's Vertex AI.
    VertexAnthropic,
    /// Claude on Amazon Bedrock.
    BedrockAnthropic,
}

impl Dialect {
    /// Whether images and documents may be URLs.
    pub fn fetches(self) -> bool {
        !matches!(self, Dialect::VertexAnthropic | Dialect::BedrockAnthropic)
    }

    /// Whether its API is Anthropic's Messages.
    pub fn is_messages(self) -> bool {
        matches!(self, Dialect::Anthropic | Dialect::VertexAnthropic | Dialect::BedrockAnthropic)
    }
}

/// Who may use what. The first consumer whose header matches a request is the one who asks; where none does, it is nobody,
/// for whom the policy may have a consumer too.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Unique name.
    pub name: String,
    /// By what it is told.
    pub when: When,
    /// Indices into [`Policy::routers`]; `None`: all.
    pub routers: Option<Vec<usize>>,
    /// Models; `None`: all.
    pub models: Option<Vec<ModelId>>,
    /// How much it may use.
    pub limits: Limits,
}

/// By what a consumer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// A header of the request.
    Header {
        /// Its name in lower case.
        name: String,
        /// Its exact value.
        equals: String,
    },
    /// It is no other consumer.
    Nobody,
}
