use super::super::{Stream, answer};
use super::{about, about_body, events, json};
use crate::request::Api;
use crate::translate::About;
use serde_json::{Value, json as value};

fn chat(include_usage: bool) -> About {
    About::chat(include_usage, 1_700_000_000, "fall\"back")
}

/// The text that payloads become, without what all have in common.
fn run(about: About, payloads: &[&str]) -> String {
    let mut stream = Stream::new(Api::Messages, about);
    let mut out = Vec::new();
    for payload in payloads {
        let _ = stream.event(payload.as_bytes(), &mut out, &mut |_| {});
    }
    stream.finish(&mut out);
    stream.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// The chunks, and whether `[DONE]` comes behind them.
fn chunks(text: &str) -> (Vec<Value>, bool) {
    assert!(text.ends_with("\n\n"), "{text}");
    let mut data: Vec<&str> =
        text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect();
    let done = data.last() == Some(&"[DONE]");
    data.truncate(data.len() - usize::from(done));
    (data.iter().map(|data| json(data.as_bytes())).collect(), done)
}

/// The deltas of all chunks that have one.
fn deltas(chunks: &[Value]) -> Vec<Value> {
    chunks.iter().filter_map(|chunk| chunk["choices"].get(0)).map(|choice| choice["delta"].clone()).collect()
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],
    "model":"claude-x","stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":1}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn block(index: usize, block: &str) -> String {
    format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#)
}

fn piece(index: usize, delta: &str) -> String {
    format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#)
}

fn block_stop(index: usize) -> String {
    format!(r#"{{"type":"content_block_stop","index":{index}}}"#)
}

fn end(reason: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"output_tokens":40,"output_tokens_details":{{"thinking_tokens":30}}}}}}"#
    )
}

