use super::*;
use crate::decide::Memory;
use crate::explain::explain;
use crate::origin::Origin;
use serde_json::{Value, json};

fn policy(unknown_paths: &str) -> Policy {
    let config = json!({
        "unknown_paths": unknown_paths,
        "routers": [{"name": "model-router", "mode": "balanced", "subset": ["gpt-5-mini"]}],
        "models": [{"name": "gpt-5-mini", "served_by": [{"provider": "openai"}]}],
        "providers": [{"name": "openai", "cluster": "openai", "dialect": "openai"}]
    });
    Policy::from_value(&config).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn asked(path: &str, headers: &[(&str, &str)]) -> Head {
    let method = if path.contains("models") { "GET" } else { "POST" };
    let given = [(":path", path), (":method", method)];
    let all: Vec<(&str, &str)> = headers.iter().chain(&given).copied().collect();
    head(&policy("reject"), &|name| all.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
}

fn call(path: &str, headers: &[(&str, &str)]) -> Call {
    match asked(path, headers) {
        Head::Call(call) => *call,
        other => panic!("{other:?}"),
    }
}

const VERSION_HEADER: (&str, &str) = ("anthropic-version", "2023-06-01");
const HEADERS: [(&str, &str); 2] = [VERSION_HEADER, ("anthropic-beta", "a-1,b-2")];

#[test]
fn a_call_of_messages_keeps_its_version_and_betas() {
    for path in ["/v1/messages?beta=true", "/anthropic/v1/messages"] {
        let call = call(path, &HEADERS);
        assert_eq!((call.api, call.endpoint, call.shape), (Some(Api::Messages), None, Shape::Anthropic));
        assert_eq!(call.messages_version.as_deref(), Some("2023-06-01"));
        assert_eq!(call.betas.as_deref(), Some("a-1,b-2"));
    }
    let count = call("/v1/messages/count_tokens", &HEADERS);
    assert_eq!((count.api, count.endpoint), (Some(Api::Messages), Some("messages/count_tokens")));
    let chat = call("/v1/chat/completions", &HEADERS);
    assert_eq!((chat.messages_version, chat.betas, chat.shape), (None, None, Shape::OpenAi));
}

#[test]
fn operations_have_opentelemetrys_names() {
    for (path, operation) in [
        ("/v1/chat/completions", Some("chat")),
        ("/v1/responses", Some("chat")),
        ("/v1/messages", Some("chat")),
        ("/v1/messages/count_tokens", Some("messages/count_tokens")),
        ("/v1/embeddings", Some("embeddings")),
        ("/v1/completions", Some("text_completion")),
        ("/model-router/explain", None),
    ] {
        assert_eq!(call(path, &[]).operation(), operation, "{path}");
    }
}

#[test]
fn a_header_that_is_there_twice_is_joined() {
    let headers = [(BETAS, "a"), ("x", "y"), (BETAS, "b, c")];
    assert_eq!(joined(&headers, BETAS).as_deref(), Some("a,b, c"));
    assert_eq!(joined(&headers, "z"), None);
}

#[test]
fn heads_are_refused_in_the_shape_of_the_api() {
    let refused = |path: &str, headers: &[(&str, &str)]| match asked(path, headers) {
        Head::Refused(shape, error) => (shape, error.status),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("/anthropic/v1/files", &[]), (Shape::Anthropic, 404));
    assert_eq!(refused("/v1/messages/batches", &[]), (Shape::OpenAi, 404));
    assert_eq!(refused("/v1/messages", &[("content-type", "text/plain")]), (Shape::Anthropic, 415));
    assert_eq!(refused("/v1/models/nothing", &[VERSION_HEADER]), (Shape::Anthropic, 404));
    assert_eq!(refused("/v1/models/nothing", &[]), (Shape::OpenAi, 404));
    assert!(matches!(head(&policy("pass"), &|name| (name == ":path").then_some("/anthropic/v1/files")), Head::Pass));
}

#[test]
fn lists_in_the_shape_of_the_client() {
    let listed = |path: &str, headers: &[(&str, &str)]| match asked(path, headers) {
        Head::Answer(text) => serde_json::from_str::<Value>(&text).unwrap(),
        other => panic!("{other:?}"),
    };
    let entry =
        |name: &str| json!({"id": name, "type": "model", "display_name": name, "created_at": "2025-11-18T00:00:00Z"});
    let all = json!({"data": [entry("model-router"), entry("gpt-5-mini")], "has_more": false,
        "first_id": "model-router", "last_id": "gpt-5-mini"});
    assert_eq!(listed("/anthropic/v1/models", &[]), all);
    assert_eq!(listed("/v1/models?limit=1000", &[VERSION_HEADER]), all);
    assert_eq!(listed("/v1/models/gpt-5-mini", &[VERSION_HEADER]), entry("gpt-5-mini"));
    assert_eq!(listed("/v1/models", &[])["object"], "list");
    assert_eq!(listed("/openai/v1/models", &[VERSION_HEADER])["object"], "list");
    assert_eq!(listed("/v1/models/gpt-5-mini", &[])["object"], "model");
}

#[test]
fn the_body_of_an_explanation_tells_its_api() {
    let message = r#""messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]"#;
    let api = |members: &str, headers: &[(&str, &str)]| {
        read(&call("/model-router/explain", headers), format!("{{{members}}}").as_bytes()).map(|request| request.api)
    };
    assert_eq!(api(message, &[]), Ok(Api::Chat));
    assert_eq!(api(message, &[VERSION_HEADER]), Ok(Api::Messages));
    assert_eq!(api(&format!(r#"{message},"system":"be brief""#), &[]), Ok(Api::Messages));
    assert_eq!(api(&format!(r#"{message},"anthropic_version":"bedrock-2023-05-31""#), &[]), Ok(Api::Messages));
    assert_eq!(api(r#""input":"x""#, &[]), Ok(Api::Responses));
    assert_eq!(api(r#""input":"x""#, &[VERSION_HEADER]), Ok(Api::Responses));
    assert_eq!(call("/model-router/explain", &HEADERS).betas.as_deref(), Some("a-1,b-2"));
}

#[test]
fn a_model_that_no_provider_serves_in_this_api_is_refused() {
    let policy = policy("reject");
    let body = br#"{"model":"model-router","max_tokens":9,"messages":[{"role":"user","content":"secret"}]}"#;
    let call = call("/v1/messages", &HEADERS);
    let error = route(&policy, &call, body, Memory::NONE).unwrap_err();
    assert_eq!((error.status, error.code), (400, "no_eligible_model"));
    let shown = serde_json::to_value(explain(&policy, &call, body, Memory::NONE)).unwrap();
    assert_eq!(shown["error"]["type"], "invalid_request_error");
    assert!(!shown.to_string().contains("secret"));
}

#[test]
fn controls_are_read_as_in_chat() {
    let policy = policy("reject");
    let body =
        br#"{"model":"model-router","messages":[{"role":"user","content":"x"}],"routing_config":{"routing_mode":7}}"#;
    let opted = call("/v1/messages", &[VERSION_HEADER, ("foundry-features", CONTROLS)]);
    let error = route(&policy, &opted, body, Memory::NONE).unwrap_err();
    assert!(error.param.as_deref().is_some_and(|param| param.starts_with("routing_config")), "{error:?}");
}

#[test]
fn what_a_candidate_has_made_is_found_again() {
    let config = json!({
        "routers": [{"name": "r"}],
        "models": [{"name": "gpt-5", "served_by": [{"provider": "old"}]}],
        "providers": [{"name": "old", "cluster": "old", "dialect": "openai"},
            {"name": "new", "cluster": "new", "dialect": "openai"}],
        "candidate": {"policy": {"models": [{"name": "gpt-5-mini", "served_by": [{"provider": "new"}]}]}}
    });
    let policy = Policy::from_value(&config).unwrap();
    let kept = |mark: &str| {
        let path = format!("/v1/responses/resp_{mark}1");
        head(&policy, &|name| match name {
            ":path" => Some(&*path),
            ":method" => Some("GET"),
            _ => None,
        })
    };
    for (provider, model, candidate) in [("old", "gpt-5", false), ("new", "gpt-5-mini", true)] {
        let mark = Origin { candidate, ..Origin::new(provider, model) }.mark();
        let Head::Kept(brief) = kept(&mark) else { panic!("{provider}") };
        let slot = &brief.slots[0];
        // What follows on it stays where it was made.
        assert_eq!((slot.cluster.as_str(), slot.path.as_str(), &slot.mark), (provider, "/v1/responses/resp_1", &mark));
    }
    assert!(matches!(kept(&Origin::new("elsewhere", "gpt-5").mark()), Head::Refused(_, error) if error.status == 404));
}
