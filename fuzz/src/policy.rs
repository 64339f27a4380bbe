//! Policies: any bytes are one, or are refused with reasons; what is one can be used.

use super::json::is_json;
use model_router::decide::{Caller, Memory};
use model_router::explain::explain;
use model_router::policy::Policy;
use model_router::request::Api;
use model_router::routing::{Call, head};

const BODY: &[u8] = br#"{"model":"model-router","messages":[{"role":"user","content":"x"}],"tools":[{}],"stop":"x"}"#;

/// Reads `data` as a policy.
pub fn run(data: &[u8]) {
    match Policy::parse(data) {
        Err(errors) => assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty())),
        Ok(policy) => {
            let explanation = explain(&policy, &Call::of(Api::Chat, Caller::Anyone), BODY, Memory::NONE);
            assert!(is_json(&serde_json::to_vec(&explanation).unwrap()));
            for path in ["/v1/models", "/v1/responses/resp_1", "/v1/chat/completions"] {
                let _ = head(&policy, &|name| if name == ":path" { Some(path) } else { Some("GET") });
            }
        }
    }
}
