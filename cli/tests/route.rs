//! `model-router route`: what it counts, what it refuses, and what its page holds.

mod common;

use common::run;
use serde_json::{Value, json};
use std::path::PathBuf;

const ENVOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy/envoy.yaml");
const PROMPTS: &str = include_str!("../data/task_eval.jsonl");
const SECRET: &str = "xyzzy-plugh";

fn report(policy: &str, args: &[&str], input: &str) -> Value {
    let output = run(&[&["route", "--policy", policy], args, &["--json"]].concat(), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(policy: &str, args: &[&str], input: &str) -> String {
    let output = run(&[&["route", "--policy", policy], args].concat(), input);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn path(name: &str) -> String {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().unwrap().to_owned()
}

/// A policy of two models whose abilities differ by task, and one that no Chat Completions request can reach.
fn policy() -> Value {
    let model = |name: &str, provider: &str, price: f64, abilities: Value| {
        json!({ "name": name, "served_by": [{ "provider": provider }], "abilities": abilities,
            "price": { "input": price, "output": price }, "context": { "input": 5000, "output": 1000 } })
    };
    json!({
        "routers": [
            { "name": "everything", "subset": ["good", "cheap", "far"] },
            { "name": "one", "mode": "cost", "subset": ["good"] },
        ],
        "models": [
            model("good", "here", 5.0, json!({ "general": 90, "chat": 80 })),
            model("cheap", "here", 0.5, json!({ "general": 60, "chat": 85 })),
            model("far", "elsewhere", 1.0, json!(70)),
        ],
        "providers": [
            { "name": "here", "cluster": "here", "dialect": "openai" },
            { "name": "elsewhere", "cluster": "elsewhere", "dialect": "openai", "apis": ["responses"]},
        ],
        "consumers": [{ "name": "someone", "when": { "header": "x-who", "equals": "me" } }],
    })
}

fn policy_file(name: &str) -> String {
    let path = path(name);
    std::fs::write(&path, policy().to_string()).unwrap();
    path
}

fn sum(shares: &Value) -> f64 {
    shares.as_array().unwrap().iter().map(|row| row["share"].as_f64().unwrap()).sum()
}

fn share(case: &Value, model: &str) -> f64 {
    let rows = case["models"].as_array().unwrap();
    rows.iter().find(|row| row["model"] == model).unwrap()["share"].as_f64().unwrap()
}

#[test]
fn shares_add_up() {
    let report = report(ENVOY, &[], PROMPTS);
    assert_eq!((&report["router"], &report["prompts"]), (&json!("model-router"), &json!(560)));
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.iter().map(|case| &case["mode"]).collect::<Vec<_>>(), ["quality", "balanced", "cost"]);
    for case in cases {
        assert!((sum(&case["models"]) - 1.0).abs() < 1e-9);
        let tasks = case["tasks"].as_array().unwrap();
        assert!(tasks.iter().all(|task| (sum(&task["models"]) - 1.0).abs() < 1e-9));
        assert_eq!(tasks.iter().map(|task| task["prompts"].as_u64().unwrap()).sum::<u64>(), 560);
    }
    let bins = report["difficulty"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["prompts"].as_u64().unwrap()).sum::<u64>(), 560);
}

#[test]
fn a_mode_gives_up_no_more_than_its_band() {
    let modes = ["--mode", "quality", "--mode", "band=0.02", "--mode", "cost", "--mode", "band=1"];
    let report = report(&policy_file("bands.json"), &modes, PROMPTS);
    let cases = report["cases"].as_array().unwrap();
    let figure = |case: &Value, name: &str| case[name].as_f64().unwrap();
    for case in cases {
        assert!(figure(case, "relative_quality") >= 1.0 - figure(case, "band") - 1e-9);
        assert!(figure(case, "relative_cost") <= 1.0 + 1e-9);
    }
    assert!(cases.windows(2).all(|pair| figure(&pair[0], "cost_per_1000") >= figure(&pair[1], "cost_per_1000")));
    assert_eq!((figure(&cases[0], "relative_quality"), figure(&cases[1], "band")), (1.0, 0.02));
    // The best model differs by task, and with a band of 1 the cheapest gets all.
    assert!(share(&cases[0], "good") > 0.0 && share(&cases[0], "cheap") > 0.0);
    assert_eq!(share(&cases[3], "cheap"), 1.0);
}

#[test]
fn a_subset_of_one_model_gets_everything() {
    let args =
        ["--mode", "quality", "--subset", "gpt-5-nano", "--subset", "gpt-5-nano, gpt-5.4", "--subset", "gpt-5-nano"];
    let report = report(ENVOY, &args, PROMPTS);
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2, "what is given twice counts once");
    assert_eq!(share(&cases[0], "gpt-5-nano"), 1.0);
    assert_eq!((&cases[0]["relative_quality"], &cases[0]["relative_cost"]), (&json!(1.0), &json!(1.0)));
    assert_eq!(cases[1]["models"].as_array().unwrap().len(), 2);
}

#[test]
fn it_decides_as_explain_does() {
    for line in PROMPTS.lines().step_by(70) {
        let prompt: Value = serde_json::from_str(line).unwrap();
        let messages = json!([{ "role": "user", "content": prompt["prompt"] }]);
        let body = json!({ "model": "model-router", "messages": messages }).to_string();
        let output = run(&["explain", "--policy", ENVOY, "--format", "json"], &body);
        let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
        let line = json!({ "id": "a", "messages": messages, "group": 7 }).to_string();
        let report = report(ENVOY, &["--mode", "balanced"], &line);
        let case = &report["cases"][0];
        assert_eq!(share(case, explained["model"].as_str().unwrap()), 1.0);
        assert_eq!(case["quality"], explained["candidates"][0]["quality"]);
        assert_eq!(case["band"], explained["band"]);
    }
}

