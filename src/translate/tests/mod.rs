//! Goldens for every rule, an oracle for streams, and hostile input.

mod answers;
mod claude;
mod claude_corners;
mod claude_random;
mod claude_settings;
mod hostile;
mod messages;
mod requests;
mod streams;

use super::{About, Stream, To, ToChat};
use crate::request::{Api, ReadError, read_members};
use crate::response::Failure;
use serde_json::Value;

const MARK: &str = "mr0123456789abcdef_";

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// What a Responses request is to become, and what is dropped of it.
struct Wanted<'a> {
    model: &'a str,
    limit: &'a str,
    reasoning: Option<&'a str>,
    drop: &'a [String],
}

/// The functions of the module, on Responses requests whose members are yet to be read.
fn request(body: &[u8], wanted: &Wanted) -> Result<Vec<u8>, ReadError> {
    let Wanted { model, limit, reasoning, drop } = *wanted;
    let to = To::Chat(ToChat { model, limit, reasoning, effort: None });
    super::request(Api::Responses, body, &read_members(body)?, drop, &to)
}

fn obstacle(body: &[u8]) -> Result<Option<String>, ReadError> {
    Ok(super::check(Api::Responses, Api::Chat, body, &read_members(body)?, false)?.obstacle)
}

fn left_out(body: &[u8]) -> Result<Vec<String>, ReadError> {
    super::left_out(Api::Responses, Api::Chat, body, &read_members(body)?)
}

fn about_body(body: &[u8], model: &str) -> About {
    About::new(body, &read_members(body).unwrap_or_default(), MARK.to_owned(), 1_700_000_007, model)
}

fn about(request: &str) -> About {
    about_body(request.as_bytes(), "fall\"back")
}

fn to<'a>(drop: &'a [String]) -> Wanted<'a> {
    Wanted { model: "m", limit: "max_completion_tokens", reasoning: None, drop }
}

/// A whole Chat answer, translated.
fn answer(body: &[u8], about: &About) -> Result<Vec<u8>, Failure> {
    super::answer(body, Api::Chat, about, &mut |_| {})
}

/// Gives one payload to a stream.
fn feed(stream: &mut Stream, payload: &[u8], out: &mut Vec<u8>) {
    match payload {
        b"[DONE]" => stream.done(out),
        payload => drop(stream.event(payload, out, &mut |_| {})),
    }
}

/// The events that payloads become: each as its JSON, whose type the `event` line must repeat.
fn stream(about: About, payloads: &[&str], finish: bool) -> Vec<Value> {
    let mut stream = Stream::new(Api::Chat, about);
    let mut out = Vec::new();
    payloads.iter().for_each(|payload| feed(&mut stream, payload.as_bytes(), &mut out));
    if finish {
        stream.finish(&mut out);
    }
    events(&out)
}

fn events(out: &[u8]) -> Vec<Value> {
    let text = core::str::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"));
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| {
            let lines: Vec<&str> = event.split(['\n', '\r']).collect();
            let [name, data] = lines.as_slice() else { panic!("{event}") };
            let value = json(data.strip_prefix("data: ").unwrap().as_bytes());
            assert_eq!(name.strip_prefix("event: "), value["type"].as_str());
            value
        })
        .collect();
    for (sequence, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], sequence, "{event}");
    }
    events
}
