use super::*;

/// The errors of `document`, shown.
fn refused(document: &Value) -> Vec<String> {
    let errors = Policy::from_value(document).expect_err("the document should be refused");
    assert!(!errors.is_empty());
    errors.iter().map(Error::to_string).collect()
}

/// Asserts that each edit of the small policy gives exactly one error: this path and this part of the rule.
pub(super) fn each(cases: &[(&str, Value, &str, &str)]) {
    for (pointer, value, path, rule) in cases {
        let document = with(small(), pointer, value.clone());
        let errors = Policy::from_value(&document).map(|_| ()).expect_err(&format!("{pointer} = {value}"));
        assert_eq!(errors.len(), 1, "{pointer} = {value}: {errors:#?}");
        assert_eq!(errors[0].path, *path, "{pointer} = {value}: {}", errors[0]);
        assert!(errors[0].rule.contains(rule), "{pointer} = {value}: {}", errors[0]);
    }
}

#[test]
fn nothing_at_all() {
    let empty = "configuration: is empty: give models, providers that serve them, and routers that choose among them";
    for bytes in [&b""[..], b" \n", b"{}", b"null", b"\xef\xbb\xbf{ }"] {
        assert_eq!(Policy::parse(bytes).unwrap_err().iter().map(Error::to_string).collect::<Vec<_>>(), [empty]);
    }
    assert_eq!(refused(&json!({"routers": []})), ["providers: missing", "models: missing"]);
    assert_eq!(refused(&json!([])), ["configuration: expected an object, found a list"]);
}

#[test]
fn top_level() {
    each(&[
        ("/router", json!([]), "", "unknown field `router`; did you mean `routers`?"),
        ("/telemetry", json!({}), "", "unknown field `telemetry`; known are routers, models, providers, consumers"),
        ("/unknown_paths", json!("deny"), "unknown_paths", "expected one of reject, pass, found `deny`"),
        ("/max_attempts", json!(0), "max_attempts", "expected a whole number from 1 to 8, found 0"),
        ("/max_attempts", json!(9), "max_attempts", "found 9"),
        ("/max_attempts", json!(2.5), "max_attempts", "found 2.5"),
        ("/max_attempts", json!("five"), "max_attempts", "expected a whole number from 1 to 8, found a string"),
        ("/cooldown", json!(5), "cooldown", "expected an object, found a number"),
        ("/cooldown", json!({"seconds": 5}), "cooldown", "unknown field `seconds`"),
        (
            "/cooldown",
            json!({"initial_seconds": 0}),
            "cooldown.initial_seconds",
            "expected 0.001 to 86400 seconds, found 0",
        ),
        ("/cooldown", json!({"maximum_seconds": -1}), "cooldown.maximum_seconds", "found -1"),
        (
            "/cooldown",
            json!({"initial_seconds": 2, "maximum_seconds": 1}),
            "cooldown",
            "initial_seconds must not be more than maximum_seconds",
        ),
        (
            "/timeouts",
            json!({"total_seconds": 0}),
            "timeouts.total_seconds",
            "expected more than 0, up to 86400 seconds",
        ),
        (
            "/timeouts",
            json!({"answer_seconds": 3, "total_seconds": 2.5}),
            "timeouts",
            "answer_seconds must not be more than total_seconds",
        ),
        ("/routers", json!({}), "routers", "expected a list, found an object"),
        ("/consumers", json!([]), "consumers", "must not be empty; leave it out to let everyone"),
    ]);
}