#[test]
fn the_router_can_be_named() {
    let policy = policy_file("routers.json");
    let report = report(&policy, &["--router", "one"], PROMPTS);
    assert!(report["cases"].as_array().unwrap().iter().all(|case| share(case, "good") == 1.0));
    let error = error(&policy, &["--router", "two"], PROMPTS);
    assert!(error.contains("--router two: there is no such router; known are everything, one"), "{error}");
}

#[test]
fn a_bad_line_names_its_number_and_not_its_text() {
    let good = json!({ "id": "a", "prompt": "hello" }).to_string();
    let lines = [
        (format!("{{\"id\": \"a\", \"prompt\": \"{SECRET}"), "is not valid JSON"),
        (format!("{{\"id\": \"a\", \"prompt\": \"{SECRET}\"}} x"), "is not valid JSON"),
        (format!("[\"{SECRET}\"]"), "must be a JSON object"),
        (json!({ "prompt": SECRET }).to_string(), "`id` must be a string"),
        (json!({ "id": 1, "prompt": SECRET }).to_string(), "`id` must be a string"),
        (json!({ "id": "a", "text": SECRET }).to_string(), "has neither `prompt` nor `messages`"),
        (json!({ "id": "a", "prompt": SECRET, "messages": [] }).to_string(), "has both `prompt` and `messages`"),
        (json!({ "id": "a", "prompt": [SECRET] }).to_string(), "`prompt` must be a string"),
        (json!({ "id": "a", "messages": SECRET }).to_string(), "`messages` must be an array"),
        (json!({ "id": "a", "messages": [] }).to_string(), "'messages' "),
        (json!({ "id": "a", "messages": [SECRET] }).to_string(), "'messages[0]' "),
    ];
    for (line, rule) in lines {
        let error = error(ENVOY, &[], &format!("{good}\n\n{line}\n{good}\n"));
        assert!(error.contains("line 3: ") && error.contains(rule), "{line}: {error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn an_empty_input_is_an_error() {
    for input in ["", "\n  \n"] {
        assert!(error(ENVOY, &[], input).contains("no prompts on standard input"));
    }
}

#[test]
fn wrong_modes_and_subsets_are_errors() {
    let policy = policy_file("wrong.json");
    let cases: [(&[&str], &str); 6] = [
        (&["--mode", "fast"], "--mode fast does not fit the policy"),
        (&["--mode", "band=2"], "a number from 0 to 1"),
        (&["--mode", "band=x"], "expected a number from 0 to 1 after `band=`"),
        (&["--subset", "good,bad"], "no model `bad` is configured"),
        (&["--subset", "good,,cheap"], "expected names of models with commas between them"),
        (&["--subset", "good", "--subset", "far"], "--subset far has no eligible model"),
    ];
    for (args, expected) in cases {
        let error = error(&policy, args, PROMPTS);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn refused_prompts_are_counted_with_their_reason() {
    let long = json!({ "id": "long", "prompt": "word ".repeat(20_000) }).to_string();
    let args = ["--mode", "cost", "--subset", "good,cheap"];
    let report = report(&policy_file("refused.json"), &args, &format!("{PROMPTS}{long}\n{long}\n"));
    let case = &report["cases"][0];
    let expected = json!([{ "reason": "context_length_exceeded", "prompts": 2, "first_line": 561 }]);
    assert_eq!((&case["decided"], &case["refused"]), (&json!(560), &expected));
    assert!((sum(&case["models"]) - 1.0).abs() < 1e-9);
}

#[test]
fn nothing_but_refusals_is_a_report_too() {
    let long = json!({ "id": "long", "prompt": "word ".repeat(20_000) }).to_string();
    let html = path("refused.html");
    let report = report(&policy_file("all_refused.json"), &["--html", &html], &long);
    assert!(report["cases"].as_array().unwrap().iter().all(|case| case["quality"].is_null()));
    assert!(std::fs::read_to_string(html).unwrap().contains("every prompt is refused"));
}

#[test]
fn the_page_needs_nothing_and_tells_no_prompt() {
    let policy = policy_file("a<i>b.json");
    let html = path("page.html");
    let secret = json!({ "id": SECRET, "prompt": SECRET, "group": SECRET }).to_string();
    let args = ["--html", &html, "--subset", "good", "--subset", "good,cheap"];
    let report = report(&policy, &args, &format!("{PROMPTS}{secret}\n"));
    let page = std::fs::read_to_string(html).unwrap();
    for outside in ["http://", "https://", "url(", "@import", "<script", "<link", "<img", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("a&lt;i&gt;b.json") && !page.contains("<i>"));
    assert!(!page.contains(SECRET) && !report.to_string().contains(SECRET));
    for line in PROMPTS.lines() {
        let prompt: Value = serde_json::from_str(line).unwrap();
        let text: String = prompt["prompt"].as_str().unwrap().chars().take(30).collect();
        assert!(text.len() < 15 || !page.contains(&text), "{text}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let policy = policy_file("same.json");
    let mut seen = Vec::new();
    for html in [path("first.html"), path("second.html")] {
        let tables = run(&["route", "--policy", &policy, "--html", &html], PROMPTS).stdout;
        let json = report(&policy, &[], PROMPTS).to_string();
        seen.push((tables, json, std::fs::read(html).unwrap()));
    }
    assert_eq!(seen[0], seen[1]);
}
