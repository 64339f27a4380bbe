//! Requests on their way to Messages: what becomes of messages.

use super::json;
use crate::request::{Api, ReadError, read_members};
use crate::translate::{self, To, ToMessages, Translation};
use serde_json::{Value, json as value};

pub(super) const TO: ToMessages =
    ToMessages { model: Some("m"), version: None, stream: true, max_tokens: 99, thinking: None, cache_prefix: false };

pub(super) fn translated(api: Api, body: &str, drop: &[String], to: ToMessages) -> Result<Vec<u8>, ReadError> {
    translate::request(api, body.as_bytes(), &read_members(body.as_bytes())?, drop, &To::Messages(to))
}

pub(super) fn checked(api: Api, body: &str) -> Translation {
    let members = read_members(body.as_bytes()).unwrap();
    translate::check(api, Api::Messages, body.as_bytes(), &members, false).unwrap()
}

pub(super) fn obstacle(api: Api, body: &str) -> Option<String> {
    checked(api, body).obstacle
}

/// What a request becomes, without what all have in common; what is left out of it is dropped, as it is in an attempt.
pub(super) fn becomes(api: Api, body: &str) -> Value {
    let found = checked(api, body);
    assert_eq!(found.obstacle, None, "{body}");
    let mut messages = json(&translated(api, body, &found.left_out, TO).unwrap());
    assert_eq!(messages.as_object_mut().unwrap().remove("model"), Some(value!("m")));
    if messages["max_tokens"] == 99 {
        messages.as_object_mut().unwrap().remove("max_tokens");
    }
    messages
}

