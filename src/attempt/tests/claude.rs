//! What Claude gets, wherever it is served, and what is cut inside of messages and tools.

use super::*;
use crate::decide::Memory;
use crate::routing::{Call, route};

fn policy(parameters: serde_json::Value, caching: bool) -> Policy {
    let served = |provider: &str| json!([{"provider": provider, "deployment": "claude@1:x"}]);
    let config = json!({
        "models": [
            {"name": "direct", "served_by": served("anthropic")},
            {"name": "vertex", "served_by": served("vertex")},
            {"name": "bedrock", "served_by": served("bedrock")},
            {"name": "none", "served_by": served("none")},
            {"name": "both", "served_by": [served("bedrock")[0], served("vertex")[0], served("anthropic")[0]]},
            {"name": "open", "served_by": served("openai"), "parameters": parameters}
        ],
        "providers": [
            {"name": "anthropic", "cluster": "c", "dialect": "anthropic", "prompt_caching": caching},
            {"name": "vertex", "cluster": "c", "dialect": "vertex_anthropic", "path": "/v1/projects/p/locations/l"},
            {"name": "bedrock", "cluster": "c", "dialect": "bedrock_anthropic", "betas": ["b-1", "b-2", "own"]},
            {"name": "none", "cluster": "c", "dialect": "bedrock_anthropic"},
            {"name": "openai", "cluster": "c", "dialect": "openai"}
        ]
    });
    Policy::from_value(&config).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn routed(policy: &Policy, call: &Call, body: &str) -> (String, Brief) {
    let brief = route(policy, call, body.as_bytes(), Memory::NONE).unwrap_or_else(|_| panic!("{body}")).brief;
    let sent = body_for(body.as_bytes(), &brief.request, &brief.slots[0]).unwrap();
    (String::from_utf8(sent).unwrap(), brief)
}

/// A Messages request as it goes out.
fn messages(body: &str, betas: Option<&str>, endpoint: Option<&'static str>) -> (String, Brief) {
    let betas = betas.map(str::to_owned);
    let call = Call { betas, endpoint, ..Call::of(Api::Messages, Caller::Anyone) };
    routed(&policy(json!({}), false), &call, body)
}

const REST: &str = r#""max_tokens":5, "messages":[{"role":"user","content":"\u00e9 "}]"#;

#[test]
fn each_cloud_has_its_own_body() {
    let body = |model: &str| format!(r#"{{ "model" : "{model}",{REST},"stream":true }}"#);
    assert_eq!(
        messages(&body("direct"), Some("b"), None).0,
        format!(r#"{{ "model" : "claude@1:x",{REST},"stream":true }}"#)
    );
    assert_eq!(
        messages(&body("vertex"), Some("b"), None).0,
        format!(r#"{{"anthropic_version":"vertex-2023-10-16", {REST},"stream":true }}"#)
    );
    assert_eq!(
        messages(&body("bedrock"), Some("b-1, b-2"), None).0,
        format!(r#"{{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b-1","b-2"], {REST} }}"#)
    );
}

#[test]
fn only_who_fetches_them_gets_urls() {
    let source = |kind: &str| json!({"type": "url", "url": format!("https://x/y.{kind}")});
    let image = json!({"type": "image", "source": source("png")});
    let document = json!({"type": "document", "source": source("pdf")});
    let chat = json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}});
    for (api, part) in [
        (Api::Chat, chat),
        (Api::Messages, json!({"type": "tool_result", "tool_use_id": "t", "content": [image.clone()]})),
        (Api::Messages, image),
        (Api::Messages, document),
    ] {
        let policy = policy(json!({}), false);
        let asked = |model: &str| {
            let body = json!({"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": [part]}]});
            let body = body.to_string();
            let found = route(&policy, &Call::of(api, Caller::Anyone), body.as_bytes(), Memory::NONE);
            found.map(|routed| routed.brief.slots.iter().map(|slot| slot.dialect).collect::<Vec<_>>())
        };
        assert_eq!(asked("both"), Ok(vec![Dialect::Anthropic]), "{part}");
        for model in ["bedrock", "vertex"] {
            let error = asked(model).unwrap_err();
            assert_eq!((error.status, error.code), (400, "no_eligible_model"));
            assert!(error.message.contains("not_expressible"), "{}", error.message);
            assert_eq!(error.param.as_deref(), (api == Api::Chat).then_some("messages[0].content"));
        }
    }
}

