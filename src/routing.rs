//! The way of a request through the pure modules, in two steps: what its head says, and what its body says.
//!
//! Owns the order of these steps and nothing else. The filter and the command-line companion both call them, so that an
//! explanation and production cannot differ.

use crate::attempt::{Brief, brief, brief_for_kept};
use crate::decide::rollout::{Shadow, split};
use crate::decide::{
    Asked, Caller, Memory, Plan, Question, Session, Terms, Translations, asked, keeper, plan, reading,
};
use crate::listing::{self, Listing};
use crate::policy::{Policy, UnknownPaths};
use crate::request::{
    Api, BETAS, Controls, Endpoint, Kept, Members, Request, Shape, betas, boundary, read_chat, read_controls,
    read_form, read_members, read_messages, read_named, read_responses, shape_of_unknown, target,
};
use crate::response::error::ErrorReply;
use crate::translate::{self, Translation};

/// What the head of a request says about its way.
#[derive(Debug)]
pub enum Head {
    /// None of the router's business.
    Pass,
    /// A model API: go on with the body.
    Call(Box<Call>),
    /// For a provider that keeps something: the body goes through as it is.
    Kept(Box<Brief>),
    /// Answered here, with JSON.
    Answer(String),
    /// Refused, in the given shape.
    Refused(Shape, ErrorReply),
}

/// A call of a model API, as its head describes it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The API; `None` where the body tells, as in explanations.
    pub api: Option<Api>,
    /// The path behind the prefix, where the API has several.
    pub endpoint: Option<&'static str>,
    /// Whose shape errors take.
    pub shape: Shape,
    /// The boundary of a form; `None`: the body is JSON.
    pub form: Option<String>,
    /// The deployment in the path; it beats the body's model.
    pub deployment: Option<String>,
    /// On whose behalf.
    pub caller: Caller,
    /// Whether the client opted in to `routing_config` and details.
    pub controls: bool,
    /// The session id in a header.
    pub session: Option<String>,
    /// The version of Anthropic's API that the client speaks.
    pub messages_version: Option<String>,
    /// The features of it in beta that the client asks for, with commas between them.
    pub betas: Option<String>,
    /// The decision is wanted, no answer.
    pub explain: bool,
}

impl Call {
    /// A call of `api` whose head says nothing more.
    pub fn of(api: Api, caller: Caller) -> Call {
        Call {
            api: Some(api),
            endpoint: None,
            shape: Shape::OpenAi,
            form: None,
            deployment: None,
            caller,
            controls: false,
            session: None,
            messages_version: None,
            betas: None,
            explain: false,
        }
    }

    /// What is done, by the names of OpenTelemetry's conventions for generative AI; what has none there by its path.
    pub fn operation(&self) -> Option<&'static str> {
        match (self.api?, self.endpoint) {
            (Api::Other, Some("completions")) => Some("text_completion"),
            (Api::Other, endpoint) => endpoint,
            (_, endpoint) => endpoint.or(Some("chat")),
        }
    }
}

/// Judges the head of a request. `header` gives the value of a header, or of `:method` and `:path`, by its lower-case
/// name.
pub fn head<'h>(policy: &Policy, header: &dyn Fn(&str) -> Option<&'h str>) -> Head {
    let path = header(":path").unwrap_or_default();
    let Some(mut target) = target(path) else {
        return match policy.unknown_paths {
            UnknownPaths::Pass => Head::Pass,
            UnknownPaths::Reject => Head::Refused(
                shape_of_unknown(path),
                ErrorReply::new(404, "unknown_path", "There is no such API on this router."),
            ),
        };
    };
    let caller = Caller::identify(policy, header);
    // What both APIs have at the same path is told apart by the header that only Anthropic's clients send.
    let both = matches!(target.endpoint, Endpoint::Models | Endpoint::Entry(_) | Endpoint::Explain);
    if both && target.shape == Shape::OpenAi && header(VERSION).is_some() {
        target.shape = Shape::Anthropic;
    }
    if caller == Caller::Nobody {
        let named = policy.consumer_headers().any(|name| header(name).is_some());
        return Head::Refused(target.shape, ErrorReply::of_nobody(named));
    }
    let (api, endpoint) = match &target.endpoint {
        Endpoint::Model(api) => (Some(*api), None),
        Endpoint::Named(name) if name.starts_with("responses/") => (Some(Api::Responses), Some(*name)),
        Endpoint::Named(name) if name.starts_with("messages/") => (Some(Api::Messages), Some(*name)),
        Endpoint::Named(name) => (Some(Api::Other), Some(*name)),
        Endpoint::Explain => (None, None),
        Endpoint::Kept(kept) => {
            if !kept.allows(header(":method").unwrap_or_default()) {
                return Head::Refused(
                    target.shape,
                    ErrorReply::new(405, "method_not_allowed", "This API is not called with this method."),
                );
            }
            return match brief_of_kept(policy, kept, caller, target.query) {
                Ok(Some(brief)) => Head::Kept(Box::new(brief)),
                Ok(None) => Head::Refused(target.shape, ErrorReply::of_envoy(503)),
                Err(error) => Head::Refused(target.shape, error),
            };
        }
        Endpoint::Models => return answer(policy, caller, &target, &Listing::All, header),
        Endpoint::Entry(name) => return answer(policy, caller, &target, &Listing::Entry(name), header),
        Endpoint::Info => return answer(policy, caller, &target, &Listing::Info, header),
    };
    // Only some of the endpoints that take a model's name take forms.
    let form = header("content-type").and_then(boundary).filter(|_| api == Some(Api::Other));
    if let Err(error) = check_head(header, form.is_some()) {
        return Head::Refused(target.shape, error);
    }
    let opted_in =
        header("foundry-features").is_some_and(|features| features.split(',').any(|it| it.trim() == CONTROLS));
    // No other API has these two.
    let anthropic = |name| header(name).filter(|_| matches!(api, None | Some(Api::Messages))).map(Into::into);
    Head::Call(Box::new(Call {
        api,
        endpoint,
        shape: target.shape,
        form: form.map(Into::into),
        deployment: target.deployment.map(Into::into),
        caller,
        controls: opted_in,
        session: header("x-ms-session-id").map(Into::into),
        messages_version: anthropic(VERSION),
        betas: anthropic(BETAS),
        explain: api.is_none(),
    }))
}

