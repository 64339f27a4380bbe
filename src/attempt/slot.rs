//! What the route plugin leaves for the attempts: the plan, ready to be carried out.
//!
//! Self-contained, so that an attempt needs neither the policy nor another reading of the body, and a policy that
//! changes between the two cannot tear them apart.

use super::parameters;
use crate::catalog::Price;
use crate::decide::{Plan, mode_name};
use crate::policy::{Dialect, Policy, Provider, Served};
use crate::request::{Api, Members, Request};
use serde::{Deserialize, Serialize};

/// A plan as published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// Of the request.
    pub request: PublishedRequest,
    /// Router, or empty where the client named a model.
    pub router: String,
    /// Mode, or `direct`.
    pub mode: String,
    /// Why slot 1 was chosen.
    pub reason: String,
    /// USD per million input tokens on top of the price.
    pub fee: f64,
    /// Price of the router's baseline model.
    pub baseline: Option<Price>,
    /// In the order of attempts.
    pub slots: Vec<Slot>,
}

/// What attempts need to know of the client's request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedRequest {
    /// The API that was called.
    pub api: Api,
    /// Where the body's members are.
    pub members: Members,
    /// The answer is a stream.
    pub stream: bool,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Name of the model.
    pub model: String,
    /// Name of the provider.
    pub provider: String,
    /// Envoy cluster.
    pub cluster: String,
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
    /// Parameters that this model knows under another name: from, to.
    pub rename: Vec<(String, String)>,
    /// Usage of the stream is asked for on the client's behalf and must be taken out of the answer again.
    pub add_usage: bool,
    /// `None`: unknown, and not accounted for.
    pub price: Option<Price>,
}

/// Headers of an attempt: set where there is a value, else removed.
pub struct Outgoing<'a> {
    /// Name and value, in the order in which they are applied.
    pub headers: Vec<(&'static str, Option<&'a str>)>,
}

/// Headers by which clients or earlier attempts may carry credentials or a provider's dialect. Removed on each
/// attempt; Envoy's credential injector then adds the one that this provider needs.
const PROVIDER_HEADERS: [&str; 7] = [
    "authorization",
    "api-key",
    "x-api-key",
    "ocp-apim-subscription-key",
    "anthropic-version",
    "anthropic-beta",
    // Would compress the answer, whose model and usage must be read.
    "accept-encoding",
];

impl Slot {
    /// The headers that every attempt sets or removes, whatever the attempt before it left.
    pub fn outgoing(&self) -> Outgoing<'_> {
        let mut headers: Vec<_> = PROVIDER_HEADERS.iter().map(|name| (*name, None)).collect();
        headers.push((":path", Some(self.path.as_str())));
        if let Some(authority) = &self.authority {
            headers.push((":authority", Some(authority)));
        }
        Outgoing { headers }
    }
}

/// Makes ready what the attempts of `plan` need.
pub fn brief(policy: &Policy, request: &Request, plan: &Plan) -> Brief {
    let router = plan.router.and_then(|router| policy.routers.get(router));
    let slots = plan.candidates.iter().take(policy.max_attempts).filter_map(|candidate| {
        let model = policy.models.get(candidate.model)?;
        let (served, provider) = candidate.place(policy)?;
        let parameters::Changes { drop, rename } = parameters::changes(request, model);
        Some(Slot {
            model: model.name.clone(),
            provider: provider.name.clone(),
            cluster: provider.cluster.clone(),
            dialect: provider.dialect,
            path: provider_path(provider, served, request.api),
            authority: provider.authority.clone(),
            deployment: served.deployment.clone(),
            drop,
            rename,
            add_usage: request.stream && !request.include_usage && !model.parameters.refuses("stream_options"),
            price: model.price.clone(),
        })
    });
    Brief {
        slots: slots.collect(),
        router: router.map_or_else(String::new, |router| router.name.clone()),
        mode: mode_name(policy, plan).into(),
        reason: plan.reason.code().into(),
        fee: router.map_or(0.0, |router| router.fee),
        baseline: router.and_then(|router| policy.models.get(router.baseline?)?.price.clone()),
        request: PublishedRequest { api: request.api, stream: request.stream, members: request.members.clone() },
    }
}

fn provider_path(provider: &Provider, served: &Served, api: Api) -> String {
    let base = &provider.path;
    let endpoint = match api {
        Api::Chat => "chat/completions",
    };
    match (provider.dialect, &provider.api_version) {
        (Dialect::AzureOpenAi, Some(version)) => {
            let deployment = percent_encode(&served.deployment);
            format!("{base}/deployments/{deployment}/{endpoint}?api-version={version}")
        }
        (Dialect::AzureOpenAi, None) => format!("{base}/v1/{endpoint}"),
        (Dialect::OpenAi | Dialect::Anthropic, _) => format!("{base}/{endpoint}"),
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
