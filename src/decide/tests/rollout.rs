use super::super::affinity::Recalled;
use super::super::rollout::split;
use super::*;
use crate::origin::Origin;
use crate::request::{Api, read_named, read_responses};
use crate::routing::{Call, Routed, route};

/// A policy in balanced mode with a candidate in this one.
fn policy(percent: u32, mode: Value) -> Policy {
    let candidate = json!({"name": "next", "percent": percent, "policy": {"routers": router(mode)}});
    policy_with(router(json!("balanced")), tiers(), json!({"name": "stable", "candidate": candidate}))
}

fn chat(content: &str) -> String {
    json!({"model": "r", "messages": [{"role": "user", "content": content}]}).to_string()
}

fn routed<'p>(policy: &'p Policy, body: &'p str, session: Option<&str>) -> Routed<'p, 'p> {
    let call = Call { session: session.map(Into::into), ..Call::of(Api::Chat, Caller::Anyone) };
    route(policy, &call, body.as_bytes(), Memory::NONE).unwrap()
}

fn label(policy: &Policy, body: &str, session: Option<&str>) -> String {
    split(policy, &read_chat(body.as_bytes()).unwrap(), (None, session)).0.label().to_owned()
}

/// Whether the candidate serves the conversation with this number.
type Way<'w> = &'w dyn Fn(&Policy, usize) -> bool;

/// Which of a thousand conversations the candidate serves.
fn served(percent: u32, is_next: Way) -> Vec<bool> {
    let policy = policy(percent, json!("quality"));
    (0..1000).map(|number| is_next(&policy, number)).collect()
}

#[test]
fn a_share_of_conversations_is_served_and_keeps_being_so_when_it_grows() {
    let by_id = |policy: &Policy, number: usize| label(policy, BODY, Some(&format!("user-{number}"))) == "next";
    let by_message =
        |policy: &Policy, number: usize| label(policy, &chat(&format!("Question {number}?")), None) == "next";
    let ways: [Way; 2] = [&by_id, &by_message];
    for way in ways {
        let mut before = served(0, way);
        assert!(!before.contains(&true));
        for percent in [1, 10, 20, 50, 99, 100] {
            let now = served(percent, way);
            let count = now.iter().filter(|served| **served).count() as f64;
            // Four standard deviations of a fair draw.
            let share = f64::from(percent) / 100.0;
            let off = 4.0 * (1000.0 * share * (1.0 - share)).sqrt();
            assert!((count - 1000.0 * share).abs() <= off, "{percent} %: {count} of 1000");
            assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "{percent} %");
            before = now;
        }
    }
}

#[test]
fn another_candidate_gets_other_conversations() {
    let named = |name: &str| {
        let candidate = json!({"name": name, "percent": 50, "policy": {}});
        let policy = policy_with(router(json!("balanced")), tiers(), json!({"candidate": candidate}));
        let served = |number| label(&policy, BODY, Some(&format!("user-{number}"))) == name;
        (0..200).map(served).collect::<Vec<_>>()
    };
    assert_eq!(named("next"), named("next"));
    let both = named("next").into_iter().zip(named("later")).filter(|(one, other)| one == other).count();
    assert!((60..140).contains(&both), "{both} of 200 the same");
}

#[test]
fn a_conversation_stays_with_its_policy_turn_by_turn() {
    let policy = policy(50, json!("quality"));
    let mut labels = Vec::new();
    for number in 0..40 {
        let first = json!({"role": "user", "content": format!("Question {number}?")});
        let mut messages = vec![json!({"role": "system", "content": "Be brief."}), first];
        let said = || label(&policy, &json!({"model": "r", "messages": messages}).to_string(), None);
        let begun = said();
        for turn in 0..3 {
            messages.push(json!({"role": "assistant", "content": "yes"}));
            messages.push(json!({"role": "user", "content": format!("And {turn}?")}));
            let said = || label(&policy, &json!({"model": "r", "messages": messages}).to_string(), None);
            assert_eq!(said(), begun);
        }
        labels.push(begun);
    }
    assert!(labels.contains(&"next".to_owned()) && labels.contains(&"stable".to_owned()));
}

