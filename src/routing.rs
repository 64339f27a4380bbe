//! The way of a request through the pure modules, in two steps: what its head says, and what its body says.
//!
//! Owns the order of these steps and nothing else. The filter and the command-line companion both call them, so that an
//! explanation and production cannot differ.

use crate::attempt::{Brief, brief};
use crate::decide::{Caller, Plan, asked, plan};
use crate::policy::{Policy, UnknownPaths};
use crate::request::{Request, Shape, Target, read_chat, target};
use crate::response::error::ErrorReply;

/// What the head of a request says about its way.
#[derive(Debug)]
pub enum Head<'a> {
    /// None of the router's business.
    Pass,
    /// A model API: go on with the body.
    Api(Target<'a>),
    /// Refused, in the given shape.
    Refused(Shape, ErrorReply),
}

/// Headers of a request that routing reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadView<'a> {
    /// `:method`
    pub method: &'a str,
    /// `:path`, with its query.
    pub path: &'a str,
    /// `content-type`
    pub content_type: Option<&'a str>,
    /// `content-encoding`
    pub content_encoding: Option<&'a str>,
}

/// Judges the head of a request.
pub fn head<'a>(policy: &Policy, head: HeadView<'a>) -> Head<'a> {
    let Some(target) = target(head.path) else {
        return match policy.unknown_paths {
            UnknownPaths::Pass => Head::Pass,
            UnknownPaths::Reject => Head::Refused(
                Shape::OpenAi,
                ErrorReply::new(404, "unknown_path", "There is no such API on this router."),
            ),
        };
    };
    let refuse = |status, code, message: &str| Head::Refused(target.shape, ErrorReply::new(status, code, message));
    if head.method != "POST" {
        return refuse(405, "method_not_allowed", "This API is called with POST.");
    }
    if head.content_encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return refuse(415, "unsupported_encoding", "The body must not be compressed.");
    }
    if !head.content_type.is_none_or(is_json) {
        return refuse(415, "unsupported_media_type", "The content type must be application/json.");
    }
    Head::Api(target)
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// A request with its plan.
#[derive(Debug)]
pub struct Routed<'a> {
    /// The request as read.
    pub request: Request<'a>,
    /// The decision.
    pub plan: Plan,
    /// What the attempts need.
    pub brief: Brief,
}

/// Decides on a body. `deployment` is the path's, if it names one.
///
/// # Errors
/// The error that the client gets; no provider is called.
pub fn route<'a>(
    policy: &Policy,
    deployment: Option<&str>,
    body: &'a [u8],
    caller: Caller,
) -> Result<Routed<'a>, ErrorReply> {
    let request = read_chat(body)?;
    let refused = |refusal| ErrorReply::of_refusal(refusal, policy);
    let asked = asked(policy, deployment.or(request.model.as_deref()), caller).map_err(refused)?;
    let plan = plan(policy, &request, asked, caller).map_err(refused)?;
    let brief = brief(policy, &request, &plan);
    Ok(Routed { request, plan, brief })
}
