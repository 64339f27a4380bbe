//! What the catalog knows of dialects, model by model and server by server.

use super::*;
use crate::decide::Memory;
use crate::routing::{Call, route};
use serde_json::Value;
use std::collections::BTreeMap;

/// A policy with one model at one provider.
fn at(model: &str, server: &str, more: Value) -> Policy {
    let mut provider = json!({"name": "p", "cluster": "p", "dialect": "openai"});
    if !server.is_empty() {
        provider["server"] = json!(server);
    }
    provider.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let policy = json!({"models": [{"name": model, "served_by": [{"provider": "p"}]}], "providers": [provider]});
    Policy::from_value(&policy).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn attempt(policy: &Policy, api: Api, body: &str) -> (Value, Slot) {
    let call = Call::of(api, Caller::Anyone);
    let brief = route(policy, &call, body.as_bytes(), Memory::NONE).unwrap_or_else(|_| panic!("{body}")).brief;
    let sent = body_for(body.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    let slot = brief.slots[0].clone();
    (serde_json::from_slice(&sent).unwrap_or_else(|error| panic!("{error}: {sent:?}")), slot)
}

/// What is left of these members at a provider, by name, and the names of those that are dropped.
fn chat(model: &str, server: &str, members: &str) -> (String, String) {
    let body = format!(r#"{{"model":"{model}",{MESSAGES},{members}}}"#);
    let (sent, slot) = attempt(&at(model, server, json!({})), Api::Chat, &body);
    let mut sorted: BTreeMap<String, Value> = serde_json::from_value(sent).unwrap();
    sorted.retain(|name, _| !["model", "messages"].contains(&name.as_str()));
    (serde_json::to_string(&sorted).unwrap(), slot.drop.join(" "))
}

#[test]
fn deepseek_calls_efforts_otherwise() {
    let ask = |effort: &str| format!(r#""reasoning_effort":"{effort}""#);
    for (asked, sent) in [
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "high"),
        ("high", "high"),
        ("xhigh", "high"),
        ("max", "max"),
        ("ultra", "max"),
    ] {
        let expected = (format!("{{{}}}", ask(sent)), String::new());
        assert_eq!(chat("deepseek-v4-pro", "deepseek", &ask(asked)), expected, "{asked}");
    }
    let off = r#""thinking":{"type":"disabled"}"#;
    let none = format!(r#""seed":1 , {}  ,"temperature":0"#, ask("none"));
    assert_eq!(chat("deepseek-v4-flash", "deepseek", &none).0, format!(r#"{{"seed":1,"temperature":0,{off}}}"#));
    // What nobody knows, and what was said already.
    let dropped = "reasoning_effort".to_owned();
    for effort in [ask("extreme"), r#""reasoning_effort":null"#.into()] {
        assert_eq!(chat("deepseek-v4-pro", "deepseek", &effort), ("{}".into(), dropped.clone()), "{effort}");
    }
    let on = r#""thinking":{"type":"enabled"}"#;
    assert_eq!(
        chat("deepseek-v4-pro", "deepseek", &format!("{},{on}", ask("none"))),
        (format!("{{{on}}}"), dropped.clone())
    );
    let both = chat("deepseek-v4-pro", "deepseek", &format!("{},{on}", ask("xhigh")));
    assert_eq!(both, (format!("{{{},{on}}}", ask("high")), String::new()));
    // Only where it is known; R1 has no efforts at all.
    for (model, server) in [("deepseek-v4-pro", ""), ("deepseek-v4-pro", "vllm"), ("deepseek-r1", "deepseek")] {
        assert_eq!(chat(model, server, &ask("high")), ("{}".into(), dropped.clone()), "{model} {server}");
    }
}

#[test]
fn deepseeks_efforts_from_responses() {
    let sent = |apis: Value, effort: &str| {
        let body =
            format!(r#"{{"model":"deepseek-v4-pro","input":"x","store":false,"reasoning":{{"effort":"{effort}"}}}}"#);
        let (sent, slot) = attempt(&at("deepseek-v4-pro", "deepseek", json!({"apis": apis})), Api::Responses, &body);
        (sent["reasoning_effort"].clone(), sent["thinking"].clone(), slot.drop.join(" "))
    };
    let translated = |effort| sent(json!(["chat_completions"]), effort);
    assert_eq!(translated("medium"), (json!("high"), Value::Null, String::new()));
    assert_eq!(translated("none"), (Value::Null, json!({"type": "disabled"}), String::new()));
    assert_eq!(sent(json!(["responses"]), "high").2, "reasoning");
}

#[test]
fn newer_models_of_xai_take_an_effort() {
    for (model, effort, dropped) in [
        ("grok-4.6", "xhigh", ""),
        ("grok-4.6", "low", ""),
        ("grok-4.6", "none", "reasoning_effort"),
        ("grok-4", "high", "reasoning_effort"),
        ("grok-4-fast-reasoning", "high", "reasoning_effort"),
        ("grok-4-1-fast-reasoning", "high", "reasoning_effort"),
        ("grok-4-20-reasoning", "high", "reasoning_effort"),
    ] {
        assert_eq!(chat(model, "", &format!(r#""reasoning_effort":"{effort}""#)).1, dropped, "{model} {effort}");
    }
    let all =
        r#""stop":"x","presence_penalty":1,"frequency_penalty":1,"web_search_options":{},"max_completion_tokens":5"#;
    let dropped = "stop presence_penalty frequency_penalty web_search_options";
    for model in ["grok-4", "grok-4.6"] {
        assert_eq!(chat(model, "", all), (r#"{"max_tokens":5}"#.into(), dropped.into()), "{model}");
    }
}

#[test]
fn what_servers_refuse_whatever_the_model() {
    let all = r#""stream":true,"stream_options":{"include_usage":true},"logprobs":true,"user":"u","response_format":{"type":"text"},
        "parallel_tool_calls":true,"seed":1,"n":1,"metadata":{},"top_p":0.5,"stop":"x""#;
    for (server, dropped) in [
        ("", ""),
        ("anthropic", "logprobs user response_format seed n metadata"),
        ("cohere", "stream_options logprobs user response_format parallel_tool_calls"),
        ("deepseek", ""),
        ("ollama", "user parallel_tool_calls n metadata"),
        ("vllm", ""),
    ] {
        assert_eq!(chat("command-a-of-mine", server, all).1, dropped, "{server}");
    }
    // None of them is asked for what it refuses on the client's behalf either.
    let stream = |server: &str, api: Api, body: &str| {
        let policy = at("command-r", server, json!({"apis": ["chat_completions"]}));
        let sent = attempt(&policy, api, body).0;
        (sent["stream"].clone(), sent["stream_options"]["include_usage"].clone())
    };
    let of_chat = format!(r#"{{"model":"command-r",{MESSAGES},"stream":true}}"#);
    let of_responses = r#"{"model":"command-r","input":"x","store":false,"stream":true}"#;
    for (api, body) in [(Api::Chat, &*of_chat), (Api::Responses, of_responses)] {
        assert_eq!(stream("cohere", api, body), (json!(true), Value::Null), "{body}");
        assert_eq!(stream("", api, body), (json!(true), json!(true)), "{body}");
    }
}