/// The feature that a client opts in to.
const CONTROLS: &str = "ModelRouterControls=V1Preview";
/// The header with the version of Anthropic's API.
const VERSION: &str = "anthropic-version";

/// The values of the header `name`, which a request may have several times, as the one that means the same.
pub fn joined(headers: &[(&str, &str)], name: &str) -> Option<String> {
    let values: Vec<&str> = headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// A provider may serve models of the candidate only.
fn brief_of_kept(policy: &Policy, kept: &Kept, caller: Caller, query: &str) -> Result<Option<Brief>, ErrorReply> {
    let under =
        |policy| keeper(policy, kept, caller).map(|keeper| brief_for_kept(policy, caller, &keeper, kept, query));
    let candidate = || policy.rollout.as_ref().and_then(|rollout| under(&rollout.policy).ok());
    under(policy).or_else(|refusal| candidate().ok_or_else(|| ErrorReply::of_refusal(refusal, policy)))
}

fn answer<'h>(
    policy: &Policy,
    caller: Caller,
    target: &crate::request::Target,
    listing: &Listing,
    header: &dyn Fn(&str) -> Option<&'h str>,
) -> Head {
    if !matches!(header(":method"), Some("GET" | "HEAD")) {
        return Head::Refused(target.shape, ErrorReply::new(405, "method_not_allowed", "This API is called with GET."));
    }
    match listing::list(policy, caller, listing, target.shape) {
        Ok(text) => Head::Answer(text),
        Err(refusal) => Head::Refused(target.shape, ErrorReply::of_refusal(refusal, policy)),
    }
}

/// The rules for the head of a request with a body.
fn check_head<'h>(header: &dyn Fn(&str) -> Option<&'h str>, is_form: bool) -> Result<(), ErrorReply> {
    let refuse = |status, code, message: &str| Err(ErrorReply::new(status, code, message));
    if header(":method") != Some("POST") {
        return refuse(405, "method_not_allowed", "This API is called with POST.");
    }
    if header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return refuse(415, "unsupported_encoding", "The body must not be compressed.");
    }
    if !is_form && !header("content-type").is_none_or(is_json) {
        return refuse(415, "unsupported_media_type", "The content type must be application/json.");
    }
    Ok(())
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// A request with its plan.
#[derive(Debug)]
pub struct Routed<'p, 'a> {
    /// The policy that decided: a candidate, or the one that has it.
    pub policy: &'p Policy,
    /// What the other one would have done, where there is one and a router chose.
    pub shadow: Option<Shadow<'p>>,
    /// The request as read.
    pub request: Request<'a>,
    /// On which terms it was decided.
    pub terms: Terms<'p>,
    /// The decision.
    pub plan: Plan,
    /// What the attempts need.
    pub brief: Brief,
}

/// Decides on a body.
///
/// # Errors
/// The error that the client gets; no provider is called.
pub fn route<'p, 'a>(
    policy: &'p Policy,
    call: &Call,
    body: &'a [u8],
    memory: Memory,
) -> Result<Routed<'p, 'a>, ErrorReply> {
    let mut request = read(call, body)?;
    if request.api == Api::Messages {
        request.betas = betas(&request, call.betas.as_deref());
    }
    let controls = controls(call, &request);
    let ids = (controls.as_ref().ok().and_then(Option::as_ref), call.session.as_deref());
    let (policy, other) = split(policy, &request, ids);
    let case = Case { call, request: &request, controls: &controls, memory };
    let (asked, terms) = case.terms(policy)?;
    // What only works on a request answers nobody.
    let session = || Session::of(policy, &request, &terms, call.caller, ids, memory.recall);
    let session = if call.endpoint.is_none() { session() } else { None };
    // They depend on the providers, which a policy and its candidate share.
    let translations = translations(policy, &request, call.endpoint)?;
    let question = case.question(policy, &terms, &translations);
    let plan = plan(&question, reading(policy, &request), asked, session)
        .map_err(|refusal| ErrorReply::of_refusal(refusal, policy))?;
    let shadow = other.filter(|_| terms.router.is_some()).map(|other| case.shadow(other, &question, &plan));
    let mut brief = brief(&question, &plan);
    brief.request.form.clone_from(&call.form);
    if request.api == Api::Messages {
        brief.request.version.clone_from(&call.messages_version);
    }
    Ok(Routed { policy, shadow, brief, terms, plan, request })
}

