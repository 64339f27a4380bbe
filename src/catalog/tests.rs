use std::collections::HashSet;

use serde_json::Value;

use super::*;

/// Names and versions of the router version 2025-11-18, as in seed 000 without its footnote marks.
const SEED: [(&str, &str); 28] = [
    ("gpt-4.0", "2024-11-20"),
    ("gpt-4.0-mini", "2024-07-18"),
    ("gpt-4.1", "2025-04-14"),
    ("gpt-4.1-mini", "2025-04-14"),
    ("gpt-4.1-nano", "2025-04-14"),
    ("o4-mini", "2025-04-16"),
    ("gpt-5-nano", "2025-08-07"),
    ("gpt-5-mini", "2025-08-07"),
    ("gpt-5", "2025-08-07"),
    ("gpt-5-chat", "2025-08-07"),
    ("gpt-5.2", "2025-12-11"),
    ("gpt-5.2-chat", "2025-12-11"),
    ("gpt-5.3-chat", "2026-03-03"),
    ("gpt-5.4-nano", "2026-03-17"),
    ("gpt-5.4-mini", "2026-03-17"),
    ("gpt-5.4", "2026-03-05"),
    ("gpt-5.5", "2026-04-24"),
    ("Deepseek-V3.1", "1"),
    ("Deepseek-V3.2", "1"),
    ("gpt-oss-120b", "1"),
    ("Llama-4-Maverick-17B-128E-Instruct-FP8", "1"),
    ("grok-4", "1"),
    ("grok-4-fast-reasoning", "1"),
    ("claude-haiku-4-5", "20251001"),
    ("claude-sonnet-4-5", "20250929"),
    ("claude-opus-4-1", "20250805"),
    ("claude-opus-4-6", "1"),
    ("claude-opus-4-7", "1"),
];

fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

