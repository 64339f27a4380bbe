//! One attempt: where it goes, and what changes for it.
//!
//! Owns paths and headers toward providers. Self-contained, so that an attempt needs neither the policy nor another
//! reading of the body.

use super::PublishedRequest;
use super::messages::VERSION;
use crate::catalog::Price;
use crate::decide::{Candidate, Question, Rest, Thinking, Way, changes, output_limit};
use crate::origin::Origin;
use crate::policy::{Dialect, Provider, Served};
use crate::request::{Api, BETAS, COUNT_TOKENS};

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Name of the model.
    pub model: String,
    /// Envoy cluster.
    pub cluster: String,
    /// The cluster of the next slot, where there is one.
    pub next_cluster: Option<String>,
    /// Wire format.
    pub dialect: Dialect,
    /// `:path`, query included.
    pub path: String,
    /// `:authority`; `None` leaves it as it is.
    pub authority: Option<String>,
    /// The provider's name for the model.
    pub deployment: String,
    /// Parameters that this request has and this model refuses.
    pub drop: Vec<String>,
    /// Parameters that it refuses too, but which ask for what happens anyway.
    pub moot: Vec<String>,
    /// Parameters that this model knows under another name: from, to.
    pub rename: Vec<(String, String)>,
    /// What the effort becomes, where the API calls it otherwise.
    pub effort: Option<String>,
    /// Usage of the stream is asked for on the client's behalf and must be taken out of the answer again.
    pub add_usage: bool,
    /// The provider speaks another API than the one that was called.
    pub translate: Option<Wire>,
    /// What `thinking` becomes in a request that came in Messages.
    pub thinking: Option<Thinking>,
    /// A long prefix is marked for the prompt cache.
    pub cache_prefix: bool,
    /// The features in beta that the provider is asked for, with commas between them.
    pub betas: Option<String>,
    /// The role `developer` becomes `system`.
    pub no_developer: bool,
    /// The mark of ids that this attempt makes, in the Responses API.
    pub mark: String,
    /// Hash of the provider's name, as in [`Origin`].
    pub provider: u32,
    /// It has failed lately: an answer is worth telling.
    pub failed_lately: bool,
    /// `None`: unknown, and not accounted for.
    pub price: Option<Price>,
}

/// What a translated request has to know of its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// In Chat Completions.
    Chat {
        /// What it calls the limit of output tokens.
        limit: String,
        /// It wants earlier reasoning back.
        reasoning: bool,
        /// It can be asked for the usage of a stream.
        usage: bool,
    },
    /// In Messages.
    Messages {
        /// The limit of output tokens of a request that has none.
        max_tokens: u32,
        /// How it is asked to think.
        thinking: Option<Thinking>,
        /// The client asked for usage in its stream.
        include_usage: bool,
    },
}

/// Headers by which clients or earlier attempts may carry credentials or a provider's dialect. Removed on each
/// attempt; Envoy's credential injector then adds the one that this provider needs.
const PROVIDER_HEADERS: [&str; 15] = [
    "authorization",
    "api-key",
    "x-api-key",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "cookie",
    "x-auth-token",
    // Where the client is, is no provider's business.
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    // Would choose whose account of a shared key pays.
    "openai-organization",
    "openai-project",
    // The router's own controls.
    "foundry-features",
    "x-ms-session-id",
    // Would compress the answer, whose model and usage must be read.
    "accept-encoding",
];

/// How the headers begin by which Google's and Amazon's clouds are told who calls, on whose account and how well it is to
/// be served. A client's are removed; what Envoy signs a request with comes after that.
pub const CLOUD_HEADERS: [&str; 2] = ["x-goog-", "x-amz"];

/// Headers of answers that say whose account it is that paid, or that are for the provider's next visitor; no business of
/// clients.
pub const ACCOUNT_HEADERS: [&str; 4] =
    ["openai-organization", "openai-project", "anthropic-organization-id", "set-cookie"];

impl Slot {
    /// The attempt at a candidate; `None` where the provider does not speak the API.
    pub(super) fn of(question: &Question, candidate: &Candidate, endpoint: &str) -> Option<Slot> {
        let Question { policy, request, .. } = question;
        let model = policy.models.get(candidate.model)?;
        let (served, provider) = candidate.place(policy)?;
        let way = question.way(provider)?;
        let mut changes = changes(request, model, provider, &way);
        let mut slot = Slot::at(provider, served, endpoint);
        slot.model = model.name.clone();
        slot.price = model.price.clone();
        let refuses_usage =
            [&model.parameters, &provider.parameters].iter().any(|rules| rules.refuses("stream_options"));
        slot.add_usage = request.api == Api::Chat
            && way == Way::Native
            && request.stream
            && !request.include_usage
            && !refuses_usage;
        if request.api == Api::Responses {
            slot.mark = Origin { candidate: policy.is_candidate, ..Origin::new(&provider.name, &model.name) }.mark();
        }
        slot.no_developer =
            request.corners.developer && (model.parameters.no_developer || provider.parameters.no_developer);
        slot.cache_prefix = provider.prompt_caching;
        slot.failed_lately = candidate.rest != Rest::None;
        let (betas, refused): (Vec<&str>, Vec<&str>) = request
            .betas
            .iter()
            .map(String::as_str)
            .partition(|beta| provider.betas.as_ref().is_none_or(|known| known.iter().any(|known| known == beta)));
        slot.betas = Some(betas.join(",")).filter(|betas| !betas.is_empty());
        if !refused.is_empty() {
            changes.drop.push(BETAS.to_owned());
        }
        if let Way::Translated(wire, _) = way {
            slot.path = path_of(provider, &served.deployment, endpoint_of(wire), request.stream);
            slot.translate = Some(match wire {
                Api::Messages => Wire::Messages {
                    max_tokens: output_limit(request, model),
                    thinking: changes.thinking,
                    include_usage: request.include_usage,
                },
                _ => Wire::Chat {
                    limit: model.parameters.renamed("max_tokens").unwrap_or("max_tokens").to_owned(),
                    reasoning: model.parameters.wants_reasoning,
                    usage: !refuses_usage,
                },
            });
        } else {
            slot.path = path_of(provider, &served.deployment, endpoint, request.stream);
            slot.thinking = changes.thinking;
        }
        Some(Slot { drop: changes.drop, moot: changes.moot, rename: changes.rename, effort: changes.effort, ..slot })
    }

