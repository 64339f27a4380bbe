//! Streams: however one is cut, what goes on and what is known of it are the same; what is written anew is JSON.

use super::json::is_json_of_any_depth;
use super::pieces;
use model_router::request::{Api, read_members};
use model_router::response::Treatment;
use model_router::response::frames::Frames;
use model_router::response::stream::Events;
use model_router::translate::About;

const ASKED: &[u8] = br#"{"model":"m","input":"x","tools":[{"type":"function","name":"f"}],"metadata":{"a":"b"}}"#;

/// What may be done to a stream.
pub fn treatments() -> Vec<Treatment> {
    let mark = || "mr0123456789abcdef_".to_owned();
    let full = |api| Treatment {
        take_out_usage: true,
        mark: Some(mark()),
        earlier: Some("mrfedcba9876543210_".into()),
        details: Some("{}".into()),
        ..Treatment::new(api)
    };
    let responses = || Some(About::new(ASKED, &read_members(ASKED).unwrap(), mark(), 1, "m"));
    vec![
        Treatment::new(Api::Chat),
        Treatment::new(Api::Responses),
        Treatment::new(Api::Messages),
        Treatment::new(Api::Other),
        full(Api::Chat),
        full(Api::Responses),
        full(Api::Messages),
        Treatment { existing: true, ..full(Api::Responses) },
        Treatment { about: responses(), ..Treatment::new(Api::Chat) },
        Treatment { about: responses(), ..full(Api::Messages) },
        Treatment { about: Some(About::chat(true, 7, "m")), ..full(Api::Messages) },
        Treatment { about: Some(About::chat(false, 7, "m")), ..Treatment::new(Api::Messages) },
    ]
}

/// The first byte of `data` chooses the treatment, the second the pieces in which the rest comes.
pub fn run(data: &[u8]) {
    let [which, seed, stream @ ..] = data else { return };
    let treatments = treatments();
    let Some(treatment) = treatments.get(usize::from(which & 15)) else { return frames(stream, *seed) };
    let (whole, seen) = pass(treatment, &[stream]);
    for seed in [*seed, 0] {
        let (again, told) = pass(treatment, &pieces(stream, seed));
        assert!(whole == again && seen == told);
    }
    let plain = treatment.about.is_none() && treatment.mark.is_none() && treatment.details.is_none();
    let complete = seen.ends_with("true None");
    assert!(!plain || !complete || whole == stream);
    if treatment.about.is_some() {
        // What has no data, or empty data, passes as it came.
        for payload in whole.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: ")) {
            assert!(matches!(payload.trim_ascii(), b"" | b"[DONE]") || is_json_of_any_depth(payload));
        }
    }
}

/// What goes on, and what is known.
fn pass(treatment: &Treatment, pieces: &[&[u8]]) -> (Vec<u8>, String) {
    let (mut events, mut whole) = (Events::new(treatment), Vec::new());
    for piece in pieces {
        whole.extend_from_slice(events.push(piece).unwrap_or(piece));
    }
    whole.extend_from_slice(events.finish());
    let known = format!("{:?} {:?} {} {:?}", events.first(), events.answer(), events.is_done(), events.broken());
    (whole, known)
}

/// Bedrock's frames become the same text in any pieces.
fn frames(stream: &[u8], seed: u8) {
    let pass = |pieces: &[&[u8]]| -> Vec<u8> {
        let mut frames = Frames::default();
        pieces.iter().flat_map(|piece| frames.push(piece).to_vec()).collect()
    };
    assert!(pass(&[stream]) == pass(&pieces(stream, seed)));
}
