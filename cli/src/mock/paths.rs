//! Which of the many forms of a Chat Completions path a request uses (FACTS §8). Reads method and URI only.

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

/// What a request asks of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A chat completion; the deployment named in the path, if any, wins over the body's model.
    Chat {
        /// Decoded, as it stands in `/openai/deployments/{deployment}/…`.
        deployment: Option<String>,
    },
    /// The list of models.
    Models,
    /// A deployment path without `api-version`, which Azure does not find.
    NoApiVersion,
    /// `/_mock/{what}`: the mock itself, not the provider.
    Control(String),
    /// Nothing a provider would answer.
    Unknown,
}

/// The route of a request.
pub fn route(method: &Method, uri: &Uri) -> Route {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    match (method, segments.as_slice()) {
        (_, ["_mock", rest @ ..]) => Route::Control(rest.join("/")),
        (
            &Method::POST,
            ["chat", "completions"]
            | ["v1" | "models", "chat", "completions"]
            | ["openai", "v1", "chat", "completions"]
            | ["api", "projects", _, "openai", "v1", "chat", "completions"],
        ) => Route::Chat { deployment: None },
        (&Method::POST, ["openai", "deployments", deployment, "chat", "completions"]) => {
            if !has_api_version(uri) {
                return Route::NoApiVersion;
            }
            let deployment = percent_decode_str(deployment).decode_utf8_lossy().into_owned();
            Route::Chat { deployment: Some(deployment) }
        }
        (&Method::GET, ["v1", "models"] | ["openai", "v1", "models"]) => Route::Models,
        _ => Route::Unknown,
    }
}

fn has_api_version(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.strip_prefix("api-version=").is_some_and(|version| !version.is_empty()))
}
