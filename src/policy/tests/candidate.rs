use super::*;

fn refused(candidate: Value) -> Vec<String> {
    let errors = Policy::from_value(&with(small(), "/candidate", candidate)).expect_err("should be refused");
    errors.iter().map(Error::to_string).collect()
}

fn candidate(policy: Value) -> Policy {
    let document = with(small(), "/candidate", json!({ "policy": policy }));
    accepted(&document).rollout.unwrap().policy
}

#[test]
fn what_a_candidate_does_not_say_is_taken_over() {
    let mut document = with(example(), "/max_attempts", json!(3));
    document["candidate"] = json!({"percent": 10, "policy": {"routers": [{"name": "model-router", "mode": "cost",
        "subset": ["gpt-5-nano", "gpt-5-mini"]}]}});
    let policy = accepted(&document);
    assert_eq!((policy.label(), policy.is_candidate), ("current", false));
    let Rollout { percent, policy: candidate } = policy.rollout.as_deref().unwrap();
    assert_eq!((*percent, candidate.label(), candidate.is_candidate), (10, "candidate", true));
    assert_eq!((candidate.routers[0].mode, candidate.routers[0].version.as_deref()), (Mode::Cost, None));
    assert_eq!((candidate.models.len(), candidate.max_attempts), (policy.models.len(), 3));
    assert_eq!(candidate.consumers.as_ref().unwrap()[0].models.as_deref(), Some(&[0][..]));
    assert!(candidate.rollout.is_none() && candidate.warnings.is_empty());
}

#[test]
fn names_are_labels_and_differ() {
    let named = with(small(), "/name", json!("stable"));
    assert_eq!(accepted(&named).label(), "stable");
    assert_eq!(accepted(&small()).name, None);
    let both = with(named, "/candidate", json!({"name": "next", "policy": {}}));
    assert_eq!(accepted(&both).rollout.unwrap().policy.label(), "next");
    assert_eq!(
        refused(json!({"name": "current", "policy": {}})),
        ["candidate.name: `current` is the name of the policy itself"]
    );
    assert!(refused(json!({"name": "a;b", "policy": {}}))[0].starts_with("candidate.name: must be visible ASCII"));
}

#[test]
fn errors_have_their_path() {
    let error = |candidate: Value| {
        let errors = refused(candidate);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        errors[0].clone()
    };
    assert_eq!(error(json!({})), "candidate.policy: missing");
    assert_eq!(error(json!([])), "candidate: expected an object, found a list");
    assert!(
        error(json!({"percent": 101, "policy": {}})).starts_with("candidate.percent: expected a whole number from 0")
    );
    assert!(error(json!({"share": 1, "policy": {}})).starts_with("candidate: unknown field `share`"));
    let own = |policy: Value| error(json!({ "policy": policy }));
    assert!(
        own(json!({"routers": [{"name": "auto", "mode": "fast"}]})).starts_with("candidate.policy.routers[0].mode: ")
    );
    assert!(own(json!({"router": []})).starts_with("candidate.policy: unknown field `router`; did you mean"));
    for name in ["candidate", "consumers", "providers", "name", "unknown_paths", "max_attempts", "envoy"] {
        let found = refused(json!({"policy": { name: [] }}));
        let expected = format!("candidate.policy: unknown field `{name}`");
        assert!(found.iter().any(|error| error.starts_with(&expected)), "{found:?}");
    }
    let twins = json!([{"name": "auto"}, {"name": "auto"}]);
    assert_eq!(
        own(json!({ "routers": twins })),
        "candidate.policy.routers[1].name: the name is already used at candidate.policy.routers[0].name"
    );
}

#[test]
fn what_is_wrong_above_is_said_once_and_what_follows_is_said_too() {
    let mut document = with(small(), "/candidate", json!({"policy": {"routers": [{"name": "auto"}]}}));
    document["models"][0]["price"] = json!(1);
    document["providers"][0]["dialect"] = json!("x");
    let errors = Policy::from_value(&document).unwrap_err();
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["providers[0].dialect", "models[0].price"]);
    // A router that is taken over, and a model that is not.
    let unknown = json!([{"name": "own", "served_by": [{"provider": "p"}]}]);
    let errors = refused(json!({"policy": { "models": unknown }}));
    let expected = "candidate.policy: does not go with `routers[0]`: no price is known for `own`: give candidate.policy.models[0].price";
    assert!(errors[0].starts_with(expected), "{errors:#?}");
    assert_eq!(errors.len(), 2, "a price and abilities: {errors:#?}");
    // Beside a router of the candidate's own its index says nothing.
    let errors = refused(
        json!({"policy": {"models": unknown, "routers": [{"name": "new", "subset": ["gpt-5", "gpt-5-mini"]}]}}),
    );
    assert!(errors[0].starts_with("candidate.policy: does not go with `auto` of `routers`: no price"), "{errors:#?}");
}

#[test]
fn routers_and_models_take_the_place_of_those_of_their_name() {
    let served = json!([{"provider": "p"}]);
    let mut document = with(small(), "/routers/-", json!({"name": "other", "subset": ["gpt-5"]}));
    document["candidate"] = json!({"policy": {
        "routers": [{"name": "new"}, {"name": "auto", "mode": "cost"}],
        "models": [{"name": "gpt-5", "served_by": served, "price": {"input": 7}}],
    }});
    let candidate = accepted(&document).rollout.unwrap().policy;
    let routers: Vec<_> = candidate.routers.iter().map(|router| (router.name.as_str(), router.mode)).collect();
    assert_eq!(routers, [("new", Mode::Balanced), ("auto", Mode::Cost), ("other", Mode::Balanced)]);
    let models: Vec<&str> = candidate.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(models, ["gpt-5", "gpt-5-mini"]);
    assert_eq!(candidate.models[0].price.as_ref().unwrap().input, 7.0);
    assert_eq!(candidate.routers[2].pool, [None, Some(Outside::Subset)]);
}

