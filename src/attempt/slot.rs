//! One attempt: where it goes, and what changes for it.
//!
//! Owns paths and headers toward providers. Self-contained, so that an attempt needs neither the policy nor another
//! reading of the body.

use crate::catalog::Price;
use crate::decide::{Candidate, Question, Way, changes};
use crate::origin::Origin;
use crate::policy::{Dialect, Provider, Served};
use crate::request::Api;
use serde::{Deserialize, Serialize};

/// One attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Name of the model.
    pub model: String,
    /// Envoy cluster.
    pub cluster: String,
    /// The cluster of the next slot, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cluster: Option<String>,
    /// Wire format.
    pub dialect: Dialect,
    /// `:path`, query included.
    pub path: String,
    /// `:authority`; `None` leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The provider's name for the model.
    pub deployment: String,
    /// Parameters that this request has and this model refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Parameters that this model knows under another name: from, to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rename: Vec<(String, String)>,
    /// Usage of the stream is asked for on the client's behalf and must be taken out of the answer again.
    pub add_usage: bool,
    /// The provider speaks only Chat Completions, which calls the limit of output tokens this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<String>,
    /// The mark of ids that this attempt makes, in the Responses API.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// Hash of the provider's name, as in [`Origin`].
    pub provider: u32,
    /// `None`: unknown, and not accounted for.
    pub price: Option<Price>,
}

/// Headers by which clients or earlier attempts may carry credentials or a provider's dialect. Removed on each
/// attempt; Envoy's credential injector then adds the one that this provider needs.
const PROVIDER_HEADERS: [&str; 13] = [
    "authorization",
    "api-key",
    "x-api-key",
    "ocp-apim-subscription-key",
    "anthropic-version",
    "anthropic-beta",
    "proxy-authorization",
    "cookie",
    // Would choose whose account of a shared key pays.
    "openai-organization",
    "openai-project",
    // The router's own controls.
    "foundry-features",
    "x-ms-session-id",
    // Would compress the answer, whose model and usage must be read.
    "accept-encoding",
];

impl Slot {
    /// The attempt at a candidate; `None` where the provider does not speak the API.
    pub(super) fn of(question: &Question, candidate: &Candidate, endpoint: &str) -> Option<Slot> {
        let Question { policy, request, .. } = question;
        let model = policy.models.get(candidate.model)?;
        let (served, provider) = candidate.place(policy)?;
        let way = question.way(provider)?;
        let changes = changes(request, model, &way);
        let chat = request.api == Api::Chat;
        let mut slot = Slot::at(provider, served, endpoint);
        slot.model = model.name.clone();
        slot.price = model.price.clone();
        slot.add_usage =
            chat && request.stream && !request.include_usage && !model.parameters.refuses("stream_options");
        if request.api == Api::Responses {
            slot.mark = Origin::new(&provider.name, &model.name).mark();
        }
        if let Way::Translated(_) = way {
            slot.path = provider_path(provider, &served.deployment, endpoint_of(Api::Chat));
            let renamed = model.parameters.rename.iter().find(|(from, _)| from == "max_tokens");
            slot.translate = Some(renamed.map_or("max_tokens", |(_, to)| to).to_owned());
        }
        Some(Slot { drop: changes.drop, rename: changes.rename, ..slot })
    }

    /// An attempt at a provider, about no model yet.
    pub(super) fn at(provider: &Provider, served: &Served, endpoint: &str) -> Slot {
        Slot {
            model: String::new(),
            cluster: provider.cluster.clone(),
            next_cluster: None,
            dialect: provider.dialect,
            path: provider_path(provider, &served.deployment, endpoint),
            authority: provider.authority.clone(),
            deployment: served.deployment.clone(),
            drop: Vec::new(),
            rename: Vec::new(),
            add_usage: false,
            translate: None,
            mark: String::new(),
            provider: Origin::new(&provider.name, "").provider,
            price: None,
        }
    }

    /// The headers that every attempt sets or removes, whatever the attempt before it left.
    /// Each is set where there is a value, else removed, in this order.
    pub fn outgoing(&self) -> Vec<(&'static str, Option<&str>)> {
        let mut headers: Vec<_> = PROVIDER_HEADERS.iter().map(|name| (*name, None)).collect();
        headers.push((":path", Some(self.path.as_str())));
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

/// `:path` of `endpoint` at a provider.
pub(super) fn provider_path(provider: &Provider, deployment: &str, endpoint: &str) -> String {
    let base = &provider.path;
    let first = endpoint.split('/').next().unwrap_or_default();
    match (provider.dialect, &provider.api_version) {
        (Dialect::AzureOpenAi, Some(version)) if WITHOUT_DEPLOYMENT.contains(&first) => {
            format!("{base}/{endpoint}?api-version={version}")
        }
        (Dialect::AzureOpenAi, Some(version)) => {
            let deployment = percent_encode(deployment);
            format!("{base}/deployments/{deployment}/{endpoint}?api-version={version}")
        }
        (Dialect::AzureOpenAi, None) => format!("{base}/v1/{endpoint}"),
        _ => format!("{base}/{endpoint}"),
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
