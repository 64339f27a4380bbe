use super::stream::{Events, First};
use super::*;
use serde_json::{Value, json};

mod chat;
mod error;
mod frames;
mod framing;
mod limited;
mod messages;
mod responses;

const EXPECTED: Usage =
    Usage { input: 100, cached_input: 64, cache_write: 3, cache_write_1h: 0, output: 40, reasoning: 30 };

/// What the client gets of a stream that comes in these chunks.
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

fn run_text(treatment: &Treatment, text: &str) -> String {
    String::from_utf8(run(&mut Events::new(treatment), &[text.as_bytes()])).unwrap()
}

/// What stands at the end of a stream that its provider did not end, told from what came before it.
fn cut_off<'s>(seen: &'s [u8], treatment: &Treatment) -> (&'s [u8], bool) {
    let message = "The provider's stream ended early.";
    let (head, expected) = match treatment.api {
        Api::Responses => {
            let error = json!({"type": "error", "code": "incomplete_answer", "message": message, "param": null,
                "sequence_number": 0});
            ("event: error\ndata: ", error)
        }
        Api::Messages => {
            let error = json!({"type": "error", "error": {"type": "api_error", "message": message}});
            ("event: error\ndata: ", error)
        }
        _ => {
            let error = json!({"code": "incomplete_answer", "message": message, "param": null, "type": "server_error"});
            ("data: ", json!({"error": error}))
        }
    };
    // The order of members is serde_json's, which other packages of the workspace may set.
    let at = seen.windows(head.len()).rposition(|window| window == head.as_bytes());
    let (before, last) = seen.split_at(at.unwrap_or(seen.len()));
    let payload = last.get(head.len()..).and_then(|payload| payload.strip_suffix(b"\n\n"));
    match payload.and_then(|payload| serde_json::from_slice::<Value>(payload).ok()) {
        Some(error) if error == expected => (before, true),
        _ => (seen, false),
    }
}

/// What is known after `text`, which may not be all.
fn first(treatment: &Treatment, text: &str) -> First {
    let mut events = Events::new(treatment);
    events.push(text.as_bytes());
    events.first().clone()
}

fn failure(treatment: &Treatment, text: &str) -> Failure {
    match first(treatment, text) {
        First::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}
