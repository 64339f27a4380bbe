use super::*;

fn chat(take_out_usage: bool) -> Treatment {
    Treatment { take_out_usage, ..Treatment::new(Api::Chat) }
}

fn detailed(take_out_usage: bool) -> Treatment {
    Treatment { details: Some(r#"{"a":[1]}"#.into()), ..chat(take_out_usage) }
}

fn events(take_out_usage: bool) -> Events {
    Events::new(&chat(take_out_usage))
}

/// An answer that passes as it is.
fn read_chat(body: &str) -> Result<Answer, Failure> {
    let (answer, edits) = read_answer(body.as_bytes(), &chat(true))?;
    assert_eq!(edits, []);
    Ok(answer)
}

fn usage() -> Value {
    json!({"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": null}})
}

#[test]
fn a_whole_answer() {
    let body = json!({"id": "x", "model": "gpt-5-mini-2025-08-07", "choices": [{"message": {"content": "usage"}}], "usage": usage()});
    let answer = read_chat(&body.to_string()).unwrap();
    assert_eq!(answer, Answer { model: Some("gpt-5-mini-2025-08-07".into()), usage: Some(EXPECTED) });
    let without = json!({"choices": [{}], "usage": null, "model": ""});
    assert_eq!(read_chat(&without.to_string()).unwrap(), Answer::default());
}

#[test]
fn an_error_in_place_of_an_answer_gets_its_status_back() {
    for (error, status) in [
        (json!({"code": "rate_limit_exceeded", "type": "tokens"}), 429),
        (json!({"code": "RateLimitReached"}), 429),
        (json!({"code": "429"}), 429),
        (json!({"code": 529}), 529),
        (json!({"type": "invalid_request_error", "code": null}), 400),
        (json!({"type": "invalid_request_error", "code": "invalid_api_key"}), 401),
        (json!({"type": "invalid_request_error", "code": "model_not_found"}), 404),
        (json!({"code": "DeploymentNotFound"}), 404),
        (json!({"type": "server_error"}), 503),
        (json!("sorry"), 503),
        (json!({}), 503),
    ] {
        let failure = read_chat(&json!({"error": error}).to_string()).unwrap_err();
        assert_eq!((failure.status, failure.result), (status, "error_in_200"), "{error}");
        assert_eq!(value(&failure.body.unwrap()), json!({"error": error}));
    }
    for broken in ["", "{", "{\"model\":\"x\"", "[]", "<html>"] {
        assert_eq!(read_chat(broken).unwrap_err().result, "malformed");
    }
}

/// A stream as OpenAI sends it when usage was asked for.
fn stream(newline: &str) -> String {
    let chunk =
        |delta: Value| json!({"id": "c", "model": "gpt-x", "choices": [{"index": 0, "delta": delta}], "usage": null});
    let first = json!({"id": "", "model": "", "choices": [], "prompt_filter_results": [], "usage": null});
    let events = [first, chunk(json!({"role": "assistant"})), chunk(json!({"content": "\"usage\":{} ü\n\n"}))];
    let last = json!({"model": "gpt-x", "choices": [], "usage": usage()});
    let mut text = format!(": keep-alive{newline}{newline}");
    for event in events.iter().chain([&last]) {
        text += &format!("data: {event}{newline}{newline}");
    }
    text + &format!("data: [DONE]{newline}{newline}")
}

/// The same stream as a client sees it who did not ask for usage: an oracle that works on whole lines of a whole text.
fn without_usage(stream: &str) -> String {
    let mut expected = String::new();
    for event in stream.split_inclusive("\n\n").flat_map(|event| event.split_inclusive("\r\n\r\n")) {
        match event.strip_prefix("data: {") {
            Some(_) if event.contains("\"prompt_tokens\"") => {}
            Some(_) => expected += &event.replace(",\"usage\":null", "").replace("\"usage\":null,", ""),
            None => expected += event,
        }
    }
    expected
}

#[test]
fn every_two_way_split_gives_the_same_stream_and_accounts() {
    for newline in ["\n", "\r\n"] {
        let text = stream(newline);
        for (take_out, expected) in [(false, text.clone()), (true, without_usage(&text))] {
            assert_eq!(expected.contains("prompt_tokens"), !take_out);
            for split in 0..=text.len() {
                let mut events = events(take_out);
                let (head, tail) = text.as_bytes().split_at(split);
                let seen = run(&mut events, &[head, tail]);
                assert_eq!(String::from_utf8(seen).unwrap(), expected, "split at {split}");
                assert_eq!(events.answer(), &Answer { model: Some("gpt-x".into()), usage: Some(EXPECTED) });
                assert!(events.is_done());
                assert_eq!(events.first(), &First::Good);
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(String::from_utf8(run(&mut events(take_out), &bytes)).unwrap(), expected);
        }
    }
}

#[test]
fn the_first_event_decides() {
    let first = |text: &str| first(&chat(false), text);
    assert_eq!(first(": ping\n\n"), First::Waiting);
    assert_eq!(first("data: {\"choices\":[],\"model\":\"\"}\n\n"), First::Waiting);
    assert_eq!(first("data: {\"choices\":[{}]}\n\n"), First::Good);
    assert_eq!(first("data: {\"choices\":[{}]}\n"), First::Waiting);
    let failed = |text: &str| {
        let failure = failure(&chat(false), text);
        (failure.status, failure.result)
    };
    assert_eq!(failed("data: {\"error\":{\"code\":\"rate_limit_exceeded\"}}\n\n"), (429, "error_in_200"));
    assert_eq!(failed("data: {\"choices\":[],\n\n"), (502, "malformed"));
    let mut silent = events(false);
    silent.push(b": ping\n\n");
    silent.finish();
    assert!(matches!(silent.first(), First::Failed(failure) if failure.result == "empty_stream"));
}

#[test]
fn a_later_error_does_not_unmake_the_first_event() {
    let mut events = events(true);
    let text = "data: {\"choices\":[{}]}\n\ndata: {\"error\":{\"code\":\"x\"}}\n\n";
    assert_eq!(run(&mut events, &[text.as_bytes()]), text.as_bytes());
    assert_eq!(events.first(), &First::Good);
    assert!(!events.is_done());
}

#[test]
fn usage_is_cut_wherever_it_stands() {
    for (event, expected) in [
        (r#"{"usage":null,"choices":[{}]}"#, r#"{"choices":[{}]}"#),
        (r#"{"choices":[{}], "usage" : null}"#, r#"{"choices":[{}]}"#),
        (r#"{"id":1,"usage":null,"choices":[{}]}"#, r#"{"id":1,"choices":[{}]}"#),
        (r#"{"usage":null}"#, r#"{}"#),
        (r#"{"choices":[{"usage":null}]}"#, r#"{"choices":[{"usage":null}]}"#),
        (r#"{"choices":[{}],"usage":{"prompt_tokens":1}}"#, r#"{"choices":[{}]}"#),
    ] {
        let seen = run(&mut events(true), &[format!("data:{event}\n\ndata: [DONE]\n\n").as_bytes()]);
        assert_eq!(String::from_utf8(seen).unwrap(), format!("data:{expected}\n\ndata: [DONE]\n\n"));
    }
}

#[test]
fn embeddings_are_an_answer_without_output() {
    let body = json!({"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, -2e-3]}]});
    let answer = read_chat(&body.to_string()).unwrap();
    let usage = Usage { input: 8, ..Usage::default() };
    assert_eq!(answer, Answer { model: Some("text-embedding-3-small".into()), usage: Some(usage) });
}

#[test]
fn details_go_to_the_start_of_a_whole_answer() {
    let edited = |body: &str| {
        let (_, edits) = read_answer(body.as_bytes(), &detailed(true)).unwrap();
        String::from_utf8(crate::edit::apply(body.as_bytes(), &edits)).unwrap()
    };
    assert_eq!(edited(r#" { "id":1}"#), r#" {"model_selection_details":{"a":[1]}, "id":1}"#);
    assert_eq!(edited("{}"), r#"{"model_selection_details":{"a":[1]}}"#);
    for there_already in [r#"{"model_selection_details":null}"#, r#"{"id":1,"model_selection_details":{"b":2}}"#] {
        assert_eq!(edited(there_already), there_already);
    }
    assert!(read_answer(br#"{"error":{}}"#, &detailed(false)).is_err());
}

#[test]
fn details_go_into_the_first_event_with_a_choice() {
    const DETAILS: &str = r#""model_selection_details":{"a":[1]},"#;
    for newline in ["\n", "\r\n"] {
        for take_out in [false, true] {
            let text = stream(newline);
            let mut expected = if take_out { without_usage(&text) } else { text.clone() };
            let choice = expected.find("\"choices\":[{").unwrap();
            let inside = expected[..choice].rfind("data: {").unwrap() + "data: {".len();
            expected.insert_str(inside, DETAILS);
            assert!(expected.contains(DETAILS));
            assert_eq!(run_text(&detailed(take_out), &text), expected);
            for split in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(split);
                let seen = run(&mut Events::new(&detailed(take_out)), &[head, tail]);
                assert_eq!(String::from_utf8(seen).unwrap(), expected, "split at {split}");
            }
        }
    }
    let both = "data: {\"usage\":null,\"choices\":[{}]}\n\n";
    let seen = run_text(&detailed(true), &format!("{both}data: [DONE]\n\n"));
    assert_eq!(seen, format!("data: {{{DETAILS}\"choices\":[{{}}]}}\n\ndata: [DONE]\n\n"));
}

#[test]
fn what_needs_no_change_passes_where_it_lies() {
    let mut events = Events::new(&Treatment { mark: Some("mr_".into()), ..chat(false) });
    assert_eq!(events.push(stream("\n").as_bytes()), None);
    assert_eq!(events.finish(), b"");
}
