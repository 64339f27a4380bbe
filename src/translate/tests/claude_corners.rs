//! Requests on their way to Messages: thinking, marks for the prompt cache, and the Responses way.

use super::claude::{TO, becomes, checked, obstacle, translated};
use super::claude_settings::{USER, to, tool, without_messages};
use super::json;
use crate::catalog::Effort;
use crate::decide::Thinking;
use crate::request::Api;
use crate::translate::ToMessages;
use serde_json::json as value;

#[test]
fn thinking_and_what_a_provider_wants() {
    let thinks =
        |thinking| without_messages(to(ToMessages { thinking: Some(thinking), ..TO }, r#""reasoning_effort":"low""#));
    assert_eq!(
        thinks(Thinking::Budget(1024)),
        value!({"model": "m", "max_tokens": 99, "thinking": {"type": "enabled", "budget_tokens": 1024}})
    );
    let adaptive = value!({"model": "m", "max_tokens": 99, "thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}});
    assert_eq!(thinks(Thinking::Adaptive(Effort::Xhigh)), adaptive);
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"string"}}}"#;
    let both = to(ToMessages { thinking: Some(Thinking::Adaptive(Effort::Max)), ..TO }, schema);
    assert_eq!(
        both["output_config"],
        value!({"effort": "max", "format": {"type": "json_schema", "schema": {"type": "string"}}})
    );
    let cloud = ToMessages { model: None, version: Some("bedrock-2023-05-31"), stream: false, ..TO };
    assert_eq!(
        without_messages(to(cloud, r#""stream":true"#)),
        value!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99})
    );
    let vertex = ToMessages { model: None, version: Some("vertex-2023-10-16"), ..TO };
    assert_eq!(
        without_messages(to(vertex, r#""stream":true"#)),
        value!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 99, "stream": true})
    );
}

#[test]
fn a_long_prefix_is_marked_once() {
    let marked = |system: &str, members: &str, cache_prefix: bool| {
        let body = format!(
            r#"{{"messages":[{{"role":"system","content":[{{"type":"text","text":"s"}},{{"type":"text","text":"{system}"}}]}},
            {{"role":"user","content":"u"}}]{members}}}"#
        );
        json(&translated(Api::Chat, &body, &[], ToMessages { cache_prefix, ..TO }).unwrap())
    };
    let (long, mark) = ("x".repeat(4096), value!({"type": "ephemeral"}));
    let body = marked(&long, "", true);
    assert_eq!((&body["system"][1]["cache_control"], body["system"][0].get("cache_control")), (&mark, None));
    for body in [marked(&long, "", false), marked("x", "", true)] {
        assert!(!body.to_string().contains("cache_control"));
    }
    let tools =
        format!(r#","tools":[{},{{"type":"function","function":{{"name":"g","description":"{long}"}}}}]"#, tool("f"));
    let body = marked(" ", &tools, true);
    assert_eq!(body["system"][0]["cache_control"], mark);
    let only_tools = format!("{{{USER}{tools}}}");
    let body = json(&translated(Api::Chat, &only_tools, &[], ToMessages { cache_prefix: true, ..TO }).unwrap());
    assert_eq!((&body["tools"][1]["cache_control"], body["tools"][0].get("cache_control")), (&mark, None));
    let own = tools.replacen(
        r#""type":"function""#,
        r#""cache_control":{"type":"ephemeral","ttl":"1h"},"type":"function""#,
        1,
    );
    assert_eq!(marked(&long, &own, true).to_string().matches("cache_control").count(), 1);
}

#[test]
fn marks_stand_where_the_client_set_them() {
    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    let body = becomes(
        Api::Chat,
        &format!(
            r#"{{"messages":[{{"role":"system","content":"s",{mark}}},
        {{"role":"user","content":[{{"type":"text","text":"a",{mark}}},{{"type":"image_url","image_url":{{"url":"https://x"}},{mark}}}]}},
        {{"role":"assistant","content":"b",{mark}}},{{"role":"tool","tool_call_id":"c","content":"x",{mark}}},{{"role":"user","content":"d"}}]}}"#
        ),
    );
    let mark = value!({"type": "ephemeral"});
    let places = [
        "/system/0",
        "/messages/0/content/0",
        "/messages/0/content/1",
        "/messages/1/content/0",
        "/messages/2/content/0",
    ];
    for place in places {
        assert_eq!(body.pointer(place).unwrap()["cache_control"], mark, "{place}");
    }
    assert_eq!(body.to_string().matches("cache_control").count(), places.len());
}

