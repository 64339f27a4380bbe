use super::*;
use crate::content_filter::question::LONGEST;
use crate::decide::Caller;
use crate::request::{Request, read_chat, read_messages, read_named, read_responses};
use serde_json::{Value, json};

fn inputs(request: &Request) -> (Vec<String>, bool) {
    let question = question(request, None).expect("a question");
    let body: Value = serde_json::from_slice(&question.body).expect("JSON");
    let inputs = body["input"].as_array().unwrap().iter().map(|input| input.as_str().unwrap().to_owned()).collect();
    (inputs, question.whole)
}

/// What is asked about a request that reads well.
fn asked(read: fn(&[u8]) -> core::result::Result<Request<'_>, crate::request::ReadError>, body: Value) -> String {
    let body = body.to_string();
    let (inputs, whole) = inputs(&read(body.as_bytes()).unwrap());
    assert!(whole && inputs.len() == 1);
    inputs[0].clone()
}

#[test]
fn every_text_that_a_model_reads_is_asked_about() {
    let chat = json!({"model": "m", "tools": [{"function": {"name": "t", "description": "no"}}], "user": "no", "messages": [
        {"role": "system", "content": "one"},
        {"role": "user", "content": [{"type": "text", "text": "two"}, {"type": "image_url", "image_url": {"url": "no"}}]},
        {"role": "assistant", "content": null, "reasoning_content": "three",
         "tool_calls": [{"id": "no", "type": "function", "function": {"name": "no", "arguments": "{\"x\": \"four\"}"}}]},
        {"role": "tool", "tool_call_id": "no", "content": "five"},
        {"role": "user", "content": ""}
    ]});
    assert_eq!(asked(read_chat, chat), "one\n\ntwo\n\nthree\n\n{\"x\": \"four\"}\n\nfive");
    let responses = json!({"model": "m", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "two"}, {"type": "input_image", "image_url": "no"}]},
        {"type": "function_call", "call_id": "no", "name": "no", "arguments": "three"},
        {"type": "function_call_output", "call_id": "no", "output": [{"type": "input_text", "text": "four"}]},
        {"type": "function_call_output", "call_id": "no", "output": "five"},
    ], "instructions": "one", "metadata": {"text": "no"}});
    assert_eq!(asked(read_responses, responses), "one\n\ntwo\n\nthree\n\nfour\n\nfive");
    let prompt = json!({"input": "two", "prompt": {"id": "no", "variables": {"x": "one"}}});
    assert_eq!(asked(read_responses, prompt), "one\n\ntwo");
    let messages = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "user", "content": [
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "two"}, "title": "three"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "no"}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "no", "name": "no", "input": {"a": {"b": ["four"]}}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "no", "content": [{"type": "text", "text": "five"}]}]}
    ], "system": [{"type": "text", "text": "one"}]});
    assert_eq!(asked(read_messages, messages), "one\n\ntwo\n\nthree\n\nfour\n\nfive");
    assert_eq!(asked(read_named, json!({"model": "m", "prompt": ["one", "two"]})), "one\n\ntwo");
}

#[test]
fn keys_may_be_escaped_and_texts_stay_as_they_were_written() {
    let body = br#"{"model":"m","m\u0065ssages":[{"role":"user","cont\u0065nt":"caf\u00e9 \"\ud83d\ude00\" \\"}]}"#;
    let request = read_chat(body).unwrap();
    let question = question(&request, Some("omni\\1")).unwrap();
    let expected = br#"{"input":["caf\u00e9 \"\ud83d\ude00\" \\"],"model":"omni\\1"}"#;
    assert_eq!(String::from_utf8(question.body), String::from_utf8(expected.to_vec()));
}

#[test]
fn without_text_there_is_no_question() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]});
    assert_eq!(question(&read_chat(body.to_string().as_bytes()).unwrap(), None), None);
}

#[test]
fn of_a_long_conversation_the_latest_is_asked_about_in_few_pieces() {
    let of = |texts: &[String]| {
        let messages: Vec<Value> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
        let body = json!({"model": "m", "messages": messages}).to_string();
        inputs(&read_chat(body.as_bytes()).unwrap())
    };
    let (short, whole) = of(&vec!["word".to_owned(); 1000]);
    assert_eq!((short.len(), whole, short[0].matches("word").count()), (1, true, 1000));
    let (pieces, whole) = of(&(0..200).map(|n| format!("{n}{}", "x".repeat(1000))).collect::<Vec<_>>());
    assert!(!whole && pieces.len() <= 2 * LONGEST / (16 << 10) + 1, "{}", pieces.len());
    assert!(pieces.last().unwrap().ends_with(&format!("\n\n199{}", "x".repeat(1000))));
    let exact = "x".repeat(LONGEST);
    assert_eq!(of(std::slice::from_ref(&exact)), (vec![exact.clone()], true));
    assert_eq!(of(&["first".to_owned(), exact.clone()]), (vec![exact], false));
}

