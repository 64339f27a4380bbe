use super::super::frames::{Frames, crc32};
use super::super::stream::MAX_EVENT;
use super::*;

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(name.len() as u8);
        written.extend_from_slice(name.as_bytes());
        written.push(7);
        written.extend_from_slice(&(value.len() as u16).to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    // Headers of other kinds are passed over.
    written.extend_from_slice(b"\x01t\x00\x01i\x04\0\0\0\x01");
    let total = 16 + written.len() + payload.len();
    let mut frame = [(total as u32).to_be_bytes(), (written.len() as u32).to_be_bytes()].concat();
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&written);
    frame.extend_from_slice(payload);
    let check = crc32(&frame);
    frame.extend_from_slice(&check.to_be_bytes());
    frame
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63] as char;
            text.push(if place <= three.len() { digit } else { '=' });
        }
    }
    text
}

fn event(json: &str) -> Vec<u8> {
    let headers = [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, json!({"bytes": base64(json.as_bytes()), "p": "abcd"}).to_string().as_bytes())
}

fn exception(name: &str, payload: &str) -> Vec<u8> {
    frame(&[(":exception-type", name), (":message-type", "exception")], payload.as_bytes())
}

fn text(frames: &mut Frames, chunks: &[&[u8]]) -> String {
    chunks.iter().map(|chunk| core::str::from_utf8(frames.push(chunk)).unwrap().to_owned()).collect()
}

const EVENTS: [&str; 3] = [
    r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße"}}"#,
    "{\n \"type\":\"message_stop\"}",
];

#[test]
fn the_checks_are_those_of_the_format() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    // An example of the format's own test vectors: no headers, no payload.
    let empty = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    assert_eq!(text(&mut Frames::default(), &[&empty, &event(EVENTS[2])]).lines().count(), 3);
}

#[test]
fn frames_become_events_however_they_are_cut() {
    let bytes = EVENTS.map(event).concat();
    let expected = format!(
        "event: message_start\ndata: {}\n\nevent: content_block_delta\ndata: {}\n\nevent: message_stop\ndata: {{  \"type\":\"message_stop\"}}\n\n",
        EVENTS[0], EVENTS[1]
    );
    for cut in 0..=bytes.len() {
        let (before, after) = bytes.split_at(cut);
        assert_eq!(text(&mut Frames::default(), &[before, after]), expected, "{cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(text(&mut Frames::default(), &single), expected);
}

#[test]
fn exceptions_are_errors_and_the_last() {
    for (name, kind) in [
        ("throttlingException", "rate_limit_error"),
        ("validationException", "invalid_request_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("modelTimeoutException", "overloaded_error"),
        ("internalServerException", "api_error"),
        ("ofTomorrow", "api_error"),
    ] {
        let bytes = [exception(name, r#"{"message":"m\n"}"#), event(EVENTS[1])].concat();
        let seen = text(&mut Frames::default(), &[&bytes, &event(EVENTS[1])]);
        let data = seen.strip_prefix("event: error\ndata: ").unwrap();
        assert_eq!(value(data.as_bytes()), json!({"type": "error", "error": {"type": kind, "message": "m\n"}}));
    }
    assert!(text(&mut Frames::default(), &[&exception("x", "no json")]).contains("The provider reported an error."));
}

#[test]
fn what_is_no_frame_ends_the_stream() {
    let good = event(EVENTS[1]);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        let seen = text(&mut Frames::default(), &[&bad, &good]);
        assert!(seen.starts_with("event: error\n") && seen.matches("\n\n").count() == 1, "{at}: {seen}");
    }
    let mut long = ((MAX_EVENT + 1) as u32).to_be_bytes().to_vec();
    long.extend_from_slice(&[0; 4]);
    long.extend_from_slice(&crc32(&long).to_be_bytes());
    assert!(text(&mut Frames::default(), &[&long]).starts_with("event: error\n"));
    assert!(text(&mut Frames::default(), &[b"HTTP/1.1 200 OK\r\n"]).starts_with("event: error\n"));
    // Other events of the format, and payloads that are none, say nothing.
    let other = frame(&[(":message-type", "event")], b"{\"x\":1}");
    assert_eq!(text(&mut Frames::default(), &[&other, &frame(&[], b"no json")]), "");
    let not_base64 = frame(&[], br#"{"bytes":"*"}"#);
    assert!(text(&mut Frames::default(), &[&not_base64]).starts_with("event: error\n"));
}
