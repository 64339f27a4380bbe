use super::stream::{Events, First};
use super::*;
use serde_json::json;

fn usage() -> serde_json::Value {
    json!({"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": null}})
}

const EXPECTED: Usage = Usage { input: 100, cached_input: 64, cache_write: 3, output: 40, reasoning: 30 };

#[test]
fn a_whole_answer() {
    let body = json!({"id": "x", "model": "gpt-5-mini-2025-08-07", "choices": [{"message": {"content": "usage"}}], "usage": usage()});
    let answer = read_answer(body.to_string().as_bytes()).unwrap();
    assert_eq!(answer, Answer { model: Some("gpt-5-mini-2025-08-07".into()), usage: Some(EXPECTED) });
    let without = json!({"choices": [{}], "usage": null, "model": ""});
    assert_eq!(read_answer(without.to_string().as_bytes()).unwrap(), Answer::default());
}

#[test]
fn an_error_in_place_of_an_answer_gets_its_status_back() {
    for (error, status) in [
        (json!({"code": "rate_limit_exceeded", "type": "tokens"}), 429),
        (json!({"code": "RateLimitReached"}), 429),
        (json!({"code": "429"}), 429),
        (json!({"code": 529}), 529),
        (json!({"type": "invalid_request_error", "code": null}), 400),
        (json!({"type": "server_error"}), 503),
        (json!("sorry"), 503),
        (json!({}), 503),
    ] {
        let failure = read_answer(json!({"error": error}).to_string().as_bytes()).unwrap_err();
        assert_eq!((failure.status, failure.result), (status, "error_in_200"), "{error}");
        let body: serde_json::Value = serde_json::from_slice(&failure.body.unwrap()).unwrap();
        assert_eq!(body, json!({"error": error}));
    }
    for broken in ["", "{", "{\"model\":\"x\"", "[]", "<html>"] {
        assert_eq!(read_answer(broken.as_bytes()).unwrap_err().result, "malformed");
    }
}

/// A stream as OpenAI sends it when usage was asked for.
fn stream(newline: &str) -> String {
    let chunk = |delta: serde_json::Value| json!({"id": "c", "model": "gpt-x", "choices": [{"index": 0, "delta": delta}], "usage": null});
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

fn run(events: &mut Events, chunks: &[&[u8]]) -> Vec<u8> {
    let mut seen = Vec::new();
    for chunk in chunks {
        match events.push(chunk) {
            Some(passed) => seen.extend_from_slice(passed),
            None => seen.extend_from_slice(chunk),
        }
    }
    seen.extend_from_slice(events.finish());
    seen
}

#[test]
fn every_two_way_split_gives_the_same_stream_and_accounts() {
    for newline in ["\n", "\r\n"] {
        let text = stream(newline);
        for (take_out, expected) in [(false, text.clone()), (true, without_usage(&text))] {
            assert_eq!(expected.contains("prompt_tokens"), !take_out);
            for split in 0..=text.len() {
                let mut events = Events::new(take_out);
                let (head, tail) = text.as_bytes().split_at(split);
                let seen = run(&mut events, &[head, tail]);
                assert_eq!(String::from_utf8(seen).unwrap(), expected, "split at {split}");
                assert_eq!(events.answer(), &Answer { model: Some("gpt-x".into()), usage: Some(EXPECTED) });
                assert!(events.is_done());
                assert_eq!(events.first(), &First::Good);
            }
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(String::from_utf8(run(&mut Events::new(take_out), &bytes)).unwrap(), expected);
        }
    }
}

#[test]
fn the_first_event_decides() {
    let first = |text: &str| {
        let mut events = Events::new(false);
        events.push(text.as_bytes());
        events.first().clone()
    };
    assert_eq!(first(": ping\n\n"), First::Waiting);
    assert_eq!(first("data: {\"choices\":[],\"model\":\"\"}\n\n"), First::Waiting);
    assert_eq!(first("data: {\"choices\":[{}]}\n\n"), First::Good);
    assert_eq!(first("data: {\"choices\":[{}]}\n"), First::Waiting);
    let failed = |text| match first(text) {
        First::Failed(failure) => (failure.status, failure.result),
        other => panic!("{other:?}"),
    };
    assert_eq!(failed("data: {\"error\":{\"code\":\"rate_limit_exceeded\"}}\n\n"), (429, "error_in_200"));
    assert_eq!(failed("data: {\"choices\":[],\n\n"), (502, "malformed"));
    let mut silent = Events::new(false);
    silent.push(b": ping\n\n");
    silent.finish();
    assert!(matches!(silent.first(), First::Failed(failure) if failure.result == "empty_stream"));
}

#[test]
fn a_later_error_does_not_unmake_the_first_event() {
    let mut events = Events::new(true);
    let text = "data: {\"choices\":[{}]}\n\ndata: {\"error\":{\"code\":\"x\"}}\n\n";
    assert_eq!(run(&mut events, &[text.as_bytes()]), text.as_bytes());
    assert_eq!(events.first(), &First::Good);
    assert!(!events.is_done());
}

#[test]
fn an_event_without_end_passes_in_bounded_memory() {
    for take_out in [false, true] {
        let mut events = Events::new(take_out);
        let chunk = vec![b'x'; 60_000];
        let chunks: Vec<&[u8]> = std::iter::repeat_n(chunk.as_slice(), 40).collect();
        let seen = run(&mut events, &chunks);
        assert_eq!(seen.len(), 40 * 60_000);
        assert_eq!(events.first(), &First::Good);
    }
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
        let seen = run(&mut Events::new(true), &[format!("data:{event}\n\n").as_bytes()]);
        assert_eq!(String::from_utf8(seen).unwrap(), format!("data:{expected}\n\n"));
    }
}
