//! How Claude is asked to think, and who cannot serve what a request needs.

use super::*;
use crate::policy::Model;
use crate::translate::Translation;

fn policy_of_claude() -> Policy {
    let served = json!([{"provider": "a"}]);
    let models = ["claude-haiku-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-1", "gpt-4.1"];
    let models = models.map(|name| json!({"name": name, "served_by": served})).to_vec();
    policy_with(json!([{"name": "r", "subset": ["claude-haiku-4-5"]}]), models, json!({}))
}

fn changed(name: &str, members: &str, translation: &Translation) -> (Option<Thinking>, String) {
    let policy = policy_of_claude();
    let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{members}}}"#);
    let request = read_chat(body.as_bytes()).unwrap();
    let model: &Model = policy.models.iter().find(|model| model.name == name).unwrap();
    let changes = changes(&request, model, &policy.providers[2], &Way::Translated(Api::Messages, translation));
    (changes.thinking, changes.drop.join(" "))
}

fn plainly(name: &str, members: &str) -> (Option<Thinking>, String) {
    changed(name, members, &Translation::default())
}

#[test]
fn each_style_of_thinking() {
    use crate::catalog::Effort::{High, Low, Max, Xhigh};
    let thinking =
        |name: &str, effort: &str, more: &str| plainly(name, &format!(r#","reasoning_effort":"{effort}"{more}"#));
    let budget = |tokens| (Some(Thinking::Budget(tokens)), String::new());
    let adaptive = |effort| (Some(Thinking::Adaptive(effort)), String::new());
    let refused = || (None, "reasoning_effort".to_owned());
    for (effort, tokens) in
        [("minimal", 1024), ("low", 1024), ("medium", 2048), ("high", 4096), ("xhigh", 8192), ("max", 16_384)]
    {
        assert_eq!(thinking("claude-haiku-4-5", effort, ""), budget(tokens), "{effort}");
    }
    assert_eq!(thinking("claude-haiku-4-5", "none", ""), (None, String::new()));
    assert_eq!(thinking("claude-haiku-4-5", "new", ""), refused());
    // Half of the limit is left for the answer.
    assert_eq!(thinking("claude-haiku-4-5", "max", r#","max_tokens":3000"#), budget(1500));
    assert_eq!(thinking("claude-haiku-4-5", "max", r#","max_tokens":2047"#), refused());
    // The nearest that it takes.
    assert_eq!(thinking("claude-opus-4-6", "xhigh", ""), adaptive(High));
    assert_eq!(thinking("claude-opus-4-6", "minimal", ""), adaptive(Low));
    assert_eq!(thinking("claude-opus-4-6", "max", r#","max_tokens":1"#), adaptive(Max));
    assert_eq!(thinking("claude-opus-4-7", "xhigh", ""), adaptive(Xhigh));
    assert_eq!(thinking("gpt-4.1", "low", ""), refused());
    assert_eq!(plainly("claude-opus-4-7", ""), (None, String::new()));
}

#[test]
fn what_gives_way_to_what() {
    let effort = r#","reasoning_effort":"low""#;
    let forced = Translation { forced: true, ..Translation::default() };
    let unsigned = Translation { unsigned: true, ..Translation::default() };
    let strict = Translation { strict: true, ..Translation::default() };
    for name in ["claude-haiku-4-5", "claude-opus-4-7"] {
        assert_eq!(changed(name, effort, &forced), (None, "reasoning_effort".into()), "{name}");
    }
    assert_eq!(changed("claude-haiku-4-5", effort, &unsigned), (None, "reasoning_effort".into()));
    assert!(changed("claude-opus-4-7", effort, &unsigned).0.is_some());
    assert_eq!(changed("claude-opus-4-1", "", &strict).1, "tools.function.strict");
    assert_eq!(changed("claude-haiku-4-5", "", &strict).1, "");
    let both = r#","temperature":0.2,"top_p":0.5"#;
    assert_eq!(plainly("claude-haiku-4-5", both).1, "top_p");
    assert_eq!(plainly("claude-haiku-4-5", r#","temperature":null,"top_p":0.5"#).1, "");
    assert_eq!(plainly("claude-haiku-4-5", &format!("{both}{effort}")).1, "temperature top_p");
    assert_eq!(plainly("claude-opus-4-7", both).1, "temperature top_p");
    // A 1 is what happens without: left out where it is refused, which is no loss.
    for plain in
        [r#","temperature":1"#, r#","top_p":1.0"#, r#","temperature":1,"top_p":1"#, r#","temperature":1,"top_p":0.5"#]
    {
        assert_eq!(plainly("claude-haiku-4-5", plain).1, "", "{plain}");
    }
    assert_eq!(plainly("claude-opus-4-7", r#","temperature":1,"top_p":1"#).1, "");
    assert_eq!(plainly("claude-opus-4-7", r#","temperature":1,"top_p":0.5"#).1, "top_p");
    assert_eq!(plainly("claude-haiku-4-5", &format!(r#"{effort},"temperature":1"#)).1, "");
    // What is left out anyway stands beside nothing.
    let hot = Translation { left_out: vec!["temperature".into()], ..Translation::default() };
    assert_eq!(changed("claude-haiku-4-5", both, &hot).1, "temperature");
}

#[test]
fn needs_that_a_model_cannot_meet() {
    let mut without = model("without", 10.0, 1.0);
    without["capabilities"] = json!({"tools": true, "json_object": false, "forced_tools": false, "prefill": false});
    without["parameters"] = json!({"wants_reasoning": true});
    let policy = policy_with(router(json!("quality")), vec![without, model("other", 50.0, 1.0)], json!({}));
    let reason = |messages: &str, more: &str, name: &str| {
        let body = format!(r#"{{"model":"r","messages":[{{"role":"user","content":"x"}}{messages}]{more}}}"#);
        let excluded = match decide(&policy, &body) {
            Ok(plan) => plan.excluded,
            Err(Refusal::NothingEligible { excluded, .. }) => excluded,
            Err(refusal) => panic!("{refusal:?}"),
        };
        excluded.iter().find(|(id, _)| policy.models[*id].name == name).map(|(_, why)| *why)
    };
    let file = r#",{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}]}"#;
    let tools = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
    let call = r#"{"id":"c","type":"function","function":{"name":"f","arguments":""}}"#;
    let silent =
        format!(r#",{{"role":"assistant","tool_calls":[{call}]}},{{"role":"tool","tool_call_id":"c","content":"x"}}"#);
    for (messages, more, why) in [
        ("", r#","response_format":{"type":"json_object"}"#.to_owned(), Exclusion::JsonObject),
        ("", format!(r#"{tools},"tool_choice":"required""#), Exclusion::ForcedTools),
        (r#",{"role":"assistant","content":"x"}"#, String::new(), Exclusion::Prefill),
        (&silent, tools.to_owned(), Exclusion::Reasoning),
    ] {
        assert_eq!((reason(messages, &more, "without"), reason(messages, &more, "other")), (Some(why), None), "{more}");
    }
    assert_eq!(reason(file, "", "other"), Some(Exclusion::Files), "unknown is no");
    assert_eq!(reason("", &format!(r#"{tools},"tool_choice":"auto""#), "without"), None);
    let told = silent.replace(r#""assistant","#, r#""assistant","reasoning_content":"r","#);
    assert_eq!(reason(&told, tools, "without"), None);
}
