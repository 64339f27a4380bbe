use super::super::affinity::{Recall, Recalled, Source};
use super::*;
use crate::origin::Origin;
use crate::policy::Affinity;
use crate::request::{Api, Controls, SessionControls, read_responses};

/// What one request is decided to be.
fn decide_in(policy: &Policy, request: &Request, controls: Controls, header: Option<&str>, recall: Recall) -> Plan {
    let (asked, caller) = (Asked::Router(0), Caller::Anyone);
    let terms = Terms::new(policy, asked, caller, Some(&controls)).unwrap();
    let session = Session::of(policy, request, &terms, caller, (Some(&controls), header), recall);
    plan_on(policy, request, &terms, (asked, caller), &Cooldowns::NONE, session).unwrap()
}

fn first(policy: &Policy, plan: &Plan) -> String {
    policy.models[plan.candidates[0].model].name.clone()
}

fn chat(messages: &Value) -> String {
    json!({"model": "r", "messages": messages}).to_string()
}

fn model_hash(name: &str) -> u32 {
    Origin::new("", name).model
}

/// A conversation of two turns whose earlier messages are `words` words long.
fn conversation(words: usize) -> Value {
    json!([{"role": "user", "content": "hello there ".repeat(words / 2)}, {"role": "assistant", "content": "hi"},
        {"role": "user", "content": "hello there"}])
}

fn big(mut models: Vec<Value>) -> Vec<Value> {
    for model in &mut models {
        model["context"] = json!({"input": 100_000, "output": 500});
    }
    models
}

