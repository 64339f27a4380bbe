//! What the route plugin leaves for the attempts: the plan, ready to be carried out.
//!
//! Self-contained, so that an attempt needs neither the policy nor another reading of the body, and a policy that
//! changes between the two cannot tear them apart. Published as lines of JSON, the request first and then a line per
//! slot, because an attempt reads only its own.

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
    /// Mode, or `direct`; no business of an attempt.
    #[serde(skip)]
    pub mode: &'static str,
    /// Why slot 1 was chosen; no business of an attempt.
    #[serde(skip)]
    pub reason: &'static str,
    /// USD per million input tokens on top of the price.
    pub fee: f64,
    /// Price of the router's baseline model.
    pub baseline: Option<Price>,
    /// In the order of attempts; lines of their own.
    #[serde(skip)]
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
    /// `None`: unknown, and not accounted for.
    pub price: Option<Price>,
}

impl Brief {
    /// The lines that attempts read.
    pub fn publish(&self) -> Vec<u8> {
        // A `Vec` takes every write and none of these types can fail to serialise.
        let mut lines = serde_json::to_vec(self).unwrap_or_default();
        for slot in &self.slots {
            lines.push(b'\n');
            let _ = serde_json::to_writer(&mut lines, slot);
        }
        lines
    }

    /// The request's part of the published lines, and the slot of attempt `number` (from 1), which Envoy has sent to
    /// `cluster`. An Envoy that does not choose the cluster anew on a retry comes to another cluster than the plan says;
    /// then that cluster's first slot counts. `None` where the cluster is not in the plan.
    pub fn at_attempt(lines: &[u8], number: u64, cluster: &[u8]) -> Option<(Brief, Slot)> {
        let mut lines = lines.split(|byte| *byte == b'\n');
        let brief = serde_json::from_slice(lines.next()?).ok()?;
        let read = |line: &[u8]| serde_json::from_slice::<Slot>(line).ok();
        let here = |slot: &Slot| slot.cluster.as_bytes() == cluster;
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let planned = lines.clone().nth(index).and_then(read).filter(here);
        let slot = planned.or_else(|| lines.filter_map(read).find(here))?;
        Some((brief, slot))
    }
}

/// How the attempts of a request went so far; each attempt leaves it for the next and for the route plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// Number of the latest attempt, from 1.
    pub number: u64,
    /// Its model.
    pub model: String,
    /// Parameters that it left out, separated by commas.
    pub dropped: String,
    /// `gpt-5-mini=503,gpt-5`: how each ended. One without a result has none yet, or was followed by another: then
    /// nobody answered it.
    pub trace: String,
}

impl Attempted {
    /// The next attempt, after `self`.
    pub fn next(self, number: u64, slot: &Slot) -> Self {
        let mut trace = self.trace;
        if !trace.is_empty() {
            trace = format!("{},", with_result(trace, NO_RESPONSE));
        }
        Attempted { number, model: slot.model.clone(), dropped: slot.drop.join(","), trace: trace + &slot.model }
    }

    /// Notes how the latest attempt ended.
    pub fn ended(&mut self, result: &str) {
        self.trace = with_result(core::mem::take(&mut self.trace), result);
    }

    /// How the attempt before the latest one ended; `None` where there was none.
    pub fn failure_before(&self) -> Option<&str> {
        let (before, _) = self.trace.rsplit_once(',')?;
        let last = before.rsplit_once(',').map_or(before, |(_, last)| last);
        last.split_once('=').map(|(_, result)| result)
    }
}

/// What stands in the trace of an attempt that nobody answered.
const NO_RESPONSE: &str = "no_response";

/// The trace with a result for its last attempt, where it has none.
fn with_result(trace: String, result: &str) -> String {
    let last = trace.rsplit(',').next().unwrap_or_default();
    if last.contains('=') { trace } else { format!("{trace}={result}") }
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

/// Makes ready what the attempts of `plan` need.
pub fn brief(policy: &Policy, request: &Request, plan: &Plan) -> Brief {
    let router = plan.router.and_then(|router| policy.routers.get(router));
    let slots = plan.candidates.iter().take(policy.max_attempts).filter_map(|candidate| {
        let model = policy.models.get(candidate.model)?;
        let (served, provider) = candidate.place(policy)?;
        let parameters::Changes { drop, rename } = parameters::changes(request, model);
        Some(Slot {
            model: model.name.clone(),
            cluster: provider.cluster.clone(),
            next_cluster: None,
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
    let mut slots: Vec<Slot> = slots.collect();
    let clusters: Vec<String> = slots.iter().skip(1).map(|slot| slot.cluster.clone()).collect();
    slots.iter_mut().zip(clusters).for_each(|(slot, next)| slot.next_cluster = Some(next));
    Brief {
        slots,
        router: router.map_or_else(String::new, |router| router.name.clone()),
        mode: mode_name(policy, plan),
        reason: plan.reason.code(),
        fee: router.map_or(0.0, |router| router.fee),
        baseline: router.and_then(|router| policy.models.get(router.baseline?)?.price.clone()),
        request: PublishedRequest { api: request.api, stream: request.stream, members: request.members.clone() },
    }
}

fn provider_path(provider: &Provider, served: &Served, api: Api) -> String {
    let base = &provider.path;
    let endpoint = match api {
        Api::Chat => "chat/completions",
        Api::Responses => "responses",
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
