use super::{about, answer, json, stream};
use serde_json::{Value, json as value};

const STEM: &str = "mr0123456789abcdef_1";

/// A chunk with this delta.
fn delta(delta: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","created":7,"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#
    )
}

fn end(reason: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","created":7,"model":"m","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#
    )
}

const USAGE: &str = r#"{"id":"chatcmpl-1","created":7,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;

fn run(payloads: &[String]) -> Vec<Value> {
    let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
    stream(about("{ \"tools\": [\n] }"), &payloads, true)
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap().strip_prefix("response.").unwrap_or("error")).collect()
}

/// Events between the head and the end, without what all have in common.
fn body(events: &[Value]) -> Vec<Value> {
    let body = events[2..events.len() - 1].iter().cloned().map(|mut event| {
        event.as_object_mut().unwrap().remove("sequence_number");
        event
    });
    body.collect()
}

#[test]
fn text_from_first_to_last() {
    let azure =
        r#"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let events = run(&[
        azure.to_owned(),
        delta(r#"{"role":"assistant","content":"","refusal":null}"#),
        delta(r#"{"content":"He\u006c"}"#),
        delta(r#"{"content":"lo\n"}"#),
        end("stop"),
        USAGE.to_owned(),
        "[DONE]".to_owned(),
    ]);
    let id = format!("msg_{STEM}_0");
    let item = |status: &str, content: Value| value!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content});
    let part = |text: &str| value!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
    assert_eq!(
        body(&events),
        [
            value!({"type": "response.output_item.added", "output_index": 0, "item": item("in_progress", value!([]))}),
            value!({"type": "response.content_part.added", "item_id": id, "output_index": 0, "content_index": 0, "part": part("")}),
            value!({"type": "response.output_text.delta", "item_id": id, "output_index": 0, "content_index": 0, "delta": "Hel", "logprobs": []}),
            value!({"type": "response.output_text.delta", "item_id": id, "output_index": 0, "content_index": 0, "delta": "lo\n", "logprobs": []}),
            value!({"type": "response.output_text.done", "item_id": id, "output_index": 0, "content_index": 0, "text": "Hello\n", "logprobs": []}),
            value!({"type": "response.content_part.done", "item_id": id, "output_index": 0, "content_index": 0, "part": part("Hello\n")}),
            value!({"type": "response.output_item.done", "output_index": 0, "item": item("completed", value!([part("Hello\n")]))}),
        ]
    );
    assert_eq!(types(&events)[..2], ["created", "in_progress"]);
    for event in &events[..2] {
        let response = &event["response"];
        assert_eq!((&response["status"], &response["output"]), (&value!("in_progress"), &value!([])));
        assert_eq!((&response["id"], &response["model"]), (&value!(format!("resp_{STEM}")), &value!("m")));
        assert_eq!(response["usage"], Value::Null);
    }
    let last = &events[events.len() - 1];
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["usage"]["total_tokens"], 3);
    assert_eq!(last["response"]["output"], value!([item("completed", value!([part("Hello\n")]))]));
}

