use super::Wanted;
use super::{json, left_out, obstacle, request, to};
use crate::request::ReadError;
use serde_json::{Value, json as value};

/// What the members of `sent` become, beside `model`.
fn becomes(sent: &str) -> Value {
    let mut chat = json(&request(sent.as_bytes(), &to(&[])).unwrap());
    assert_eq!(chat.as_object_mut().unwrap().remove("model"), Some(value!("m")));
    assert_eq!(obstacle(sent.as_bytes()), Ok(None));
    chat
}

fn messages(input: &str) -> Value {
    becomes(&format!(r#"{{"input":{input}}}"#))["messages"].clone()
}

fn with(members: &str) -> Value {
    let mut chat = becomes(&format!(r#"{{"input":"hi",{members}}}"#));
    assert_eq!(chat.as_object_mut().unwrap().remove("messages"), Some(value!([{"role": "user", "content": "hi"}])));
    chat
}

#[test]
fn texts_keep_their_bytes() {
    let sent = r#"{ "model":"router", "instructions":"Be \u0062rief\/\n", "input":"h\u00e9 \ud83d\ude00 é\"" }"#;
    let expected = concat!(
        r#"{"model":"m","messages":[{"role":"system","content":"Be \u0062rief\/\n"},"#,
        r#"{"role":"user","content":"h\u00e9 \ud83d\ude00 é\""}]}"#
    );
    assert_eq!(request(sent.as_bytes(), &to(&[])).unwrap(), expected.as_bytes());
    let odd = Wanted { model: "a\"b\n", limit: "max_tokens", reasoning: None, drop: &[] };
    let chat = json(&request(br#"{"input":"x","max_output_tokens":5}"#, &odd).unwrap());
    assert_eq!((&chat["model"], &chat["max_tokens"]), (&value!("a\"b\n"), &value!(5)));
}

#[test]
fn messages_of_each_role() {
    assert_eq!(
        messages(
            r#"[{"role":"developer","content":"d"},{"type":"message","role":"system","content":[{"type":"input_text","text":"s"}]},
            {"role":"user","content":[{"text":"a","type":"input_text"},{"type":"text","text":"b"}],"id":"msg_1","status":"completed"},
            {"type":"message","id":"msg_2","role":"assistant","phase":"final_answer","content":[
                {"type":"output_text","text":"c","annotations":[],"logprobs":[]},{"type":"output_text","text":"d"}]},
            {"role":"assistant","content":"e"},{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]},
            {"role":"user","content":[]},{"role":"assistant","content":[]}]"#
        ),
        value!([
            {"role": "system", "content": "d"},
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "cd"},
            {"role": "assistant", "content": "e"},
            {"role": "assistant", "content": null, "refusal": "no"},
            {"role": "user", "content": ""},
            {"role": "assistant", "content": ""},
        ])
    );
}

#[test]
fn parts_of_the_user() {
    assert_eq!(
        messages(
            r#"[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA","detail":"original"},
            {"type":"input_image","image_url":"https://x/y","file_id":null,"detail":"low"},{"type":"input_image","image_url":"u"},
            {"type":"input_file","filename":"f.pdf","file_data":"data:application/pdf;base64,AA"},
            {"type":"input_audio","input_audio":{"format":"wav","data":"AA"}}]}]"#
        )[0]["content"],
        value!([
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "high"}},
            {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "u"}},
            {"type": "file", "file": {"filename": "f.pdf", "file_data": "data:application/pdf;base64,AA"}},
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        ])
    );
}

const CALLS: &str = r#"[{"role":"user","content":"hi"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s"}],
    "content":[{"type":"reasoning_text","text":"think"}],"encrypted_content":null},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Let me see."}]},
    {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}","status":"completed"},
    {"type":"custom_tool_call","call_id":"call_2","name":"g","input":"free"},
    {"type":"function_call_output","call_id":"call_1","output":"one"},
    {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"t"},{"type":"input_text","text":"wo"}]},
    {"type":"reasoning","summary":[]},{"type":"function_call","call_id":"call_3","name":"f","arguments":""},
    {"role":"assistant","content":"While it runs"},{"role":"assistant","content":"…"},
    {"type":"function_call_output","call_id":"call_3","output":""}]"#;

