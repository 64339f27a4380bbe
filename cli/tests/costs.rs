//! `model-router costs`: what it adds up, what it skips, and what its page holds.

mod common;

use common::run;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Output;

const SECRET: &str = "xyzzy-plugh";

fn costs(args: &[&str], input: &[u8]) -> Output {
    run(&[&["costs"], args].concat(), input)
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Rows of the CSV, by column, and what went to standard error.
fn rows(name: &str, args: &[&str], input: &[u8]) -> (Vec<Value>, String) {
    let file = path(name);
    let output = costs(&[args, &["--csv", file.to_str().unwrap()]].concat(), input);
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let mut reader = csv::Reader::from_path(file).unwrap();
    let rows: Result<Vec<Value>, _> = reader
        .deserialize::<std::collections::BTreeMap<String, String>>()
        .map(|row| row.map(|row| json!(row)))
        .collect();
    (rows.unwrap(), stderr)
}

/// An entry as Envoy writes it, with some members changed.
fn entry(changes: Value) -> Value {
    let mut entry = json!({
        "time": "2026-11-20T23:59:59.999Z", "path": "/v1/chat/completions", "status": 200, "user_agent": SECRET,
        "gen_ai.request.model": "model-router", "gen_ai.usage.input_tokens": "100", "gen_ai.usage.output_tokens": "10",
        "gen_ai.usage.cache_read.input_tokens": null, "gen_ai.usage.cache_creation.input_tokens": null,
        "gen_ai.usage.reasoning.output_tokens": null,
        "model_router.router": "model-router", "model_router.mode": "balanced", "model_router.model": "gpt-5-mini",
        "model_router.reason": "cheapest_in_band", "model_router.plan": "gpt-5-mini@azure:0.980:0.000120",
        "model_router.consumer": "search", "model_router.cost_usd": "0.100000", "model_router.baseline_cost_usd": "0.300000",
    });
    entry.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    entry
}

fn log(entries: &[Value]) -> Vec<u8> {
    entries.iter().flat_map(|entry| format!("{entry}\n").into_bytes()).collect()
}

fn unknown(changes: Value) -> Value {
    let none = json!({ "gen_ai.usage.input_tokens": null, "gen_ai.usage.output_tokens": null,
        "model_router.cost_usd": null, "model_router.baseline_cost_usd": null });
    let mut entry = entry(none);
    entry.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    entry
}

#[test]
fn money_and_tokens_add_up_exactly() {
    let entries = vec![entry(json!({})); 1000];
    let (rows, stderr) = rows("exact.csv", &[], &log(&entries));
    assert_eq!(stderr, "");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let expected = json!({ "router": "model-router", "model": "gpt-5-mini", "consumer": "search", "day": "2026-11-20",
        "requests": "1000", "priced": "1000", "compared": "1000", "failed": "0", "no_usage": "0", "no_price": "0", "kept": "0",
        "input_tokens": "100000", "cached_input_tokens": "0", "cache_write_tokens": "0", "output_tokens": "10000",
        "reasoning_tokens": "0", "cost_usd": "100.000000", "baseline_usd": "300.000000", "savings_usd": "200.000000" });
    assert_eq!(row, &expected);
}

#[test]
fn groups_are_by_what_was_asked_for() {
    let entries = [
        entry(json!({})),
        entry(
            json!({ "model_router.model": "gpt-5.4", "model_router.cost_usd": "0.4", "time": "2026-11-21T00:00:00Z" }),
        ),
        entry(json!({ "model_router.router": null, "model_router.mode": "direct", "model_router.consumer": null,
            "model_router.baseline_cost_usd": null })),
    ];
    let of = |by: &str, name: &str| {
        let (rows, _) = rows(name, &["--by", by], &log(&entries));
        let names: Vec<&str> = by.split(',').collect();
        let show = |row: &Value| {
            let key: Vec<&str> = names.iter().map(|name| row[name].as_str().unwrap()).collect();
            format!("{} {} {} {}", key.join("/"), row["requests"], row["cost_usd"], row["savings_usd"]).replace('"', "")
        };
        rows.iter().map(show).collect::<Vec<_>>()
    };
    assert_eq!(of("router", "router.csv"), ["model-router 2 0.500000 0.100000", "direct 1 0.100000 0.000000"]);
    assert_eq!(of("model", "model.csv"), ["gpt-5.4 1 0.400000 -0.100000", "gpt-5-mini 2 0.200000 0.200000"]);
    assert_eq!(of("consumer", "consumer.csv"), ["search 2 0.500000 0.100000", " 1 0.100000 0.000000"]);
    assert_eq!(of("day", "day.csv"), ["2026-11-20 2 0.200000 0.200000", "2026-11-21 1 0.400000 -0.100000"]);
    let both = [
        "model-router/gpt-5.4 1 0.400000 -0.100000",
        "direct/gpt-5-mini 1 0.100000 0.000000",
        "model-router/gpt-5-mini 1 0.100000 0.200000",
    ];
    assert_eq!(of("router,model", "both.csv"), both);
    let table = text(&costs(&["--by", "day", "--by", "model,router"], &log(&entries)).stdout);
    assert!(
        table.contains("By day\n") && table.contains("By model, router\n") && !table.contains("By router\n"),
        "{table}"
    );
    assert!(table.contains("1 of those with a cost, $0.100000 in all, have no baseline"), "{table}");
}

#[test]
fn what_has_no_cost_is_counted_apart_and_said() {
    let entries = [
        entry(json!({})),
        unknown(json!({ "status": 503 })),
        unknown(
            json!({ "status": 0, "model_router.router": null, "model_router.mode": null, "model_router.model": null }),
        ),
        unknown(json!({})),
        unknown(json!({ "gen_ai.usage.input_tokens": "7" })),
        unknown(json!({ "model_router.reason": "kept", "model_router.plan": null, "model_router.mode": "direct" })),
        // Refused by the filter, and passed by it.
        unknown(
            json!({ "status": 404, "model_router.reason": "model_not_found", "model_router.plan": null, "model_router.mode": null }),
        ),
        unknown(json!({ "model_router.reason": null, "model_router.plan": null, "model_router.mode": null })),
    ];
    let (rows, stderr) = rows("apart.csv", &["--by", "day"], &log(&entries));
    assert_eq!(stderr, "");
    let figures = ["requests", "priced", "failed", "no_usage", "no_price", "kept", "input_tokens", "cost_usd"];
    assert_eq!(figures.map(|name| rows[0][name].as_str().unwrap()), ["6", "1", "2", "1", "1", "1", "107", "0.100000"]);
    let shown = text(&costs(&[], &log(&entries)).stdout);
    for note in [
        "1 of 6 requests have a known cost.",
        "2 failed or were left by their clients; 1 were answered without usage",
        "1 were answered by models without a price; 1 were for what a provider keeps.",
        "2 entries are no requests to a model",
    ] {
        assert!(shown.contains(note), "{note}: {shown}");
    }
}

#[test]
fn numbers_may_be_numbers_and_nothing_may_be_a_dash() {
    let entries = [
        entry(
            json!({ "status": "200", "gen_ai.usage.input_tokens": 50, "model_router.cost_usd": 0.000001, "model_router.baseline_cost_usd": 1e-5 }),
        ),
        entry(
            json!({ "model_router.consumer": "-", "gen_ai.usage.input_tokens": "-", "model_router.baseline_cost_usd": "" }),
        ),
    ];
    let (rows, _) = rows("numbers.csv", &["--by", "consumer"], &log(&entries));
    assert_eq!(rows[0]["consumer"], "", "the dearer one");
    assert_eq!((&rows[1]["input_tokens"], &rows[1]["savings_usd"]), (&json!("50"), &json!("0.000009")));
}

#[test]
fn a_prefix_is_no_part_of_the_entry() {
    let line = format!("\u{1b}[36menvoy-1  | \u{1b}[0m{}\r\n\n", entry(json!({})));
    let (rows, stderr) = rows("prefix.csv", &[], line.as_bytes());
    assert_eq!((rows.len(), stderr.as_str()), (1, ""));
}

#[test]
fn broken_lines_are_skipped_and_named_by_their_numbers_only() {
    let good = entry(json!({})).to_string().into_bytes();
    let long = format!("{{\"time\": \"{}\"}}", SECRET.repeat(200_000));
    let deep = format!("{{\"model_router.cost_usd\": {}", "[".repeat(100_000));
    let wrong = |name: &str, value: Value| entry(json!({ name: value })).to_string().into_bytes();
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (b"[2026-11-21 22:17:00.123][1][info] xyzzy-plugh".to_vec(), "is not a JSON object"),
        (good[..good.len() / 2].to_vec(), "is not valid JSON: it ends too early"),
        ([&good[..good.len() - 1], b",\"time\":\"\xff\xfe\"}"].concat(), "is not valid JSON"),
        (
            br#"{"level": "info", "message": "xyzzy-plugh"}"#.to_vec(),
            "is no entry of this access log: it has no `model_router` members",
        ),
        (long.into_bytes(), "is too long"),
        (deep.into_bytes(), "is not valid JSON"),
        (wrong("model_router.cost_usd", json!("-0.1")), "`model_router.cost_usd` is no amount of money"),
        (wrong("model_router.cost_usd", json!("1e300")), "`model_router.cost_usd` is no amount of money"),
        (wrong("model_router.cost_usd", json!("NaN")), "`model_router.cost_usd` is no amount of money"),
        (
            wrong("model_router.baseline_cost_usd", json!([SECRET])),
            "`model_router.baseline_cost_usd` is no amount of money",
        ),
        (
            wrong("gen_ai.usage.input_tokens", json!("99999999999999999999")),
            "`gen_ai.usage.input_tokens` is no count of tokens",
        ),
        (wrong("gen_ai.usage.output_tokens", json!(-5)), "`gen_ai.usage.output_tokens` is no count of tokens"),
        (wrong("gen_ai.usage.output_tokens", json!(1.5)), "`gen_ai.usage.output_tokens` is no count of tokens"),
        (wrong("status", json!(SECRET)), "`status` is not a number"),
        (wrong("model_router.model", json!({ "name": SECRET })), "`model_router.model` is not text"),
    ];
    // The list of skipped lines is short: so are the logs.
    for lines in bad.chunks(5) {
        let mut input = good.clone();
        lines.iter().for_each(|(line, _)| input.extend([b"\n", line.as_slice()].concat()));
        input.extend([b"\n", good.as_slice()].concat());
        let (rows, stderr) = rows("broken.csv", &["--by", "model"], &input);
        let expected = lines.iter().enumerate().map(|(index, (_, rule))| format!("  line {} {rule}\n", index + 2));
        assert_eq!(stderr, format!("skipped 5 of 7 lines:\n{}", expected.collect::<String>()));
        assert_eq!((&rows[0]["requests"], &rows[0]["cost_usd"]), (&json!("2"), &json!("0.200000")));
    }
}

