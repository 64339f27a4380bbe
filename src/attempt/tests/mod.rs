mod claude;
mod dialects;
mod responses;

use super::*;
use crate::decide::{Asked, Caller, Cooldowns, Question, Terms, Translations, plan, reading};
use crate::edit::apply;
use crate::policy::Policy;
use crate::request::{Request, read_chat};
use serde_json::json;

fn policy() -> Policy {
    let served = |deployment: &str| json!([{"provider": "openai", "deployment": deployment}]);
    let config = json!({
        "models": [
            {"name": "gpt-5-mini", "served_by": served("gpt-5-mini")},
            {"name": "gpt-4.1", "served_by": served("quote\\this")},
            {"name": "o4-mini", "served_by": [{"provider": "classic", "deployment": "o4/mini"}, {"provider": "azure-v1"}]},
            {"name": "grok-4", "served_by": served("grok-4")},
            {"name": "gpt-5.4", "served_by": served("gpt-5.4")},
            {"name": "claude-opus-4-7", "served_by": served("claude-opus-4-7")},
            {"name": "strange", "served_by": served("strange"), "parameters": {"drop": ["stream_options", "a", "b"]}}
        ],
        "providers": [
            {"name": "openai", "cluster": "openai", "dialect": "openai", "authority": "api.openai.com"},
            {"name": "classic", "cluster": "azure", "dialect": "azure_openai", "api_version": "2024-10-21"},
            {"name": "azure-v1", "cluster": "azure", "dialect": "azure_openai"}
        ]
    });
    Policy::from_value(&config).unwrap()
}

fn brief_of(policy: &Policy, request: &Request, model: &str) -> Brief {
    let id = policy.models.iter().position(|known| known.name == model).unwrap();
    let (asked, caller) = (Asked::Model(id), Caller::Anyone);
    let terms = Terms::new(policy, asked, caller, None).unwrap();
    let translations = Translations::default();
    let question = Question {
        policy,
        request,
        endpoint: None,
        translations: &translations,
        terms: &terms,
        cooldowns: &Cooldowns::NONE,
        caller,
    };
    brief(&question, &plan(&question, reading(question.policy, question.request), asked, None).unwrap())
}

/// The body as `model`'s first provider gets it.
fn sent(model: &str, body: &str) -> String {
    let policy = policy();
    let request = read_chat(body.as_bytes()).unwrap();
    let brief = brief_of(&policy, &request, model);
    let edits = rewrite(body.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    let edited = String::from_utf8(apply(body.as_bytes(), &edits)).unwrap();
    serde_json::from_str::<serde_json::Value>(&edited).unwrap_or_else(|error| panic!("{error}: {edited}"));
    edited
}

const MESSAGES: &str = r#""messages":[{"role":"user","content":"\u00e9"}]"#;

#[test]
fn names_the_model_and_leaves_the_rest() {
    let body = |model: &str| format!("{{ \"x\" : [1.0, 2e0] ,{MESSAGES},\n\"model\" : {model} }}");
    assert_eq!(sent("gpt-4.1", &body("\"auto\"")), body(r#""quote\\this""#));
    assert_eq!(sent("gpt-5-mini", &format!("{{{MESSAGES}}}")), format!("{{\"model\":\"gpt-5-mini\",{MESSAGES}}}"));
    assert_eq!(sent("gpt-5-mini", &body("null")), body("\"gpt-5-mini\""));
    // The classic path carries the deployment.
    assert_eq!(sent("o4-mini", &format!("{{{MESSAGES}}}")), format!("{{{MESSAGES}}}"));
}

#[test]
fn members_go_with_exactly_one_comma() {
    let members = ["\"a\": 1", "\"b\":[2]", MESSAGES, "\"k\" : null"];
    // Every order, with the members to drop first, last, alone and in a row.
    for order in permutations(4) {
        let list: Vec<&str> = order.iter().map(|index| members[*index]).collect();
        let body = format!("{{ {} }}", list.join(" , "));
        let got: serde_json::Value = serde_json::from_str(&sent("strange", &body)).unwrap();
        let mut keys: Vec<_> = got.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["k", "messages", "model"], "{body}");
    }
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(length - 1);
    let insert = |at: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(at, length - 1);
            order
        })
    };
    (0..length).flat_map(insert).collect()
}