#[test]
fn routers() {
    each(&[
        ("/routers/0", json!("auto"), "routers[0]", "expected an object, found a string"),
        ("/routers/0/name", Value::Null, "routers[0].name", "missing"),
        ("/routers/0/name", json!(""), "routers[0].name", "must not be empty"),
        ("/routers/0/name", json!("a;b"), "routers[0].name", "must be visible ASCII"),
        ("/routers/0/name", json!("a b"), "routers[0].name", "no spaces"),
        ("/routers/0/name", json!("a".repeat(129)), "routers[0].name", "must not be longer than 128 bytes, has 129"),
        ("/routers/0/name", json!("GPT-5"), "routers[0].name", "already used at models[1].name"),
        ("/routers/-", json!({"name": "auto"}), "routers[1].name", "already used at routers[0].name"),
        ("/routers/0/sub_set", json!([]), "routers[0]", "unknown field `sub_set`; did you mean `subset`?"),
        ("/routers/0/mode", json!("fast"), "routers[0].mode", "expected one of quality, balanced, cost, found `fast`"),
        ("/routers/0/mode", json!(1), "routers[0].mode", "expected one of quality, balanced, cost, found a number"),
        ("/routers/0/mode", json!({}), "routers[0].mode.band", "missing"),
        ("/routers/0/mode", json!({"band": 1.5}), "routers[0].mode.band", "expected a number from 0 to 1, found 1.5"),
        ("/routers/0/mode", json!({"band": -0.1}), "routers[0].mode.band", "found -0.1"),
        ("/routers/0/mode", json!({"band": "NaN"}), "routers[0].mode.band", "found NaN"),
        ("/routers/0/mode", json!({"band": 0, "x": 1}), "routers[0].mode", "unknown field `x`"),
        (
            "/routers/0/version",
            json!("2025-11-19"),
            "routers[0].version",
            "unknown version `2025-11-19`; known are 2025-05-19",
        ),
        ("/routers/0/subset", json!([]), "routers[0].subset", "must not be empty"),
        ("/routers/0/subset", json!(["gpt-5", "gpt-5-min"]), "routers[0].subset[1]", "did you mean `gpt-5-mini`?"),
        ("/routers/0/subset", json!(["gpt-5", "gpt-4.1"]), "routers[0].subset[1]", "add it to models, with served_by"),
        ("/routers/0/subset", json!(["gpt-5", "GPT-5"]), "routers[0].subset[1]", "in the list already"),
        ("/routers/0/subset", json!(["gpt-5", 3]), "routers[0].subset[1]", "expected a string, found a number"),
        ("/routers/0/publishers", json!([]), "routers[0].publishers", "must not be empty"),
        ("/routers/0/publishers", json!(["OpenAI", "openai"]), "routers[0].publishers[1]", "in the list already"),
        (
            "/routers/0/publishers",
            json!(["Meta"]),
            "routers[0]",
            "no model is usable: publishers excludes `gpt-5-mini`",
        ),
        ("/routers/0/data_zone", json!("eu"), "routers[0]", "no model is usable: data_zone excludes `gpt-5-mini`"),
        (
            "/routers/0/session_affinity",
            json!(true),
            "routers[0].session_affinity",
            "one of adaptive, sticky, none, found a boolean",
        ),
        ("/routers/0/baseline", json!("gpt-6"), "routers[0].baseline", "no model `gpt-6` is configured"),
        ("/routers/0/fee", json!(-1), "routers[0].fee", "not negative, found -1"),
        ("/routers/0/fee", json!("Infinity"), "routers[0].fee", "found inf"),
        ("/routers/0/fee", json!(-1e300), "routers[0].fee", "found -1e300"),
    ]);
}

#[test]
fn versions_bind_subsets() {
    let router = json!({"name": "auto", "version": "2025-05-19", "subset": ["gpt-5"]});
    let document = with(small(), "/routers/0", router);
    assert_eq!(refused(&document), ["routers[0].subset[0]: is not in the pool of version 2025-05-19"]);
    let document = with(small(), "/routers/0/version", json!("2025-05-19"));
    let none = "routers[0]: no model is usable: version excludes `gpt-5-mini`, version excludes `gpt-5`";
    assert_eq!(refused(&document), [none]);
}

