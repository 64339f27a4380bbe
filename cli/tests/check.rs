//! `model-router check`, and what `explain` and `route` say of a candidate.

mod common;

use common::run;
use serde_json::{Value, json};
use std::path::PathBuf;

fn file(name: &str, document: &Value) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, document.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The exit code of a run, and everything that it said.
fn ran(args: &[&str], input: &str) -> (i32, String) {
    let output = run(args, input);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

/// A router without a version takes every configured model.
fn policy(models: &[&str], router: Value) -> Value {
    let model = |name: &&str| json!({"name": name, "served_by": [{"provider": "p"}]});
    let models: Vec<Value> = models.iter().map(model).collect();
    json!({"routers": [router], "models": models, "providers": [{"name": "p", "cluster": "c", "dialect": "openai"}]})
}

const ROUTER: &str = "model-router";

#[test]
fn check_says_what_a_change_does_to_pools() {
    let old = file("old.json", &policy(&["gpt-5", "gpt-5-mini"], json!({"name": ROUTER})));
    let new = file("new.json", &policy(&["gpt-5", "gpt-5-nano"], json!({"name": ROUTER})));
    let (code, said) = ran(&["check", "--against", &old, &new], "");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("pool: router `model-router`: gpt-5@p, gpt-5-nano@p\n"), "{said}");
    let change = "changed: router `model-router`: gpt-5-nano@p joins its pool; gpt-5-mini@p leaves it\n";
    assert!(said.contains(change), "{said}");
    let mode = file("mode.json", &policy(&["gpt-5", "gpt-5-mini"], json!({"name": ROUTER, "mode": "cost"})));
    let (code, said) = ran(&["check", "--against", &old, &mode], "");
    assert!(code == 0 && !said.contains("changed"), "{code} {said}");
    let broken = file("broken.json", &policy(&["gpt-5"], json!({"name": ROUTER, "mode": "fast"})));
    assert_eq!(ran(&["check", "--against", &old, &broken], "").0, 1);
    assert_eq!(ran(&["check", "--against", &broken, &old], "").0, 1);
}

#[test]
fn check_shows_both_pools_where_there_is_a_candidate() {
    let mut document = policy(&["gpt-5", "gpt-5-mini"], json!({"name": ROUTER}));
    document["candidate"] = json!({"policy": {"routers": [{"name": ROUTER, "subset": ["gpt-5-mini"]}]}});
    let (code, said) = ran(&["check", &file("both.json", &document)], "");
    assert_eq!(code, 0);
    assert!(said.contains("warning: candidate.policy: router `model-router`: gpt-5@p leaves it\n"), "{said}");
    assert!(said.contains("pool: candidate.policy: router `model-router`: gpt-5-mini@p\n"), "{said}");
}

#[test]
fn explain_says_which_policy_decides_and_what_the_other_would_take() {
    let mut document = policy(&["gpt-5", "gpt-5-mini"], json!({"name": ROUTER, "subset": ["gpt-5"]}));
    document["candidate"] = json!({"policy": {"routers": [{"name": ROUTER, "subset": ["gpt-5-mini"]}]}});
    let body = json!({"model": ROUTER, "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let explain = |document: &Value, format| {
        ran(&["explain", "--format", format, "--policy", &file("explain.json", document)], &body).1
    };
    let told: Value = serde_json::from_str(&explain(&document, "json")).unwrap();
    assert_eq!((&told["policy"], &told["model"]), (&json!("current"), &json!("gpt-5")));
    let shadow = &told["shadow"];
    assert_eq!((&shadow["policy"], &shadow["model"]), (&json!("candidate"), &json!("gpt-5-mini")));
    assert_eq!((&shadow["agreement"], &shadow["reason"]), (&json!("other_model"), &json!("only_eligible")));
    let table = explain(&document, "table");
    let line = "candidate would take gpt-5-mini at p because only_eligible (other model): quality ";
    assert!(table.contains("policy: current\n") && table.contains(line), "{table}");
    document["candidate"]["percent"] = json!(100);
    let told: Value = serde_json::from_str(&explain(&document, "json")).unwrap();
    assert_eq!((&told["policy"], &told["model"]), (&json!("candidate"), &json!("gpt-5-mini")));
    document["candidate"]["percent"] = json!(0);
    document["candidate"]["policy"]["models"] =
        json!([{"name": "gpt-5-mini", "served_by": [{"provider": "p"}], "context": {"input": 1, "output": 1}}]);
    assert!(explain(&document, "table").contains("candidate would refuse: context_length_exceeded\n"));
}

#[test]
fn route_spreads_a_batch_under_one_of_the_two() {
    let mut document = policy(&["gpt-5", "gpt-5-mini"], json!({"name": ROUTER, "subset": ["gpt-5"]}));
    // As many as possible, were it not left aside.
    document["candidate"] =
        json!({"percent": 100, "policy": {"routers": [{"name": ROUTER, "subset": ["gpt-5-mini"]}]}});
    document["consumers"] = json!([{"name": "a", "when": {"header": "x", "equals": "a"}, "models": ["gpt-5"]}]);
    let both = file("route.json", &document);
    let models = |args: &[&str]| {
        let said = ran(
            &[&["route", "--json", "--mode", "cost", "--policy", &both], args].concat(),
            r#"{"id":"1","prompt":"hi"}"#,
        )
        .1;
        let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let rows = report["cases"][0]["models"].as_array().unwrap().clone();
        rows.iter().map(|row| row["model"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((models(&[]), models(&["--candidate"])), (vec!["gpt-5".to_owned()], vec!["gpt-5-mini".to_owned()]));
    document.as_object_mut().unwrap().remove("candidate");
    let (code, said) = ran(&["route", "--candidate", "--policy", &file("none.json", &document)], "");
    assert!(code == 1 && said.contains("--candidate: the policy has no candidate"), "{said}");
}