#[test]
fn responses_become_messages() {
    let body = r#"{"model":"r","instructions":"i","input":[{"role":"developer","content":"d"},{"role":"user","content":[
        {"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AA","detail":"auto"},
        {"type":"input_file","filename":"f","file_data":"data:application/pdf;base64,AA"}]},
        {"type":"reasoning","id":"rs_1","summary":[]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]},
        {"type":"function_call","call_id":"c.1","name":"f","arguments":"{\"x\":1}"},{"type":"function_call","call_id":"c2","name":"f","arguments":""},
        {"type":"function_call_output","call_id":"c.1","output":"one"},
        {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"{\"error\":1}"}]}],
        "tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":true}],
        "tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"max_output_tokens":7,"temperature":0.5,"stream":true,"store":false,
        "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"string"}}},"user":"u"}"#;
    let got = becomes(Api::Responses, body);
    let id = got["messages"][1]["content"][1]["id"].clone();
    assert_eq!(
        got,
        value!({"system": [{"type": "text", "text": "i"}, {"type": "text", "text": "d"}], "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}, "title": "f"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "b"},
                {"type": "tool_use", "id": id, "name": "f", "input": {"x": 1}}, {"type": "tool_use", "id": "c2", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "one"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "{\"error\":1}", "is_error": true}]}],
            "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}, "strict": true}],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true}, "max_tokens": 7, "temperature": 0.5,
            "stream": true, "output_config": {"format": {"type": "json_schema", "schema": {"type": "string"}}}, "metadata": {"user_id": "u"}})
    );
    assert_eq!(
        becomes(Api::Responses, r#"{"input":"hi"}"#),
        value!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]})
    );
    for (members, name) in [
        (r#""input":[{"type":"custom_tool_call","call_id":"c","name":"f","input":"x"}]"#, "input[0].type"),
        (
            r#""input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"c","name":"f","arguments":"["}]"#,
            "input[1].arguments",
        ),
        (r#""input":[{"type":"function_call","call_id":"c","name":"f.g","arguments":""}]"#, "input[0].name"),
        (r#""input":[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]"#, "input[0].content"),
        (
            r#""input":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]"#,
            "input[0].content",
        ),
        (
            r#""input":"x","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}}"#,
            "text.format.schema",
        ),
        (r#""input":"x","tools":[{"type":"custom","name":"f"}]"#, "tools[0]"),
        (r#""input":"x","previous_response_id":"r""#, "previous_response_id"),
        (r#""input":"x","store":true"#, "store"),
    ] {
        assert_eq!(obstacle(Api::Responses, &format!("{{{members}}}")).as_deref(), Some(name), "{members}");
    }
}

#[test]
fn every_parameter_of_responses_is_translated_told_or_an_obstacle() {
    let lost = |members: &str| checked(Api::Responses, &format!(r#"{{"input":"x",{members}}}"#)).left_out;
    for (members, name) in [
        (r#""max_tool_calls":1"#, "max_tool_calls"),
        (r#""top_logprobs":2"#, "top_logprobs"),
        (r#""include":["message.output_text.logprobs"]"#, "include"),
        (r#""include":["reasoning.encrypted_content"]"#, "include"),
        (r#""reasoning":{"effort":"low","summary":"auto"}"#, "reasoning.summary"),
        (r#""text":{"verbosity":"low"}"#, "text.verbosity"),
        (r#""text":{"format":{"type":"json_object"}}"#, "text.format"),
        (r#""truncation":"auto""#, "truncation"),
        (r#""stream_options":{"include_obfuscation":true}"#, "stream_options.include_obfuscation"),
        (r#""service_tier":"flex""#, "service_tier"),
        (r#""metadata":{"a":"b"}"#, "metadata"),
        (r#""prompt_cache_key":"k""#, "prompt_cache_key"),
        (r#""prompt_cache_options":{}"#, "prompt_cache_options"),
        (r#""prompt_cache_retention":"24h""#, "prompt_cache_retention"),
        (r#""context_management":[]"#, "context_management"),
        (r#""temperature":1.5"#, "temperature"),
        (r#""user":"a@b.c""#, "user"),
    ] {
        assert_eq!(lost(members), [name], "{members}");
    }
    assert!(lost(r#""top_logprobs":0,"include":[],"service_tier":"auto","truncation":"disabled","background":false,"store":false,"metadata":null"#).is_empty());
    let input = |input: &str| {
        checked(Api::Responses, &format!(r#"{{"input":[{{"role":"user","content":"x"}},{input}]}}"#)).left_out
    };
    assert_eq!(
        input(r#"{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"t"}]}"#),
        ["input.reasoning"]
    );
    assert_eq!(
        input(r#"{"role":"user","content":[{"type":"input_image","image_url":"https://x","detail":"high"}]}"#),
        ["input.content.detail"]
    );
}