#[test]
fn models() {
    each(&[
        ("/models/0/name", json!(7), "models[0].name", "expected a string, found a number"),
        ("/models/0/name", json!("gpt-5"), "models[1].name", "already used at models[0].name"),
        ("/models/0/served_by", Value::Null, "models[0].served_by", "missing"),
        ("/models/0/served_by", json!([]), "models[0].served_by", "must not be empty"),
        (
            "/models/0/served_by/0/provider",
            json!("P2"),
            "models[0].served_by[0].provider",
            "no provider `P2`; did you mean `p`?",
        ),
        ("/models/0/served_by/0/deployment", json!("a,b"), "models[0].served_by[0].deployment", "visible ASCII"),
        ("/models/0/served_by/-", json!({"provider": "p"}), "models[0].served_by[1]", "in the list already"),
        ("/models/0/aliases", json!(["m", "gpt-5"]), "models[0].aliases[1]", "already used at models[1].name"),
        ("/models/0/aliases", json!(["m", "M"]), "models[0].aliases[1]", "already used at models[0].aliases[0]"),
        ("/models/0/aliases", json!(["auto"]), "routers[0].name", "already used at models[0].aliases[0]"),
        ("/models/0/price", json!({"input": -1}), "models[0].price.input", "not negative, found -1"),
        ("/models/0/price", json!({"cached_input": "free"}), "models[0].price.cached_input", "found a string"),
        ("/models/0/price", json!({"in": 1}), "models[0].price", "unknown field `in`"),
        (
            "/models/0/price",
            json!({"long_context": {"above": 1, "input": 1}}),
            "models[0].price.long_context.output",
            "missing",
        ),
        (
            "/models/0/context",
            json!({"input": 0}),
            "models[0].context.input",
            "expected a whole number from 1 to 4294967295",
        ),
        (
            "/models/0/capabilities",
            json!({"tools": "yes"}),
            "models[0].capabilities.tools",
            "expected true or false, found a string",
        ),
        (
            "/models/0/reasoning",
            json!({"default": "maximal"}),
            "models[0].reasoning.default",
            "one of none, minimal, low",
        ),
        (
            "/models/0/reasoning",
            json!({"accepts": ["low", "low"]}),
            "models[0].reasoning.accepts[1]",
            "in the list already",
        ),
        (
            "/models/0/parameters",
            json!({"drop": "seed"}),
            "models[0].parameters.drop",
            "expected a list, found a string",
        ),
        (
            "/models/0/parameters",
            json!({"rename": {"a": 1}}),
            "models[0].parameters.rename.a",
            "expected a string, found a number",
        ),
        ("/models/0/abilities", json!(101), "models[0].abilities", "expected a score from 0 to 100"),
        ("/models/0/abilities", json!({"high": 70}), "models[0].abilities.default", "missing"),
        ("/models/0/abilities", json!({"default": 7, "hihg": 70}), "models[0].abilities", "did you mean `high`?"),
        (
            "/models/0/abilities_like",
            json!("gpt-55"),
            "models[0].abilities_like",
            "no model `gpt-55` is configured or in the catalog",
        ),
        ("/models/0/abilities_like", json!("gpt-5-mini"), "models[0].abilities_like", "goes round in a circle"),
        (
            "/models/-",
            json!({"name": "x", "served_by": [{"provider": "p"}], "price": {"input": 1}, "abilities": 1}),
            "models[2].price.output",
            "missing",
        ),
    ]);
}

#[test]
fn routers_need_prices_and_abilities() {
    let unknown = json!({"name": "x", "served_by": [{"provider": "p"}]});
    let document = with(small(), "/models/-", unknown);
    assert_eq!(
        refused(&document),
        [
            "routers[0]: no price is known for `x`: give models[2].price, or keep the model out with a subset",
            "routers[0]: no abilities are known for `x`: give models[2].abilities or abilities_like, or keep the model out with a subset",
        ]
    );
    let document = with(document, "/models/2/abilities", json!(50));
    let document = with(document, "/routers/0/subset", json!(["gpt-5", "x"]));
    let price = "routers[0].subset[1]: no price is known: give models[2].price, or take the model out of the subset";
    assert_eq!(refused(&document), [price]);
    let document = with(document, "/routers/0/subset", json!(["gpt-5", "gpt-5-mini"]));
    accepted(&document);
    let document = with(document, "/routers/0/baseline", json!("x"));
    assert_eq!(refused(&document), ["routers[0].baseline: no price is known: give models[2].price"]);
}

