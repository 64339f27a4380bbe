//! `link-abilities` on a small file of scores: the form of the result, and what must hold whatever the weights are.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn livebench(row: &str, variant: &str, score: f64) -> Value {
    let names = ["Reasoning", "Coding", "Mathematics", "Data Analysis", "Language", "IF"];
    let categories: serde_json::Map<String, Value> =
        names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), json!(score + at as f64))).collect();
    json!({"benchmark": "LiveBench global average", "release": "2025-04-25", "variant": variant, "row": row,
        "score": score, "category_scores": categories, "scale": "0-100"})
}

fn elo(variant: &str, score: f64) -> Value {
    json!({"benchmark": "LMArena text Elo", "variant": variant, "score": score, "date": "2025-11", "scale": "Elo",
        "coding_elo": null})
}

fn scores() -> Value {
    json!({"_meta": {}, "scores": {
        "gpt-4o": [livebench("gpt-4o-2024-11-20", "default", 54.0), elo("chat-tuned sibling", 1500.0)],
        "gpt-4o-mini": [livebench("gpt-4o-mini-2024-07-18", "default", 43.0), elo("as listed", 1290.0)],
        "gpt-5": [
            livebench("gpt-5-minimal", "minimal", 58.0),
            // Out of order: efforts must not fall.
            livebench("gpt-5-low", "low", 80.0),
            livebench("gpt-5", "medium(default)", 77.0),
            elo("gpt-5-high", 1436.0),
            {"benchmark": "gpqa", "variant": "Diamond thinking no tools", "score": 85.7, "self_reported": true},
            {"benchmark": "GPQA_diamond", "variant": "vendor-reported thinking", "score": 85.7, "self_reported": true},
        ],
        "deepseek-v3.2": [elo("V3.2-Exp non-thinking (predecessor experimental build)", 1413.0)],
        "gpt-5-chat": [elo("chat-tuned sibling", 1430.0)],
        "no-such-model": [elo("", 1000.0)],
    }})
}

fn link(directory: &Path, name: &str, scores: &Value) -> (String, String) {
    let (input, out) = (directory.join(format!("{name}-scores.json")), directory.join(name));
    std::fs::write(&input, scores.to_string()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_model-router"))
        .args(["link-abilities", "--scores", input.to_str().unwrap(), "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    (std::fs::read_to_string(out).unwrap(), String::from_utf8(run.stdout).unwrap())
}

fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The general score, or the one score there is.
fn general(skill: &Value) -> f64 {
    skill.get("general").unwrap_or(skill).as_f64().unwrap()
}

#[test]
fn the_same_scores_give_the_same_bytes() {
    let directory = directory("link-same");
    let (first, table) = link(&directory, "first.json", &scores());
    let (second, _) = link(&directory, "second.json", &scores());
    assert_eq!(first, second);
    assert!(table.contains("gpt-5") && table.contains("LiveBench 2025-04-25"), "{table}");
    // One line for each model, so that a difference can be read.
    assert!(first.lines().any(|line| line.starts_with("\"gpt-4o-mini\": {")), "{first}");
}

#[test]
fn rows_count_as_the_rules_say() {
    let (text, table) = link(&directory("link-rules"), "abilities.json", &scores());
    let file: Value = serde_json::from_str(&text).unwrap();
    let models = file["models"].as_object().unwrap();
    assert_eq!(models.keys().collect::<Vec<_>>(), ["deepseek-v3.2", "gpt-4o", "gpt-4o-mini", "gpt-5"]);
    // Neither the sibling's row nor the same score in a second collection counts.
    assert_eq!((&models["gpt-4o"]["rows"], &models["gpt-5"]["rows"]), (&json!(1), &json!(5)));
    assert_eq!((&models["gpt-4o"]["thin"], &models["gpt-5"]["thin"]), (&json!(true), &json!(false)));
    // Only a predecessor was measured.
    assert_eq!((&models["deepseek-v3.2"]["rows"], &models["deepseek-v3.2"]["thin"]), (&json!(0), &json!(true)));
    assert!(models.values().all(|model| model["error"].as_f64().unwrap() > 0.0));
    let source = |name: &str| {
        file["link"]["sources"].as_array().unwrap().iter().find(|source| source["source"] == name).cloned()
    };
    assert_eq!(source("LiveBench 2025-04-25").unwrap()["rows"], 5);
    assert_eq!(source("GPQA Diamond").unwrap()["rows"], 1);
    assert!(table.contains("claude-opus-4-7: has neither scores nor abilities_like"), "{table}");
}

#[test]
fn abilities_never_fall_with_effort_and_unmeasured_efforts_are_filled_in() {
    let (text, _) = link(&directory("link-efforts"), "abilities.json", &scores());
    let file: Value = serde_json::from_str(&text).unwrap();
    let abilities = &file["models"]["gpt-5"]["abilities"];
    let at = |effort: &str| {
        let by_effort = abilities["by_effort"].as_array().unwrap();
        by_effort.iter().find(|pair| pair[0] == effort).map(|pair| general(&pair[1])).unwrap()
    };
    let medium = general(&abilities["default"]);
    assert!(at("minimal") < at("low") && at("low") <= medium && medium <= at("high"), "{abilities}");
    let plain = |name: &str| general(&file["models"][name]["abilities"]["default"]);
    assert!(plain("gpt-4o-mini") < plain("gpt-4o") && plain("gpt-4o") < medium);
}