#[test]
fn pools_match_the_seed() {
    let catalog = catalog();
    let canonical = |name: &str| catalog.get(name).unwrap().name.clone();
    let of_seed: Vec<String> = SEED.iter().map(|(name, _)| canonical(name)).collect();
    assert_eq!(catalog.pool("2025-11-18").unwrap(), of_seed);
    for (name, version) in SEED {
        assert_eq!(catalog.get(name).unwrap().version.as_deref(), Some(version), "{name}");
    }
    let mut oldest = catalog.pool("2025-05-19").unwrap().to_vec();
    oldest.sort();
    assert_eq!(oldest, ["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "o4-mini"]);
    let mut older = catalog.pool("2025-08-07").unwrap().to_vec();
    older.sort();
    let added = ["gpt-5", "gpt-5-chat", "gpt-5-mini", "gpt-5-nano"];
    let mut expected: Vec<&str> = oldest.iter().map(String::as_str).chain(added).collect();
    expected.sort_unstable();
    assert_eq!(older, expected);
    assert_eq!(catalog.pool("2025-11"), None);
}

#[test]
fn members_of_pools_can_be_routed_to() {
    let catalog = catalog();
    for version in catalog.versions() {
        let members = catalog.pool(version).unwrap();
        assert_eq!(members.iter().collect::<HashSet<_>>().len(), members.len(), "{version}");
        for name in members {
            let facts = catalog.get(name).unwrap_or_else(|| panic!("{version}: {name}"));
            assert_eq!(&facts.name, name, "a pool lists names, not aliases");
            assert!(facts.price.is_some() && facts.context.is_some() && facts.abilities.is_some(), "{name}");
        }
    }
}

#[test]
fn names_and_aliases_are_unique() {
    let mut seen = HashSet::new();
    for facts in catalog().models() {
        // An alias may be the name in the catalog's spelling of Azure; it must not be any other model's.
        let own: HashSet<String> =
            std::iter::once(&facts.name).chain(&facts.aliases).map(|name| name.to_ascii_lowercase()).collect();
        for name in own {
            assert!(seen.insert(name.clone()), "{name}");
        }
    }
}

#[test]
fn numbers_are_sane() {
    for facts in catalog().models() {
        let (name, price) = (&facts.name, facts.price.as_ref().unwrap());
        let cached = price.cached_input.unwrap_or(price.input);
        assert!(0.0 < price.input && cached <= price.input && price.input < price.output, "{name}");
        assert!(facts.abilities.is_some(), "{name}");
        for skills in by_rising_effort(facts).windows(2) {
            let ((low, below), (high, above)) = (&skills[0], &skills[1]);
            assert!(
                low < high && below.0.iter().zip(above.0).all(|(below, above)| *below <= above),
                "{name} at {high:?}"
            );
        }
    }
}

/// Every known effort with its skill; the default one where the model has a control.
fn by_rising_effort(facts: &Facts) -> Vec<(Effort, Skill)> {
    let abilities = facts.abilities.as_ref().unwrap();
    let default = facts.reasoning.iter().map(|efforts| (efforts.default, abilities.default));
    let mut skills: Vec<(Effort, Skill)> = abilities.by_effort.iter().copied().chain(default).collect();
    skills.sort_by_key(|(effort, _)| *effort);
    skills
}

fn skill(name: &str, effort: Option<Effort>) -> Skill {
    let catalog = catalog();
    let facts = catalog.get(name).unwrap();
    let abilities = facts.abilities.as_ref().unwrap();
    let default = facts.reasoning.as_ref().map(|efforts| efforts.default);
    if effort.is_none() || effort == default { abilities.default } else { *abilities.at(effort) }
}

#[test]
fn abilities_are_known_at_every_effort_that_a_model_takes() {
    for facts in catalog().models() {
        let known: Vec<Effort> = by_rising_effort(facts).into_iter().map(|(effort, _)| effort).collect();
        let lent = facts.abilities_like.is_some();
        let takes = facts.reasoning.iter().flat_map(|efforts| &efforts.accepts);
        assert!(lent || takes.into_iter().all(|effort| known.contains(effort)), "{}: {known:?}", facts.name);
        assert!(!lent || facts.thin_evidence, "{}", facts.name);
    }
}

#[test]
fn larger_models_of_a_family_are_abler() {
    for effort in [Effort::Minimal, Effort::Low, Effort::Medium, Effort::High] {
        let [large, mini, nano] = ["gpt-5", "gpt-5-mini", "gpt-5-nano"].map(|name| skill(name, Some(effort)).mean());
        assert!(large >= mini && mini >= nano, "{effort:?}: {large} {mini} {nano}");
    }
    let mean = |name| skill(name, None).mean();
    assert!(mean("claude-opus-4-7") >= mean("claude-haiku-4-5") && mean("gpt-5") > mean("o1"));
    assert!(mean("gpt-4.1") >= mean("gpt-4.1-mini") && mean("gpt-4.1-mini") >= mean("gpt-4.1-nano"));
    assert!(mean("gpt-4o") >= mean("gpt-4o-mini"));
    let math = |name| skill(name, None).0[Task::Math as usize];
    assert!(math("o4-mini") >= math("gpt-4o-mini"));
}

#[test]
fn plain_modes_of_large_models_are_not_far_behind_at_chat_and_writing() {
    for task in [Task::Chat, Task::Writing] {
        let plain = skill("gpt-5.4", Some(Effort::None)).0[task as usize];
        assert!(plain > skill("gpt-5-mini", Some(Effort::Medium)).0[task as usize] - 0.7, "{task:?}");
    }
}

#[test]
fn every_model_of_the_router_answers_easy_prompts_and_cheap_ones_fail_on_hard_ones() {
    let catalog = catalog();
    for name in catalog.pool("2025-11-18").unwrap() {
        assert!(sigmoid(skill(name, None).mean() + 3.0) > 0.97, "{name}");
    }
    let hard = |name: &str| sigmoid(skill(name, None).mean() - 1.5);
    for cheap in ["gpt-4.1-nano", "gpt-4o-mini"] {
        assert!(hard(cheap) < hard("gpt-5") - 0.2, "{cheap}");
    }
}

#[test]
fn prices_and_limits_agree_with_the_collected_facts() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/facts/models.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not here");
        return;
    };
    let collected: Value = serde_json::from_str(&text).unwrap();
    let rows = collected["models"].as_array().unwrap().iter();
    let rows = rows.chain(collected["newer_router_pool_autumn_2026"]["models"].as_array().unwrap());
    let catalog = catalog();
    let mut seen = 0;
    for row in rows {
        let name = row["id"].as_str().unwrap();
        let facts = catalog.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let (price, theirs) = (facts.price.as_ref().unwrap(), &row["price_usd_per_mtok"]);
        assert_eq!(Some(price.input), theirs["input"].as_f64(), "{name}");
        assert_eq!(price.cached_input, theirs["cached_input"].as_f64(), "{name}");
        assert_eq!(price.cache_write, theirs["cache_write_5m"].as_f64(), "{name}");
        assert_eq!(price.cache_write_1h, theirs["cache_write_1h"].as_f64(), "{name}");
        assert_eq!(Some(price.output), theirs["output"].as_f64(), "{name}");
        assert_eq!(facts.publisher.as_deref(), row["format_publisher"].as_str(), "{name}");
        let long = price.long_context.as_ref();
        let tiers = &theirs["long_context_tiers"];
        assert_eq!(long.map(|long| long.input), tiers["input_cost_per_token_above_272k_tokens"].as_f64(), "{name}");
        assert_eq!(long.map(|long| long.output), tiers["output_cost_per_token_above_272k_tokens"].as_f64(), "{name}");
        let (context, newer) = (facts.context.unwrap(), row.get("capabilities").is_none());
        let total = row["context"]["azure_total"].as_u64();
        let window = context.window.unwrap_or(context.input);
        assert!(total.is_none_or(|total| total == u64::from(window)), "{name}");
        let can = if newer { row } else { &row["capabilities"] };
        assert_eq!(facts.capabilities.images, can["vision"].as_bool(), "{name}");
        assert_eq!(facts.capabilities.tools, can["tools"].as_bool(), "{name}");
        // LiteLLM lets this one call a tool of its own making; its API has no schemas.
        let can_schema = can["json_schema"].as_bool().filter(|_| name != "claude-opus-4-1").or(Some(false));
        let known = if can["json_schema"].is_null() { None } else { can_schema };
        assert_eq!(facts.capabilities.json_schema, known, "{name}");
        seen += 1;
    }
    assert_eq!(seen, catalog.models().len());
}