#[test]
fn providers() {
    each(&[
        ("/providers/0/cluster", Value::Null, "providers[0].cluster", "missing"),
        (
            "/providers/0/dialect",
            json!("azure"),
            "providers[0].dialect",
            "expected one of openai, azure_openai, anthropic, vertex_anthropic, bedrock_anthropic, found `azure`",
        ),
        ("/providers/0/dialect", json!("vertex_anthropic"), "providers[0].path", "missing"),
        (
            "/providers/0/server",
            json!("tgi"),
            "providers[0].server",
            "expected one of anthropic, cohere, deepseek, groq, ollama, vllm",
        ),
        ("/providers/0/parameters", json!({"refuse": []}), "providers[0].parameters", "unknown field `refuse`"),
        ("/providers/0/betas", json!(["b"]), "providers[0].betas", "only a provider of the Messages"),
        ("/providers/0/prompt_caching", json!(true), "providers[0].prompt_caching", "only a provider of the Messages"),
        ("/providers/0/path", json!("v1"), "providers[0].path", "must start with `/`"),
        ("/providers/0/path", json!("/v1/"), "providers[0].path", "must not end with `/`"),
        ("/providers/0/path", json!("/v1?a=b"), "providers[0].path", "without a query"),
        ("/providers/0/path", json!("/v1 2"), "providers[0].path", "visible ASCII"),
        ("/providers/0/authority", json!("https://x"), "providers[0].authority", "must be a host name"),
        ("/providers/0/preset", json!("aws"), "providers[0].preset", "expected one of openai, azure_openai, foundry"),
        ("/providers/0/endpoint", json!("x.com"), "providers[0].endpoint", "must begin with https:// or http://"),
        ("/providers/0/endpoint", json!("https://x/v1"), "providers[0].endpoint", "goes into `path`"),
        ("/providers/0/endpoint", json!("https://u@x"), "providers[0].endpoint", "scheme, host and port only"),
        ("/providers/0/endpoint", json!("https://"), "providers[0].endpoint", "must name a host"),
        ("/providers/0/endpoint", json!("https://x y"), "providers[0].endpoint", "must name a host"),
        ("/providers/0/endpoint", json!("http://x:0"), "providers[0].endpoint", "a port from 1 to 65535"),
        ("/providers/0/endpoint", json!("http://x:"), "providers[0].endpoint", "a port from 1 to 65535"),
        ("/providers/0/endpoint", json!("http://[::1]8"), "providers[0].endpoint", "a port from 1 to 65535"),
        ("/providers/0/credential", json!("sk-1"), "providers[0].credential", "expected an object, found a string"),
        ("/providers/0/credential", json!({}), "providers[0].credential", "either `file` or `environment`"),
        ("/providers/0/credential", json!({"file": "a\nb"}), "providers[0].credential.file", "one line"),
        (
            "/providers/0/credential",
            json!({"environment": "A-B"}),
            "providers[0].credential.environment",
            "the name of",
        ),
        (
            "/providers/0/api_version",
            json!("2024-10-21"),
            "providers[0].api_version",
            "only a provider with the dialect azure_openai",
        ),
        (
            "/providers/-",
            json!({"name": "P", "cluster": "c", "dialect": "openai"}),
            "providers[1].name",
            "already used at providers[0].name",
        ),
    ]);
    // Without providers, every reference to one is wrong too.
    let errors = refused(&with(small(), "/providers", json!([])));
    assert_eq!(errors[0], "providers: must not be empty: every model is served by a provider");
}