#[test]
fn a_conversation_is_known_by_the_first_of_these() {
    let policy = policy_with(router(json!("balanced")), tiers(), json!({}));
    let mark = Origin::new("p", "dear").mark();
    let body = format!(r#"{{"model":"r","input":"x","conversation":"conv_{mark}1"}}"#);
    let continued = format!(r#"{{"model":"r","input":"x","previous_response_id":"resp_{mark}1"}}"#);
    let payload = |id: Option<&str>| {
        let session = SessionControls { strategy: None, id: id.map(Into::into) };
        Controls { session, ..Controls::default() }
    };
    let source = |body: &str, id, header| {
        let request = read_responses(body.as_bytes()).unwrap();
        decide_in(&policy, &request, payload(id), header, Memory::NONE.recall).session.unwrap().source
    };
    assert_eq!(source(&body, Some("a"), Some("b")), Some(Source::SessionIdPayload));
    assert_eq!(source(&body, None, Some("b")), Some(Source::SessionIdHeader));
    assert_eq!(source(&body, None, Some(" ")), Some(Source::Conversation));
    assert_eq!(source(&continued, None, None), Some(Source::PreviousResponseId));
    assert_eq!(source(r#"{"model":"r","input":"x"}"#, None, None), Some(Source::Fingerprint));
    assert_eq!(source(r#"{"model":"r","input":[{"role":"system","content":"x"}]}"#, None, None), None);
}

#[test]
fn strategies_keep_what_they_say() {
    let policy = policy_with(router(json!("balanced")), big(tiers()), json!({}));
    let body = chat(&conversation(2));
    let request = read_chat(body.as_bytes()).unwrap();
    let decide = |strategy, on: &str| {
        let session = SessionControls { strategy: Some(strategy), id: Some("s".into()) };
        let plan = decide_in(&policy, &request, Controls { session, ..Controls::default() }, None, &|_| {
            Recalled::Model(model_hash(on))
        });
        (first(&policy, &plan), plan.reason, plan.session.unwrap().model.is_some())
    };
    let (kept, cheapest) = (Reason::Affinity, Reason::CheapestInBand);
    // Balanced chooses `middle`; `dear` is within the band but dearer, `cheap` is below it.
    assert_eq!(decide(Affinity::Sticky, "dear"), ("dear".into(), kept, true));
    assert_eq!(decide(Affinity::Sticky, "cheap"), ("cheap".into(), kept, true));
    assert_eq!(decide(Affinity::Adaptive, "dear"), ("middle".into(), cheapest, true));
    assert_eq!(decide(Affinity::Adaptive, "cheap"), ("middle".into(), cheapest, true));
    assert_eq!(decide(Affinity::Adaptive, "middle"), ("middle".into(), cheapest, true));
    assert_eq!(decide(Affinity::None, "dear"), ("middle".into(), cheapest, false));
    assert_eq!(decide(Affinity::Sticky, "gone"), ("middle".into(), cheapest, false));
}

#[test]
fn adaptive_weighs_the_prompt_cache_that_a_switch_would_lose() {
    let mut models = big(tiers());
    // With its cache `dear` costs less than `middle` without one.
    models[0]["price"] = json!({"input": 10.0, "cached_input": 1.0, "output": 10.0});
    models[1]["price"] = json!({"input": 2.0, "output": 10.0});
    let policy = policy_with(router(json!({"band": 0.5})), models, json!({}));
    let decide = |words| {
        let body = chat(&conversation(words));
        let request = read_chat(body.as_bytes()).unwrap();
        let plan = decide_in(&policy, &request, Controls::default(), None, &|_| Recalled::Model(model_hash("dear")));
        (first(&policy, &plan), plan.reason, plan.candidates[0].cost.unwrap())
    };
    assert_eq!(decide(20).0, "middle", "too short to be in a cache");
    let (model, reason, cost) = decide(20_000);
    assert_eq!((model.as_str(), reason), ("dear", Reason::Affinity));
    assert!(cost < 20_000.0 * 1.5e-6, "the cost counts the cache: {cost}");
}

#[test]
fn policy_and_capability_win() {
    let mut models = tiers();
    models[0]["capabilities"]["tools"] = json!(false);
    let policy = policy_with(router(json!("balanced")), models, json!({}));
    let body = BODY.replace("\"messages\"", "\"tools\":[{}],\"messages\"");
    let session = SessionControls { strategy: Some(Affinity::Sticky), id: Some("s".into()) };
    let on_dear: Recall = &|_| Recalled::Model(model_hash("dear"));
    let decide = |body: &str, models: Option<Vec<String>>| {
        let request = read_chat(body.as_bytes()).unwrap();
        let controls = Controls { session: session.clone(), models, ..Controls::default() };
        first(&policy, &decide_in(&policy, &request, controls, None, on_dear))
    };
    assert_eq!(decide(BODY, None), "dear");
    assert_eq!(decide(&body, None), "middle");
    assert_eq!(decide(BODY, Some(vec!["cheap".into()])), "cheap");
}

#[test]
fn a_replica_that_never_saw_the_conversation_finds_its_model() {
    let policy = policy_with(router(json!("balanced")), tiers(), json!({}));
    let hard = "Prove that the numerator of a harmonic sum is divisible by the square of the prime. ".repeat(3);
    let turns = json!([{"role": "user", "content": hard}, {"role": "assistant", "content": "..."},
        {"role": "user", "content": "thanks"}]);
    let opening = chat(&json!([turns[0]]));
    let opening = read_chat(opening.as_bytes()).unwrap();
    let began = decide_in(&policy, &opening, Controls::default(), None, Memory::NONE.recall);
    assert_eq!(began.session.unwrap().model, None, "there is nothing to find yet");
    let body = chat(&turns);
    let request = read_chat(body.as_bytes()).unwrap();
    let on = |recalled: Recalled| {
        let plan = decide_in(&policy, &request, Controls::default(), None, &|_| recalled);
        plan.session.unwrap().model.map(|model| policy.models[model].name.clone())
    };
    assert_eq!(on(Recalled::Nothing), Some(first(&policy, &began)));
    assert_eq!(on(Recalled::Model(model_hash("cheap"))).as_deref(), Some("cheap"));
    assert_eq!(on(Recalled::Expired), None, "long ago is as good as new");
}

#[test]
fn conversations_are_told_apart() {
    let routers = json!([{"name": "r", "mode": "balanced"}, {"name": "other", "mode": "balanced"}]);
    let consumers = json!([{"name": "a", "when": {"header": "h", "equals": "a"}},
        {"name": "b", "when": {"header": "h", "equals": "b"}}]);
    let policy = policy_with(routers, tiers(), json!({"consumers": consumers}));
    let key = |router: usize, caller, body: &str, header: Option<&str>| {
        let request = read_chat(body.as_bytes()).unwrap();
        let terms = Terms::new(&policy, Asked::Router(router), caller, None).unwrap();
        Session::of(&policy, &request, &terms, caller, (None, header), Memory::NONE.recall).unwrap().key.unwrap()
    };
    let (a, b) = (Caller::Consumer(0), Caller::Consumer(1));
    let grown = chat(&json!([{"role": "user", "content": "hello there"}, {"role": "assistant", "content": "x"},
        {"role": "user", "content": "y"}]));
    let one = key(0, a, BODY, Some("s"));
    assert_eq!(one, key(0, a, &grown, Some("s")));
    for other in [key(0, b, BODY, Some("s")), key(1, a, BODY, Some("s")), key(0, a, BODY, Some("t"))] {
        assert_ne!(one, other);
    }
    // By its first message, as long as it lasts.
    assert_eq!(key(0, a, BODY, None), key(0, a, &grown, None));
    assert_ne!(key(0, a, BODY, None), key(0, a, &BODY.replace("there", "you"), None));
}

#[test]
fn a_token_carries_the_model_to_other_replicas() {
    let policy = policy_with(router(json!({"band": 1.0})), tiers(), json!({}));
    let request = read_chat(BODY.as_bytes()).unwrap();
    let decide = |header: &str| {
        decide_in(&policy, &request, Controls::default(), Some(header), Memory::NONE.recall).session.unwrap()
    };
    let session = decide("my session 😀");
    let token = session.token("dear").unwrap();
    assert!(token.is_ascii() && token.starts_with("session_mr"));
    let back = decide(&token);
    assert_eq!((back.key, back.model), (session.key, Some(0)), "the same conversation, and its model is known");
    assert_eq!(back.token("dear").unwrap(), token);
    let plain = decide_in(&policy, &request, Controls::default(), None, Memory::NONE.recall).session.unwrap();
    assert_eq!((plain.source, plain.token("dear")), (Some(Source::Fingerprint), None));
    assert_eq!(request.api, Api::Chat);
}
