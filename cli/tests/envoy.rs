//! `model-router envoy`: the configuration that it writes. Whether Envoy takes it is tested with Envoy (tests/e2e).

use model_router::policy::{Dialect, PRESETS};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_model-router")).arg("envoy").args(arguments).current_dir(root()).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The output for a policy with these providers, the first of which serves the one model.
fn made_of(name: &str, providers: Value) -> Output {
    let first = providers[0]["name"].clone();
    let policy =
        json!({"models": [{"name": "gpt-5-mini", "served_by": [{"provider": first}]}], "providers": providers});
    let file = folder(name).join("policy.json");
    std::fs::write(&file, policy.to_string()).unwrap();
    run(&["--policy", file.to_str().unwrap()])
}

fn yaml(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_yaml_ng::from_slice(&output.stdout).unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_demo_is_the_output_for_its_policy() {
    let output = run(&["--policy", "envoy/policy.yaml"]);
    let demo = std::fs::read_to_string(root().join("envoy/envoy.yaml")).unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    assert!(made == demo, "run: model-router envoy --policy envoy/policy.yaml --output envoy/envoy.yaml");
}

#[test]
fn a_preset_is_all_that_a_known_provider_needs() {
    for (preset, host, header) in [
        ("openai", "api.openai.com", "authorization"),
        ("anthropic", "api.anthropic.com", "x-api-key"),
        ("xai", "api.x.ai", "authorization"),
        ("deepseek", "api.deepseek.com", "authorization"),
        ("mistral", "api.mistral.ai", "authorization"),
        ("groq", "api.groq.com", "authorization"),
        ("openrouter", "openrouter.ai", "authorization"),
    ] {
        let made =
            yaml(&made_of(preset, json!([{"name": "p", "preset": preset, "credential": {"environment": "SOME_KEY"}}])));
        let cluster = &made["static_resources"]["clusters"][0];
        let text = cluster.to_string();
        let address = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"];
        assert_eq!(address["socket_address"], json!({"address": host, "port_value": 443}));
        assert_eq!(cluster["transport_socket"]["typed_config"]["sni"], host);
        assert!(text.contains(&format!(r#""header":"{header}""#)), "{text}");
        let secret = &made["static_resources"]["secrets"][0]["generic_secret"]["secret"];
        assert_eq!(*secret, json!({"environment_variable": "SOME_KEY"}));
    }
}

#[test]
fn an_own_server_has_no_key_and_no_tls() {
    let made = yaml(&made_of("own", json!([{"name": "vllm", "preset": "vllm", "endpoint": "http://[::1]:8000"}])));
    let cluster = &made["static_resources"]["clusters"][0];
    let address = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"];
    assert_eq!(address["socket_address"], json!({"address": "::1", "port_value": 8000}));
    assert!(cluster.get("transport_socket").is_none());
    assert!(!cluster.to_string().contains("credential_injector"));
    assert!(made["static_resources"].get("secrets").is_none());
}

#[test]
fn a_private_address_is_verified_by_the_public_name() {
    let azure =
        json!({"name": "a", "preset": "foundry", "endpoint": "https://10.0.0.4", "authority": "my.openai.azure.com"});
    let made = yaml(&made_of("private", json!([azure])));
    assert_eq!(
        made["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]["sni"],
        "my.openai.azure.com"
    );
}

/// The output for the demo's policy with this part `envoy`.
fn with_settings(name: &str, settings: &Value) -> Output {
    let file = folder(name).join("policy.yaml");
    let demo = std::fs::read_to_string(root().join("envoy/policy.yaml")).unwrap();
    std::fs::write(&file, format!("{demo}envoy: {settings}\n")).unwrap();
    run(&["--policy", file.to_str().unwrap()])
}

#[test]
fn traces_go_where_the_policy_says() {
    let tracing = json!({"endpoint": "https://otel.example.com", "service_name": "mine", "sample_percent": 12.5});
    let made = yaml(&with_settings("tracing", &json!({"tracing": tracing}))).to_string();
    for part in [
        r#""uri":"https://otel.example.com/v1/traces""#,
        r#""sni":"otel.example.com""#,
        r#""service_name":"mine""#,
        r#""numerator":125000"#,
        r#""no_context_propagation":true"#,
        r#""request_headers_to_remove":["traceparent","tracestate","baggage"]"#,
    ] {
        assert!(made.contains(part), "{part}");
    }
    let tracing = json!({"endpoint": "http://127.0.0.1:4318", "propagate": true});
    let made = yaml(&with_settings("propagating", &json!({"tracing": tracing}))).to_string();
    assert!(made.contains(r#""numerator":1000000"#) && !made.contains("no_context_propagation"));
    for (tracing, rule) in [
        (json!({}), "missing field `endpoint`"),
        (json!({"endpoint": "127.0.0.1:4318"}), "endpoint: must begin with https:// or http://"),
        (json!({"endpoint": "http://x", "sample_percent": 101}), "sample_percent: must be from 0 to 100"),
        (json!({"endpoint": "http://x", "sampling": 1}), "unknown field `sampling`"),
    ] {
        let said = complaint(&with_settings("untraceable", &json!({"tracing": tracing})));
        assert!(said.contains(rule), "{rule}: {said}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (name, providers, expected) in [
        (
            "nowhere",
            json!([{"name": "p", "cluster": "p", "dialect": "openai"}]),
            "`p` needs an `endpoint`, or a `preset` that has one",
        ),
        (
            "azure",
            json!([{"name": "p", "preset": "azure_openai"}]),
            "`p` needs an `endpoint`, or a `preset` that has one",
        ),
        (
            "nameless",
            json!([{"name": "p", "preset": "foundry", "endpoint": "https://10.0.0.4"}]),
            "needs an `authority`",
        ),
        (
            "twice",
            json!([{"name": "p", "preset": "openai"}, {"name": "q", "cluster": "p", "preset": "xai"}]),
            "providers[1]: cluster p has another endpoint or credential above",
        ),
        (
            "url",
            json!([{"name": "p", "preset": "openai", "endpoint": "ftp://x"}]),
            "providers[0].endpoint: must begin with",
        ),
        (
            "key",
            json!([{"name": "p", "preset": "openai", "credential": {"key": "sk-1"}}]),
            "providers[0].credential: unknown field `key`",
        ),
        (
            "preset",
            json!([{"name": "p", "preset": "opneai"}]),
            "providers[0].preset: expected one of openai, azure_openai, foundry",
        ),
    ] {
        let said = complaint(&made_of(name, providers));
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!said.contains("sk-1"), "{said}");
    }
    let file = folder("settings").join("policy.yaml");
    let demo = std::fs::read_to_string(root().join("envoy/policy.yaml")).unwrap();
    std::fs::write(&file, demo + "envoy: {listner: {port: 1}}\n").unwrap();
    let said = complaint(&run(&["--policy", file.to_str().unwrap()]));
    assert!(said.contains("unknown field `listner`"), "{said}");
}

#[test]
fn a_policy_that_cannot_stand_inside_a_document_does_so_by_its_values() {
    let file = folder("marker").join("policy.yaml");
    let text =
        "---\nmodels: [{name: gpt-5-mini, served_by: [{provider: p}]}]\nproviders:\n- {name: p, preset: openai}\n...\n";
    std::fs::write(&file, text).unwrap();
    let made = yaml(&run(&["--policy", file.to_str().unwrap()]));
    assert!(made.to_string().contains(r#""value":{"models":[{"name":"gpt-5-mini""#), "{made}");
}

#[test]
fn watched_files_change_only_with_what_they_say() {
    let folder = folder("xds");
    let policy = folder.join("policy.yaml");
    let demo = std::fs::read_to_string(root().join("envoy/policy.yaml")).unwrap();
    std::fs::write(&policy, &demo).unwrap();
    let arguments = ["--policy", policy.to_str().unwrap(), "--xds", folder.to_str().unwrap()];
    assert!(run(&arguments).status.success());
    let changed = || {
        ["envoy.yaml", "lds.yaml", "cds.yaml", "sds-openai.yaml"]
            .map(|name| std::fs::metadata(folder.join(name)).unwrap().modified().unwrap())
    };
    let before = changed();
    assert!(run(&arguments).status.success());
    assert_eq!(changed(), before);
    std::fs::write(&policy, demo.replace("mode: balanced", "mode: cost")).unwrap();
    assert!(run(&arguments).status.success());
    let after = changed();
    assert_eq!([after[0], after[2], after[3]], [before[0], before[2], before[3]]);
    assert_ne!(after[1], before[1]);
}

#[test]
fn the_documentation_has_every_preset() {
    let page = std::fs::read_to_string(root().join("docs/PROVIDERS.md")).unwrap();
    for preset in PRESETS {
        let name = format!("`{}`", preset.name);
        let row = page.lines().find(|line| line.starts_with("| ") && line.split('|').nth(1).unwrap().contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let address = preset.endpoint.map_or("give `endpoint`".to_owned(), |endpoint| format!("| `{endpoint}` |"));
        let header = match preset.dialect {
            Dialect::AzureOpenAi => "`api-key`",
            Dialect::Anthropic => "`x-api-key`",
            _ => "`authorization: Bearer`",
        };
        for part in [&address, &format!("| `{}` |", preset.path), header] {
            assert!(row.contains(part), "{row} lacks {part}");
        }
        assert!(preset.server.is_none_or(|server| row.contains(&format!("`server: {server}`"))), "{row}");
        assert_eq!(
            row.contains("Responses") || row.contains("both"),
            preset.apis.responses && !preset.dialect.is_messages(),
            "{row}"
        );
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_model-router")).arg("reference").output().unwrap();
    let page = std::fs::read_to_string(root().join("docs/CONFIGURATION.md")).unwrap();
    assert!(page.as_bytes() == output.stdout, "run: model-router reference > docs/CONFIGURATION.md");
}

/// An example's policy, changed.
fn example(name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let text = std::fs::read_to_string(root().join(format!("envoy/examples/{name}.yaml"))).unwrap();
    let mut policy: Value = serde_yaml_ng::from_str(&text).unwrap();
    change(&mut policy);
    let file = folder(&format!("example-{name}")).join("policy.json");
    std::fs::write(&file, policy.to_string()).unwrap();
    file
}

fn filters(made: &Value) -> Vec<&str> {
    let manager = &made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    manager["http_filters"].as_array().unwrap().iter().map(|filter| filter["name"].as_str().unwrap()).collect()
}

#[test]
fn limits_stand_behind_the_filter_and_identity_before_it() {
    let made = yaml(&run(&["--policy", "envoy/examples/limits.yaml"]));
    let expected = [
        "model_router.api_keys",
        "model_router.route",
        "model_router.headers_of_requests",
        "model_router.requests_per_minute",
        "model_router.headers_of_tokens",
        "model_router.tokens_per_minute",
        "model_router.headers_of_microdollars",
        "model_router.usd_per_day",
        "envoy.filters.http.router",
    ];
    assert_eq!(filters(&made), expected);
    let made = yaml(&run(&["--policy", "envoy/examples/api-keys.yaml"]));
    assert_eq!(filters(&made), ["model_router.api_keys", "model_router.route", "envoy.filters.http.router"]);
    // Keys are for Envoy alone to read.
    assert!(!made.to_string().contains("example-key-of-search"));
}

#[test]
fn the_files_of_the_fleet_are_made_of_its_policy() {
    let file = folder("fleet").join("ratelimit.yaml");
    assert!(run(&["--policy", "envoy/examples/fleet.yaml", "--rate-limits", file.to_str().unwrap()]).status.success());
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let examples = root().join("envoy/examples/fleet");
    assert_eq!(read(&file), read(&examples.join("ratelimit.yaml")));
    let made = String::from_utf8(run(&["--policy", "envoy/examples/fleet.yaml"]).stdout).unwrap();
    assert!(made == read(&examples.join("envoy.yaml")), "run what stands at the top of envoy/examples/fleet.yaml");
}

#[test]
fn what_is_wrong_with_identity_and_limits_is_named() {
    type Change = fn(&mut Value);
    let cases: [(&str, &str, Change); 10] = [
        ("api-keys", "give one of api_keys, jwt and client_certificates", |policy| {
            policy["envoy"]["identity"]["client_certificates"] = json!({"trusted_ca": "x"});
        }),
        ("api-keys", "give one of", |policy| policy["envoy"]["identity"] = json!({})),
        ("api-keys", "consumers[0].when.header: clients could send x-team", |policy| {
            policy["consumers"][0]["when"]["header"] = json!("x-team");
        }),
        ("api-keys", "the policy has no `consumers`", |policy| {
            drop(policy.as_object_mut().unwrap().remove("consumers"))
        }),
        ("client-certificates", "envoy.listener.tls is needed", |policy| policy["envoy"]["listener"] = json!({})),
        ("jwt", "give either file or url", |policy| policy["envoy"]["identity"]["jwt"]["jwks"] = json!({})),
        ("jwt", "expected https://HOST/", |policy| {
            policy["envoy"]["identity"]["jwt"]["jwks"] = json!({"url": "http://x/keys"});
        }),
        ("fleet", "expected http://HOST:PORT", |policy| {
            policy["envoy"]["rate_limit"]["service"]["endpoint"] = json!("127.0.0.1:8081");
        }),
        ("fleet", "expected http://HOST:PORT", |policy| {
            policy["envoy"]["rate_limit"]["service"]["endpoint"] = json!("http://limits.internal");
        }),
        ("fleet", "unknown variant `deny`", |policy| {
            policy["envoy"]["rate_limit"]["service"]["on_failure"] = json!("deny");
        }),
    ];
    for (name, expected, change) in cases {
        let file = example(name, change);
        let said = complaint(&run(&["--policy", file.to_str().unwrap()]));
        assert!(said.contains(expected), "{name}: {said}");
    }
    let file = folder("no-service").join("ratelimit.yaml");
    let said = complaint(&run(&["--policy", "envoy/examples/limits.yaml", "--rate-limits", file.to_str().unwrap()]));
    assert!(said.contains("no envoy.rate_limit.service"), "{said}");
}

#[test]
fn keys_of_an_identity_provider_are_fetched_over_verified_tls() {
    let file = example("jwt", |policy| {
        policy["envoy"]["identity"]["jwt"]["jwks"] = json!({"url": "https://login.example.com:8443/keys"});
    });
    let made = yaml(&run(&["--policy", file.to_str().unwrap()]));
    let cluster = made["static_resources"]["clusters"].as_array().unwrap().last().unwrap();
    assert_eq!(cluster["name"], "model_router.jwks");
    let tls = &cluster["transport_socket"]["typed_config"];
    assert_eq!((&tls["sni"], &tls["auto_sni_san_validation"]), (&json!("login.example.com"), &json!(true)));
    assert!(cluster.to_string().contains(r#""port_value":8443"#));
}

#[test]
fn a_content_filter_has_a_cluster_of_its_own() {
    let policy = |filter: Value| {
        let file = folder("content_filter").join("policy.json");
        let policy = json!({
            "models": [{"name": "gpt-5-mini", "served_by": [{"provider": "openai"}]}],
            "providers": [{"name": "openai", "preset": "openai"}],
            "content_filter": filter
        });
        std::fs::write(&file, policy.to_string()).unwrap();
        run(&["--policy", file.to_str().unwrap()])
    };
    let filter =
        json!({"endpoint": "https://api.openai.com", "credential": {"environment": "KEY"}, "on_error": "reject"});
    let made = yaml(&policy(filter));
    let clusters = made["static_resources"]["clusters"].as_array().unwrap();
    let [provider, moderation] = clusters.as_slice() else { panic!("two clusters") };
    assert_eq!((&provider["name"], &moderation["name"]), (&json!("openai"), &json!("moderation")));
    assert_eq!(moderation["transport_socket"]["typed_config"]["sni"], "api.openai.com");
    let text = moderation.to_string();
    // Calls of the filter are no attempts, and no request of a client may go there.
    assert!(!text.contains("model_router.attempt") && provider.to_string().contains("model_router.attempt"));
    assert!(text.contains("credential_injector") && text.contains("upstream_codec"));
    assert_eq!(made["static_resources"]["secrets"][0]["name"], "moderation");
    let map = made["static_resources"]["listeners"].to_string();
    assert!(map.contains(r#""cluster":"openai""#) && !map.contains(r#""name":"moderation""#));
    let own = json!({"cluster": "m", "authority": "m", "on_error": "reject"});
    let said = complaint(&policy(own));
    assert!(said.contains("content_filter\n    1: needs an `endpoint`"), "{said}");
}
