//! Paths of model APIs.
//!
//! Owns which path means which API, whose error shape it implies, and the deployment that a path may name. Never reads
//! a body.

use super::{Api, Shape};
use std::borrow::Cow;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The API.
    pub api: Api,
    /// Whose shape errors take.
    pub shape: Shape,
    /// The deployment in the path, percent-decoded; it beats the body's model.
    pub deployment: Option<Cow<'a, str>>,
}

/// Reads a `:path` (query included); `None` where it is no model API.
///
/// Forms: `/v1`, `/openai/v1`, `/models`, `/api/projects/{project}/openai/v1`, `/openai/deployments/{deployment}` or
/// nothing, each before `/chat/completions`.
pub fn target(path: &str) -> Option<Target<'_>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let prefix = path.strip_suffix("/chat/completions")?;
    let has_api_version = query.split('&').any(|pair| pair.starts_with("api-version="));
    let (shape, deployment) = match prefix {
        "/v1" => (Shape::OpenAi, None),
        "" if !has_api_version => (Shape::OpenAi, None),
        "" | "/models" | "/openai/v1" => (Shape::Azure, None),
        _ => (Shape::Azure, azure_prefix(prefix)?),
    };
    Some(Target { api: Api::Chat, shape, deployment })
}

/// `Some(deployment)` for the longer forms of Azure's paths.
fn azure_prefix(prefix: &str) -> Option<Option<Cow<'_, str>>> {
    if let Some(deployment) = prefix.strip_prefix("/openai/deployments/") {
        return (!deployment.is_empty() && !deployment.contains('/')).then(|| Some(percent_decode(deployment)));
    }
    let project = prefix.strip_prefix("/api/projects/")?.strip_suffix("/openai/v1")?;
    (!project.is_empty() && !project.contains('/')).then_some(None)
}

/// Undoes `%41`; what is no valid escape stays, and what is no UTF-8 is replaced.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escape = after
            .first_chunk::<2>()
            .filter(|_| first == b'%')
            .and_then(|&[high, low]| Some((char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?) as u8));
        match escape {
            Some(byte) => {
                decoded.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => decoded.push(first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}