#[test]
fn an_input_without_an_entry_is_an_error_and_an_empty_one_is_not() {
    let output = costs(&[], b"these are\nno entries\n");
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(text(&output.stderr).contains("no line is an entry"), "{}", text(&output.stderr));
    let output = costs(&["--html", path("empty.html").to_str().unwrap()], b"");
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("0 of 0 requests"));
    for by in ["", "hour", "day,day"] {
        assert!(!costs(&["--by", by], b"").status.success(), "{by}");
    }
}

#[test]
fn files_may_be_several_and_gzipped_in_parts() {
    let one = log(&[entry(json!({}))]);
    let zipped = || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&one).unwrap();
        encoder.finish().unwrap()
    };
    let (plain, parts, cut) = (path("plain.log"), path("parts.log.gz"), path("cut.log.gz"));
    std::fs::write(&plain, [one.as_slice(), b"no entry"].concat()).unwrap();
    std::fs::write(&parts, [zipped(), zipped()].concat()).unwrap();
    std::fs::write(&cut, &zipped()[..40]).unwrap();
    let [plain, parts, cut] = [&plain, &parts, &cut].map(|path| path.to_str().unwrap());
    let (of_files, stderr) = rows("files.csv", &[plain, parts], b"");
    assert_eq!(of_files[0]["requests"], "3");
    assert_eq!(stderr, format!("skipped 1 of 4 lines:\n  {plain}:2 is not a JSON object\n"));
    assert_eq!(rows("piped.csv", &[], &zipped()).0[0]["requests"], "1");
    for wrong in [cut, "/nowhere.log"] {
        let output = costs(&[plain, wrong], b"");
        assert!(
            !output.status.success() && text(&output.stderr).contains(&format!("cannot read {wrong} after line 0"))
        );
    }
}

