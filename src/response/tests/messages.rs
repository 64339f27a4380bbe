use super::super::refusal;
use super::super::stream::Broken;
use super::*;

fn native() -> Treatment {
    Treatment::new(Api::Messages)
}

fn detailed() -> Treatment {
    Treatment { details: Some(r#"{"a":[1]}"#.into()), ..native() }
}

fn to_chat() -> Treatment {
    Treatment { about: Some(About::chat(true, 7, "m")), ..native() }
}

fn to_responses(wire: Api) -> Treatment {
    Treatment { about: Some(About::new(b"{}", &Default::default(), String::new(), 7, "m")), ..Treatment::new(wire) }
}

/// What an answer took that wrote to the prompt cache for an hour too.
const KEPT: crate::decide::cost::Usage = crate::decide::cost::Usage { cache_write_1h: 2, ..EXPECTED };
const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-x\",\"content\":[],\"usage\":{\"input_tokens\":33,\"cache_read_input_tokens\":64,\"cache_creation_input_tokens\":3,\"cache_creation\":{\"ephemeral_5m_input_tokens\":1,\"ephemeral_1h_input_tokens\":2},\"output_tokens\":1}}}\n\n";
const PING: &str = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const TEXT: &str = "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hé\"}}\r\n\r\n";
const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":40,\"output_tokens_details\":{\"thinking_tokens\":30}}}\n\n";
const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn stream() -> String {
    [START, PING, BLOCK, TEXT, PING, END, STOP].concat()
}

fn error(kind: &str, message: &str) -> String {
    let error = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"});
    format!("event: error\ndata: {error}\n\n")
}

#[test]
fn a_stream_passes_and_is_accounted_however_it_is_cut() {
    let text = stream();
    let expected = Answer { model: Some("claude-x".into()), usage: Some(KEPT) };
    for treatment in [native(), detailed(), to_chat(), to_responses(Api::Messages)] {
        let whole = run(&mut Events::new(&treatment), &[text.as_bytes()]);
        assert_eq!(treatment == native(), whole == text.as_bytes());
        for cut in 0..=text.len() {
            let (before, after) = text.as_bytes().split_at(cut);
            let mut events = Events::new(&treatment);
            assert_eq!(run(&mut events, &[before, after]), whole, "{cut}");
            assert_eq!((events.first(), events.answer(), events.broken()), (&First::Good, &expected, None));
            assert!(events.is_done());
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(run(&mut Events::new(&treatment), &bytes), whole);
    }
}

#[test]
fn a_whole_answer() {
    let body = r#"{"id":"msg_1","type":"message","model":"claude-x","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn",
        "usage":{"input_tokens":33,"cache_read_input_tokens":64,"cache_creation_input_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":2},"output_tokens":40,"output_tokens_details":{"thinking_tokens":30}}}"#;
    let expected = Answer { model: Some("claude-x".into()), usage: Some(KEPT) };
    assert_eq!(read_answer(body.as_bytes(), &native()), Ok((expected.clone(), Vec::new())));
    let (answer, edits) = read_answer(body.as_bytes(), &detailed()).unwrap();
    let edited = crate::edit::apply(body.as_bytes(), &edits);
    assert_eq!(edited, format!("{{\"model_selection_details\":{{\"a\":[1]}},{}", &body[1..]).into_bytes());
    assert_eq!(answer, expected);
    let treatment = Treatment { details: Some("{}".into()), ..to_chat() };
    let (answer, edits) = read_answer(body.as_bytes(), &treatment).unwrap();
    let translated = value(&crate::edit::apply(body.as_bytes(), &edits));
    assert_eq!(answer, expected);
    assert_eq!(
        (&translated["object"], &translated["model_selection_details"]),
        (&json!("chat.completion"), &json!({}))
    );
    // A count of tokens.
    assert_eq!(read_answer(br#"{"input_tokens":9}"#, &native()), Ok((Answer::default(), Vec::new())));
    for broken in ["", "{", "[]", "<html>"] {
        for treatment in [native(), detailed(), to_chat()] {
            assert_eq!(read_answer(broken.as_bytes(), &treatment).unwrap_err().result, "malformed");
        }
    }
}

#[test]
fn details_go_into_the_message() {
    let text = run_text(&detailed(), &stream());
    let expected = stream().replace("\"message\":{", "\"message\":{\"model_selection_details\":{\"a\":[1]},");
    assert_eq!(text, expected);
    let has = START.replace("\"id\"", "\"model_selection_details\":{},\"id\"");
    assert_eq!(run_text(&detailed(), &has), has);
}

#[test]
fn an_error_may_come_until_the_first_block() {
    for treatment in [native(), to_chat(), to_responses(Api::Messages)] {
        assert_eq!(first(&treatment, &[START, PING].concat()), First::Waiting);
        for good in [BLOCK, END, STOP] {
            assert_eq!(first(&treatment, &[START, good].concat()), First::Good);
        }
        for (kind, message, status) in [
            ("overloaded_error", "m", 503),
            ("api_error", "m", 503),
            ("rate_limit_error", "m", 429),
            ("invalid_request_error", "m", 400),
            ("authentication_error", "m", 401),
            ("permission_error", "m", 403),
            ("not_found_error", "m", 404),
            ("request_too_large", "m", 413),
            ("invalid_request_error", "prompt is too long", 400),
        ] {
            for before in ["", START] {
                let failure = failure(&treatment, &[before, &error(kind, message)].concat());
                assert_eq!((failure.status, failure.result), (status, "error_in_200"));
                let body = value(&failure.body.unwrap());
                if treatment == native() {
                    assert_eq!(
                        body,
                        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"})
                    );
                } else {
                    assert_eq!((&body["error"]["message"], &body["error"]["param"]), (&json!(message), &Value::Null));
                }
            }
        }
        assert_eq!(failure(&treatment, "data: {\n\n").result, "malformed");
        let mut events = Events::new(&treatment);
        run(&mut events, &[START.as_bytes()]);
        assert!(matches!(events.first(), First::Failed(failure) if failure.result == "empty_stream"));
    }
    let proxy = failure(&native(), "data: {\"error\":{\"message\":\"gone\"}}\n\n");
    assert_eq!(
        value(&proxy.body.unwrap()),
        json!({"type": "error", "error": {"type": "api_error", "message": "gone"}})
    );
}

#[test]
fn a_failure_has_the_shape_of_the_clients_api() {
    let failure = Failure::without_body("malformed");
    let body = |api| value(&failure.body_for(api));
    let message = "The provider's answer could not be read.";
    assert_eq!(body(Api::Messages), json!({"type": "error", "error": {"type": "api_error", "message": message}}));
    let openai =
        json!({"error": {"message": message, "type": "server_error", "param": null, "code": "invalid_answer"}});
    assert_eq!((body(Api::Chat), body(Api::Responses)), (openai.clone(), openai));
}

#[test]
fn what_breaks_a_stream_is_told_once() {
    let chat = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let chat_end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let responses = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    let good = [START, BLOCK].concat();
    let unreadable = "data: {\n\n";
    for (treatment, begin, fault, end) in [
        (native(), good.as_str(), error("api_error", "m"), STOP),
        (detailed(), &good, error("api_error", "m"), STOP),
        (to_chat(), &good, error("api_error", "m"), STOP),
        (to_responses(Api::Messages), &good, error("api_error", "m"), &[END, STOP].concat()),
        (to_responses(Api::Chat), chat, "data: {\"error\":{}}\n\n".into(), &[chat_end, "data: [DONE]\n\n"].concat()),
        (Treatment::new(Api::Chat), chat, "data: {\"error\":{}}\n\n".into(), "data: [DONE]\n\n"),
        (
            Treatment::new(Api::Responses),
            responses,
            "data: {\"type\":\"error\"}\n\n".into(),
            "data: {\"type\":\"response.completed\",\"response\":{}}\n\n",
        ),
    ] {
        let broken = |parts: &[&str]| {
            let mut events = Events::new(&treatment);
            run(&mut events, &[parts.concat().as_bytes()]);
            assert_eq!(events.first(), &First::Good);
            events.broken()
        };
        assert_eq!(broken(&[begin, end]), None, "{treatment:?}");
        assert_eq!(broken(&[begin]), Some(Broken::Incomplete));
        assert_eq!(broken(&[begin, unreadable, &fault]), Some(Broken::Malformed));
        assert_eq!(broken(&[begin, &fault, unreadable, end]), Some(Broken::Error));
    }
    assert_eq!(
        [Broken::Malformed, Broken::Error, Broken::Incomplete].map(Broken::code),
        ["malformed", "error", "incomplete"]
    );
    let mut other = Events::new(&Treatment::new(Api::Other));
    run(&mut other, &[b"data: {}\n\n"]);
    assert_eq!((other.first(), other.broken()), (&First::Good, None));
}

#[test]
fn an_event_that_is_too_long_ends_a_translated_stream() {
    let long = format!("data: {{\"type\":\"ping\",\"x\":\"{}\"}}\n\n", "x".repeat(stream::MAX_EVENT));
    let text = [START, BLOCK, &long, TEXT, END, STOP].concat();
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(1 << 20).collect();
    for chunks in [vec![text.as_bytes()], pieces] {
        let mut events = Events::new(&to_chat());
        let seen = String::from_utf8(run(&mut events, &chunks)).unwrap();
        assert!(seen.len() < 1000 && seen.contains("invalid_answer") && !seen.contains("[DONE]"), "{}", seen.len());
        assert_eq!(events.broken(), Some(Broken::Malformed));
    }
}

#[test]
fn refusals_in_the_words_of_openai() {
    let body = |sent: &str, status| value(&refusal::body(Some(sent.as_bytes()), status, Api::Chat))["error"].clone();
    let sent = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "m \"q\""}}).to_string();
    for (kind, status, expected, code) in [
        ("invalid_request_error", 400, "invalid_request_error", "invalid_request_error"),
        ("authentication_error", 401, "invalid_request_error", "invalid_api_key"),
        ("not_found_error", 404, "invalid_request_error", "model_not_found"),
        ("rate_limit_error", 429, "requests", "rate_limit_exceeded"),
        ("api_error", 500, "server_error", "api_error"),
        ("overloaded_error", 529, "server_error", "server_overloaded"),
    ] {
        assert_eq!(
            body(&sent(kind), status),
            json!({"message": "m \"q\"", "type": expected, "param": null, "code": code})
        );
    }
    // Vertex, Bedrock, and what is no error at all.
    assert_eq!(
        body(r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}"#, 429),
        json!({"message": "m", "type": "requests", "param": null, "code": "rate_limit_exceeded"})
    );
    assert_eq!(
        body(r#"{"message":"m"}"#, 400),
        json!({"message": "m", "type": "invalid_request_error", "param": null, "code": "invalid_request_error"})
    );
    for nothing in ["", "<html>", "{}", "[]", "{\"error\":{\"type\":\"x\"}} x", "\u{0}"] {
        let error = body(nothing, 503);
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("server_error"), &json!("server_overloaded")),
            "{nothing}"
        );
    }
    assert_eq!(value(&refusal::body(None, 500, Api::Chat))["error"]["code"], "provider_error");
    assert_eq!((refusal::status(529, Api::Chat), refusal::status(429, Api::Chat)), (503, 429));
}