#[test]
fn warnings_say_what_joins_and_leaves() {
    let warnings = |policy: Value| accepted(&with(small(), "/candidate", json!({ "policy": policy }))).warnings;
    assert!(warnings(json!({})).is_empty() && warnings(json!({"cooldown": {"maximum_seconds": 2}})).is_empty());
    let nano = json!([{"name": "gpt-5-nano", "served_by": [{"provider": "p"}]}]);
    assert_eq!(warnings(json!({ "models": nano })), ["candidate.policy: router `auto`: gpt-5-nano@p joins its pool"]);
    let without_mini = json!([{"name": "auto", "subset": ["gpt-5-nano", "gpt-5"]}]);
    assert_eq!(
        warnings(json!({"models": nano, "routers": without_mini})),
        ["candidate.policy: router `auto`: gpt-5-nano@p joins its pool; gpt-5-mini@p leaves it"]
    );
    assert_eq!(
        warnings(json!({"routers": [{"name": "one", "subset": ["gpt-5"]}]})),
        [
            "candidate.policy.routers[0]: only `gpt-5` is usable, so there is no failover",
            "candidate.policy: router `one` is new: gpt-5@p"
        ]
    );
}

#[test]
fn what_is_odd_with_the_policy_is_said_once() {
    let mut document = with(small(), "/routers/-", json!({"name": "one", "subset": ["gpt-5"]}));
    document["candidate"] = json!({"policy": {"routers": [{"name": "auto", "mode": "cost"}]}});
    assert_eq!(accepted(&document).warnings, ["routers[1]: only `gpt-5` is usable, so there is no failover"]);
}

#[test]
fn a_router_that_another_policy_does_not_have_is_gone() {
    let old = accepted(&small());
    let new = accepted(&with(small(), "/routers/0/name", json!("other")));
    assert_eq!(
        changes(&old, &new),
        ["router `auto` is gone: requests for it are refused", "router `other` is new: gpt-5-mini@p, gpt-5@p"]
    );
}

#[test]
fn a_provider_of_the_candidate_alone_is_used() {
    let mut document = small();
    document["providers"].as_array_mut().unwrap().push(json!({"name": "q", "cluster": "q", "dialect": "openai"}));
    assert_eq!(accepted(&document).warnings, ["providers[1]: no model is served by `q`"]);
    let models = json!([{"name": "gpt-5", "served_by": [{"provider": "q"}]}, {"name": "gpt-5-mini", "served_by": [{"provider": "p"}]}]);
    document["candidate"] = json!({"policy": { "models": models }});
    let warnings = accepted(&document).warnings;
    assert_eq!(warnings, ["candidate.policy: router `auto`: gpt-5@q joins its pool; gpt-5@p leaves it"]);
}

#[test]
fn pools_heed_versions_and_zones() {
    let policy = accepted(&example());
    assert_eq!(
        pool(&policy, &policy.routers[0]),
        [
            "gpt-5-nano@openai",
            "gpt-5-mini@azure-ptu",
            "gpt-5-mini@openai",
            "gpt-5@openai",
            "claude-sonnet-4-5@anthropic"
        ]
    );
    let in_zone = accepted(&with(example(), "/routers/0/data_zone", json!("eu")));
    assert_eq!(pool(&in_zone, &in_zone.routers[0]), ["gpt-5-mini@azure-ptu"]);
    let mut older = example();
    older["routers"][0] = json!({"name": "model-router", "version": "2025-08-07"});
    older.as_object_mut().unwrap().remove("consumers");
    let newer = accepted(&with(older.clone(), "/routers/0/version", json!("2025-11-18")));
    let older = accepted(&older);
    assert_eq!(changes(&older, &newer), ["router `model-router`: claude-sonnet-4-5@anthropic joins its pool"]);
    assert_eq!(changes(&newer, &older), ["router `model-router`: claude-sonnet-4-5@anthropic leaves it"]);
}

#[test]
fn the_candidate_as_a_document_is_what_is_validated() {
    let models = json!([{"name": "gpt-5", "served_by": [{"provider": "p"}], "price": {"input": 7}}]);
    let document = with(small(), "/candidate", json!({"policy": { "models": models, "timeouts": null }}));
    let own = candidate_document(&document).unwrap();
    assert_eq!(own["models"], json!([models[0], small()["models"][0]]));
    assert_eq!((&own["routers"], own.get("candidate")), (&small()["routers"], None));
    assert_eq!(accepted(&own).models.len(), candidate(json!({ "models": models })).models.len());
    assert_eq!(candidate_document(&small()), None);
}

#[test]
fn limits_are_the_policys() {
    let limited = with(small(), "/routers/0/limits", json!({"requests_per_minute": 5}));
    let with_limits = |limits: Value| {
        let router = json!({"name": "auto", "mode": "cost", "limits": limits});
        Policy::from_value(&with(limited.clone(), "/candidate", json!({"policy": {"routers": [router]}})))
    };
    for limits in [Value::Null, json!({"requests_per_minute": 5})] {
        let policy = with_limits(limits).unwrap();
        let candidate = &policy.rollout.as_ref().unwrap().policy;
        assert!(candidate.has_limits() && candidate.routers[0].limits == policy.routers[0].limits);
    }
    let errors = with_limits(json!({"requests_per_minute": 6})).unwrap_err();
    assert_eq!(errors[0].to_string(), "candidate.policy: router `auto`: its limits stand in the policy, for both");
}