#[test]
fn the_page_needs_nothing_and_believes_no_name() {
    let mut entries: Vec<Value> =
        (0..40).map(|model| entry(json!({ "model_router.model": format!("model-{model}") }))).collect();
    entries.push(entry(
        json!({ "model_router.model": "<script>alert(1)</script>\u{1b}[2J", "model_router.cost_usd": "0.9" }),
    ));
    let file = path("costs.html");
    let output = costs(&["--html", file.to_str().unwrap()], &log(&entries));
    let page = std::fs::read_to_string(file).unwrap();
    let table = text(&output.stdout);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    assert!(!page.contains('\u{1b}') && !table.contains('\u{1b}') && table.contains("<script>"));
    assert!(
        !page.contains("http:")
            && !page.contains("https:")
            && !page.contains("src=")
            && !page.contains(SECRET)
            && !table.contains(SECRET)
    );
    assert!(page.contains("21 others") && page.contains("Nov 20") && page.contains("prefers-color-scheme: dark"));
    // 40 × 0.1 + 0.9, and 41 × 0.3.
    for amount in ["$4.9000", "$12.3000", "$7.4000"] {
        assert!(page.contains(amount) && table.contains(amount), "{amount}");
    }
    assert_eq!(page.matches("<svg aria-hidden").count(), 8, "four charts in two widths");
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    let entries: Vec<Value> =
        (0..60).map(|model| entry(json!({ "model_router.model": format!("model-{model}") }))).collect();
    let [first, second] = [(); 2].map(|()| costs(&["--by", "model", "--by", "router,model"], &log(&entries)).stdout);
    assert_eq!(text(&first), text(&second));
}