#[test]
fn a_text_is_cut_between_two_characters() {
    for character in ["é", "€", "😀", "\\u00e9", "\\ud83d\\ude00", "\\n", "\\\\", "\\\""] {
        for before in 0..14 {
            let text = ["x".repeat(before), character.repeat(LONGEST)].concat();
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
            let (inputs, whole) = inputs(&read_chat(body.as_bytes()).unwrap());
            let expected: String = serde_json::from_str(&format!("\"{character}\"")).unwrap();
            assert!(!whole && inputs[0].replace(&expected, "").is_empty(), "{character} {before}");
            assert!(inputs[0].len() / expected.len() * character.len() > LONGEST - 12);
        }
    }
}

#[test]
fn a_verdict_is_read() {
    let openai = |flagged: bool| {
        json!({"id": "modr-1", "model": "omni-moderation-latest", "results": [
            {"flagged": false, "categories": {"hate": false}},
            {"flagged": flagged, "categories": {"violence": flagged, "self-harm/intent": flagged, "hate": false, "illicit": null},
             "category_scores": {"violence": 0.9}, "category_applied_input_types": {"violence": ["text"]}}]})
        .to_string()
    };
    assert_eq!(Verdict::read(openai(false).as_bytes()), Some(Verdict::Passed));
    let flagged = Verdict::Flagged(vec!["self-harm/intent".into(), "violence".into()]);
    assert_eq!(Verdict::read(openai(true).as_bytes()), Some(flagged));
    assert_eq!(Verdict::read(br#"{"results":[{"flagged":true}]}"#), Some(Verdict::Flagged(Vec::new())));
    let whole = openai(true);
    for length in 0..whole.len() {
        assert_eq!(Verdict::read(&whole.as_bytes()[..length]), None, "{length}");
    }
}

#[test]
fn what_is_no_verdict() {
    let deep = ["{\"results\":", &"[".repeat(100_000)].concat();
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"results":[]}"#,
        r#"{"results":[{}]}"#,
        r#"{"results":[{"flagged":"no"}]}"#,
        r#"{"results":[{"flagged":false},{"flagged":null}]}"#,
        r#"{"results":[{"flagged":false,"categories":[]}]}"#,
        r#"{"error":{"message":"Rate limit reached"}}"#,
        "<html>",
        &deep,
    ] {
        assert_eq!(Verdict::read(body.as_bytes()), None, "{}", &body[..body.len().min(50)]);
    }
}

#[test]
fn names_of_categories_are_plain_and_few() {
    let hostile = json!({"results": [{"flagged": true, "categories": {
        "a b": true, "x\"y": true, "": true, "é": true, "hate": true, "n\n": true, "y".repeat(65): true, ";": true
    }}]});
    assert_eq!(Verdict::read(hostile.to_string().as_bytes()), Some(Verdict::Flagged(vec!["hate".into()])));
    let many: serde_json::Map<String, Value> = (0..1000).map(|n| (format!("c{n}"), true.into())).collect();
    let many = json!({"results": [{"flagged": true, "categories": many}]});
    let Some(Verdict::Flagged(names)) = Verdict::read(many.to_string().as_bytes()) else { panic!() };
    assert_eq!(names.len(), 16);
}

#[test]
fn categories_in_azures_words() {
    let result = content_filter_result(&["harassment/threatening".into(), "illicit".into(), "self-harm".into()]);
    let (yes, no) = (json!({"filtered": true, "severity": "medium"}), json!({"filtered": false, "severity": "safe"}));
    let illicit = json!({"filtered": true, "detected": true});
    assert_eq!(result, json!({"hate": yes, "self_harm": yes, "sexual": no, "violence": no, "illicit": illicit}));
}

#[test]
fn which_requests_are_checked() {
    let policy = |routers: Value| {
        let filter = json!({"cluster": "c", "authority": "a", "on_error": "allow", "routers": routers});
        Policy::from_value(&json!({
            "routers": [{"name": "one"}, {"name": "two"}],
            "models": [{"name": "gpt-5-mini", "served_by": [{"provider": "p"}]}],
            "providers": [{"name": "p", "cluster": "p", "dialect": "openai"}],
            "content_filter": filter
        }))
        .unwrap()
    };
    let all = policy(Value::Null);
    let some = policy(json!(["two"]));
    let of = |policy: &Policy, call: &Call, model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}], "input": "x"}).to_string();
        let memory = crate::decide::Memory::NONE;
        let routed = crate::routing::route(policy, call, body.as_bytes(), memory).unwrap();
        for_request(policy, call, &routed).is_some()
    };
    let chat = Call::of(Api::Chat, Caller::Anyone);
    let checked = ["one", "two", "gpt-5-mini"].map(|model| (of(&all, &chat, model), of(&some, &chat, model)));
    assert_eq!(checked, [(true, false), (true, true), (true, false)]);
    let other = |endpoint| Call { endpoint: Some(endpoint), ..Call::of(Api::Other, Caller::Anyone) };
    let checked =
        ["completions", "images/generations", "embeddings", "moderations"].map(|it| of(&all, &other(it), "gpt-5-mini"));
    assert_eq!(checked, [true, true, false, false]);
    let counting = Call { endpoint: Some("responses/input_tokens"), ..Call::of(Api::Responses, Caller::Anyone) };
    assert!(!of(&all, &counting, "gpt-5-mini"));
}