#[test]
fn calls_and_what_was_said_before_them_are_one_message() {
    let expected = value!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "free"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        {"role": "tool", "tool_call_id": "call_2", "content": "two"},
        {"role": "assistant", "content": "While it runs\n\n…", "tool_calls": [
            {"id": "call_3", "type": "function", "function": {"name": "f", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "call_3", "content": ""},
    ]);
    assert_eq!(messages(CALLS), expected);
    assert_eq!(
        messages(r#"[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#)[0]["content"],
        Value::Null
    );
}

#[test]
fn reasoning_goes_back_only_where_it_is_wanted() {
    let wants = Wanted { reasoning: Some("reasoning_content"), ..to(&[]) };
    let chat = json(&request(format!(r#"{{"input":{CALLS}}}"#).as_bytes(), &wants).unwrap());
    assert_eq!(chat["messages"][1]["reasoning_content"], "think");
    assert!(chat["messages"][4].get("reasoning_content").is_none());
    // What was thought before a turn of the user belongs to nothing.
    let orphan = br#"{"input":[{"type":"reasoning","content":[{"type":"reasoning_text","text":"x"}],"summary":[]},
        {"role":"user","content":"u"},{"role":"assistant","content":"a"}]}"#;
    let chat = json(&request(orphan, &wants).unwrap());
    assert_eq!(chat["messages"], value!([{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]));
}

#[test]
fn tools_and_their_choice() {
    let tools = r#""tools":[{"type":"function","name":"f","description":"d","strict":true,"parameters":{ "type" : "object"}},
        {"name":"n","type":"function","strict":null,"parameters":null},{"type":"custom","name":"c"},
        {"type":"custom","name":"t","format":{"type":"text"}},
        {"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"a\nb"}}]"#;
    assert_eq!(
        with(&format!(r#"{tools},"parallel_tool_calls":false"#)),
        value!({"parallel_tool_calls": false, "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "function": {"name": "n"}},
            {"type": "custom", "custom": {"name": "c"}},
            {"type": "custom", "custom": {"name": "t"}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "a\nb"}}}},
        ]})
    );
    let choice = |choice: &str| with(&format!(r#"{tools},"tool_choice":{choice}"#))["tool_choice"].clone();
    for word in ["none", "auto", "required"] {
        assert_eq!(choice(&format!("\"{word}\"")), value!(word));
    }
    assert_eq!(choice(r#"{"type":"function","name":"f"}"#), value!({"type": "function", "function": {"name": "f"}}));
    assert_eq!(choice(r#"{"type":"custom","name":"c"}"#), value!({"type": "custom", "custom": {"name": "c"}}));
    assert_eq!(
        choice(
            r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"}]}"#
        ),
        value!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "c"}},
        ]}})
    );
    // Chat Completions refuses these without tools.
    assert_eq!(with(r#""tools":[],"tool_choice":"auto","parallel_tool_calls":true"#), value!({}));
}

#[test]
fn shape_of_the_text() {
    assert_eq!(with(r#""text":{"format":{"type":"text"},"verbosity":"low"}"#), value!({"verbosity": "low"}));
    assert_eq!(
        with(r#""text":{"format":{"type":"json_object"}}"#),
        value!({"response_format": {"type": "json_object"}})
    );
    assert_eq!(
        with(r#""text":{"format":{"type":"json_schema","name":"n","schema":{},"strict":true,"description":"d"}}"#),
        value!({"response_format": {"type": "json_schema",
            "json_schema": {"name": "n", "description": "d", "schema": {}, "strict": true}}})
    );
}

#[test]
fn settings() {
    assert_eq!(
        with(
            r#""temperature":0.50,"top_p":1,"max_output_tokens":7,"reasoning":{"effort":"low","summary":"auto"},"user":"u",
            "safety_identifier":"s","service_tier":"flex","prompt_cache_key":"k","prompt_cache_retention":"24h","store":false,
            "metadata":{"a":"b"},"top_logprobs":3,"stream":true,"routing_config":{},"new":1,"background":false,"prompt":null"#
        ),
        value!({"temperature": 0.5, "top_p": 1, "max_completion_tokens": 7, "reasoning_effort": "low", "user": "u",
            "safety_identifier": "s", "service_tier": "flex", "prompt_cache_key": "k", "prompt_cache_retention": "24h",
            "logprobs": true, "top_logprobs": 3, "stream": true, "stream_options": {"include_usage": true}})
    );
    assert_eq!(with(r#""include":["message.output_text.logprobs"]"#), value!({"logprobs": true}));
    assert_eq!(with(r#""top_logprobs":0,"temperature":null,"text":null,"stream":false"#), value!({}));
}

#[test]
fn what_the_model_refuses_is_dropped() {
    let drop =
        ["temperature", "reasoning.effort", "text.verbosity", "text.format", "top_logprobs", "stream_options", "tools"];
    let drop = drop.map(str::to_owned);
    let sent = br#"{"input":"hi","temperature":1,"top_p":1,"reasoning":{"effort":"low"},"top_logprobs":2,"tool_choice":"auto",
        "text":{"verbosity":"low","format":{"type":"json_object"}},"include":["message.output_text.logprobs"],"stream":true,
        "tools":[{"type":"function","name":"f"}]}"#;
    assert_eq!(
        json(&request(sent, &to(&drop)).unwrap()),
        value!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "top_p": 1, "stream": true})
    );
}

#[test]
fn obstacles_are_named() {
    for (members, name) in [
        (r#""previous_response_id":"resp_1""#, "previous_response_id"),
        (r#""conversation":"conv_1""#, "conversation"),
        (r#""prompt":{"id":"p"}"#, "prompt"),
        (r#""moderation":{"model":"m"}"#, "moderation"),
        (r#""background":true"#, "background"),
        (r#""tools":[{"type":"function","name":"f"},{"type":"web_search"}]"#, "tools[1].type"),
        (r#""tools":[{"type":"custom","name":"f","format":{"type":"new"}}]"#, "tools[0].format.type"),
        (r#""tool_choice":{"type":"web_search"}"#, "tool_choice.type"),
        (r#""tool_choice":"new""#, "tool_choice"),
        (
            r#""tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"mcp"}]}"#,
            "tool_choice.tools[0].type",
        ),
        (r#""text":{"format":{"type":"grammar"}}"#, "text.format.type"),
        (r#""input":[{"role":"user","content":"x"},{"type":"item_reference","id":"msg_1"}]"#, "input[1].type"),
        (r#""input":[{"id":"msg_1"}]"#, "input[0].type"),
        (r#""input":[{"type":"web_search_call","id":"ws_1","status":"completed"}]"#, "input[0].type"),
        (r#""input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAA"}]"#, "input[0].encrypted_content"),
        (r#""input":[{"role":"critic","content":"x"}]"#, "input[0].role"),
        (
            r#""input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]"#,
            "input[0].content[0].file_id",
        ),
        (
            r#""input":[{"role":"user","content":[{"type":"input_file","file_url":"f"}]}]"#,
            "input[0].content[0].file_url",
        ),
        (r#""input":[{"role":"user","content":[{"type":"input_video"}]}]"#, "input[0].content[0].type"),
        (r#""input":[{"role":"user","content":[{"type":"refusal","refusal":"x"}]}]"#, "input[0].content[0].type"),
        (
            r#""input":[{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"u"}]}]"#,
            "input[0].output[0].type",
        ),
        (
            r#""input":[{"type":"function_call","call_id":"c","name":"f","arguments":"","namespace":"n"}]"#,
            "input[0].namespace",
        ),
    ] {
        let input = if members.contains("\"input\"") { "" } else { r#","input":"hi""# };
        let body = format!("{{{members}{input}}}");
        assert_eq!(obstacle(body.as_bytes()), Ok(Some(name.to_owned())), "{body}");
        let error = request(body.as_bytes(), &to(&[])).unwrap_err();
        assert_eq!((error.param(), error.code()), (Some(name), "invalid_request"));
    }
}

#[test]
fn wrong_types_are_named() {
    for (members, name) in [
        (r#""input":1"#, "input"),
        (r#""instructions":"x""#, "input"),
        (r#""input":[]"#, "input"),
        (r#""input":[1]"#, "input[0]"),
        (r#""input":[{"role":"user"}]"#, "input[0].content"),
        (r#""input":[{"role":1,"content":"x"}]"#, "input[0].role"),
        (r#""input":[{"role":"user","content":"x","content":"y"}]"#, "input[0].content"),
        (r#""input":"x","input":"y""#, "input"),
        (r#""input":[{"role":"user","content":["x"]}]"#, "input[0].content[0]"),
        (r#""input":[{"role":"user","content":[{"type":"input_text","text":1}]}]"#, "input[0].content[0].text"),
        (r#""input":[{"type":"function_call","call_id":"c","arguments":"{}"}]"#, "input[0].name"),
        (r#""input":[{"type":"function_call_output","output":"x"}]"#, "input[0].call_id"),
        (r#""input":"x","instructions":[]"#, "instructions"),
        (r#""input":"x","temperature":"1""#, "temperature"),
        (r#""input":"x","stream":1"#, "stream"),
        (r#""input":"x","tools":{}"#, "tools"),
        (r#""input":"x","tools":[{"type":"function"}]"#, "tools[0].name"),
        (r#""input":"x","text":[]"#, "text"),
        (r#""input":"x","text":{"format":{"type":"json_schema"}}"#, "text.format.name"),
        (r#""input":"x","reasoning":{"effort":1}"#, "reasoning.effort"),
        (r#""input":"x","include":"y""#, "include"),
    ] {
        let body = format!("{{{members}}}");
        let error = request(body.as_bytes(), &to(&[])).unwrap_err();
        assert_eq!(error.param(), Some(name), "{body}");
        let named = obstacle(body.as_bytes()).unwrap_or_else(|error| error.param().map(Into::into));
        assert_eq!(named.as_deref(), error.param());
    }
    assert_eq!(request(b" ", &to(&[])), Err(ReadError::Empty));
    assert!(matches!(request(b"{", &to(&[])), Err(ReadError::Json(_))));
}

#[test]
fn what_is_left_out_is_named() {
    let names = |members: &str| left_out(format!("{{{members}}}").as_bytes()).unwrap();
    assert_eq!(
        names(
            r#""model":"m","input":"x","include":["reasoning.encrypted_content"],"truncation":"auto","max_tool_calls":3,
            "reasoning":{"effort":"low","summary":"auto","generate_summary":null},"text":{"format":{},"new":1},"metadata":{},
            "stream_options":{"include_obfuscation":true},"store":false,"ev\r\nil":1,"routing_config":{"mode":"cost"}"#
        ),
        [
            "include",
            "truncation",
            "max_tool_calls",
            "reasoning.summary",
            "text.new",
            "metadata",
            "stream_options.include_obfuscation",
            "unknown"
        ]
    );
    assert!(
        names(
            r#""store":false,"truncation":"disabled","include":["message.output_text.logprobs"],"max_tool_calls":null,
            "stream_options":{"include_obfuscation":false},"background":false,"top_logprobs":1"#
        )
        .is_empty()
    );
}