#[test]
fn a_token_keeps_the_policy_of_the_id_that_it_stands_for() {
    let policy = policy(50, json!("quality"));
    for number in 0..50 {
        let id = format!("user-{number}");
        let begun = routed(&policy, BODY, Some(&id));
        let token = begun.plan.session.unwrap().token("middle").unwrap();
        assert_eq!(label(&policy, BODY, Some(&token)), begun.policy.label());
    }
}

#[test]
fn what_follows_on_a_response_stays_with_the_policy_that_made_it() {
    let mark = |candidate| Origin { candidate, ..Origin::new("p", "middle") }.mark();
    let served = |percent, id: &str| {
        let policy = policy(percent, json!("quality"));
        let body = format!(r#"{{"model":"r","input":"x","previous_response_id":"{id}"}}"#);
        let request = read_responses(body.as_bytes()).unwrap();
        split(&policy, &request, (None, None)).0.label() == "next"
    };
    for number in 0..20 {
        let [ours, theirs] = [true, false].map(|candidate| format!("resp_{}{number}", mark(candidate)));
        assert_eq!([0, 1, 99, 100].map(|percent| served(percent, &ours)), [false, true, true, true]);
        assert_eq!([0, 1, 99, 100].map(|percent| served(percent, &theirs)), [false, false, false, true]);
    }
    let policy = policy(100, json!("quality"));
    let body = r#"{"model":"r","input":"x"}"#;
    let made = route(&policy, &Call::of(Api::Responses, Caller::Anyone), body.as_bytes(), Memory::NONE).unwrap();
    assert!(made.brief.slots.iter().all(|slot| Origin::of(slot.mark.as_bytes()).unwrap().0.candidate));
}

#[test]
fn requests_without_a_conversation_are_spread_too() {
    let policy = policy(50, json!("quality"));
    let served = |number: usize| {
        let body = format!(r#"{{"model":"cheap","input":"text {number}"}}"#);
        split(&policy, &read_named(body.as_bytes()).unwrap(), (None, None)).0.is_candidate
    };
    let count = (0..200).filter(|number| served(*number)).count();
    assert!((60..140).contains(&count), "{count} of 200");
}

#[test]
fn a_shadow_says_what_would_have_been() {
    let policy = policy(0, json!("quality"));
    let Routed { policy: serving, plan, shadow, .. } = routed(&policy, BODY, None);
    let shadow = shadow.unwrap();
    assert_eq!((serving.label(), shadow.policy.label()), ("stable", "next"));
    assert_eq!(names(&policy, &plan)[0], "middle");
    assert_eq!(names(shadow.policy, shadow.decided.as_ref().unwrap())[0], "dear");
    assert_eq!(shadow.agreement(serving, &plan), "other_model");
    let expected = shadow.expected(serving, &plan).unwrap();
    assert_eq!(expected.map(|expected| expected.policy), ["stable", "next"]);
    // The two differ tenfold in price, and in nothing else that costs.
    assert!((9.9..10.1).contains(&(expected[1].cost as f64 / expected[0].cost as f64)), "{expected:?}");
    assert_eq!(expected[0].quality, (plan.candidates[0].prediction.quality * 1e6) as u64);
    assert!(expected[1].quality > expected[0].quality);
}

#[test]
fn who_asks_for_a_model_gets_no_shadow() {
    let policy = policy(0, json!("quality"));
    assert!(routed(&policy, &BODY.replace("\"r\"", "\"cheap\""), None).shadow.is_none());
}

/// The shadow's agreement where the candidate is `changed`, in a conversation that is on `dear`.
fn agreement(changed: Value) -> (&'static str, Option<String>) {
    let candidate = json!({"policy": changed});
    let policy = policy_with(router(json!("balanced")), tiers(), json!({"candidate": candidate}));
    let recall = |_| Recalled::Model(Origin::new("", "dear").model);
    let call = Call { session: Some("s".into()), ..Call::of(Api::Chat, Caller::Anyone) };
    let memory = Memory { recall: &recall, cooldowns: &Cooldowns::NONE };
    let Routed { policy, plan, shadow, .. } = route(&policy, &call, BODY.as_bytes(), memory).unwrap();
    let shadow = shadow.unwrap();
    let first = shadow.first().map(|first| shadow.policy.models[first.model].name.clone());
    (shadow.agreement(policy, &plan), first)
}

#[test]
fn policies_that_are_the_same_agree_and_others_by_their_own_lists() {
    assert_eq!(agreement(json!({})), ("same", Some("middle".into())));
    let mut turned = tiers();
    turned.reverse();
    assert_eq!(agreement(json!({ "models": turned })), ("same", Some("middle".into())));
    let mut elsewhere = turned.clone();
    elsewhere[1]["served_by"] = json!([{"provider": "eu"}]);
    assert_eq!(agreement(json!({ "models": elsewhere })), ("other_provider", Some("middle".into())));
    let sticky = json!([{"name": "r", "session_affinity": "sticky"}]);
    assert_eq!(agreement(json!({"models": turned, "routers": sticky})), ("other_model", Some("dear".into())));
    let mut tiny = model("middle", 85.0, 1.0);
    tiny["context"] = json!({"input": 1, "output": 1});
    let only = json!([{"name": "r", "subset": ["middle"]}]);
    assert_eq!(agreement(json!({"routers": only, "models": [tiny]})), ("refused", None));
}

#[test]
fn the_shadow_sees_the_conversation_as_it_stands() {
    // Nobody remembers it: the serving policy finds its model by the first message, and that is where it is.
    let body = json!({"model": "r", "messages": [{"role": "user", "content": "hello there"},
        {"role": "assistant", "content": "hi"}, {"role": "user", "content": "hello there"}]});
    let body = body.to_string();
    let policy = policy(0, json!("quality"));
    let Routed { plan, shadow, .. } = routed(&policy, &body, None);
    let on = |plan: &Plan| plan.session.and_then(|session| session.model);
    assert_eq!(on(&plan), Some(1));
    assert_eq!(on(&shadow.unwrap().decided.unwrap()), Some(1));
}

#[test]
fn consumers_are_the_same_under_both() {
    let when = |name: &str| json!({"header": "x-team", "equals": name});
    let consumers = json!([{"name": "a", "when": when("a")},
        {"name": "b", "when": when("b"), "routers": ["r", "old"], "models": ["cheap", "dear"]}]);
    let routers = json!([{"name": "r"}, {"name": "old"}]);
    let candidate = json!({"percent": 100, "policy": {
        "routers": [{"name": "s"}, {"name": "r"}], "models": [model("new", 99.0, 0.1), model("cheap", 5.0, 0.1)]}});
    let policy = policy_with(routers, tiers(), json!({"consumers": consumers, "candidate": candidate}));
    let decide = |consumer, name: &str| {
        let body = BODY.replace("\"r\"", &format!("\"{name}\""));
        let call = Call::of(Api::Chat, Caller::Consumer(consumer));
        let routed = route(&policy, &call, body.as_bytes(), Memory::NONE).map_err(|error| error.code)?;
        assert!(routed.policy.is_candidate);
        Ok::<_, &str>(names(routed.policy, &routed.plan))
    };
    assert_eq!(decide(0, "r").unwrap().len(), 4);
    assert_eq!(decide(0, "s").unwrap().len(), 4);
    assert_eq!(decide(1, "r"), Ok(vec!["dear".to_owned(), "cheap".to_owned()]));
    assert_eq!(decide(1, "s").unwrap_err(), decide(1, "new").unwrap_err(), "not allowed");
}

#[test]
fn without_a_candidate_there_is_no_shadow() {
    let policy = policy_with(router(json!("balanced")), tiers(), json!({}));
    let routed = routed(&policy, BODY, None);
    assert!(routed.shadow.is_none() && routed.policy.label().is_empty() && routed.brief.policy.is_empty());
}