    /// An attempt at a provider, about no model yet.
    pub(super) fn at(provider: &Provider, served: &Served, endpoint: &str) -> Slot {
        Slot {
            model: String::new(),
            cluster: provider.cluster.clone(),
            next_cluster: None,
            dialect: provider.dialect,
            path: path_of(provider, &served.deployment, endpoint, false),
            authority: provider.authority.clone(),
            deployment: served.deployment.clone(),
            drop: Vec::new(),
            moot: Vec::new(),
            rename: Vec::new(),
            effort: None,
            add_usage: false,
            translate: None,
            thinking: None,
            cache_prefix: false,
            betas: None,
            no_developer: false,
            mark: String::new(),
            provider: Origin::new(&provider.name, "").provider,
            failed_lately: false,
            price: None,
        }
    }

    /// By what the model at this provider is known, as in [`Origin::place`].
    pub fn place(&self) -> u64 {
        Origin { provider: self.provider, ..Origin::new("", &self.model) }.place()
    }

    /// The API in which the provider answers a request in this one.
    pub fn wire(&self, api: Api) -> Api {
        match self.translate {
            Some(Wire::Messages { .. }) => Api::Messages,
            Some(Wire::Chat { .. }) => Api::Chat,
            None => api,
        }
    }

    /// Whether a client of this API does not know the provider's words for errors.
    pub fn rewords(&self, api: Api) -> bool {
        let is_cloud = matches!(self.dialect, Dialect::VertexAnthropic | Dialect::BedrockAnthropic);
        match self.translate {
            Some(Wire::Messages { .. }) => true,
            Some(Wire::Chat { .. }) => false,
            None => api == Api::Messages && is_cloud,
        }
    }

    /// The headers that every attempt sets or removes, whatever the attempt before it left.
    /// Each is set where there is a value, else removed, in this order.
    pub fn outgoing<'s>(&'s self, request: &'s PublishedRequest) -> Vec<(&'s str, Option<&'s str>)> {
        let private = request.private.iter().map(String::as_str);
        let mut headers: Vec<_> = PROVIDER_HEADERS.into_iter().chain(private).map(|name| (name, None)).collect();
        headers.push((":path", Some(self.path.as_str())));
        // Where the version stands in the body, Bedrock wants the betas there too.
        let version = request.version.as_deref().unwrap_or(VERSION);
        headers.push(("anthropic-version", (self.dialect == Dialect::Anthropic).then_some(version)));
        let takes_betas = matches!(self.dialect, Dialect::Anthropic | Dialect::VertexAnthropic);
        headers.push((BETAS, self.betas.as_deref().filter(|_| takes_betas)));
        if let Some(authority) = &self.authority {
            headers.push((":authority", Some(authority)));
        }
        headers
    }
}

/// What stands behind the prefix of a path.
pub(super) fn endpoint_of(api: Api) -> &'static str {
    match api {
        Api::Chat => "chat/completions",
        Api::Responses => "responses",
        Api::Messages => "messages",
        // Each has its own.
        Api::Other => "",
    }
}

/// Endpoints that Azure's classic paths do not hang on a deployment.
const WITHOUT_DEPLOYMENT: [&str; 3] = ["responses", "conversations", "moderations"];

/// `:path` of `endpoint` at a provider. Where the path names the model of a Messages request, it also says whether the
/// answer is a stream.
pub(super) fn path_of(provider: &Provider, deployment: &str, endpoint: &str, stream: bool) -> String {
    let base = provider.path.as_str();
    let counts = endpoint == COUNT_TOKENS;
    let first = endpoint.split('/').next().unwrap_or_default();
    match (provider.dialect, &provider.api_version) {
        (Dialect::AzureOpenAi, Some(version)) if WITHOUT_DEPLOYMENT.contains(&first) => {
            [base, "/", endpoint, "?api-version=", version].concat()
        }
        (Dialect::AzureOpenAi, Some(version)) => {
            let deployment = percent_encode(deployment);
            [base, "/deployments/", &deployment, "/", endpoint, "?api-version=", version].concat()
        }
        (Dialect::AzureOpenAi, None) => [base, "/v1/", endpoint].concat(),
        // What counts tokens is called like a model, and takes the model's name in the body.
        (Dialect::VertexAnthropic, _) if counts => {
            format!("{base}/publishers/anthropic/models/count-tokens:rawPredict")
        }
        (Dialect::VertexAnthropic, _) => {
            let method = if stream { "streamRawPredict" } else { "rawPredict" };
            format!("{base}/publishers/anthropic/models/{}:{method}", percent_encode(deployment))
        }
        (Dialect::BedrockAnthropic, _) => {
            let method = if stream { "invoke-with-response-stream" } else { "invoke" };
            format!("{base}/model/{}/{method}", percent_encode(deployment))
        }
        _ => [base, "/", endpoint].concat(),
    }
}

/// Escapes all but the unreserved characters of RFC 3986.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => {
                encoded.push('%');
                encoded.extend(
                    [byte >> 4, byte & 15]
                        .map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default().to_ascii_uppercase()),
                );
            }
        }
        encoded
    })
}