/// One of everything.
fn everything() -> Vec<String> {
    vec![
        START.into(),
        r#"{"type":"ping"}"#.into(),
        block(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
        piece(0, r#"{"type":"thinking_delta","thinking":"th"}"#),
        piece(0, r#"{"type":"thinking_delta","thinking":"ink"}"#),
        piece(0, r#"{"type":"signature_delta","signature":"c2ln"}"#),
        block_stop(0),
        block(1, r#"{"type":"redacted_thinking","data":"ZGF0YQ"}"#),
        block_stop(1),
        block(2, r#"{"type":"text","text":""}"#),
        piece(2, r#"{"type":"text_delta","text":"He\u006c"}"#),
        piece(2, r#"{"type":"citations_delta","citation":{}}"#),
        piece(2, r#"{"type":"text_delta","text":"lo\n"}"#),
        block_stop(2),
        block(3, r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#),
        piece(3, r#"{"type":"input_json_delta","partial_json":"{}"}"#),
        block_stop(3),
        block(4, r#"{"type":"text","text":""}"#),
        piece(4, r#"{"type":"text_delta","text":"more"}"#),
        block_stop(4),
        block(5, r#"{"type":"tool_use","id":"toolu_1","name":"f","input":{}}"#),
        piece(5, r#"{"type":"input_json_delta","partial_json":""}"#),
        piece(5, r#"{"type":"input_json_delta","partial_json":"{\"a\""}"#),
        piece(5, r#"{"type":"input_json_delta","partial_json":":\"\\\"é\"}"}"#),
        block_stop(5),
        block(6, r#"{"type":"tool_use","id":"toolu_2","name":"g","input":{}}"#),
        block_stop(6),
        r#"{"type":"of_tomorrow"}"#.into(),
        end("tool_use"),
        STOP.into(),
    ]
}

const WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
    {"type":"thinking","thinking":"think","signature":"c2ln"},{"type":"redacted_thinking","data":"ZGF0YQ"},
    {"type":"text","text":"He\u006clo\n"},{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"text","text":"more"},
    {"type":"tool_use","id":"toolu_1","name":"f","input":{ "a" : "\"é" }},{"type":"tool_use","id":"toolu_2","name":"g","input":{}}],
    "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5,
    "cache_creation_input_tokens":2,"output_tokens":40,"output_tokens_details":{"thinking_tokens":30}}}"#;

fn usage_of_all() -> Value {
    value!({"prompt_tokens": 17, "completion_tokens": 40, "total_tokens": 57,
        "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 30}})
}

fn as_strs(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

#[test]
fn a_whole_answer() {
    let mut about = chat(false);
    about.add("details", "{\"x\":1}");
    assert_eq!(
        json(&answer(WHOLE.as_bytes(), Api::Messages, &about, &mut |_| {}).unwrap()),
        value!({
            "details": {"x": 1}, "id": "msg_1", "object": "chat.completion", "created": 1_700_000_000, "model": "claude-x",
            "choices": [{"index": 0, "logprobs": null, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "Hello\nmore", "refusal": null, "reasoning_content": "think",
                "thinking_blocks": [{"type": "thinking", "thinking": "think", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "ZGF0YQ"}],
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":\"\\\"é\"}"}},
                    {"id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
            }}],
            "usage": usage_of_all(),
        })
    );
}

#[test]
fn messages_have_only_what_there_is() {
    let message = |content: &str| {
        let body = format!(r#"{{"type":"message","content":{content},"stop_reason":"end_turn"}}"#);
        json(&answer(body.as_bytes(), Api::Messages, &chat(false), &mut |_| {}).unwrap())
    };
    let plain = |content: Value| value!({"role": "assistant", "content": content, "refusal": null});
    assert_eq!(
        message(r#"[{"type":"text","text":"a"}]"#),
        value!({"id": "", "object": "chat.completion", "created": 1_700_000_000, "model": "fall\"back",
        "choices": [{"index": 0, "message": plain(value!("a")), "logprobs": null, "finish_reason": "stop"}]})
    );
    assert_eq!(message("[]")["choices"][0]["message"], plain(value!("")));
    let calls = message(r#"[{"type":"tool_use","id":"t","name":"f","input":{}}]"#)["choices"][0]["message"].clone();
    assert_eq!((&calls["content"], calls["tool_calls"].as_array().unwrap().len()), (&Value::Null, 1));
    // Two pieces of reasoning, each with its own signature.
    let thoughts = message(
        r#"[{"type":"thinking","thinking":"a","signature":"1"},{"type":"thinking","thinking":"b","signature":"2"}]"#,
    )["choices"][0]["message"]["thinking_blocks"]
        .clone();
    assert_eq!(
        thoughts,
        value!([{"type": "thinking", "thinking": "a", "signature": "1"}, {"type": "thinking", "thinking": "b", "signature": "2"}])
    );
    assert_eq!(
        message(r#"[{"type":"thinking","thinking":"a"}]"#)["choices"][0]["message"].get("thinking_blocks"),
        None
    );
}

#[test]
fn reasons_to_stop() {
    for (reason, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "stop"),
        ("pause_turn", "stop"),
        ("of_tomorrow", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("compaction", "length"),
        ("refusal", "content_filter"),
    ] {
        let body = format!(r#"{{"type":"message","content":[],"stop_reason":"{reason}"}}"#);
        let whole = json(&answer(body.as_bytes(), Api::Messages, &chat(false), &mut |_| {}).unwrap());
        assert_eq!(whole["choices"][0]["finish_reason"], finish);
        let (chunks, done) = chunks(&run(chat(false), &[START, &end(reason), STOP]));
        assert!(done);
        assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], finish);
    }
}

#[test]
fn a_stream_of_everything() {
    let payloads = everything();
    let (chunks, done) = chunks(&run(chat(true), &as_strs(&payloads)));
    assert!(done);
    for chunk in &chunks {
        assert_eq!(
            (&chunk["id"], &chunk["object"], &chunk["created"], &chunk["model"]),
            (&value!("msg_1"), &value!("chat.completion.chunk"), &value!(1_700_000_000), &value!("claude-x"))
        );
    }
    let call = |index: usize, rest: Value| {
        let mut call = rest;
        call["index"] = index.into();
        value!({"tool_calls": [call]})
    };
    let start =
        |id: &str, name: &str| value!({"id": id, "type": "function", "function": {"name": name, "arguments": ""}});
    let arguments = |text: &str| value!({"function": {"arguments": text}});
    assert_eq!(
        deltas(&chunks),
        [
            value!({"role": "assistant", "content": ""}),
            value!({"reasoning_content": "th"}),
            value!({"reasoning_content": "ink"}),
            value!({"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "c2ln"}]}),
            value!({"thinking_blocks": [{"type": "redacted_thinking", "data": "ZGF0YQ"}]}),
            value!({"content": "Hel"}),
            value!({"content": "lo\n"}),
            value!({"content": "more"}),
            call(0, start("toolu_1", "f")),
            call(0, arguments("{\"a\"")),
            call(0, arguments(":\"\\\"é\"}")),
            call(1, start("toolu_2", "g")),
            call(1, arguments("{}")),
            value!({}),
        ]
    );
    let [before @ .., finish, last] = chunks.as_slice() else { panic!() };
    assert!(before.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    assert!(before.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    assert_eq!((&finish["choices"][0]["finish_reason"], &finish["usage"]), (&value!("tool_calls"), &Value::Null));
    assert_eq!((&last["choices"], &last["usage"]), (&value!([]), &usage_of_all()));
}

#[test]
fn usage_is_only_for_those_who_ask() {
    let payloads = everything();
    let (chunks, done) = chunks(&run(chat(false), &as_strs(&payloads)));
    assert!(done && chunks.iter().all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn counts_are_set_and_never_added() {
    let usage = |event: &str| {
        let (chunks, _) = chunks(&run(chat(true), &[START, event, &end("end_turn"), STOP]));
        chunks.last().unwrap()["usage"].clone()
    };
    assert_eq!(usage(r#"{"type":"message_delta","usage":{"output_tokens":39}}"#), usage_of_all());
    let corrected = usage(
        r#"{"type":"message_delta","delta":{},"usage":{"input_tokens":20,"cache_read_input_tokens":0,"output_tokens":9}}"#,
    );
    assert_eq!(
        (&corrected["prompt_tokens"], &corrected["prompt_tokens_details"]["cached_tokens"]),
        (&value!(22), &value!(0))
    );
}

#[test]
fn details_are_in_the_first_chunk() {
    let mut about = chat(false);
    about.add("details", "{\"x\":1}");
    let (chunks, _) = chunks(&run(about, &[START, &block(0, r#"{"type":"text","text":"a"}"#), STOP]));
    let with: Vec<bool> = chunks.iter().map(|chunk| chunk["details"] == value!({"x": 1})).collect();
    assert_eq!(with, [true, false, false]);
    assert_eq!(deltas(&chunks)[1], value!({"content": "a"}));
}

#[test]
fn errors_end_a_stream() {
    let text = block(0, r#"{"type":"text","text":"a"}"#);
    let error = |payload: &str| {
        let (chunks, done) = chunks(&run(chat(true), &[START, &text, payload, &text, STOP]));
        assert!(!done);
        assert_eq!(chunks.len(), 3);
        chunks[2].clone()
    };
    let sent = |kind: &str, message: &str| {
        error(&value!({"type": "error", "error": {"type": kind, "message": message}}).to_string())
    };
    for (sent_kind, message, kind, code) in [
        ("overloaded_error", "Overloaded", "server_error", "server_overloaded"),
        ("rate_limit_error", "slow \"down\"", "requests", "rate_limit_exceeded"),
        ("not_found_error", "m", "invalid_request_error", "model_not_found"),
        ("authentication_error", "m", "invalid_request_error", "invalid_api_key"),
        ("permission_error", "m", "invalid_request_error", "permission_error"),
        ("invalid_request_error", "prompt is too long: 9 > 8", "invalid_request_error", "context_length_exceeded"),
        ("invalid_request_error", "m", "invalid_request_error", "invalid_request_error"),
        ("api_error", "m", "server_error", "api_error"),
        ("of_tomorrow", "m", "server_error", "of_tomorrow"),
    ] {
        assert_eq!(
            sent(sent_kind, message),
            value!({"error": {"message": message, "type": kind, "param": null, "code": code}})
        );
    }
    for unreadable in ["{", "[]", "{} {}", r#"{"type":"content_block_delta","delta":{"text":"\ud800"}}"#] {
        assert_eq!(error(unreadable)["error"]["code"], "invalid_answer", "{unreadable}");
    }
    assert_eq!(error(r#"{"error":"gone"}"#)["error"]["message"], "gone");
}

#[test]
fn a_stream_that_breaks_off_ends_with_an_error() {
    let (chunks, done) = chunks(&run(chat(true), &[START, &block(0, r#"{"type":"text","text":"a"}"#)]));
    assert!(!done);
    assert_eq!(chunks[2]["error"]["code"], "incomplete_answer");
}

/// What the chunks of a stream say, gathered, is what the whole answer says.
#[test]
fn a_whole_answer_is_its_stream_gathered() {
    let payloads = everything();
    let (chunks, _) = chunks(&run(chat(true), &as_strs(&payloads)));
    let whole = json(&answer(WHOLE.as_bytes(), Api::Messages, &chat(true), &mut |_| {}).unwrap());
    let message = &whole["choices"][0]["message"];
    let gathered = |name: &str| -> String {
        deltas(&chunks).iter().filter_map(|delta| delta[name].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(
        (message["content"].as_str(), message["reasoning_content"].as_str()),
        (Some("Hello\nmore"), Some("think"))
    );
    assert_eq!((gathered("content"), gathered("reasoning_content")), ("Hello\nmore".into(), "think".into()));
    for (index, call) in message["tool_calls"].as_array().unwrap().iter().enumerate() {
        let pieces = deltas(&chunks).into_iter().map(|delta| delta["tool_calls"][0].clone());
        let arguments: String = pieces
            .filter(|piece| piece["index"] == index)
            .filter_map(|piece| piece["function"]["arguments"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(call["function"]["arguments"], arguments);
    }
    assert_eq!(whole["usage"], chunks.last().unwrap()["usage"]);
}

/// The same for a client of Responses: the stream ends with the object that the whole answer would have been.
#[test]
fn responses_of_messages() {
    let payloads = everything();
    let text = run(about("{}"), &as_strs(&payloads));
    let events = events(text.as_bytes());
    let last = &events[events.len() - 1];
    let whole = json(&answer(WHOLE.as_bytes(), Api::Messages, &about("{}"), &mut |_| {}).unwrap());
    assert_eq!((&last["type"], &last["response"]), (&value!("response.completed"), &whole));
    let stem = "mr0123456789abcdef_msg_1";
    assert_eq!(whole["id"], format!("resp_{stem}"));
    assert_eq!((&whole["model"], &whole["usage"]["total_tokens"]), (&value!("claude-x"), &value!(57)));
    assert_eq!(whole["created_at"], 1_700_000_007, "Messages does not say when");
    let call = |place: usize, id: &str, name: &str, arguments: &str| {
        value!({"id": format!("fc_{stem}_{place}"), "type": "function_call", "status": "completed", "call_id": id, "name": name,
            "arguments": arguments})
    };
    assert_eq!(
        whole["output"],
        value!([
            {"id": format!("rs_{stem}_0"), "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "think"}]},
            {"id": format!("msg_{stem}_1"), "type": "message", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello\nmore"}]},
            call(2, "toolu_1", "f", "{\"a\":\"\\\"é\"}"),
            call(3, "toolu_2", "g", "{}"),
        ])
    );
    let broken = run(about("{}"), &as_strs(&payloads[..13]));
    assert!(broken.contains("response.failed") && !broken.contains("response.completed"));
}

#[test]
fn broken_streams_never_break_the_chunks() {
    let payloads = everything();
    let mut random = super::hostile::Random(0x0123_4567_89ab_cdef);
    for round in 0..3_000 {
        let about = if round % 2 == 0 { chat(true) } else { about_body(b"{}", "m") };
        let mut stream = Stream::new(Api::Messages, about);
        let mut out = Vec::new();
        for payload in &payloads {
            let other = &payloads[random.below(payloads.len())];
            let payload = match random.below(8) {
                0 => random.broken(payload),
                1 => other.clone().into_bytes(),
                _ => payload.clone().into_bytes(),
            };
            let _ = stream.event(&payload, &mut out, &mut |_| {});
        }
        stream.finish(&mut out);
        if round % 2 == 0 {
            let (chunks, done) = chunks(core::str::from_utf8(&out).unwrap());
            assert_ne!(done, chunks.last().unwrap().get("error").is_some());
        } else {
            events(&out);
        }
        let whole = random.broken(WHOLE);
        let _ = answer(&whole, Api::Messages, &chat(true), &mut |_| {}).map(|whole| json(&whole));
    }
}
