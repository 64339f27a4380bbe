use super::*;
use crate::edit::apply;
use crate::origin::{Origin, place};

const DETAILS: &str = r#"{"model_router_details":{"mode":"cost"}}"#;

fn origin() -> Origin {
    Origin::new("openai", "gpt-5-mini")
}

fn responses() -> Treatment {
    Treatment::new(Api::Responses)
}

fn marking() -> Treatment {
    Treatment { mark: Some(origin().mark()), ..responses() }
}

fn full() -> Treatment {
    Treatment { details: Some(DETAILS.into()), ..marking() }
}

fn existing() -> Treatment {
    Treatment { existing: true, ..responses() }
}

fn usage() -> Value {
    json!({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3},
        "output_tokens": 40, "output_tokens_details": {"reasoning_tokens": 30}, "total_tokens": 140})
}

fn items() -> Value {
    json!([
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAAB_x"},
        {"id": "msg_1", "type": "message", "content": [
            {"id": "part_1", "type": "output_text", "text": "\"id\":\"resp_1\" ü\n", "annotations": [{"file_id": "file_1", "id": "a_1"}]},
        ]},
        {"id": "fc_1", "type": "function_call", "call_id": "call_1", "arguments": "{\"id\":\"x_1\"}"},
        {"id": "", "type": "item_without_id"},
        "no item",
    ])
}

fn response(status: &str) -> Value {
    let finished = status != "in_progress";
    json!({
        "id": "resp_68a1", "object": "response", "status": status, "model": "gpt-x", "error": null,
        "previous_response_id": "resp_67", "conversation": {"id": "conv_1"},
        "output": if finished { items() } else { json!([]) }, "usage": if finished { usage() } else { Value::Null },
        "tools": [{"id": "tool_1", "item_id": "x_1", "encrypted_content": "x"}], "prompt": {"id": "pmpt_1"},
        "metadata": {"id": "meta_1"}, "background": false,
    })
}

fn payloads() -> Vec<Value> {
    vec![
        json!({"type": "response.created", "sequence_number": 0, "response": response("in_progress")}),
        json!({"type": "response.in_progress", "sequence_number": 1, "response": response("in_progress")}),
        json!({"type": "response.output_item.added", "item": items()[0], "output_index": 0}),
        json!({"type": "response.content_part.added", "item_id": "msg_1", "part": {"id": "part_1", "item_id": "x_1"}}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "\"item_id\":\"msg_1\" ü", "logprobs": []}),
        json!({"type": "response.output_text.delta", "item_id": 7, "delta": ""}),
        json!({"type": "keepalive", "sequence_number": 4}),
        json!({"type": "of.a.later.version", "item": "none", "response": null, "id": "ev_1"}),
        json!({"type": "response.output_item.done", "item": items()[2], "output_index": 0}),
        json!({"type": "response.completed", "response": response("completed")}),
    ]
}

fn event(newline: &str, payload: &Value) -> String {
    let name = payload["type"].as_str().unwrap();
    format!("event: {name}{newline}data: {payload}{newline}{newline}")
}

fn stream(newline: &str) -> String {
    let events: String = payloads().iter().map(|payload| event(newline, payload)).collect();
    format!(": hello{newline}{newline}{events}")
}

/// The oracle: what a tree looks like with marks and details.
mod oracle {
    use super::*;

    fn mark(id: &mut Value) {
        if let Some(text) = id.as_str().filter(|text| !text.is_empty() && Origin::of(text.as_bytes()).is_none()) {
            let (kind, rest) = text.split_at(place(text.as_bytes()));
            *id = format!("{kind}{}{rest}", origin().mark()).into();
        }
    }

    fn members(object: &mut Value, names: &[&str]) {
        names.iter().for_each(|name| _ = object.get_mut(name).map(mark));
    }

    fn item(item: &mut Value) {
        members(item, &["id", "encrypted_content"]);
    }

    pub fn answer(answer: &mut Value) {
        members(answer, &["id", "previous_response_id", "first_id", "last_id", "conversation"]);
        answer.get_mut("conversation").into_iter().for_each(|conversation| members(conversation, &["id"]));
        for list in ["output", "data"] {
            answer.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(item);
        }
    }

    pub fn event(event: &mut Value) {
        members(event, &["item_id"]);
        event.get_mut("item").into_iter().for_each(item);
        if let Some(response) = event.get_mut("response").filter(|response| response.is_object()) {
            answer(response);
            response["model_selection_details"] = value(DETAILS.as_bytes());
        }
    }
}

/// What was put in comes out again by name, and nothing else has changed.
fn undone(text: &str) -> String {
    text.replace(&origin().mark(), "").replace(&format!("\"model_selection_details\":{DETAILS},"), "")
}