#[test]
fn parameters_by_model() {
    let all = "\"temperature\":1,\"top_p\":1,\"stop\":\"x\",\"presence_penalty\":0,\"frequency_penalty\":0,\"logit_bias\":{},\
        \"logprobs\":true,\"max_tokens\":5,\"reasoning_effort\":\"high\",\"n\":1";
    let keys = |model: &str, more: &str| {
        let body = format!("{{\"model\":\"x\",{MESSAGES},{}}}", more);
        let value: serde_json::Value = serde_json::from_str(&sent(model, &body)).unwrap();
        let keys = value.as_object().unwrap().keys().filter(|key| !["model", "messages"].contains(&key.as_str()));
        let mut keys: Vec<_> = keys.cloned().collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(keys("gpt-5-mini", all), "max_completion_tokens n reasoning_effort");
    assert_eq!(
        keys("gpt-4.1", all),
        "frequency_penalty logit_bias logprobs max_tokens n presence_penalty stop temperature top_p"
    );
    assert_eq!(keys("o4-mini", all), "max_completion_tokens n reasoning_effort");
    assert_eq!(keys("grok-4", all), "logit_bias logprobs max_tokens n temperature top_p");
    // gpt-5.4 samples freely as long as it does not reason, which is what it does by itself.
    assert_eq!(keys("gpt-5.4", all), "max_completion_tokens n reasoning_effort");
    let quiet = all.replace("\"high\"", "\"none\"");
    assert_eq!(keys("gpt-5.4", &quiet), "logprobs max_completion_tokens n reasoning_effort temperature top_p");
    assert_eq!(keys("gpt-5.4", "\"reasoning_effort\":\"minimal\",\"top_p\":1"), "top_p");
    assert_eq!(keys("claude-opus-4-7", "\"temperature\":1,\"top_p\":1,\"stop\":\"x\""), "stop");
    // Both names of the limit were sent: the one that the model knows stays.
    assert_eq!(keys("gpt-5-mini", "\"max_tokens\":5,\"max_completion_tokens\":6"), "max_completion_tokens");
    assert_eq!(keys("grok-4", "\"max_tokens\":5,\"max_completion_tokens\":6"), "max_tokens");
    assert_eq!(keys("gpt-5-mini", "\"reasoning_effort\":\"none\",\"max_tokens\":null"), "max_completion_tokens");
}

#[test]
fn usage_of_a_stream_is_asked_for() {
    let ask = |model: &str, more: &str| sent(model, &format!("{{\"model\":\"{model}\",{MESSAGES},{more}}}"));
    assert!(
        ask("gpt-5.4", "\"stream\":true,\"n\":1")
            .contains("\"stream\":true,\"stream_options\":{\"include_usage\":true},\"n\":1")
    );
    assert!(
        ask("gpt-5.4", "\"stream_options\":null,\"stream\":true")
            .contains("\"stream_options\":{\"include_usage\":true}")
    );
    let empty = "\"stream\":true,\"stream_options\":{ }";
    assert!(ask("gpt-5.4", empty).contains("\"stream_options\":{\"include_usage\":true }"));
    let obfuscation = ask("gpt-5.4", "\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}");
    assert!(obfuscation.contains("\"include_obfuscation\":false") && obfuscation.contains("\"include_usage\":true"));
    assert!(
        ask("gpt-5.4", "\"stream\":true,\"stream_options\":{\"include_usage\":false}")
            .contains("\"include_usage\":true")
    );
    assert!(!ask("gpt-5.4", "\"stream\":false").contains("stream_options"));
    let asked = "\"stream\":true,\"stream_options\": {\"include_usage\": true}";
    assert!(ask("gpt-5.4", asked).contains(asked), "what is there already stays as it is");
    assert!(!ask("strange", "\"stream\":true,\"stream_options\":{}").contains("stream_options"));
}

#[test]
fn paths_and_headers_of_each_dialect() {
    let policy = policy();
    let body = format!("{{{MESSAGES}}}");
    let request = read_chat(body.as_bytes()).unwrap();
    let slots = brief_of(&policy, &request, "o4-mini").slots;
    let paths: Vec<&str> = slots.iter().map(|slot| slot.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/openai/deployments/o4%2Fmini/chat/completions?api-version=2024-10-21", "/openai/v1/chat/completions"]
    );
    let brief = brief_of(&policy, &request, "gpt-4.1");
    let headers = brief.slots[0].outgoing(&brief.request);
    assert!(headers.contains(&(":path", Some("/v1/chat/completions"))));
    assert!(headers.contains(&(":authority", Some("api.openai.com"))));
    for name in ["authorization", "api-key", "x-api-key", "accept-encoding"] {
        assert!(headers.contains(&(name, None)), "{name}");
    }
}

#[test]
fn a_body_that_changed_on_its_way_is_read_again() {
    let body = format!("{{\"model\":\"x\",{MESSAGES},\"stop\":\"x\"}}");
    let policy = policy();
    let request = read_chat(body.as_bytes()).unwrap();
    let brief = brief_of(&policy, &request, "gpt-5-mini");
    let changed = format!("{{\"added\":true,{MESSAGES},\"stop\":\"x\",\"model\":\"x\"}}");
    let edits = rewrite(changed.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    let edited = String::from_utf8(apply(changed.as_bytes(), &edits)).unwrap();
    assert_eq!(edited, format!("{{\"added\":true,{MESSAGES},\"model\":\"gpt-5-mini\"}}"));
    assert!(rewrite(b"{\"model\":", &brief.request, &brief.slots[0]).is_err());
}

#[test]
fn an_attempt_reads_its_own_slot() {
    let policy = policy();
    let body = format!("{{{MESSAGES},\"stream\":true,\"stop\":\"x\",\"max_tokens\":1}}");
    let request = read_chat(body.as_bytes()).unwrap();
    let mut brief = brief_of(&policy, &request, "o4-mini");
    brief.slots[1].cluster = "other".into();
    let published = brief.publish();
    let at = |number, cluster: &str| Brief::at_attempt(&published, number, cluster.as_bytes());
    let (read, first) = at(1, "azure").unwrap();
    assert_eq!((&read.request, first), (&brief.request, brief.slots[0].clone()));
    assert_eq!(brief.slots[0].next_cluster.as_deref(), Some("azure"));
    assert_eq!(at(2, "other").unwrap().1, brief.slots[1]);
    assert_eq!(at(2, "azure").unwrap().1, brief.slots[0], "an Envoy that stays on its cluster");
    assert_eq!(at(9, "other").unwrap().1, brief.slots[1]);
    assert_eq!((at(1, "nowhere"), at(0, "azure")), (None, None));
    for length in 0..published.len() {
        // Cut anywhere, it is no brief, or one of fewer slots.
        let _ = Brief::at_attempt(&published[..length], 1, b"azure");
        let mut other = published.clone();
        other[length] = other[length].wrapping_add(1);
        let _ = Brief::at_attempt(&other, 2, b"azure");
    }
    assert_eq!(Brief::at_attempt(&[&[0][..], &published[1..]].concat(), 1, b"azure"), None);
}

#[test]
fn attempts_leave_a_trace() {
    let policy = policy();
    let body = format!("{{{MESSAGES}}}");
    let request = read_chat(body.as_bytes()).unwrap();
    let slot = brief_of(&policy, &request, "grok-4").slots[0].clone();
    let mut first = Attempted::default().next(1, &slot);
    assert_eq!((first.trace.as_str(), first.failure_before()), ("grok-4", None));
    let second = first.clone().next(2, &slot);
    assert_eq!((second.trace.as_str(), second.failure_before()), ("grok-4=no_response,grok-4", Some("no_response")));
    first.ended("503");
    first.ended("200");
    assert_eq!(first.trace, "grok-4=503");
    let mut third = first.next(2, &slot).next(3, &slot);
    third.ended("200");
    assert_eq!(third.trace, "grok-4=503,grok-4=no_response,grok-4=200");
    assert_eq!(third.failure_before(), Some("no_response"));
    for (dropped, limited, wait) in [("", false, None), ("n,logprobs", true, Some(1500))] {
        let left = Attempted { dropped: dropped.into(), limited, wait, ..third.clone() };
        assert_eq!(Attempted::read(left.publish().as_bytes()), Some(left));
    }
    assert_eq!((Attempted::read(b""), Attempted::read(b"1\nm\n\nx\n\n\n")), (None, None));
}
