mod affinity;
mod cooldown;
mod kept;
mod rollout;
mod terms;
mod thinking;

use super::*;
use crate::catalog::Price;
use crate::policy::Outside;
use crate::request::{Request, read_chat};
use serde_json::{Value, json};

fn model(name: &str, quality: f64, price: f64) -> Value {
    json!({"name": name, "abilities": quality, "price": {"input": price, "output": price}, "served_by": [{"provider": "p"}],
        "context": {"input": 1000, "output": 500}, "capabilities": {"images": false, "tools": true, "json_schema": true}})
}

fn policy_with(routers: Value, models: Vec<Value>, more: Value) -> Policy {
    let mut config = json!({
        "routers": routers,
        "models": models,
        "providers": [{"name": "p", "cluster": "p", "dialect": "openai", "data_zone": "us"},
            {"name": "eu", "cluster": "eu", "dialect": "openai", "data_zone": "eu"},
            {"name": "a", "cluster": "a", "dialect": "anthropic"}]
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Policy::from_value(&config).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Three tiers: the dear one is best, the middle one nearly as good, the cheap one far below.
fn tiers() -> Vec<Value> {
    vec![model("dear", 95.0, 10.0), model("middle", 85.0, 1.0), model("cheap", 5.0, 0.1)]
}

fn router(mode: Value) -> Value {
    json!([{"name": "r", "mode": mode}])
}

const BODY: &str = r#"{"model":"r","messages":[{"role":"user","content":"hello there"}]}"#;

fn decide(policy: &Policy, body: &str) -> Result<Plan, Refusal> {
    let request = read_chat(body.as_bytes()).unwrap();
    decide_as(policy, &request, Caller::Anyone)
}

fn decide_as(policy: &Policy, request: &Request, caller: Caller) -> Result<Plan, Refusal> {
    let asked = asked(policy, request.model.as_deref(), caller)?;
    let terms = Terms::new(policy, asked, caller, None)?;
    plan_on(policy, request, &terms, (asked, caller), &Cooldowns::NONE, None)
}

/// The plan on these terms of a request that needs no translation.
fn plan_on(
    policy: &Policy,
    request: &Request,
    terms: &Terms,
    (asked, caller): (Asked, Caller),
    cooldowns: &Cooldowns,
    session: Option<Session>,
) -> Result<Plan, Refusal> {
    let translations = Translations::default();
    plan(
        &Question { policy, request, endpoint: None, translations: &translations, terms, cooldowns, caller },
        reading(policy, request),
        asked,
        session,
    )
}

fn names(policy: &Policy, plan: &Plan) -> Vec<String> {
    plan.candidates.iter().map(|candidate| policy.models[candidate.model].name.clone()).collect()
}

#[test]
fn modes_choose_and_rank() {
    for (mode, expected, reason) in [
        (json!("quality"), ["dear", "middle", "cheap"], Reason::Best),
        (json!("balanced"), ["middle", "dear", "cheap"], Reason::CheapestInBand),
        (json!("cost"), ["middle", "dear", "cheap"], Reason::CheapestInBand),
        (json!({"band": 1.0}), ["cheap", "middle", "dear"], Reason::CheapestInBand),
        (json!({"band": 0}), ["dear", "middle", "cheap"], Reason::Best),
    ] {
        let policy = policy_with(router(mode.clone()), tiers(), json!({}));
        let plan = decide(&policy, BODY).unwrap();
        assert_eq!((names(&policy, &plan), plan.reason), (expected.map(String::from).to_vec(), reason), "{mode}");
        assert_eq!(decide(&policy, BODY).unwrap(), plan, "the same request and policy give the same plan");
    }
}

#[test]
fn ties_go_by_cost_then_name() {
    let twins = vec![model("b", 60.0, 2.0), model("a", 60.0, 2.0), model("z", 60.0, 1.0)];
    let policy = policy_with(router(json!("quality")), twins, json!({}));
    assert_eq!(names(&policy, &decide(&policy, BODY).unwrap()), ["z", "a", "b"]);
}

#[test]
fn each_provider_is_a_slot_in_the_policys_order() {
    let mut both = model("both", 90.0, 1.0);
    both["served_by"] = json!([{"provider": "eu", "deployment": "own"}, {"provider": "p"}, {"provider": "a"}]);
    let policy = policy_with(router(json!("quality")), vec![both, model("other", 10.0, 1.0)], json!({}));
    let plan = decide(&policy, BODY).unwrap();
    let places: Vec<_> =
        plan.candidates.iter().map(|candidate| candidate.place(&policy).unwrap().1.name.as_str()).collect();
    assert_eq!(places, ["eu", "p", "a", "p"]);
}

#[test]
fn exclusions_have_their_reasons() {
    let mut eu = model("eu-only", 10.0, 1.0);
    eu["served_by"] = json!([{"provider": "eu"}]);
    let mut claude = model("claude-x", 10.0, 1.0);
    claude["served_by"] = json!([{"provider": "a"}]);
    let mut tiny = model("tiny", 10.0, 1.0);
    tiny["context"] = json!({"input": 10, "output": 5});
    let mut plain = model("plain", 10.0, 1.0);
    plain["capabilities"] = json!({"images": true, "tools": false});
    let mut models = tiers();
    models.extend([eu, claude, tiny, plain]);
    let routers = json!([{"name": "r", "data_zone": "us",
        "subset": ["middle", "cheap", "tiny", "plain", "eu-only"]}, {"name": "all"}]);
    let policy = policy_with(routers, models, json!({}));
    let reason = |body: &str, name: &str| {
        let plan = decide(&policy, body).unwrap();
        plan.excluded.iter().find(|(id, _)| policy.models[*id].name == name).map(|(_, why)| *why)
    };
    assert_eq!(reason(BODY, "dear"), Some(Exclusion::Outside(Outside::Subset)));
    assert_eq!(reason(BODY, "eu-only"), Some(Exclusion::Outside(Outside::DataZone)));
    assert_eq!(reason(&BODY.replace("\"r\"", "\"all\""), "claude-x"), None);
    assert!(reason(BODY, "middle").is_none());
    let long = BODY.replace("hello", &"hello ".repeat(20));
    assert!(matches!(reason(&long, "tiny"), Some(Exclusion::Context { .. })));
    let output = BODY.replace("\"messages\"", "\"max_tokens\":6,\"messages\"");
    assert!(matches!(reason(&output, "tiny"), Some(Exclusion::Context { output: 6, .. })));
    let tools = BODY.replace("\"messages\"", "\"tools\":[{}],\"messages\"");
    assert_eq!(reason(&tools, "plain"), Some(Exclusion::Tools));
    let schema = BODY.replace("\"messages\"", "\"response_format\":{\"type\":\"json_schema\"},\"messages\"");
    assert_eq!(reason(&schema, "plain"), Some(Exclusion::JsonSchema));
    let image = BODY.replace("\"hello there\"", "[{\"type\":\"image_url\",\"image_url\":{}}]");
    assert_eq!(reason(&image, "middle"), Some(Exclusion::Images));
    let audio = BODY.replace("\"hello there\"", "[{\"type\":\"input_audio\",\"input_audio\":{}}]");
    assert!(matches!(decide(&policy, &audio), Err(Refusal::NothingEligible { .. })));
}

#[test]
fn names_and_prefixes() {
    let policy = policy_with(router(json!("cost")), tiers(), json!({}));
    let ask = |name| asked(&policy, name, Caller::Anyone);
    assert_eq!(ask(Some("r")), Ok(Asked::Router(0)));
    assert_eq!(ask(Some("R")), Ok(Asked::Router(0)));
    assert_eq!(ask(Some("model_router/r")), Ok(Asked::Router(0)));
    assert_eq!(ask(Some("azure_ai/model_router/cheap")), Ok(Asked::Model(2)));
    assert_eq!(ask(None), Err(Refusal::NoModel));
    assert_eq!(ask(Some("")), Err(Refusal::NoModel));
    assert_eq!(ask(Some("azure_ai/cheap")), Err(Refusal::UnknownModel("azure_ai/cheap".into())));
    let plan = decide(&policy, &BODY.replace("\"r\"", "\"dear\"")).unwrap();
    assert_eq!((names(&policy, &plan), plan.reason), (vec!["dear".into()], Reason::Direct));
}

#[test]
fn consumers_see_only_what_is_theirs() {
    let consumers = json!({"consumers": [
        {"name": "batch", "when": {"header": "X-Consumer", "equals": "batch"}, "routers": ["r"], "models": ["cheap"]},
        {"name": "team", "when": {"header": "x-consumer", "equals": "team"}, "routers": ["other"]}]});
    let routers = json!([{"name": "r", "mode": "quality"}, {"name": "other"}]);
    let policy = policy_with(routers, tiers(), consumers);
    let identify = |value: &'static str| Caller::identify(&policy, |name| (name == "x-consumer").then_some(value));
    let (batch, team, nobody) = (identify("batch"), identify("team"), identify("else"));
    assert_eq!((batch, team, nobody), (Caller::Consumer(0), Caller::Consumer(1), Caller::Nobody));
    let request = read_chat(BODY.as_bytes()).unwrap();
    let plan = decide_as(&policy, &request, batch).unwrap();
    assert_eq!(names(&policy, &plan), ["cheap"]);
    assert!(plan.excluded.contains(&(0, Exclusion::Consumer)));
    assert_eq!(plan.reason, Reason::OnlyEligible);
    assert_eq!(decide_as(&policy, &request, team), Err(Refusal::NotAllowed("r".into())));
    assert_eq!(decide_as(&policy, &request, nobody), Err(Refusal::NotAllowed("r".into())));
    assert_eq!(asked(&policy, Some("dear"), batch), Err(Refusal::NotAllowed("dear".into())));
    assert_eq!(asked(&policy, Some("dear"), team), Ok(Asked::Model(0)));
}

#[test]
fn costs() {
    let price: Price = serde_json::from_value(json!({"input": 2.0, "cached_input": 0.5, "output": 8.0,
        "long_context": {"above": 1000, "input": 4.0, "output": 12.0}}))
    .unwrap();
    let usage = |input, cached_input, cache_write, output| cost::Usage {
        input,
        cached_input,
        cache_write,
        output,
        ..cost::Usage::default()
    };
    let microdollars = |fee, usage| (cost::of_usage(&price, fee, &usage) * 1e6).round();
    assert_eq!(microdollars(0.0, usage(1000, 400, 0, 100)), 600.0 * 2.0 + 400.0 * 0.5 + 100.0 * 8.0);
    assert_eq!(microdollars(0.14, usage(1000, 0, 0, 0)), 2140.0);
    // Cached tokens without a price of their own cost as much as others; more cached than sent cannot be.
    assert_eq!(microdollars(0.0, usage(2000, 3000, 9, 10)), 2000.0 * 4.0 + 120.0);
    assert_eq!(microdollars(0.0, usage(100, 0, 50, 0)), 200.0);
    // What is kept for an hour is a part of what is written, and costs twice the input unless its price is known.
    let kept = |written, kept| cost::Usage { cache_write_1h: kept, ..usage(100, 0, written, 0) };
    assert_eq!(microdollars(0.0, kept(50, 20)), 80.0 * 2.0 + 20.0 * 4.0);
    assert_eq!(microdollars(0.0, kept(50, 999)), 50.0 * 2.0 + 50.0 * 4.0);
    let charged = |price: &Price, usage| (cost::of_baseline(price, &usage) * 1e6).round();
    assert_eq!(charged(&price, kept(50, 20)), 200.0, "a baseline that charges nothing for writes");
    let claude = Price { cache_write: Some(2.5), cache_write_1h: Some(5.0), ..price.clone() };
    assert_eq!((cost::of_usage(&claude, 0.0, &kept(50, 20)) * 1e6).round(), 50.0 * 2.0 + 30.0 * 2.5 + 20.0 * 5.0);
    assert_eq!(charged(&claude, kept(50, 20)), 275.0);
}

#[test]
fn a_request_is_charged_with_what_it_asks_for() {
    let policy = policy_with(json!([{"name": "r", "mode": "quality"}]), tiers(), json!({}));
    let charge = |body: &str| {
        let plan = decide(&policy, body).unwrap();
        (Charge::of(&read_chat(body.as_bytes()).unwrap(), &plan), plan.candidates[0])
    };
    let (open, first) = charge(BODY);
    let input = read_chat(BODY.as_bytes()).unwrap().input_tokens;
    assert_eq!(open.tokens, u64::from(input + first.prediction.output_tokens));
    assert_eq!(open.microdollars, (first.cost.unwrap() * 1e6).round() as u64);
    let (bounded, _) = charge(&BODY.replacen('{', r#"{"max_completion_tokens":400,"#, 1));
    assert_eq!(bounded.tokens, u64::from(input) + 400);
}

#[test]
fn who_is_nobody_may_be_a_consumer() {
    let consumers = json!({"consumers": [
        {"name": "guest", "when": "nobody", "routers": [], "models": ["cheap"]},
        {"name": "team", "when": {"header": "x-consumer", "equals": "team"}}]});
    let policy = policy_with(json!([{"name": "r"}]), tiers(), consumers);
    let identify =
        |value: Option<&'static str>| Caller::identify(&policy, |name| value.filter(|_| name == "x-consumer"));
    let callers = [None, Some("other"), Some("nobody"), Some("team")].map(identify);
    assert_eq!(callers, [0, 0, 0, 1].map(Caller::Consumer));
    assert!(!callers[0].may_ask(&policy, Asked::Router(0)) && callers[3].may_ask(&policy, Asked::Router(0)));
    assert_eq!(policy.consumer_headers().collect::<Vec<_>>(), ["x-consumer"]);
}