#[test]
fn every_split_gives_the_same_stream_marks_details_and_accounts() {
    for newline in ["\n", "\r\n"] {
        let text = stream(newline);
        let whole = run_text(&full(), &text);
        assert_eq!(undone(&whole), text);
        let data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
        for (seen, mut expected) in data.map(|data| value(data.as_bytes())).zip(payloads()) {
            oracle::event(&mut expected);
            assert_eq!(seen, expected);
        }
        let check = |chunks: &[&[u8]]| {
            for (treatment, expected) in [(full(), &whole), (responses(), &text)] {
                let mut events = Events::new(&treatment);
                assert_eq!(String::from_utf8(run(&mut events, chunks)).unwrap(), *expected);
                assert_eq!(events.answer(), &Answer { model: Some("gpt-x".into()), usage: Some(EXPECTED) });
                assert!(events.is_done() && *events.first() == First::Good);
            }
        };
        for split in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(split);
            check(&[head, tail]);
        }
        check(&text.as_bytes().chunks(1).collect::<Vec<_>>());
    }
}

#[test]
fn a_stream_without_treatment_passes_where_it_lies() {
    let mut events = Events::new(&Treatment { take_out_usage: true, ..responses() });
    assert_eq!(events.push(stream("\n").as_bytes()), None);
    assert_eq!(events.finish(), b"");
}

#[test]
fn whole_answers_are_marked_and_nothing_else_changes() {
    let mut by_name = response("completed");
    by_name["conversation"] = "conv_2".into();
    by_name["previous_response_id"] = Value::Null;
    let list = json!({"object": "list", "data": items(), "first_id": "rs_1", "last_id": "fc_1", "has_more": false});
    let deleted = json!({"id": "resp_1", "object": "response.deleted", "deleted": true});
    let compacted = json!({"id": "resp_1", "object": "response.compaction",
        "output": [{"id": "cmp_1", "type": "compaction", "encrypted_content": "gAAAA"}]});
    for answer in [response("completed"), response("incomplete"), by_name, list, deleted, compacted] {
        for text in [answer.to_string(), serde_json::to_string_pretty(&answer).unwrap()] {
            let (read, edits) = read_answer(text.as_bytes(), &marking()).unwrap();
            let seen = String::from_utf8(apply(text.as_bytes(), &edits)).unwrap();
            assert_eq!(undone(&seen), text);
            let mut expected = answer.clone();
            oracle::answer(&mut expected);
            assert_eq!(value(seen.as_bytes()), expected);
            if answer.get("usage").is_some() {
                assert_eq!(read, Answer { model: Some("gpt-x".into()), usage: Some(EXPECTED) });
            }
            assert_eq!(read_answer(text.as_bytes(), &responses()).unwrap().1, []);
            // What bears marks is of a router behind this one: it gets its own above these, which comes off first.
            let (_, edits) = read_answer(seen.as_bytes(), &marking()).unwrap();
            let twice = String::from_utf8(apply(seen.as_bytes(), &edits)).unwrap();
            let count = |text: &str| text.matches(&origin().mark()).count();
            assert_eq!(count(&twice), 2 * count(&seen));
        }
    }
}

#[test]
fn marks_come_off_again() {
    for id in ["resp_68a1", "gAAAAB_x=", "x", r"a\u005fb", "résp_1"] {
        let body = format!("{{ \"id\" : \"{id}\" }}");
        let (_, edits) = read_answer(body.as_bytes(), &marking()).unwrap();
        let seen = value(&apply(body.as_bytes(), &edits));
        let seen = seen["id"].as_str().unwrap();
        let (found, mark) = Origin::of(seen.as_bytes()).unwrap();
        assert_eq!(found, origin());
        let original = value(body.as_bytes());
        assert_eq!([&seen[..mark.start], &seen[mark.end..]].concat(), original["id"]);
    }
}

