use crate::request::*;

fn chat(body: &str) -> Result<Request<'_>, ReadError> {
    read_chat(body.as_bytes())
}

#[test]
fn reads_what_routing_needs_in_any_order() {
    let body = r#"{"stream":true,"messages":[{"content":"hi","role":"user"}],"max_tokens":50,"stream_options":{"include_usage":true},
        "model":"gpt\u002d5","reasoning_effort":"low","tools":[{"type":"function"}],"response_format":{"json_schema":{},"type":"json_schema"}}"#;
    let request = chat(body).unwrap();
    assert_eq!(request.model.as_deref(), Some("gpt-5"));
    assert_eq!(request.effort.as_deref(), Some("low"));
    assert_eq!((request.stream, request.include_usage, request.max_output), (true, true, Some(50)));
    assert_eq!(request.needs, Needs { tools: true, json_schema: true, ..Needs::default() });
    assert_eq!(request.messages, 1);
    assert!(request.input_tokens > 4);
    let names: Vec<_> = request.members.list.iter().map(|member| member.name(body.as_bytes()).into_owned()).collect();
    assert_eq!(
        names,
        ["stream", "messages", "max_tokens", "stream_options", "model", "reasoning_effort", "tools", "response_format"]
    );
    let stream = request.members.get(body.as_bytes(), "stream").unwrap();
    assert_eq!(stream.value.of(body.as_bytes()), b"true");
}

