mod bytes;
mod candidate;
mod content_filter;
mod errors;
mod fields;

use serde_json::{Value, json};

use super::*;
use crate::catalog::{Catalog, Effort, Skill, Task};

/// DESIGN's policy, with the models and providers that its excerpt leaves out.
fn example() -> Value {
    json!({
        "routers": [{
            "name": "model-router",
            "mode": "balanced",
            "version": "2025-11-18",
            "subset": ["gpt-5-nano", "gpt-5-mini", "gpt-5", "claude-sonnet-4-5"],
            "publishers": ["OpenAI", "Anthropic"],
            "session_affinity": "adaptive",
            "baseline": "gpt-5",
            "fee": 0.14
        }],
        "models": [
            {"name": "gpt-5-nano", "served_by": [{"provider": "openai"}]},
            {"name": "gpt-5-mini", "served_by": [{"provider": "azure-ptu", "deployment": "my-mini"}, {"provider": "openai"}]},
            {"name": "gpt-5", "served_by": [{"provider": "openai"}]},
            {"name": "claude-sonnet-4-5", "served_by": [{"provider": "anthropic"}]},
            {
                "name": "llama-3-70b-local",
                "served_by": [{"provider": "vllm"}],
                "price": {"input": 0, "output": 0},
                "context": {"input": 131072, "output": 8192},
                "abilities_like": "llama-4-maverick"
            }
        ],
        "providers": [
            {"name": "openai", "cluster": "openai", "dialect": "openai", "path": "/v1", "data_zone": "us"},
            {"name": "azure-ptu", "cluster": "azure", "dialect": "azure_openai", "data_zone": "EU"},
            {"name": "anthropic", "cluster": "anthropic", "dialect": "anthropic", "path": "/v1"},
            {"name": "vllm", "cluster": "vllm", "dialect": "openai", "authority": "vllm.local:8000", "path": ""}
        ],
        "consumers": [{
            "name": "batch",
            "when": {"header": "X-Consumer", "equals": "batch"},
            "routers": ["model-router"],
            "models": ["gpt-5-nano"]
        }]
    })
}

/// The smallest useful policy: two models, one router over both.
fn small() -> Value {
    json!({
        "routers": [{"name": "auto"}],
        "models": [
            {"name": "gpt-5-mini", "served_by": [{"provider": "p"}]},
            {"name": "gpt-5", "served_by": [{"provider": "p"}]}
        ],
        "providers": [{"name": "p", "cluster": "c", "dialect": "openai"}]
    })
}

#[test]
fn servers_and_dialects_of_messages() {
    let vllm = accepted(&with(small(), "/providers/0/server", json!("vllm"))).providers.remove(0);
    assert!(vllm.parameters.no_developer && vllm.parameters.refuses("cache_control"));
    let own = with(
        small(),
        "/providers/0",
        json!({"name": "p", "cluster": "c", "dialect": "openai", "server": "ollama",
        "parameters": {"drop": ["seed"]}}),
    );
    let own = accepted(&own).providers.remove(0);
    assert!(own.parameters.refuses("seed") && !own.parameters.refuses("user") && own.parameters.no_developer);
    for (dialect, path) in [("anthropic", "/v1"), ("bedrock_anthropic", "")] {
        let provider = json!({"name": "p", "cluster": "c", "dialect": dialect, "prompt_caching": true});
        let provider = accepted(&with(small(), "/providers/0", provider)).providers.remove(0);
        assert_eq!((provider.path.as_str(), provider.prompt_caching), (path, true));
        assert_eq!((provider.wire(Api::Chat), provider.wire(Api::Other)), (Some(Api::Messages), None));
    }
    let apis = json!({"name": "p", "cluster": "c", "dialect": "anthropic", "apis": ["responses"]});
    assert!(Policy::from_value(&with(small(), "/providers/0", apis)).is_err());
}

/// The value at a JSON pointer, replaced; a pointer to a field that is not there yet adds it.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        _ => parent[key] = value,
    }
    document
}