fn chat(messages: &str) -> Value {
    becomes(Api::Chat, &format!(r#"{{"messages":{messages}}}"#))
}

fn turns(messages: &str) -> Value {
    chat(messages)["messages"].clone()
}

fn text(text: &str) -> Value {
    value!({"type": "text", "text": text})
}

fn user(text: &str) -> Value {
    value!({"role": "user", "content": [{"type": "text", "text": text}]})
}

#[test]
fn instructions_stand_apart_in_their_order() {
    assert_eq!(
        chat(
            r#"[{"role":"developer","content":"a"},{"role":"user","content":"u"},{"role":"system","content":[{"type":"text","text":"b"},
            {"type":"text","text":" \n\t"},{"type":"text","text":"c","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
            {"role":"assistant","content":"x"},{"role":"system","content":"d"},{"role":"user","content":"v"}]"#
        ),
        value!({
            "system": [text("a"), text("b"),
                {"type": "text", "text": "c", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, text("d")],
            "messages": [user("u"), {"role": "assistant", "content": [text("x")]}, user("v")],
        })
    );
    assert_eq!(
        chat(r#"[{"role":"system","content":" "},{"role":"user","content":"u"}]"#),
        value!({"messages": [user("u")]})
    );
    // Somebody has to begin.
    let begin = value!({"role": "user", "content": "Begin the conversation."});
    assert_eq!(turns(r#"[{"role":"system","content":"s"}]"#), value!([begin]));
    assert_eq!(
        turns(r#"[{"role":"assistant","content":"x"},{"role":"user","content":"u"}]"#),
        value!([begin, {"role": "assistant", "content": [text("x")]}, user("u")])
    );
    assert_eq!(turns(r#"[{"role":"user","content":""}]"#), value!([begin]));
    // Who asks nothing does not want the answer before to be gone on with.
    let answered = r#"{"role":"user","content":"u"},{"role":"assistant","content":"x "}"#;
    let assistant = |words: &str| value!({"role": "assistant", "content": [text(words)]});
    let go_on = value!({"role": "user", "content": "Go on."});
    for blank in ["", " ", r"\u00a0\n", r"\u3000"] {
        let asked = format!(r#"[{answered},{{"role":"user","content":"{blank}"}},{{"role":"system","content":"s"}}]"#);
        assert_eq!(turns(&asked), value!([user("u"), assistant("x "), go_on]), "{blank:?}");
    }
    assert_eq!(turns(&format!("[{answered}]")), value!([user("u"), assistant("x")]));
}

#[test]
fn blanks_in_every_spelling() {
    let of = |words: &str| {
        let turns = turns(&format!(r#"[{{"role":"user","content":"u"}},{{"role":"assistant","content":"{words}"}}]"#));
        turns[1]["content"][0]["text"].as_str().map(str::to_owned)
    };
    for blank in [" ", r"\n", r"\t", r"\r", r"\f", r"\u000b", r"\u0020", r"\u2003", "\u{a0}", "\u{3000}", "\u{2029}"] {
        assert_eq!(of(blank), None, "{blank:?}");
        for words in ["x", "\u{e9}", "\u{1f600}", r"\\"] {
            let whole: String = serde_json::from_str(&format!(r#""{words}""#)).unwrap();
            assert_eq!(of(&format!("{words}{blank}{blank}")), Some(whole), "{words:?} {blank:?}");
        }
    }
    for (words, whole) in
        [(r"\\n", r"\n"), (r"x\\u0020", r"x\u0020"), (r"\u00e9", "\u{e9}"), (r"\ud83d\ude00", "\u{1f600}")]
    {
        assert_eq!(of(words).as_deref(), Some(whole));
    }
}

#[test]
fn one_side_that_speaks_twice_speaks_once() {
    assert_eq!(
        turns(
            r#"[{"role":"user","content":"a"},{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"b"},
            {"type":"text","text":""}]},{"role":"assistant","content":" \n"},{"role":"user","content":"c"},
            {"role":"assistant","content":"x"},{"role":"assistant","content":[{"type":"text","text":"y"},{"type":"refusal","refusal":"z"}]},
            {"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"d"}]"#
        ),
        value!([
            // A turn in which nothing is said is none.
            {"role": "user", "content": [text("a"), text("b"), text("c")]},
            {"role": "assistant", "content": [text("x"), text("y"), text("z"), text("no")]},
            user("d"),
        ])
    );
}

#[test]
fn images_and_documents() {
    let image = |url: &str| {
        let part = format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#);
        turns(&format!(r#"[{{"role":"user","content":[{part}]}}]"#))[0]["content"][0].clone()
    };
    let data = |kind: &str, media_type: &str| value!({"type": kind, "source": {"type": "base64", "media_type": media_type, "data": "A/A="}});
    for (sent, media_type) in [
        ("image/jpeg", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/png", "image/png"),
        ("image/gif", "image/gif"),
        ("IMAGE/WebP", "image/webp"),
        (r"image\/png", "image/png"),
        ("image/png;name=x", "image/png"),
    ] {
        assert_eq!(image(&format!("data:{sent};base64,A/A=")), data("image", media_type));
    }
    assert_eq!(image(r"data:image\/png;base64,A\/A="), data("image", "image/png"));
    assert_eq!(image("data:application/pdf;base64,A/A="), data("document", "application/pdf"));
    for url in ["https://x/y.png", "https://x/pdf", "https://x/y?z=.pdf"] {
        assert_eq!(image(url), value!({"type": "image", "source": {"type": "url", "url": url}}));
    }
    for url in ["https://x/y.pdf", "https://x/y.PDF?z#w"] {
        assert_eq!(image(url), value!({"type": "document", "source": {"type": "url", "url": url}}));
    }
    assert_eq!(image(r"https:\/\/x\/y.pdf")["source"]["url"], "https://x/y.pdf");
    let file = r#"{"type":"file","file":{"filename":"f\u0022.pdf","file_data":"data:application/pdf;base64,A/A="}}"#;
    let mut document = data("document", "application/pdf");
    document["title"] = value!("f\".pdf");
    assert_eq!(turns(&format!(r#"[{{"role":"user","content":[{file}]}}]"#))[0]["content"], value!([document]));
}

#[test]
fn parts_that_cannot_be_expressed_are_named() {
    for (part, name) in [
        (r#"{"type":"image_url","image_url":{"url":"data:image/bmp;base64,AA"}}"#, "messages[1].content"),
        (r#"{"type":"image_url","image_url":{"url":"data:image/png,AA"}}"#, "messages[1].content"),
        (r#"{"type":"image_url","image_url":{"url":"gs://x/y"}}"#, "messages[1].content"),
        (r#"{"type":"image_url","image_url":{"url":"http://x/y"}}"#, "messages[1].content"),
        (r#"{"type":"file","file":{"file_data":"data:text/plain;base64,AA"}}"#, "messages[1].content"),
        (r#"{"type":"file","file":{"file_id":"file-1"}}"#, "messages[1].content[0].file.file_id"),
        (r#"{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}"#, "messages[1].content[0].input_audio"),
        (r#"{"type":"video"}"#, "messages[1].content[0].type"),
        (r#"{"type":"refusal","refusal":"x"}"#, "messages[1].content[0].type"),
        (r#"{"type":"image_url","image_url":"x"}"#, "messages[1].content[0].image_url"),
        (r#"{"type":"text"}"#, "messages[1].content[0].text"),
    ] {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}},{{"role":"user","content":[{part}]}}]}}"#);
        assert_eq!(obstacle(Api::Chat, &body).as_deref(), Some(name), "{part}");
    }
    for (message, name) in [
        (r#"{"role":"function","name":"f","content":"x"}"#, "messages[0].role"),
        (r#"{"role":"assistant","function_call":{"name":"f","arguments":""}}"#, "messages[0].function_call"),
        (r#"{"role":"assistant","audio":{"id":"a"}}"#, "messages[0].audio"),
        (r#"{"role":"tool","content":"x"}"#, "messages[0].tool_call_id"),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]}"#,
            "messages[0].tool_calls",
        ),
        (r#"{"role":"user","content":"x","content":"y"}"#, "messages[0].content"),
        (r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function"}]}"#, "messages[0].tool_calls[0].function"),
        ("1", "messages[0]"),
    ] {
        assert_eq!(obstacle(Api::Chat, &format!(r#"{{"messages":[{message}]}}"#)).as_deref(), Some(name), "{message}");
    }
}

fn call(id: &str, arguments: &str) -> String {
    format!(r#"{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{arguments}"}}}}"#)
}

#[test]
fn calls_and_their_results() {
    let (one, two) = (call("c-1", r#"{\"a\": [1, \"\\u00e9\"]}"#), call("c_2", ""));
    let sent = format!(
        r#"[{{"role":"user","content":"u"}},{{"role":"assistant","content":"Let me see. ","tool_calls":[{one},{two}]}},
        {{"role":"tool","tool_call_id":"c-1","content":"one"}},{{"role":"user","content":"and?"}},
        {{"role":"tool","tool_call_id":"c_2","content":[{{"type":"text","text":"t"}},
            {{"type":"text","text":"wo","cache_control":{{"type":"ephemeral"}}}}]}},{{"role":"assistant","content":"x"}}]"#
    );
    assert_eq!(
        turns(&sent),
        value!([
            user("u"),
            {"role": "assistant", "content": [text("Let me see. "),
                {"type": "tool_use", "id": "c-1", "name": "f", "input": {"a": [1, "é"]}},
                {"type": "tool_use", "id": "c_2", "name": "f", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c-1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "c_2", "content": "two", "cache_control": {"type": "ephemeral"}},
                text("and?")]},
            {"role": "assistant", "content": [text("x")]},
        ])
    );
}

#[test]
fn arguments_are_an_object() {
    let sent =
        |arguments: &str| format!(r#"{{"messages":[{{"role":"assistant","tool_calls":[{}]}}]}}"#, call("c", arguments));
    for blank in ["", " ", r"\n\t ", "{}", r" { } "] {
        let turns = becomes(Api::Chat, &sent(blank))["messages"].clone();
        assert_eq!(turns[1]["content"][0]["input"], value!({}), "{blank:?}");
    }
    for wrong in ["{", "[]", "1", "null", r#"\"x\""#, "{} x", r#"{\"a\":}"#, "x"] {
        let name = "messages[0].tool_calls.function.arguments";
        assert_eq!(obstacle(Api::Chat, &sent(wrong)).as_deref(), Some(name), "{wrong}");
        assert!(translated(Api::Chat, &sent("{}"), &[], TO).is_ok());
    }
    let missing = r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]}]}"#;
    assert_eq!(becomes(Api::Chat, missing)["messages"][1]["content"][0]["input"], value!({}));
    let odd =
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a.b","arguments":""}}]}]}"#;
    assert_eq!(obstacle(Api::Chat, odd).as_deref(), Some("messages[0].tool_calls.function.name"));
}

#[test]
fn odd_ids_are_the_same_in_call_and_result() {
    let pair = |id: &str, other: &str| {
        let turns = turns(&format!(
            r#"[{{"role":"assistant","tool_calls":[{}]}},{{"role":"tool","tool_call_id":"{other}","content":"x"}}]"#,
            call(id, "")
        ));
        let id = turns[1]["content"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(turns[2]["content"][0]["tool_use_id"], id.as_str());
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{id}");
        id
    };
    assert_eq!(pair("toolu_1-A", "toolu_1-A"), "toolu_1-A");
    assert_ne!(pair("a.b", "a.b"), pair("a:b", "a:b"));
    for id in ["", "é", "functions.f:0", r"\u00e9", r#"\""#] {
        pair(id, id);
    }
    // Of a later turn, another call.
    let again = |ids: &[&str]| {
        let mut messages = String::new();
        for id in ids {
            messages += &format!(
                r#"{{"role":"assistant","tool_calls":[{}]}},{{"role":"tool","tool_call_id":"{id}","content":"x"}},"#,
                call(id, "")
            );
        }
        let turns = turns(&format!(r#"[{messages}{{"role":"user","content":"u"}}]"#));
        let blocks =
            turns.as_array().unwrap().iter().flat_map(|turn| turn["content"].as_array().cloned().unwrap_or_default());
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for block in blocks {
            calls.extend(block["id"].as_str().map(str::to_owned));
            results.extend(block["tool_use_id"].as_str().map(str::to_owned));
        }
        assert_eq!(calls, results);
        calls.join(" ")
    };
    assert_eq!(again(&["c", "d", "c", "c"]), "c d c_2 c_3");
    assert_eq!(again(&["c_2", "c", "c", "c"]), "c_2 c c_3 c_4");
    pair(r"a\/b", "a/b");
    assert_eq!(pair(r"\u0061", "a"), "a");
}

#[test]
fn thousands_of_names_take_no_longer_than_their_bytes() {
    let many = 60_000;
    let calls: Vec<_> =
        (0..many).map(|index| call(&format!("c{index}"), "").replace("\"f\"", &format!("\"f{index}\""))).collect();
    let body = format!(r#"[{{"role":"assistant","tool_calls":[{}]}}]"#, calls.join(","));
    assert_eq!(chat(&body)["tools"].as_array().unwrap().len(), many);
}

#[test]
fn results_that_are_errors_say_so() {
    let is_error = |content: &str| {
        let turns = turns(&format!(r#"[{{"role":"tool","tool_call_id":"c","content":{content}}}]"#));
        turns[0]["content"][0].get("is_error").cloned()
    };
    for content in [
        r#""{\"error\":\"x\"}""#,
        r#"" {\"a\":1,\"error\":{}}""#,
        r#"[{"type":"text","text":"{\"err"},{"type":"text","text":"or\":1}"}]"#,
    ] {
        let split = content.contains("err\"}");
        assert_eq!(is_error(content), (!split).then_some(value!(true)), "{content}");
    }
    for content in [
        r#""error""#,
        r#""{\"errors\":1}""#,
        r#""{\"error\":null}""#,
        r#""{\"error\":false}""#,
        r#""{\"error\":\"\"}""#,
        r#""[{\"error\":1}]""#,
        r#""{\"a\":{\"error\":1}}""#,
        r#""{\"error\":1} x""#,
        r#""""#,
    ] {
        assert_eq!(is_error(content), None, "{content}");
    }
}

#[test]
fn the_last_words_of_the_assistant_end_visibly() {
    for (sent, becomes) in [
        ("x ", "x"),
        (r"x \n\t\r ", "x"),
        (r"x\\n", r"x\n"),
        (r"x\\\n", r"x\"),
        (r"x\\\\n ", r"x\\n"),
        (r"x\\ ", r"x\"),
        ("x y", "x y"),
    ] {
        let turns = turns(&format!(r#"[{{"role":"user","content":"u"}},{{"role":"assistant","content":"{sent}"}}]"#));
        assert_eq!(turns[1]["content"][0]["text"], becomes, "{sent}");
    }
    // Only the last ones.
    let sent = r#"[{"role":"assistant","content":"x "},{"role":"user","content":"u "}]"#;
    let turns = turns(sent);
    assert_eq!((&turns[1]["content"][0]["text"], &turns[2]["content"][0]["text"]), (&value!("x "), &value!("u ")));
}

#[test]
fn thinking_goes_back_where_it_is_signed() {
    let thought = |more: &str| {
        let body =
            format!(r#"{{"messages":[{{"role":"user","content":"u"}},{{"role":"assistant","content":"x",{more}}}]}}"#);
        (becomes(Api::Chat, &body)["messages"][1]["content"].clone(), checked(Api::Chat, &body).left_out)
    };
    let block = |text: &str| value!({"type": "thinking", "thinking": text, "signature": "s"});
    let none: Vec<String> = Vec::new();
    let lost = vec!["messages.thinking_blocks".to_owned()];
    let signed = r#"{"type":"thinking","thinking":"a","signature":"s"}"#;
    let stream = r#"{"type":"thinking","thinking":"","signature":"s"}"#;
    let redacted = r#"{"type":"redacted_thinking","data":"d"}"#;
    for (sent, expected, left_out) in [
        (
            format!(r#""thinking_blocks":[{signed},{redacted}],"reasoning_content":"a""#),
            value!([block("a"), {"type": "redacted_thinking", "data": "d"}, text("x")]),
            &none,
        ),
        (
            format!(r#""thinking_blocks":[{stream}],"reasoning_content":"a\n""#),
            value!([block("a\n"), text("x")]),
            &none,
        ),
        (format!(r#""thinking_blocks":[{stream}]"#), value!([block(""), text("x")]), &none),
        // Whose is which part?
        (format!(r#""thinking_blocks":[{stream},{stream}],"reasoning_content":"ab""#), value!([text("x")]), &lost),
        (
            format!(r#""thinking_blocks":[{signed},{{"type":"thinking","thinking":"b"}}]"#),
            value!([block("a"), text("x")]),
            &lost,
        ),
        (
            r#""thinking_blocks":[],"reasoning_content":"a""#.into(),
            value!([text("x")]),
            &vec!["messages.reasoning_content".into()],
        ),
        (r#""thinking_blocks":null,"reasoning_content":"""#.into(), value!([text("x")]), &none),
    ] {
        assert_eq!(thought(&sent), (expected, left_out.clone()), "{sent}");
    }
}

#[test]
fn calls_without_signed_thinking_are_known() {
    let unsigned = |thoughts: &[&str], end: &str| {
        let mut messages = r#"{"role":"user","content":"u"}"#.to_owned();
        for (index, blocks) in thoughts.iter().enumerate() {
            let id = format!("c{index}");
            messages +=
                &format!(r#",{{"role":"assistant","thinking_blocks":[{blocks}],"tool_calls":[{}]}}"#, call(&id, ""));
            messages += &format!(r#",{{"role":"tool","tool_call_id":"{id}","content":"x"}}"#);
        }
        checked(Api::Chat, &format!(r#"{{"messages":[{messages}{end}]}}"#)).unsigned
    };
    let signed = r#"{"type":"thinking","thinking":"a","signature":"s"}"#;
    assert!(!unsigned(&[], "") && !unsigned(&[signed], "") && !unsigned(&[signed, signed], ""));
    assert!(!unsigned(&[r#"{"type":"redacted_thinking","data":"d"}"#], ""));
    assert!(unsigned(&[""], "") && unsigned(&[signed, ""], "") && unsigned(&["", signed], ""));
    let asked = r#",{"role":"user","content":"go on"}"#;
    assert!(unsigned(&[""], asked), "what is asked behind results is in their turn");
    let over = format!(r#",{{"role":"assistant","content":"y"}}{asked}"#);
    assert!(!unsigned(&[""], &over), "a turn that is over");
}
