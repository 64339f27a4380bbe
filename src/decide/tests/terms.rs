use super::*;
use crate::policy::Affinity;
use crate::request::read_controls;

fn terms<'p>(policy: &'p Policy, asked: Asked, caller: Caller, controls: &Value) -> Result<Terms<'p>, Refusal> {
    let controls = read_controls(controls.to_string().as_bytes()).unwrap();
    Terms::new(policy, asked, caller, Some(&controls))
}

fn policy() -> Policy {
    let routers = json!([{"name": "r", "mode": "quality", "subset": ["dear", "middle"], "session_affinity": "sticky"}]);
    let consumers = json!([{"name": "c", "when": {"header": "h", "equals": "c"}, "models": ["middle"]}]);
    policy_with(routers, tiers(), json!({"consumers": consumers}))
}

#[test]
fn a_request_changes_its_own_terms_only() {
    let policy = Policy { consumers: None, ..policy() };
    let plain = Terms::new(&policy, Asked::Router(0), Caller::Anyone, None).unwrap();
    assert_eq!((plain.mode, plain.band, plain.affinity), (Mode::Quality, 0.0, Affinity::Sticky));
    let asked = json!({"mode": "cost", "models": ["MIDDLE"], "require_parameters": true,
        "session_affinity": {"strategy": "none"}});
    let changed = terms(&policy, Asked::Router(0), Caller::Anyone, &asked).unwrap();
    assert_eq!((changed.mode, changed.band, changed.affinity), (Mode::Cost, 0.055, Affinity::None));
    assert_eq!((changed.models, changed.require_parameters), (Some(vec![1]), true));
    assert_eq!(mode_name(&plain), "quality");
}

#[test]
fn no_request_gets_more_than_the_policy_allows() {
    let policy = policy();
    let refused = |asked, caller, models: Value| {
        let refusal = terms(&policy, asked, caller, &json!({"models": models})).unwrap_err();
        let Refusal::Control(param, _) = refusal else { panic!("{refusal:?}") };
        param
    };
    let (router, consumer) = (Asked::Router(0), Caller::Consumer(0));
    // Outside the subset, not this consumer's, and not there at all look the same.
    for model in ["cheap", "dear", "nobody"] {
        assert_eq!(refused(router, consumer, json!(["middle", model])), "routing_config.models[1]", "{model}");
    }
    assert_eq!(refused(Asked::Model(1), consumer, json!(["middle"])), "routing_config");
}

#[test]
fn required_parameters_exclude_who_would_drop_one() {
    let mut plain = model("plain", 90.0, 1.0);
    plain["parameters"] = json!({"drop": ["temperature"], "rename": {"max_tokens": "max_completion_tokens"}});
    let policy = policy_with(router(json!("quality")), vec![plain, model("full", 10.0, 1.0)], json!({}));
    let body = BODY.replace("\"messages\"", "\"temperature\":1,\"max_tokens\":5,\"messages\"");
    let request = read_chat(body.as_bytes()).unwrap();
    let decide = |controls: Value| {
        let terms = terms(&policy, Asked::Router(0), Caller::Anyone, &controls).unwrap();
        let on = (Asked::Router(0), Caller::Anyone);
        plan_on(&policy, &request, &terms, on, &Cooldowns::NONE, None).unwrap()
    };
    assert_eq!(names(&policy, &decide(json!({}))), ["plain", "full"]);
    let strict = decide(json!({"require_parameters": true}));
    assert_eq!((names(&policy, &strict), strict.excluded), (vec!["full".into()], vec![(0, Exclusion::Parameters)]));
    let only_plain = json!({"models": ["full"]});
    assert_eq!(decide(only_plain).excluded, [(0, Exclusion::Models)]);
}