#[test]
fn consumers() {
    let consumer = |value: Value| with(small(), "/consumers", json!([value]));
    let when = json!({"header": "x-team", "equals": "a b"});
    accepted(&consumer(json!({"name": "a", "when": when})));
    for (value, error) in [
        (json!({"name": "a"}), "consumers[0].when: missing"),
        (json!({"name": "a", "when": "anybody"}), "consumers[0].when: expected one of nobody, found `anybody`"),
        (
            json!({"name": "a", "when": "nobody", "limits": {"requests_per_minute": 0}}),
            "consumers[0].limits.requests_per_minute: expected a whole number from 1 to 1000000000, found 0",
        ),
        (
            json!({"name": "a", "when": "nobody", "limits": {"usd_per_day": 5000}}),
            "consumers[0].limits.usd_per_day: expected a number from 0.01 to 4000, found 5000",
        ),
        (
            json!({"name": "a", "when": "nobody", "limits": {"usd_per_hour": 1}}),
            "consumers[0].limits: unknown field `usd_per_hour`; known are requests_per_minute, tokens_per_minute",
        ),
        (
            json!({"name": "a", "when": {"header": "x team", "equals": "a"}}),
            "consumers[0].when.header: must be visible ASCII",
        ),
        (
            json!({"name": "a", "when": {"header": ":path", "equals": "a"}}),
            "consumers[0].when.header: must be the name of a header",
        ),
        (
            json!({"name": "a", "when": {"header": "x", "equals": " a"}}),
            "consumers[0].when.equals: must not begin or end with",
        ),
        (
            json!({"name": "a", "when": when, "routers": ["aut"]}),
            "consumers[0].routers[0]: there is no router `aut`; did you mean `auto`?",
        ),
        (
            json!({"name": "a", "when": when, "models": ["auto"]}),
            "consumers[0].models[0]: no model `auto` is configured",
        ),
        (
            json!({"name": "a", "when": when, "models": ["gpt-5", "gpt-5"]}),
            "consumers[0].models[1]: is in the list already",
        ),
        (
            json!({"name": "a", "when": when, "model": []}),
            "consumers[0]: unknown field `model`; did you mean `models`?",
        ),
    ] {
        let errors = refused(&consumer(value));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with(error), "{}", errors[0]);
    }
    let twice = with(consumer(json!({"name": "a", "when": when})), "/consumers/-", json!({"name": "A", "when": when}));
    assert_eq!(
        refused(&twice),
        [
            "consumers[1].name: the name is already used at consumers[0].name",
            "consumers[1].when: is the same as that of consumer `a`",
        ]
    );
}

#[test]
fn all_errors_at_once() {
    let document = json!({
        "routers": [
            {"name": "auto", "mode": {"band": 7}, "subset": ["gpt-5", "gpt-5", "nope"], "fee": "free"},
            {"mode": "best"}
        ],
        "models": [
            {"name": "gpt-5", "served_by": [{"provider": "q"}], "price": {"input": -2}},
            {"name": "gpt-5-mini", "served_by": []},
            5
        ],
        "providers": [{"name": "p", "cluster": "c", "dialect": "openai", "path": "v1"}],
        "max_attempts": 99,
        "colour": "red"
    });
    let errors = refused(&document);
    let paths: Vec<&str> = errors.iter().map(|error| error.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "configuration",
            "providers[0].path",
            "models[0].served_by[0].provider",
            "models[0].price.input",
            "models[1].served_by",
            "models[2]",
            "routers[0].mode.band",
            "routers[0].subset[1]",
            "routers[0].subset[2]",
            "routers[0].fee",
            "routers[1].name",
            "routers[1].mode",
            "max_attempts",
        ]
    );
}

#[test]
fn long_values_are_not_echoed() {
    let long = "x".repeat(10_000);
    for pointer in ["/routers/0/mode", "/routers/0/name", "/routers/0/version", "/models/0/abilities_like"] {
        for error in refused(&with(small(), pointer, json!(long))) {
            assert!(error.len() < 300, "{pointer}: {} bytes", error.len());
        }
    }
    let errors = refused(&with(small(), &format!("/routers/0/{long}"), json!(1)));
    assert!(errors[0].len() < 300);
    let errors = refused(&with(small(), "/routers/0/mode", json!("a\u{1b}[31m\n")));
    assert!(errors[0].ends_with("found `a\\u{1b}[31m\\n`"), "{}", errors[0]);
}

#[test]
fn one_consumer_at_most_is_nobody() {
    let nobody = |name: &str| json!({"name": name, "when": "nobody"});
    let errors = refused(&with(small(), "/consumers", json!([nobody("a"), nobody("b")])));
    assert_eq!(errors, ["consumers[1].when: is the same as that of consumer `a`"]);
}