#[test]
fn relatives_lend_the_score_at_the_borrowers_default_effort() {
    let catalog = catalog();
    let abilities = |name: &str| catalog.get(name).unwrap().abilities.clone().unwrap();
    assert_eq!(abilities("gpt-5.2-chat"), abilities("gpt-5.3-chat"));
    assert_eq!(abilities("claude-opus-5"), abilities("claude-opus-4-7"));
    // gpt-5.4-nano does not reason by default, gpt-5.6-luna does.
    let (lender, borrower) = (abilities("gpt-5.4-nano"), abilities("gpt-5.6-luna"));
    assert!(lender.by_effort.contains(&(Effort::Medium, borrower.default)));
    assert!(borrower.by_effort.contains(&(Effort::None, lender.default)));
    assert_eq!(lender.by_effort.len(), borrower.by_effort.len());
}

#[test]
fn rule_sets_are_put_in_place() {
    let catalog = catalog();
    let parameters = |name: &str| catalog.get(name).unwrap().parameters.clone();
    assert!(parameters("GPT-5").refuses("temperature") && !parameters("gpt-4o").refuses("temperature"));
    assert_eq!(parameters("o4-mini").rename, [("max_tokens".to_owned(), "max_completion_tokens".to_owned())]);
    assert!(parameters("gpt-5.4").drop_when_reasoning.contains(&"temperature".to_owned()));
    assert!(parameters("claude-opus-4-7").refuses("top_p") && !parameters("claude-opus-4-6").refuses("top_p"));
    // Neither has a JSON mode.
    for name in ["command-r", "deepseek-r1"] {
        assert_eq!(catalog.get(name).unwrap().capabilities.json_object, Some(false), "{name}");
    }
    // Otherwise the field would be both refused and accepted.
    for facts in catalog.models() {
        // Claude takes efforts in its own API only.
        let own = facts.messages.thinking.is_some();
        let accepts = !own && facts.reasoning.as_ref().is_some_and(|efforts| !efforts.accepts.is_empty());
        assert!(!(accepts && facts.parameters.refuses("reasoning_effort")), "{}", facts.name);
    }
}

