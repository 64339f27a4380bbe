//! Requests to the Responses API, and to what providers keep.

use super::*;
use crate::decide::Memory;
use crate::origin::Origin;
use crate::request::Api;
use crate::routing::{Call, Head, head, route};

/// Like the policy of the other tests, with a provider that only speaks Chat Completions.
fn policy() -> Policy {
    let config = json!({
        "routers": [{"name": "r", "mode": "quality", "subset": ["gpt-5-mini", "gpt-4.1"]}],
        "models": [
            {"name": "gpt-5-mini", "served_by": [{"provider": "openai"}, {"provider": "azure", "deployment": "my/mini"}]},
            {"name": "gpt-4.1", "served_by": [{"provider": "v1"}]},
            {"name": "gpt-oss-120b", "served_by": [{"provider": "vllm", "deployment": "oss"}]},
            {"name": "embed", "served_by": [{"provider": "openai"}, {"provider": "azure", "deployment": "my-embed"}]}
        ],
        "providers": [
            {"name": "openai", "cluster": "openai", "dialect": "openai"},
            {"name": "azure", "cluster": "azure", "dialect": "azure_openai", "api_version": "2025-04-01-preview"},
            {"name": "v1", "cluster": "azure", "dialect": "azure_openai"},
            {"name": "vllm", "cluster": "vllm", "dialect": "openai", "apis": ["chat_completions"]}
        ]
    });
    Policy::from_value(&config).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn route_to(policy: &Policy, body: &str) -> Brief {
    route(policy, &Call::of(Api::Responses, Caller::Anyone), body.as_bytes(), Memory::NONE).unwrap().brief
}

/// The body as the first provider gets it.
fn sent_to(body: &str) -> (String, Slot) {
    let brief = route_to(&policy(), body);
    let sent = body_for(body.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    (String::from_utf8(sent).unwrap(), brief.slots[0].clone())
}

#[test]
fn only_what_must_change_changes() {
    let (sent, slot) = sent_to(
        "{ \"input\" : [ {\"role\":\"user\",\"content\":\"\\u00e9 \"} ] ,\"routing_config\":{\"mode\":1},\n\"model\":\"gpt-5-mini\",\
         \"temperature\":0.5, \"store\":false , \"max_output_tokens\":9}",
    );
    assert_eq!(
        sent,
        "{ \"input\" : [ {\"role\":\"user\",\"content\":\"\\u00e9 \"} ],\n\"model\":\"gpt-5-mini\", \"store\":false , \
         \"max_output_tokens\":9}"
    );
    assert_eq!((slot.drop, slot.path.as_str()), (vec!["temperature".into()], "/v1/responses"));
}

#[test]
fn parameters_inside_objects_go_alone() {
    for (members, model, expected, dropped) in [
        (
            r#""reasoning":{"effort":"none","summary":"auto"}"#,
            "gpt-5-mini",
            r#""reasoning":{"summary":"auto"}"#,
            "reasoning.effort",
        ),
        (
            r#""reasoning":{"summary":"auto", "effort":"none"}"#,
            "gpt-5-mini",
            r#""reasoning":{"summary":"auto"}"#,
            "reasoning.effort",
        ),
        (
            r#""reasoning":{"effort":"low"},"text":{"verbosity":"low"}"#,
            "gpt-5-mini",
            r#""reasoning":{"effort":"low"},"text":{"verbosity":"low"}"#,
            "",
        ),
        (
            r#""reasoning":{"effort":"low"},"text":{"format":{"type":"text"},"verbosity":"low"}"#,
            "gpt-4.1",
            r#""text":{"format":{"type":"text"}}"#,
            "reasoning,text.verbosity",
        ),
        (
            r#""include":["message.output_text.logprobs", "reasoning.encrypted_content"]"#,
            "gpt-5-mini",
            r#""include":[ "reasoning.encrypted_content"]"#,
            "include.message.output_text.logprobs",
        ),
        (
            r#""include":["message.output_text.logprobs" , "reasoning.encrypted_content"]"#,
            "gpt-4.1",
            r#""include":["message.output_text.logprobs" ]"#,
            "",
        ),
        (r#""include":["reasoning.encrypted_content"]"#, "gpt-4.1", r#""include":[]"#, ""),
    ] {
        let (sent, slot) = sent_to(&format!("{{\"model\":\"{model}\",\"input\":\"x\",{members}}}"));
        assert_eq!(sent, format!("{{\"model\":\"{model}\",\"input\":\"x\",{expected}}}"));
        assert_eq!(slot.drop.join(","), dropped);
    }
}

#[test]
fn marks_come_off_and_only_their_provider_is_left() {
    let mark = Origin::new("azure", "gpt-5-mini").mark();
    let body = |mark: &str| {
        format!(
            r#"{{"model":"r","previous_response_id":"resp_{mark}1","input":[{{"type":"item_reference","id":"msg_{mark}2"}},
                {{"type":"reasoning","id":"rs_{mark}3","summary":[],"encrypted_content":"{mark}gAAA"}}]}}"#
        )
    };
    let (sent, slot) = sent_to(&body(&mark));
    assert_eq!(sent, body("").replace("\"r\"", "\"my/mini\""));
    assert_eq!(slot.path, "/openai/responses?api-version=2025-04-01-preview");
    let brief = route_to(&policy(), &body(&mark));
    assert_eq!((brief.slots.len(), brief.request.earlier.as_deref()), (1, Some(mark.as_str())));
    // Another filter has changed the body since.
    let changed = body(&mark).replace("\"r\"", "\"longer\"");
    let sent = body_for(changed.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    assert_eq!(String::from_utf8(sent).unwrap(), body("").replace("\"r\"", "\"my/mini\""));
}

#[test]
fn reasoning_goes_to_its_maker_only() {
    let [ours, theirs] = ["openai", "azure"].map(|provider| Origin::new(provider, "m").mark());
    let thought = |mark: &str| format!(r#"{{"type":"reasoning","id":"rs_{mark}1","summary":[]}}"#);
    let said = r#"{"role":"user","content":"x"}"#;
    let (mine, other) = (thought(&ours), thought(&theirs));
    for (items, kept) in [
        (vec![said, &other, said], vec![said, said]),
        (vec![&other, said], vec![said]),
        (vec![said, &other], vec![said]),
        (vec![&other, &other, said, &other, &other], vec![said]),
        (vec![said, &mine, &other, said], vec![said, &mine, said]),
    ] {
        let body = |items: &[&str]| format!("{{\"model\":\"gpt-5-mini\",\"input\": [ {} ]}}", items.join(" , "));
        let (sent, slot) = sent_to(&body(&items));
        let value = |text: &str| {
            serde_json::from_str::<serde_json::Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        assert_eq!(slot.cluster, "openai");
        assert_eq!(value(&sent), value(&body(&kept).replace(&ours, "")), "{items:?}");
    }
    // Nothing is bound, so that the conversation may go on anywhere.
    let brief = route_to(&policy(), &format!("{{\"model\":\"gpt-5-mini\",\"input\":[{said},{other}]}}"));
    assert_eq!(brief.slots.len(), 2);
    let sent = body_for(
        format!("{{\"model\":\"gpt-5-mini\",\"input\":[{said},{other}]}}").as_bytes(),
        &brief.request,
        &brief.slots[1],
    );
    assert!(String::from_utf8(sent.unwrap()).unwrap().contains(r#""id":"rs_1""#), "azure gets what it made");
}

#[test]
fn what_is_kept_elsewhere_is_a_clear_error() {
    let refused = |body: String| {
        let reply =
            route(&policy(), &Call::of(Api::Responses, Caller::Anyone), body.as_bytes(), Memory::NONE).unwrap_err();
        (reply.status, reply.code, reply.param.unwrap_or_default())
    };
    let continued = |model: &str, mark: &str| {
        format!("{{\"model\":\"{model}\",\"input\":\"x\",\"previous_response_id\":\"resp_{mark}1\"}}")
    };
    let of = |provider: &str| Origin::new(provider, "m").mark();
    let expected = (400, "previous_response_not_found", "previous_response_id".to_owned());
    for body in [
        continued("r", ""),
        continued("r", &of("nobody")),
        continued("gpt-4.1", &of("openai")),
        continued("gpt-oss-120b", &of("vllm")),
    ] {
        assert_eq!(refused(body.clone()), expected, "{body}");
    }
    // It can only be from one.
    assert_eq!(route_to(&policy(), &continued("gpt-4.1", "")).slots.len(), 1);
    let hosted = r#"{"model":"gpt-oss-120b","input":"x","tools":[{"type":"web_search"}]}"#;
    assert_eq!(refused(hosted.into()), (400, "no_eligible_model", "tools[0].type".into()));
}

#[test]
fn a_provider_of_chat_only_gets_a_translation() {
    let (sent, slot) = sent_to(
        r#"{"model":"gpt-oss-120b","input":"hi","max_output_tokens":5,"truncation":"auto","store":false,"stream":true}"#,
    );
    assert_eq!(slot.path, "/v1/chat/completions");
    let wire = Wire::Chat { limit: "max_tokens".into(), reasoning: false, usage: true };
    assert_eq!((slot.drop.join(",").as_str(), &slot.translate), ("truncation", &Some(wire)));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&sent).unwrap(),
        json!({"model": "oss", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "stream": true,
            "stream_options": {"include_usage": true}})
    );
}

/// What the head of a request without a body leads to.
fn kept(method: &str, path: &str) -> Result<Slot, u16> {
    match head(&policy(), &|name| match name {
        ":method" => Some(method),
        ":path" => Some(path),
        _ => None,
    }) {
        Head::Kept(brief) => {
            assert!(brief.request.members.is_none() && brief.request.later && brief.slots.len() == 1);
            Ok(brief.slots[0].clone())
        }
        Head::Refused(_, error) => Err(error.status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_is_asked_of_its_keeper() {
    let mark = Origin::new("azure", "gpt-5-mini").mark();
    for (rest, path) in [
        ("", "/openai/responses/resp_1?api-version=2025-04-01-preview"),
        ("?api-version=2024-01-01&include=a&b", "/openai/responses/resp_1?api-version=2025-04-01-preview&include=a&b"),
        ("?API%2dVersion=1&a=b%20c", "/openai/responses/resp_1?api-version=2025-04-01-preview&a=b%20c"),
        ("/cancel", "/openai/responses/resp_1/cancel?api-version=2025-04-01-preview"),
        ("/input_items?limit=2", "/openai/responses/resp_1/input_items?api-version=2025-04-01-preview&limit=2"),
    ] {
        let path_of = format!("/v1/responses/resp_{mark}1{rest}");
        let (method, other) = if rest == "/cancel" { ("POST", "GET") } else { ("GET", "PUT") };
        let slot = kept(method, &path_of).unwrap();
        assert_eq!(kept(other, &path_of).unwrap_err(), 405);
        assert_eq!((slot.path.as_str(), slot.cluster.as_str(), slot.model.as_str()), (path, "azure", "gpt-5-mini"));
        assert_eq!(slot.mark, mark);
    }
    // Ids below, in the query and in bodies are the provider's own too.
    let conversation = format!("/v1/conversations/conv_{mark}1");
    let item = kept("DELETE", &format!("{conversation}/items/msg_{mark}2")).unwrap();
    assert_eq!(item.path, "/openai/conversations/conv_1/items/msg_2?api-version=2025-04-01-preview");
    let page = kept("GET", &format!("{conversation}/items?after=msg_{mark}2&limit=1")).unwrap();
    assert_eq!(page.path, "/openai/conversations/conv_1/items?api-version=2025-04-01-preview&after=msg_2&limit=1");
    assert_eq!(kept("POST", "/v1/conversations").unwrap().path, "/v1/conversations");
    assert_eq!(kept("GET", "/v1/responses/resp_1").unwrap_err(), 404);
    assert_eq!(kept("GET", &format!("/v1/responses/resp_{}1", Origin::new("vllm", "gpt-oss-120b").mark())), Err(404));
}

#[test]
fn marks_come_off_whatever_the_body() {
    let mark = Origin::new("openai", "m").mark();
    let text = |mark: &str| {
        format!(
            r#"[{{"items":[{{"id":"msg_{mark}1","content":[{{"id":"x","text":"mr0123456789abcdef_"}}]}},[],{{}},1,
            {{"encrypted_content":"{mark}gA","id":null}}],"id":{{"id":"a_{mark}2"}}}}]"#
        )
    };
    let body = text(&mark);
    let cut: Vec<Edit> = marks(body.as_bytes()).into_iter().map(|mark| Edit::remove(mark.start, mark.end)).collect();
    assert_eq!(String::from_utf8(apply(body.as_bytes(), &cut)).unwrap(), text(""));
    for broken in ["", "{", "[1,", r#"{"id":"msg_mr0123456789abcdef_1""#, "x"] {
        assert_eq!(marks(broken.as_bytes()), []);
    }
}

#[test]
fn endpoints_by_model_name() {
    let call = Call { endpoint: Some("embeddings"), ..Call::of(Api::Other, Caller::Anyone) };
    let body = br#"{"input":"x", "model":"embed"}"#;
    let brief = route(&policy(), &call, body, Memory::NONE).unwrap().brief;
    let paths: Vec<&str> = brief.slots.iter().map(|slot| slot.path.as_str()).collect();
    assert_eq!(paths, ["/v1/embeddings", "/openai/deployments/my-embed/embeddings?api-version=2025-04-01-preview"]);
    let sent = body_for(body, &brief.request, &brief.slots[1]).unwrap();
    assert_eq!(sent, br#"{"input":"x", "model":"my-embed"}"#);
    let router = route(&policy(), &call, br#"{"input":"x","model":"r"}"#, Memory::NONE).unwrap_err();
    assert_eq!((router.status, router.param.as_deref()), (400, Some("model")));
}

#[test]
fn details_tell_of_every_attempt_and_of_the_conversation() {
    let body = r#"{"model":"r","input":"x"}"#;
    let brief = route_to(&policy(), body);
    let mut attempted = Attempted::default();
    for (number, result) in [(1, Some("429")), (2, Some("error_in_200")), (3, None)] {
        attempted = attempted.next(number, &brief.slots[0]);
        result.into_iter().for_each(|result| attempted.ended(result));
    }
    let told: serde_json::Value = serde_json::from_str(&details(&brief, &attempted, 12)).unwrap();
    let told = &told["model_router_details"];
    assert_eq!((&told["mode"], &told["routing_trace"][0]["latency_ms"]), (&json!("quality"), &json!(12)));
    let attempts = &told["routing_trace"][0]["attempts"];
    let codes: Vec<_> =
        attempts.as_array().unwrap().iter().map(|attempt| &attempt["result"]["error"]["code"]).collect();
    assert_eq!(codes, [&json!("429"), &json!("error_in_200"), &json!(null)]);
    assert_eq!(attempts[2], json!({"model": brief.slots[0].model, "result": {"status": 200}}));
    assert_eq!(
        told["session_affinity"],
        json!({"strategy": "adaptive", "mode": "adaptive", "source": "fingerprint", "decision": "initialize"})
    );
}

#[test]
fn only_limits_that_all_met_are_told() {
    let brief = route_to(&policy(), r#"{"model":"r","input":"x"}"#);
    let slot = &brief.slots[0];
    let after = |failures: &[Option<(u16, Option<u64>)>]| {
        let mut attempted = Attempted::default();
        for (index, failure) in failures.iter().enumerate() {
            attempted = attempted.next(index as u64 + 1, slot);
            if let Some((status, wait)) = failure {
                attempted.failed(*status, *wait);
                attempted.ended(&status.to_string());
            }
        }
        (attempted.limited, attempted.wait)
    };
    assert_eq!(after(&[Some((429, Some(700))), Some((429, Some(300))), Some((429, None))]), (true, Some(300)));
    assert_eq!(after(&[Some((429, None))]), (true, None));
    assert!(!after(&[Some((503, None)), Some((429, Some(1)))]).0);
    assert!(!after(&[Some((429, Some(1))), Some((503, None))]).0);
    assert!(!after(&[None, Some((429, Some(1)))]).0, "nobody answered the first");
}