fn accepted(document: &Value) -> Policy {
    Policy::from_value(document).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn the_example_of_the_design_is_accepted() {
    let policy = accepted(&example());
    assert!(policy.warnings.is_empty(), "{:?}", policy.warnings);

    let router = &policy.routers[0];
    assert_eq!((router.name.as_str(), router.mode, router.band), ("model-router", Mode::Balanced, 0.015));
    assert_eq!(router.pool, [None, None, None, None, Some(Outside::Subset)]);
    assert_eq!((router.baseline, router.fee), (Some(2), 0.14));
    assert_eq!(router.session_affinity, Affinity::Adaptive);

    let mini = &policy.models[1];
    let served: Vec<_> = mini.served_by.iter().map(|served| (served.provider, served.deployment.as_str())).collect();
    assert_eq!(served, [(1, "my-mini"), (0, "gpt-5-mini")]);
    assert_eq!(mini.price.as_ref().map(|price| price.input), Some(0.25));

    let llama = &policy.models[4];
    let maverick = Catalog::embedded().unwrap().get("llama-4-maverick").cloned().unwrap();
    assert_eq!(llama.abilities, maverick.abilities);
    assert_eq!(llama.capabilities, Capabilities::default());

    let paths: Vec<&str> = policy.providers.iter().map(|provider| provider.path.as_str()).collect();
    assert_eq!(paths, ["/v1", "/openai", "/v1", ""]);
    assert_eq!(policy.providers[1].data_zone.as_deref(), Some("eu"));
    assert_eq!(policy.providers[3].authority.as_deref(), Some("vllm.local:8000"));

    let consumer = &policy.consumers.as_ref().unwrap()[0];
    assert_eq!(consumer.when, When::Header { name: "x-consumer".into(), equals: "batch".into() });
    assert_eq!((consumer.routers.as_deref(), consumer.models.as_deref()), (Some(&[0][..]), Some(&[0][..])));
    assert_eq!((policy.unknown_paths, policy.max_attempts), (UnknownPaths::Reject, 5));
}

#[test]
fn a_small_policy_has_the_documented_defaults() {
    let policy = accepted(&small());
    let router = &policy.routers[0];
    assert_eq!((router.mode, router.band, router.fee), (Mode::Balanced, 0.015, 0.0));
    assert_eq!((router.session_affinity, router.baseline), (Affinity::Adaptive, None));
    assert_eq!((&router.version, &router.data_zone), (&None, &None));
    assert_eq!(router.pool, [None, None]);
    assert!(policy.consumers.is_none() && policy.warnings.is_empty());
}

#[test]
fn modes_have_their_bands() {
    for (mode, expected) in [
        (json!("quality"), (Mode::Quality, 0.0)),
        (json!("balanced"), (Mode::Balanced, 0.015)),
        (json!("cost"), (Mode::Cost, 0.055)),
        (json!({"band": 0.03}), (Mode::Band, 0.03)),
        (json!({"band": 1}), (Mode::Band, 1.0)),
    ] {
        let router = &accepted(&with(small(), "/routers/0/mode", mode)).routers[0];
        assert_eq!((router.mode, router.band), expected);
    }
}

#[test]
fn filters_say_why_a_model_is_outside() {
    let example = with(example(), "/consumers", Value::Null);
    let document =
        with(example.clone(), "/routers/0", json!({"name": "r", "version": "2025-11-18", "publishers": ["openai"]}));
    let router = &accepted(&document).routers[0];
    assert_eq!(router.pool, [None, None, None, Some(Outside::Publisher), Some(Outside::Version)]);

    let document = with(example, "/routers/0", json!({"name": "r", "data_zone": "Eu"}));
    let policy = accepted(&document);
    let zone = Some(Outside::DataZone);
    assert_eq!(policy.routers[0].pool, [zone, None, zone, zone, zone]);
    assert_eq!(policy.routers[0].data_zone.as_deref(), Some("eu"));
    assert_eq!(policy.warnings.last().unwrap(), "routers[0]: only `gpt-5-mini` is usable, so there is no failover");
}

#[test]
fn facts_are_overridden_field_by_field() {
    let model = json!({
        "name": "gpt-5.4",
        "served_by": [{"provider": "p"}],
        "price": {"input": 2, "cache_write_1h": 5, "long_context": {"above": 100000}},
        "context": {"output": 1000},
        "capabilities": {"images": false},
        "reasoning": {"default": "low"},
        "parameters": {"drop": ["seed"], "rename": {"a": "b"}, "efforts": {"none": "disabled"}},
        "abilities": {"default": 60, "high": 70.5},
        "publisher": "Our Cloud"
    });
    let model = &accepted(&with(small(), "/models/0", model)).models[0];
    let price = model.price.as_ref().unwrap();
    assert_eq!((price.input, price.cached_input, price.output), (2.0, Some(0.25), 15.0));
    assert_eq!((price.cache_write, price.cache_write_1h), (None, Some(5.0)));
    let long = price.long_context.as_ref().unwrap();
    assert_eq!((long.above, long.input, long.cached_input, long.output), (100_000, 5.0, Some(0.5), 22.5));
    assert_eq!(model.context, Some(Context { input: 922_000, output: 1000, window: Some(1_050_000) }));
    assert_eq!((model.capabilities.images, model.capabilities.tools), (Some(false), Some(true)));
    let reasoning = model.reasoning.as_ref().unwrap();
    assert_eq!((reasoning.default, reasoning.accepts.len()), (Effort::Low, 5));
    assert_eq!(model.parameters.drop, ["seed"]);
    assert!(model.parameters.drop_when_reasoning.contains(&"temperature".to_owned()));
    assert_eq!(model.parameters.rename, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(model.parameters.effort("none"), Some("disabled"));
    assert_eq!(
        model.abilities,
        Some(Abilities { default: Skill::general(60.0), by_effort: vec![(Effort::High, Skill::general(70.5))] })
    );
    assert_eq!(model.publisher.as_deref(), Some("Our Cloud"));
}

#[test]
fn abilities_may_differ_by_task_and_by_effort() {
    let by_task = json!({"general": 40, "math": "70.5"});
    let skill = Skill::general(40.0).with(Task::Math, 70.5);
    let model =
        |abilities: Value| json!({"name": "gpt-5-mini", "served_by": [{"provider": "p"}], "abilities": abilities});
    let abilities =
        |value: Value| accepted(&with(small(), "/models/0", model(value))).models[0].abilities.clone().unwrap();
    assert_eq!(abilities(by_task.clone()), Abilities { default: skill, by_effort: Vec::new() });
    let by_effort = abilities(json!({"default": 30, "high": by_task}));
    assert_eq!(by_effort, Abilities { default: Skill::general(30.0), by_effort: vec![(Effort::High, skill)] });
}

#[test]
fn models_go_by_the_catalogs_aliases() {
    let model = json!({"name": "Deepseek-V3.1", "served_by": [{"provider": "p"}], "aliases": ["ds"]});
    let document = with(small(), "/models/0", model);
    let document = with(document, "/models/1/name", json!("gpt-4o"));
    let router = json!({"name": "auto", "version": "2025-11-18", "subset": ["GPT-4.0", "ds"]});
    let policy = accepted(&with(document, "/routers/0", router));
    assert_eq!(policy.models[0].aliases, ["ds"]);
    assert_eq!(policy.models[1].aliases, ["gpt-4.0"]);
    assert_eq!(policy.routers[0].pool, [None, None]);
    assert_eq!(policy.models[0].publisher.as_deref(), Some("DeepSeek"));
}

#[test]
fn a_catalog_alias_gives_way_to_a_configured_name() {
    let document = with(small(), "/models/0/name", json!("gpt-4o"));
    let policy = accepted(&with(document, "/routers/0/name", json!("gpt-4.0")));
    assert!(policy.models[0].aliases.is_empty());
}

#[test]
fn relatives_of_relatives_lend_their_abilities() {
    let free = json!({"input": 0, "output": 0});
    let document = with(
        small(),
        "/models",
        json!([
            {"name": "a", "served_by": [{"provider": "p"}], "price": free, "abilities_like": "b"},
            {"name": "b", "served_by": [{"provider": "p"}], "price": free, "abilities_like": "c"},
            {"name": "c", "served_by": [{"provider": "p"}], "price": free, "abilities": 33}
        ]),
    );
    let policy = accepted(&document);
    assert!(policy.models.iter().all(|model| model.abilities.as_ref().unwrap().default == Skill::general(33.0)));
}

#[test]
fn a_model_without_price_may_stay_out_of_every_router() {
    let document = with(small(), "/models/-", json!({"name": "x", "served_by": [{"provider": "p"}]}));
    let policy = accepted(&with(document.clone(), "/routers/0/subset", json!(["gpt-5", "gpt-5-mini"])));
    assert!(policy.models[2].price.is_none());
    let mut none = document;
    none.as_object_mut().unwrap().remove("routers");
    assert!(accepted(&none).routers.is_empty());
}

#[test]
fn odd_things_are_warned_of() {
    let warnings = |pointer: &str, value: Value| accepted(&with(small(), pointer, value)).warnings;
    assert_eq!(
        warnings("/providers/-", json!({"name": "q", "cluster": "c", "dialect": "openai"})),
        ["providers[1]: no model is served by `q`"]
    );
    assert_eq!(
        warnings("/routers/0/subset", json!(["gpt-5"])),
        ["routers[0]: only `gpt-5` is usable, so there is no failover"]
    );
    assert_eq!(
        warnings("/routers/0/publishers", json!(["OpenAI", "OpnAI"])),
        ["routers[0].publishers[1]: no configured model is of `OpnAI`; did you mean `OpenAI`?"]
    );
    assert_eq!(
        warnings("/models/0/price", json!({"input": 0})),
        ["models[0].price: cached input (0.025) costs more than uncached input (0)"]
    );
}

#[test]
fn how_long_models_rest_and_requests_take() {
    let read = |more: Value| {
        let mut document = small();
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let policy = Policy::from_value(&document).unwrap();
        (policy.cooldown.map(|cooldown| (cooldown.initial, cooldown.maximum)), policy.timeouts)
    };
    assert_eq!(read(json!({})), (Some((1000, 60_000)), Timeouts::default()));
    assert_eq!(read(json!({"cooldown": {"maximum_seconds": 0}})).0, None);
    assert_eq!(read(json!({"cooldown": {"initial_seconds": "0.25"}})).0, Some((250, 60_000)));
    assert_eq!(read(json!({"cooldown": {"initial_seconds": 90}})).0, Some((90_000, 90_000)));
    assert_eq!(read(json!({"cooldown": {"maximum_seconds": 0.5}})).0, Some((500, 500)));
    let timeouts = json!({"first_token_seconds": 2.5, "answer_seconds": 60, "total_seconds": 60});
    let expected = Timeouts { first_token: Some(2500), answer: Some(60_000), total: Some(60_000) };
    assert_eq!(read(json!({"timeouts": timeouts})).1, expected);
}

#[test]
fn presets() {
    let provider = |fields: Value| {
        let policy = accepted(&with(small(), "/providers/0", fields));
        policy.providers.into_iter().next().unwrap()
    };
    for preset in PRESETS {
        let at = json!({"name": "p", "preset": preset.name, "endpoint": "http://host:8000/"});
        let made = provider(at);
        assert_eq!((made.cluster.as_str(), made.dialect, made.path.as_str()), ("p", preset.dialect, preset.path));
        assert_eq!(made.authority.as_deref(), Some("host:8000"));
        assert_eq!(
            preset.endpoint().is_some(),
            preset.endpoint.is_some(),
            "{}: its address must be valid",
            preset.name
        );
    }
    let known = provider(json!({"name": "p", "preset": "groq", "credential": {"environment": "GROQ_API_KEY"}}));
    assert_eq!(known.endpoint.map(|endpoint| (endpoint.tls, endpoint.port)), Some((true, 443)));
    assert_eq!(known.authority.as_deref(), Some("api.groq.com"));
    assert_eq!(known.credential, Some(Credential::Environment("GROQ_API_KEY".to_owned())));
    assert!(!known.apis.responses && known.parameters.drop.iter().any(|name| name == "logit_bias"));
    // What is said wins.
    let own =
        json!({"name": "p", "preset": "groq", "cluster": "c", "path": "/x", "apis": ["responses"], "server": "vllm"});
    let own = provider(own);
    assert_eq!((own.cluster.as_str(), own.path.as_str(), own.apis.responses), ("c", "/x", true));
    assert!(!own.parameters.drop.iter().any(|name| name == "logit_bias"));
    // Another dialect has other paths.
    let claude = provider(json!({"name": "p", "preset": "groq", "dialect": "anthropic"}));
    assert_eq!((claude.dialect, claude.path.as_str()), (Dialect::Anthropic, "/v1"));
}

#[test]
fn endpoints() {
    for (text, tls, host, port, authority) in [
        ("https://api.openai.com", true, "api.openai.com", 443, "api.openai.com"),
        ("http://vllm_1:8000/", false, "vllm_1", 8000, "vllm_1:8000"),
        ("https://10.0.0.4:8443", true, "10.0.0.4", 8443, "10.0.0.4:8443"),
        ("http://[::1]", false, "::1", 80, "[::1]"),
        ("https://[fe80::1]:80", true, "fe80::1", 80, "[fe80::1]:80"),
    ] {
        let found = Endpoint::parse(text).unwrap();
        assert_eq!((found.tls, found.host.as_str(), found.port), (tls, host, port), "{text}");
        assert_eq!(found.authority(), authority);
    }
}

#[test]
fn a_pool_that_an_upgrade_may_change_is_told() {
    let router = |router: Value| accepted(&with(small(), "/routers/0", router)).warnings;
    let [warning] = &router(json!({"name": "auto", "version": "2025-11-18"}))[..] else { panic!("one warning") };
    assert!(warning.starts_with("routers[0]: without a subset") && warning.contains("2025-11-18"), "{warning}");
    assert!(router(json!({"name": "auto"})).is_empty());
    let bounded = json!({"name": "auto", "version": "2025-11-18", "subset": ["gpt-5-mini", "gpt-5"]});
    assert!(router(bounded).is_empty());
}