#[test]
fn parts_and_images() {
    let data = "A".repeat(100_000);
    let body = format!(
        r#"{{"messages":[{{"role":"system","content":"be brief"}},{{"role":"user","content":[{{"type":"text","text":"what is this?"}},
        {{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}","detail":"low"}}}}]}}]}}"#
    );
    let request = chat(&body).unwrap();
    assert!(request.needs.images);
    assert!(request.input_tokens < 150, "base64 is no text: {}", request.input_tokens);
    let audio = chat(r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":""}}]}]}"#);
    assert!(audio.unwrap().needs.audio);
    let empty_tools = chat(r#"{"messages":[{"role":"user","content":null}],"tools":[ ]}"#).unwrap();
    assert!(!empty_tools.needs.tools);
}

#[test]
fn nulls_are_as_good_as_absent() {
    let body = r#"{"messages":[{"role":"user","content":"x"}],"model":null,"stream":null,"max_tokens":null,"tools":null,
        "stream_options":null,"temperature":null,"stop":null,"reasoning_effort":null,"response_format":null}"#;
    let request = chat(body).unwrap();
    assert_eq!((request.model, request.stream, request.max_output), (None, false, None));
}

#[test]
fn errors_name_the_member_and_the_rule() {
    let param = |body: &str| chat(body).unwrap_err().param().map(str::to_owned);
    let user = r#"{"role":"user","content":"x"}"#;
    let with = |members: &str| param(&format!(r#"{{"messages":[{user}],{members}}}"#));
    for (body, expected) in [
        (r#"{}"#, "messages"),
        (r#"{"messages":[]}"#, "messages"),
        (r#"{"messages":null}"#, "messages"),
        (r#"{"messages":"hi"}"#, "messages"),
        (r#"{"messages":[1]}"#, "messages[0]"),
        (r#"{"messages":[{"content":"x"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":3}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"user","content":["x"]}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"user","content":"a","content":"b"}]}"#, "messages[0].content"),
    ] {
        assert_eq!(param(body).as_deref(), Some(expected), "{body}");
    }
    for (member, expected) in [
        (r#""model":5"#, "model"),
        (r#""stream":"yes""#, "stream"),
        (r#""stream_options":[]"#, "stream_options"),
        (r#""max_tokens":1.5"#, "max_tokens"),
        (r#""max_tokens":-1"#, "max_tokens"),
        (r#""max_completion_tokens":"9""#, "max_completion_tokens"),
        (r#""tools":{}"#, "tools"),
        (r#""response_format":"json""#, "response_format"),
        (r#""reasoning_effort":1"#, "reasoning_effort"),
        (r#""temperature":"hot""#, "temperature"),
        (r#""logit_bias":[]"#, "logit_bias"),
        (r#""stop":7"#, "stop"),
        (r#""model":"a","model":"b""#, "model"),
        (r#""model":"a","m\u006fdel":"b""#, "model"),
    ] {
        assert_eq!(with(member).as_deref(), Some(expected), "{member}");
    }
    assert_eq!(chat(r#"{"messages":[1]}"#).unwrap_err().to_string(), "'messages[0]' must be an object.");
}

#[test]
fn what_is_no_json_object_is_said_so() {
    for body in ["", "  \n", "[]", "null", "{", "{\"messages\":[", "\u{0}", "{\"a\":\"\\ud800\"}"] {
        let error = chat(body).unwrap_err();
        assert_eq!(error.code(), "invalid_json", "{body:?}");
    }
    assert_eq!(read_chat(b"{\"a\":\"\xff\"}").unwrap_err().code(), "invalid_json");
    let deep = format!(r#"{{"messages":[{{"role":"user","content":{}}}]}}"#, "[".repeat(100_000));
    assert!(chat(&deep).is_err());
}

#[test]
fn both_output_limits_count_the_smaller() {
    let body = r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":10,"max_completion_tokens":99999999999}"#;
    assert_eq!(chat(body).unwrap().max_output, Some(10));
}

#[test]
fn a_long_conversation_counts_as_much_as_its_messages() {
    let message = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
    let texts =
        ["A quick brown fox jumps over the lazy dog. ".repeat(20), "fn main() { println!(1 + 2); } ".repeat(30)];
    let count =
        |messages: &[String]| chat(&format!(r#"{{"messages":[{}]}}"#, messages.join(","))).unwrap().input_tokens;
    let pair: u32 = texts.iter().map(|text| count(&[message(text)])).sum();
    let long: Vec<String> = texts.iter().cycle().take(400).map(|text| message(text)).collect();
    let ratio = f64::from(count(&long)) / f64::from(pair * 200);
    assert!((0.93..1.07).contains(&ratio), "{ratio}");
}

#[test]
fn needs_that_only_some_models_meet() {
    let needs = |members: &str| {
        chat(&format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{members}}}"#))
            .map(|request| request.needs)
            .unwrap()
    };
    for (choice, forced) in [
        (r#""auto""#, false),
        (r#""none""#, false),
        ("null", false),
        (r#""required""#, true),
        (r#"{"type":"function","function":{"name":"f"}}"#, true),
        (r#"{"custom":{"name":"f"},"type":"custom"}"#, true),
        (r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#, false),
        (r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[]}}"#, true),
        ("{}", false),
    ] {
        assert_eq!(needs(&format!(r#","tool_choice":{choice}"#)).forced_tool, forced, "{choice}");
    }
    assert!(chat(r#"{"messages":[{"role":"user","content":"x"}],"tool_choice":1}"#).is_err());
    assert!(needs(r#","response_format":{"type":"json_object"}"#).json_object);
    assert!(!needs(r#","response_format":{"type":"json_schema"}"#).json_object);
    assert!(needs(r#","modalities":["text","audio"]"#).audio);
    assert!(!needs(r#","modalities":["text",1]"#).audio && !needs(r#","modalities":"audio""#).audio);
    let last = |messages: &str| chat(&format!(r#"{{"messages":[{messages}]}}"#)).unwrap().needs;
    assert!(last(r#"{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}"#).files);
    assert!(last(r#"{"role":"user","content":"x"},{"role":"assistant","content":"{"}"#).prefill);
    assert!(!last(r#"{"role":"assistant","content":"{"},{"role":"user","content":"x"}"#).prefill);
}

#[test]
fn corners_are_seen_where_they_are() {
    let corners = |messages: &str, members: &str| {
        chat(&format!(r#"{{"messages":[{messages}]{members}}}"#)).map(|request| request.corners).unwrap()
    };
    let none = Corners::default();
    let calls = r#""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
    for (message, expected) in [
        (r#"{"role":"user","content":"x"}"#.to_owned(), none),
        (r#"{"role":"user","content":"x","name":"ann"}"#.into(), Corners { names: true, ..none }),
        (r#"{"name":"ann","role":"system","content":"x"}"#.into(), Corners { names: true, ..none }),
        (r#"{"role":"user","content":"x","name":null}"#.into(), none),
        (r#"{"role":"tool","name":"f","content":"x","tool_call_id":"a"}"#.into(), none),
        (r#"{"role":"function","name":"f","content":"x"}"#.into(), none),
        (r#"{"role":"developer","content":"x"}"#.into(), Corners { developer: true, ..none }),
        (r#"{"role":"assistant","content":"x","reasoning_content":"y"}"#.into(), Corners { reasoning: true, ..none }),
        (r#"{"role":"assistant","content":"x","reasoning_content":null}"#.into(), none),
        (
            r#"{"role":"assistant","thinking_blocks":[{}],"content":"x"}"#.into(),
            Corners { thinking_blocks: true, ..none },
        ),
        (
            r#"{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}"#.into(),
            Corners { cache_marks: true, ..none },
        ),
        (r#"{"role":"user","content":[{"type":"text","text":"\"cache_control\"","cache_control":null}]}"#.into(), none),
        (format!(r#"{{"role":"assistant","content":null,{calls}}}"#), Corners { silent_calls: true, ..none }),
        (r#"{"role":"assistant","content":"x","tool_calls":[]}"#.into(), none),
        (format!(r#"{{"role":"assistant",{calls},"reasoning_content":"y"}}"#), Corners { reasoning: true, ..none }),
        (
            format!(r#"{{"role":"assistant","reasoning_content":"",{calls}}}"#),
            Corners { reasoning: true, silent_calls: true, ..none },
        ),
    ] {
        let (after, before) = (r#"{"role":"user","content":"z"}"#, r#"{"role":"user","content":"a"}"#);
        assert_eq!(corners(&format!("{before},{message},{after}"), ""), expected, "{message}");
    }
    let user = r#"{"role":"user","content":"x"}"#;
    let tools = r#","tools":[{"type":"function","function":{"name":"f","strict":true}}]"#;
    assert_eq!(corners(user, tools), Corners { strict_tools: true, ..none });
    let tools = r#","tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]"#;
    assert_eq!(corners(user, tools), Corners { cache_marks: true, ..none });
}