#[test]
fn details_go_in_once() {
    let treatment = Treatment { details: Some("1".into()), ..responses() };
    let edited = |body: &str| {
        let (_, edits) = read_answer(body.as_bytes(), &treatment).unwrap();
        String::from_utf8(apply(body.as_bytes(), &edits)).unwrap()
    };
    assert_eq!(edited(r#"{"id":"r"}"#), r#"{"model_selection_details":1,"id":"r"}"#);
    assert_eq!(edited(" { }"), r#" {"model_selection_details":1 }"#);
    assert_eq!(edited(r#"{"model_selection_details":2}"#), r#"{"model_selection_details":2}"#);
    for (payload, expected) in [
        (r#"{"type":"a","response":{}}"#, r#"{"type":"a","response":{"model_selection_details":1}}"#),
        (r#"{"response":{"model_selection_details":2}}"#, r#"{"response":{"model_selection_details":2}}"#),
        (r#"{"item":{"id":"a"},"response":[]}"#, r#"{"item":{"id":"a"},"response":[]}"#),
    ] {
        let end = r#"data: {"type":"response.completed"}"#;
        let seen = run_text(&treatment, &format!("data:{payload}\n\n{end}\n\n"));
        assert_eq!(seen, format!("data:{expected}\n\n{end}\n\n"));
    }
}

#[test]
fn an_opening_event_leaves_the_judgement_open() {
    let opening = |name: &str, background: bool| {
        event("\n", &json!({"type": name, "response": {"id": "resp_1", "background": background}}))
    };
    for name in ["response.created", "response.in_progress", "response.queued"] {
        assert_eq!(first(&responses(), &opening(name, false)), First::Waiting);
        assert_eq!(first(&responses(), &opening(name, true)), First::Good);
        assert_eq!(first(&existing(), &opening(name, false)), First::Good);
    }
    for name in ["response.output_item.added", "response.incomplete", "response.completed", "of.a.later.version"] {
        assert_eq!(first(&responses(), &event("\n", &json!({"type": name}))), First::Good);
    }
    assert_eq!(first(&responses(), ": ping\n\ndata: {}\n\n"), First::Waiting);
    let mut silent = Events::new(&responses());
    run(&mut silent, &[opening("response.created", false).as_bytes(), b"data: [DONE]\n\n"]);
    assert!(matches!(silent.first(), First::Failed(failure) if failure.result == "empty_stream"));
}

#[test]
fn an_error_in_a_stream_gets_its_status_and_envelope_back() {
    let failed = |error: Value| json!({"type": "response.failed", "response": {"status": "failed", "error": error}});
    let envelope = |kind: &str, code: Value, param: Value| json!({"error": {"message": "m", "type": kind, "param": param, "code": code}});
    let nested = json!({"type": "tokens", "code": "rate_limit_exceeded", "message": "m", "more": {}});
    let cases = [
        (
            json!({"type": "error", "code": "rate_limit_exceeded", "message": "m", "param": "p", "sequence_number": 1}),
            429,
            envelope("invalid_request_error", "rate_limit_exceeded".into(), "p".into()),
        ),
        (
            json!({"type": "error", "code": null, "message": "m", "param": null}),
            503,
            envelope("server_error", Value::Null, Value::Null),
        ),
        (json!({"type": "error", "error": nested}), 429, json!({"error": nested})),
        (
            failed(json!({"code": "server_error", "message": "m"})),
            503,
            envelope("server_error", "server_error".into(), Value::Null),
        ),
        (
            failed(json!({"code": "invalid_prompt", "message": "m"})),
            400,
            envelope("invalid_request_error", "invalid_prompt".into(), Value::Null),
        ),
        (failed(json!("m")), 503, envelope("server_error", Value::Null, Value::Null)),
    ];
    let created = event("\n", &payloads()[0]);
    for (payload, status, body) in cases {
        for before in ["", &created] {
            let text = format!("{before}{}", event("\n", &payload));
            let failure = failure(&full(), &text);
            assert_eq!((failure.status, failure.result), (status, "error_in_200"), "{payload}");
            assert_eq!(value(&failure.body.unwrap()), body);
        }
        // After the first content it passes.
        let text = format!("{created}{}{}", event("\n", &payloads()[4]), event("\n", &payload));
        assert_eq!(first(&full(), &text), First::Good);
        assert_eq!(undone(&run_text(&full(), &text)), text);
    }
    let unnamed = failure(&responses(), "data: {\"error\":{\"code\":\"429\"}}\n\n");
    assert_eq!((unnamed.status, unnamed.body.unwrap()), (429, br#"{"error":{"code":"429"}}"#.to_vec()));
    assert_eq!(failure(&responses(), &event("\n", &failed(Value::Null))).status, 503);
    assert_eq!(first(&existing(), &event("\n", &failed(json!({"code": "server_error"})))), First::Good);
    assert_eq!(failure(&responses(), "data: {\"type\":\n\n").result, "malformed");
}

#[test]
fn a_whole_error_gets_its_status_back() {
    let read = |body: &Value, treatment: &Treatment| read_answer(body.to_string().as_bytes(), treatment);
    let failed = json!({"id": "resp_1", "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "m"}});
    let failure = read(&failed, &full()).unwrap_err();
    assert_eq!((failure.status, failure.result), (429, "error_in_200"));
    assert_eq!(
        value(&failure.body.unwrap()),
        json!({"error": {"message": "m", "type": "invalid_request_error", "param": null, "code": "rate_limit_exceeded"}})
    );
    assert!(read(&failed, &existing()).is_ok());
    let envelope = json!({"error": {"code": "content_filter", "innererror": {}}});
    for treatment in [responses(), existing()] {
        let failure = read(&envelope, &treatment).unwrap_err();
        assert_eq!((failure.status, value(&failure.body.unwrap())), (400, envelope.clone()));
    }
    assert!(read(&json!({"status": "cancelled", "error": {"code": "x"}}), &full()).is_ok());
    for broken in ["", "{", "[]", "{\"id\":\"x\"} x", "{\"output\":[{]}"] {
        assert_eq!(read_answer(broken.as_bytes(), &full()).unwrap_err().result, "malformed");
    }
}