#[test]
fn betas_go_where_a_provider_takes_them() {
    let sent = |model: &str, header, body: &str| {
        let body = format!(r#"{{"anthropic_version":"x","anthropic_beta":{body},"model":"{model}",{REST}}}"#);
        let (sent, brief) = messages(&body, header, None);
        let headers = brief.slots[0].outgoing(&brief.request);
        let betas = headers.iter().find(|(name, _)| *name == "anthropic-beta").unwrap().1.map(str::to_owned);
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        (sent.get("anthropic_beta").cloned(), betas, brief.slots[0].drop.clone())
    };
    let (dropped, in_header) = (vec!["anthropic-beta".to_owned()], |betas: &str| Some(betas.to_owned()));
    let own = r#"["own","b-1"]"#;
    assert_eq!(sent("bedrock", Some("b-1,b-2"), own), (Some(json!(["b-1", "b-2", "own"])), None, vec![]));
    assert_eq!(sent("bedrock", Some("b-1,x"), "null"), (Some(json!(["b-1"])), None, dropped.clone()));
    assert_eq!(sent("none", Some("b-1"), own), (None, None, dropped.clone()));
    for (header, body) in [(Some(""), "[]"), (Some(" , ,"), "[\"\",\" \"]"), (None, "7")] {
        for model in ["bedrock", "none", "direct", "vertex"] {
            assert_eq!(sent(model, header, body), (None, None, vec![]), "{model} {header:?} {body}");
        }
    }
    for model in ["direct", "vertex"] {
        assert_eq!(sent(model, Some("b-1, b-2"), own), (None, in_header("b-1,b-2,own"), vec![]));
        let forged = r#"["a\r\nx: y","c,d","\u00e9","ok"]"#;
        assert_eq!(sent(model, None, forged), (None, in_header("ok"), vec![]));
    }
}

#[test]
fn paths_and_headers_of_claude() {
    let out = |model: &str, stream: bool, endpoint| {
        let (sent, brief) =
            messages(&format!(r#"{{"model":"{model}",{REST},"stream":{stream}}}"#), Some("b"), endpoint);
        let headers = brief.slots[0].outgoing(&brief.request);
        let of = |name: &str| headers.iter().find(|(known, _)| *known == name).unwrap().1.map(str::to_owned);
        (brief.slots[0].path.clone(), of("anthropic-version"), of("anthropic-beta"), sent)
    };
    let version = Some("2023-06-01".to_owned());
    let beta = Some("b".to_owned());
    let vertex = "/v1/projects/p/locations/l/publishers/anthropic/models/";
    for (model, stream, path) in [
        ("direct", true, "/v1/messages".to_owned()),
        ("vertex", false, format!("{vertex}claude%401%3Ax:rawPredict")),
        ("vertex", true, format!("{vertex}claude%401%3Ax:streamRawPredict")),
        ("bedrock", false, "/model/claude%401%3Ax/invoke".to_owned()),
        ("bedrock", true, "/model/claude%401%3Ax/invoke-with-response-stream".to_owned()),
    ] {
        let (got, in_header, betas, _) = out(model, stream, None);
        assert_eq!(got, path);
        assert_eq!(in_header, version.clone().filter(|_| model == "direct"), "{model}");
        assert_eq!(betas, beta.clone().filter(|_| model != "bedrock"), "{model}");
    }
    let count = Some("messages/count_tokens");
    assert_eq!(out("direct", false, count).0, "/v1/messages/count_tokens");
    let (path, _, _, sent) = out("vertex", false, count);
    assert_eq!(path, format!("{vertex}count-tokens:rawPredict"));
    assert!(sent.contains(r#""model":"claude@1:x""#), "{sent}");
    let call = Call { endpoint: count, ..Call::of(Api::Messages, Caller::Anyone) };
    let body = format!(r#"{{"model":"bedrock",{REST}}}"#);
    let error = route(&policy(json!({}), false), &call, body.as_bytes(), Memory::NONE).unwrap_err();
    assert_eq!((error.status, error.code), (400, "no_eligible_model"));
}

#[test]
fn what_is_asked_of_thinking_fits_the_model() {
    let config = json!({
        "models": [
            {"name": "claude-haiku-4-5", "served_by": [{"provider": "p"}]},
            {"name": "claude-opus-4-6", "served_by": [{"provider": "p"}]},
            {"name": "claude-opus-4-7", "served_by": [{"provider": "p"}]}
        ],
        "providers": [{"name": "p", "cluster": "c", "dialect": "anthropic"}]
    });
    let policy = Policy::from_value(&config).unwrap();
    let sent = |model: &str, turns: &str, more: &str| {
        let messages = format!(r#""messages":[{{"role":"user","content":"u"}}{turns}]"#);
        let body = format!(r#"{{"model":"{model}","max_tokens":9000,{messages}{more}}}"#);
        let (sent, brief) = routed(&policy, &Call::of(Api::Messages, Caller::Anyone), &body);
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        let parts = [&sent["thinking"]["type"], &sent["output_config"]["effort"]]
            .map(|part| part.as_str().unwrap_or("-").to_owned());
        (parts.join(" "), brief.slots[0].drop.join(" "))
    };
    let effort = |effort: &str| format!(r#","output_config":{{"effort":"{effort}"}}"#);
    let adaptive = r#","thinking":{"type":"adaptive"}"#;
    let dropped = "output_config.effort";
    for (model, more, parts, lost) in [
        ("claude-haiku-4-5", effort("low"), "- -", dropped),
        ("claude-haiku-4-5", format!(r#"{},"thinking":{{"type":"disabled"}}"#, effort("low")), "disabled -", dropped),
        ("claude-haiku-4-5", format!("{}{adaptive}", effort("low")), "enabled -", dropped),
        ("claude-opus-4-6", effort("xhigh"), "- high", ""),
        ("claude-opus-4-6", effort("max"), "- max", ""),
        ("claude-opus-4-7", format!("{}{adaptive}", effort("xhigh")), "adaptive xhigh", ""),
        ("claude-opus-4-7", effort("of a later version"), "- of a later version", ""),
    ] {
        assert_eq!(sent(model, "", &more), (parts.into(), lost.into()), "{model} {more}");
    }
    let called = |before: &str, after: &str| {
        format!(
            r#",{{"role":"assistant","content":[{before}{{"type":"tool_use","id":"c","name":"f","input":{{}}}}]}},
            {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c","content":"x"}}{after}]}}"#
        )
    };
    let thought = r#"{"type":"thinking","thinking":"t","signature":"s"},"#;
    let over = r#",{"role":"assistant","content":"y"},{"role":"user","content":"z"}"#;
    for (turns, thinks) in [
        (called("", ""), false),
        (called("", r#",{"type":"text","text":"z"}"#), false),
        (called(thought, ""), true),
        (format!("{}{over}", called("", "")), true),
    ] {
        let (parts, lost) = if thinks { ("enabled -", "") } else { ("- -", "thinking") };
        assert_eq!(sent("claude-haiku-4-5", &turns, adaptive), (parts.into(), lost.into()), "{turns}");
        assert_eq!(sent("claude-opus-4-7", &turns, adaptive).0, "adaptive -");
    }
}

#[test]
fn chat_requests_become_those_of_each_cloud() {
    let chat = |model: &str| {
        let body = format!(
            r#"{{"model":"{model}","messages":[{{"role":"user","content":"u"}}],"stream":true,"max_tokens":5}}"#
        );
        let (sent, brief) = routed(&policy(json!({}), false), &Call::of(Api::Chat, Caller::Anyone), &body);
        (sent, brief.slots[0].path.clone())
    };
    let rest = r#""max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"u"}]}]"#;
    assert_eq!(chat("direct"), (format!(r#"{{"model":"claude@1:x",{rest},"stream":true}}"#), "/v1/messages".into()));
    assert_eq!(chat("vertex").0, format!(r#"{{"anthropic_version":"vertex-2023-10-16",{rest},"stream":true}}"#));
    assert!(chat("vertex").1.ends_with(":streamRawPredict"));
    assert_eq!(chat("bedrock").0, format!(r#"{{"anthropic_version":"bedrock-2023-05-31",{rest}}}"#));
    assert!(chat("bedrock").1.ends_with("/invoke-with-response-stream"));
}

#[test]
fn a_long_prefix_is_marked() {
    let long = "x".repeat(4096);
    let sent = |more: &str, caching| {
        let body = format!(r#"{{"model":"direct",{REST}{more}}}"#);
        routed(&policy(json!({}), caching), &Call::of(Api::Messages, Caller::Anyone), &body).0
    };
    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    let ends = |more: &str, expected: &str| {
        assert_eq!(sent(more, true), format!(r#"{{"model":"claude@1:x",{REST}{expected}}}"#));
        assert!(!sent(more, false).contains(mark));
    };
    ends(&format!(r#","system":"{long}""#), &format!(r#","system":[{{"type":"text","text":"{long}",{mark}}}]"#));
    ends(
        &format!(r#","system":[{{"type":"text","text":"a"}}, {{"type":"text","text":"{long}"}}]"#),
        &format!(r#","system":[{{"type":"text","text":"a"}}, {{{mark},"type":"text","text":"{long}"}}]"#),
    );
    let tools = |mark: &str| {
        format!(r#","tools":[{{{mark}"name":"f","description":"{long}","input_schema":{{"type":"object"}}}}]"#)
    };
    let marked = tools(&format!("{mark},"));
    ends(&tools(""), &marked);
    // An empty text takes no mark.
    ends(&format!(r#","system":""{}"#, tools("")), &format!(r#","system":""{marked}"#));
    assert_eq!(sent(&marked, true).matches("cache_control").count(), 1);
    assert!(!sent(r#","system":"short""#, true).contains("cache_control"));
}

/// A Chat request with these members, as a model with these rules gets it.
fn fitted(parameters: serde_json::Value, members: &str) -> String {
    let body = format!(r#"{{"model":"open",{members}}}"#);
    let sent = routed(&policy(parameters, false), &Call::of(Api::Chat, Caller::Anyone), &body).0;
    serde_json::from_str::<serde_json::Value>(&sent).unwrap_or_else(|error| panic!("{error}: {sent}"));
    sent.strip_prefix(r#"{"model":"claude@1:x","#)
        .unwrap_or_else(|| panic!("{sent}"))
        .strip_suffix('}')
        .unwrap()
        .to_owned()
}

#[test]
fn what_is_inside_goes_with_exactly_one_comma() {
    let cut = |name: &str, from: &str, to: &str| {
        assert_eq!(fitted(json!({"drop": [name]}), from), to, "{name}");
        // Together with members around them.
        let with = |inner: &str| format!(r#""a":1,{inner} ,"b" : 2,"k":3"#);
        let more = fitted(json!({"drop": ["a", name, "b"]}), &with(from));
        assert_eq!(more, format!(r#"{to},"k":3"#), "{name}");
    };
    let message = |inside: &str| format!(r#""messages":[{{"role":"user","content":"x"}}, {{{inside}}}]"#);
    for (name, value) in [
        ("name", r#""a\"b""#),
        ("reasoning_content", r#""r, \"name\":1""#),
        ("thinking_blocks", r#"[{"type":"thinking","thinking":"{,"}]"#),
    ] {
        let rest = r#""role":"assistant","content":"\u00e9,\"name\":1""#;
        let drop = format!("messages.{name}");
        let to = message(rest);
        cut(&drop, &message(&format!(r#"{rest} , "{name}" : {value}"#)), &to);
        cut(&drop, &message(&format!(r#""{name}" :{value} , {rest}"#)), &to);
        cut(
            &drop,
            &message(&format!(r#""role":"assistant" ,"{name}":{value},"content":"y""#)),
            &message(r#""role":"assistant","content":"y""#),
        );
    }
    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    let marked = |mark: &str, before: &str| {
        format!(
            r#""messages":[{{"role":"user","content":[{{{before}"type":"text","text":"x"}},{{"type":"text"{mark},"text":"cache_control"}}]{mark}}}],
            "tools":[{{"type":"function","function":{{"name":"f"{mark}}}{mark}}}]"#
        )
    };
    cut("cache_control", &marked(&format!(" ,{mark}"), &format!("{mark}, ")), &marked("", ""));
    let tools = |strict: &str| {
        format!(
            r#""messages":[{{"role":"user","content":"x"}}],"tools":[{{"type":"function","function":{{"name":"f"{strict}}}}},{{"type":"function","function":{{"name":"g"}}}}]"#
        )
    };
    cut("tools.function.strict", &tools(r#", "strict" : true"#), &tools(""));
}

#[test]
fn several_cuts_and_the_role_of_the_developer() {
    let all = json!({"no_developer": true, "drop": ["messages.name", "messages.reasoning_content", "messages.thinking_blocks",
        "cache_control", "tools.function.strict", "seed"]});
    assert_eq!(
        fitted(
            all,
            r#""seed":1,"messages":[{"role":"developer","name":"d","content":"developer"},{"name":"n","reasoning_content":"r",
            "thinking_blocks":[],"role":"assistant","content":[{"cache_control":{},"type":"text","text":"t"}]},{"role":"user","content":"u"}],
            "tools":[{"cache_control":{},"type":"function","function":{"strict":false,"name":"f"}}]"#
        ),
        r#""messages":[{"role":"system","content":"developer"},{"role":"assistant","content":[{"type":"text","text":"t"}]},{"role":"user","content":"u"}],
            "tools":[{"type":"function","function":{"name":"f"}}]"#
    );
    // Members to cut in a list that goes as a whole.
    let gone = json!({"drop": ["tools", "tools.function.strict"]});
    let kept = r#""messages":[{"role":"developer","content":"x"}]"#;
    assert_eq!(
        fitted(gone, &format!(r#"{kept},"tools":[{{"type":"function","function":{{"name":"f","strict":true}}}}]"#)),
        kept
    );
}

#[test]
fn a_body_that_changed_into_what_cannot_be_translated_is_refused() {
    let body = |arguments: &str| {
        let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
        let messages = json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "x"},
        ]);
        json!({"model": "direct", "messages": messages}).to_string()
    };
    let (_, brief) = routed(&policy(json!({}), false), &Call::of(Api::Chat, Caller::Anyone), &body("{}"));
    let sent = |body: &str| body_for(body.as_bytes(), &brief.request, &brief.slots[0]);
    assert!(sent(&body("{\"a\":1}")).is_ok());
    let error = sent(&body("{\"a\":,1}")).unwrap_err();
    assert_eq!(error.param(), Some("messages[1].tool_calls.function.arguments"));
}