#[test]
fn rule_sets_extend_each_other() {
    let rules = r#"{"a": {"note": "of a", "drop": ["x"], "no_developer": true}, "b": {"extends": "a", "drop": ["y"]},
        "c": {"extends": "b", "drop": ["z"], "no_developer": false}, "d": {"extends": "d"}, "e": {"extends": "f"}}"#;
    let read = |rule: &str| {
        let row =
            format!(r#"{{"name": "m", "publisher": null, "price": null, "context": null, "parameters": "{rule}"}}"#);
        let servers = format!(r#"{{"s": {{"extends": "{rule}", "drop": ["s"]}}}}"#);
        let text = format!(r#"{{"pools": {{}}, "rules": {rules}, "servers": {servers}, "models": [{row}]}}"#);
        Catalog::parse(&text, r#"{"method": "", "link": {}, "models": {}}"#)
    };
    let catalog = read("c").unwrap();
    let model = &catalog.get("m").unwrap().parameters;
    assert_eq!((model.drop.join(""), model.no_developer), ("zyx".to_owned(), false));
    let server = catalog.server("s").unwrap();
    assert_eq!((server.drop.join(""), server.no_developer), ("szyx".to_owned(), false));
    assert!(read("b").unwrap().get("m").unwrap().parameters.no_developer);
    assert!(read("d").unwrap_err().starts_with("m: unknown field `extends`"));
    assert_eq!(read("e").unwrap_err(), "m: there are no rules named f");
}

#[test]
fn a_broken_catalog_says_what_is_wrong() {
    let broken = |models: &str| {
        let text = format!(r#"{{"pools": {{}}, "rules": {{}}, "models": [{models}]}}"#);
        Catalog::parse(&text, r#"{"method": "", "link": {}, "models": {}}"#).unwrap_err()
    };
    let row = r#""publisher": null, "price": null, "context": null"#;
    assert_eq!(broken(&format!(r#"{{"name": "a", {row}, "parameters": "x"}}"#)), "a: there are no rules named x");
    assert_eq!(broken(&format!(r#"{{"name": "a", {row}, "abilities_like": "b"}}"#)), "a: there is no model b");
    assert_eq!(broken(&format!(r#"{{"name": "a", {row}, "abilities_like": "a"}}"#)), "a: a has no abilities to lend");
    assert!(broken(&format!(r#"{{"name": "a", {row}, "colour": 1}}"#)).starts_with("a: unknown field `colour`"));
    assert_eq!(broken(&format!(r#"{{"name": "a", {row}, "abilities": 1}}"#)), "a: abilities stand in abilities.json");
    assert!(Catalog::parse("", "").is_err());
    let empty = r#"{"pools": {}, "rules": {}, "models": []}"#;
    let linked = r#"{"method": "", "link": {}, "models": {"a":
        {"rows": 1, "error": 0.5, "thin": true, "abilities": {"default": 50}}}}"#;
    assert_eq!(Catalog::parse(empty, linked).unwrap_err(), "abilities: there is no model a");
}

#[test]
fn scores_near_the_ends_keep_two_decimals() {
    let text = |score| serde_json::to_string(&Skill::general(score)).unwrap();
    assert_eq!((text(61.234), text(99.123), text(0.512)), ("61.2".into(), "99.12".into(), "0.51".into()));
}