#[test]
fn reasoning_comes_before_the_message() {
    let events = run(&[
        delta(r#"{"reasoning_content":"th","reasoning":"th"}"#),
        delta(r#"{"reasoning":"ink","content":null}"#),
        delta(r#"{"content":"a"}"#),
        end("stop"),
    ]);
    assert_eq!(
        types(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "reasoning_text.delta",
            "reasoning_text.delta",
            "reasoning_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(
        events[2]["item"],
        value!({"id": format!("rs_{STEM}_0"), "type": "reasoning", "summary": [], "content": []})
    );
    assert_eq!(events[3]["part"], value!({"type": "reasoning_text", "text": ""}));
    assert_eq!((&events[6]["text"], &events[6]["content_index"]), (&value!("think"), &value!(0)));
    assert_eq!((&events[11]["output_index"], &events[11]["item_id"]), (&value!(1), &value!(format!("msg_{STEM}_1"))));
}

#[test]
fn a_refusal_is_a_part_of_its_own() {
    let events = run(&[delta(r#"{"content":"a"}"#), delta(r#"{"refusal":"no"}"#), end("stop")]);
    assert_eq!(
        types(&events)[4..],
        [
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "content_part.added",
            "refusal.delta",
            "refusal.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(events[7]["part"], value!({"type": "refusal", "refusal": ""}));
    assert_eq!((&events[8]["delta"], &events[8]["content_index"]), (&value!("no"), &value!(1)));
    assert_eq!(events[9]["refusal"], "no");
}

#[test]
fn parallel_calls() {
    let events = run(&[
        delta(r#"{"content":"a"}"#),
        delta(r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}"#),
        delta(r#"{"tool_calls":[{"index":1,"id":"call_2","type":"custom","custom":{"name":"g","input":"x"}}]}"#),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"custom":{"input":"y"}}]}"#),
        end("tool_calls"),
    ]);
    assert_eq!(
        types(&events)[4..],
        [
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "output_item.added",
            "custom_tool_call_input.delta",
            "function_call_arguments.delta",
            "custom_tool_call_input.delta",
            "function_call_arguments.done",
            "output_item.done",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    let added = value!({"id": format!("fc_{STEM}_1"), "type": "function_call", "status": "in_progress", "call_id": "call_1",
        "name": "f", "arguments": ""});
    assert_eq!(events[8]["item"], added);
    assert_eq!(
        events[9],
        value!({"type": "response.function_call_arguments.delta", "sequence_number": 9, "output_index": 1,
        "item_id": format!("fc_{STEM}_1"), "delta": "{\"a\""})
    );
    assert_eq!((&events[14]["arguments"], &events[14]["name"]), (&value!("{\"a\":1}"), &value!("f")));
    assert_eq!((&events[16]["input"], &events[17]["item"]["status"]), (&value!("xy"), &value!("completed")));
}

#[test]
fn calls_as_some_providers_number_them() {
    // All 0, told apart by their ids; an id that is repeated is the same call.
    let call = |id: &str, arguments: &str| {
        delta(&format!(
            r#"{{"tool_calls":[{{"index":0,"id":"{id}","function":{{"name":"f","arguments":"{arguments}"}}}}]}}"#
        ))
    };
    let events = run(&[call("a", "1"), call("a", "2"), call("b", "3"), end("stop")]);
    let output = &events[events.len() - 1]["response"]["output"];
    let seen: Vec<_> = output.as_array().unwrap().iter().map(|item| (&item["call_id"], &item["arguments"])).collect();
    assert_eq!(seen, [(&value!("a"), &value!("12")), (&value!("b"), &value!("3"))]);
}

#[test]
fn log_probabilities_come_with_their_text() {
    let chunk = |text: &str, logprobs: &str| {
        format!(
            "{{\"id\":\"chatcmpl-1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"logprobs\":{{\"content\":{logprobs}}}}}]}}"
        )
    };
    let events = run(&[
        chunk("", "[]"),
        chunk("a", "[ {\"token\":\"a \",\r\n\"logprob\":-1} ]"),
        chunk("", r#"[{"token":"b"}]"#),
        end("stop"),
    ]);
    assert_eq!(events[4]["logprobs"], value!([{"token": "a ", "logprob": -1}]));
    let both = value!([{"token": "a ", "logprob": -1}, {"token": "b"}]);
    assert_eq!(events[6]["logprobs"], both);
    assert_eq!(events[9]["response"]["output"][0]["content"][0]["logprobs"], both);
}

#[test]
fn limits_and_filters_leave_it_incomplete() {
    for (reason, name) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let events = run(&[delta(r#"{"content":"a"}"#), end(reason), delta(r#"{"content":"late"}"#)]);
        let last = &events[events.len() - 1];
        assert_eq!(
            (&last["type"], &last["response"]["status"]),
            (&value!("response.incomplete"), &value!("incomplete"))
        );
        assert_eq!(last["response"]["incomplete_details"], value!({"reason": name}));
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
        assert_eq!(last["response"]["output"][0]["content"][0]["text"], "a");
    }
}

#[test]
fn a_stream_that_breaks_off_has_failed() {
    let events = run(&[delta(r#"{"content":"a"}"#)]);
    assert_eq!(types(&events)[5..], ["output_text.done", "content_part.done", "output_item.done", "failed"]);
    let response = &events[events.len() - 1]["response"];
    assert_eq!(response["error"], value!({"code": "server_error", "message": "The provider's stream ended early."}));
    assert_eq!((&response["status"], &response["output"][0]["status"]), (&value!("failed"), &value!("incomplete")));
    assert_eq!(types(&run(&[])), ["created", "in_progress", "failed"]);
}

#[test]
fn errors_are_flat_and_final() {
    let error = |payload: &str| {
        let events = run(&[delta(r#"{"content":"a"}"#), payload.to_owned(), delta(r#"{"content":"b"}"#), end("stop")]);
        assert_eq!(events.len(), 6);
        events[5].clone()
    };
    assert_eq!(
        error(r#"{"error":{"message":"slow \"down\"","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#),
        value!({"type": "error", "sequence_number": 5, "code": "rate_limit_exceeded", "message": "slow \"down\"", "param": null})
    );
    assert_eq!(error(r#"{"error":{"message":"m","type":"requests","param":"p","code":null}}"#)["code"], "requests");
    assert_eq!(error(r#"{"error":{"code":429}}"#)["code"], "429");
    assert_eq!(error(r#"{"error":"gone"}"#)["message"], "gone");
    for unreadable in ["{", "[]", "", r#"{"choices":[{"delta":{"content":"\ud800"}}]}"#, "{} {}"] {
        assert_eq!(error(unreadable)["code"], "invalid_answer", "{unreadable}");
    }
}

/// The stream of an answer ends with the object that the whole answer would have been.
#[test]
fn a_stream_ends_with_the_whole_response() {
    let text = |name: &str, text: &str| -> Vec<String> {
        text.chars().map(|char| delta(&value!({name: char.to_string()}).to_string())).collect()
    };
    for (reasoning, content, refusal, calls, reason) in [
        ("", "Grüße 😀\n\"x\"", "", 0, "stop"),
        ("think", "Well", "", 2, "tool_calls"),
        ("", "", "", 1, "tool_calls"),
        ("hm", "part", "no", 0, "length"),
        ("hm", "", "", 1, "length"),
        ("", "", "never", 0, "content_filter"),
        ("", "", "", 0, "stop"),
    ] {
        let mut payloads = vec![delta(r#"{"role":"assistant","content":""}"#)];
        payloads.extend(text("reasoning_content", reasoning));
        payloads.extend(text("content", content));
        payloads.extend(text("refusal", refusal));
        let list: Vec<Value> = (0..calls)
            .map(|index| value!({"id": format!("call_{index}"), "type": "function", "function": {"name": "f", "arguments": "{\"é\":1}"}}))
            .collect();
        for index in 0..calls {
            payloads.push(delta(&format!(
                r#"{{"tool_calls":[{{"index":{index},"id":"call_{index}","type":"function","function":{{"name":"f","arguments":""}}}}]}}"#
            )));
            payloads.extend("{\"é\":1}".chars().map(|char| {
                delta(
                    &value!({"tool_calls": [{"index": index, "function": {"arguments": char.to_string()}}]})
                        .to_string(),
                )
            }));
        }
        payloads.push(end(reason));
        payloads.push(USAGE.to_owned());
        let events = run(&payloads);
        let whole = value!({"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [{"index": 0, "finish_reason": reason,
            "message": {"role": "assistant", "content": content, "refusal": refusal, "reasoning_content": reasoning,
                "tool_calls": list}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
        let whole = json(&answer(whole.to_string().as_bytes(), &about("{\"tools\":[]}")).unwrap());
        assert_eq!(events[events.len() - 1]["response"], whole);
        // And with the items that were announced, each done once.
        let done = events.iter().filter(|event| event["type"] == "response.output_item.done");
        let mut items: Vec<&Value> = done.collect();
        items.sort_by_key(|event| event["output_index"].as_u64());
        let items: Vec<Value> = items.iter().map(|event| event["item"].clone()).collect();
        assert_eq!(whole["output"], Value::Array(items));
    }
}