/// A request to be decided, under one policy or two.
struct Case<'c, 'a> {
    call: &'c Call,
    request: &'c Request<'a>,
    controls: &'c Result<Option<Controls>, ErrorReply>,
    memory: Memory<'c>,
}

impl<'c, 'a> Case<'c, 'a> {
    /// What is asked for, and on which terms.
    fn terms<'p>(&self, policy: &'p Policy) -> Result<(Asked, Terms<'p>), ErrorReply> {
        let Case { call, request, controls, .. } = self;
        let refused = |refusal| ErrorReply::of_refusal(refusal, policy);
        let name = call.deployment.as_deref().or(request.model.as_deref());
        let asked = asked(policy, name, call.caller).map_err(refused)?;
        if let (Api::Other, Some(_)) = (request.api, asked.router()) {
            return Err(refused(crate::decide::Refusal::NeedsModel));
        }
        let controls = controls.as_ref().map_err(Clone::clone)?;
        Ok((asked, Terms::new(policy, asked, call.caller, controls.as_ref()).map_err(refused)?))
    }

    fn question<'q>(
        &'q self,
        policy: &'q Policy,
        terms: &'q Terms,
        translations: &'q Translations,
    ) -> Question<'q, 'a> {
        let Case { call, request, memory, .. } = self;
        let (endpoint, cooldowns, caller) = (call.endpoint, memory.cooldowns, call.caller);
        Question { policy, request, endpoint, translations, terms, cooldowns, caller }
    }

    /// What another policy would do with it, as it was `served`: with the same reading, the same conversation.
    fn shadow<'p>(&self, policy: &'p Policy, served: &Question, as_served: &Plan) -> Shadow<'p> {
        let decide = || {
            let (asked, terms) = self.terms(policy)?;
            let session = as_served.session.map(|session| session.under(served.policy, policy, terms.affinity));
            let question = Question { policy, terms: &terms, ..*served };
            plan(&question, as_served.reading, asked, session)
                .map_err(|refusal| ErrorReply::of_refusal(refusal, policy))
        };
        Shadow { policy, decided: decide().map_err(|error| error.code) }
    }
}

fn read<'a>(call: &Call, body: &'a [u8]) -> Result<Request<'a>, ErrorReply> {
    let api = match call.api {
        Some(api) => api,
        None => api_of(call, body, &read_members(body)?),
    };
    Ok(match api {
        Api::Chat => read_chat(body),
        Api::Responses => read_responses(body),
        Api::Messages => read_messages(body),
        Api::Other => match &call.form {
            Some(boundary) => read_form(body, boundary),
            None => read_named(body),
        },
    }?)
}

/// The API of a request that is to be explained: Responses has no `messages`, and Chat Completions neither a version nor
/// a system prompt of its own.
fn api_of(call: &Call, body: &[u8], members: &Members) -> Api {
    let has = |name| members.get(body, name).is_some();
    match has("messages") {
        true if call.messages_version.is_some() || has("system") || has("anthropic_version") => Api::Messages,
        true => Api::Chat,
        false => Api::Responses,
    }
}

/// `routing_config`, where the client opted in.
fn controls(call: &Call, request: &Request) -> Result<Option<Controls>, ErrorReply> {
    let member = request.members.get(request.body, "routing_config").filter(|_| call.controls);
    let Some(text) = member.map(|member| member.value.of(request.body)).filter(|text| *text != b"null") else {
        return Ok(None);
    };
    Ok(Some(read_controls(text)?))
}

/// What the request is for providers that speak another API, where the policy has any.
fn translations(policy: &Policy, request: &Request, endpoint: Option<&str>) -> Result<Translations, ErrorReply> {
    let in_api = |wire: Api| {
        let needed = wire != request.api && policy.providers.iter().any(|it| it.wire(request.api) == Some(wire));
        match endpoint {
            _ if !needed => Ok(Translation::default()),
            Some(_) => Ok(Translation { obstacle: Some("model".into()), ..Translation::default() }),
            None => translate::check(request.api, wire, request.body, &request.members, request.plain_input),
        }
    };
    Ok(Translations { chat: in_api(Api::Chat)?, messages: in_api(Api::Messages)? })
}

#[cfg(test)]
mod tests;
