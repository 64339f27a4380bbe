use super::super::Stream;
use super::{about_body, answer, events, feed, json, left_out, obstacle, request, to};
use crate::request::{Api, read_chat, read_responses};

/// A small generator of pseudo-random numbers (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// `body` with a few bytes changed, a range moved, or its end cut off.
    pub(super) fn broken(&mut self, body: &str) -> Vec<u8> {
        const BYTES: &[u8] = b"{}[]\",:\\0n \ntu\xff";
        let mut bytes = body.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, [BYTES[self.below(BYTES.len())]])),
                2 => {
                    let end = (at + self.below(12)).min(bytes.len());
                    let moved: Vec<u8> = bytes.drain(at..end).collect();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, moved);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = BYTES[self.below(BYTES.len())];
                    }
                }
            }
        }
        bytes
    }
}

const REQUEST: &str = r#"{"model":"m","instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"a\n"},
    {"type":"input_image","image_url":"u"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c","output":"x"},{"type":"reasoning","summary":[]}],
    "tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":{"type":"function","name":"f"},"stream":true,
    "text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low"},"include":[],"temperature":1}"#;

const PAYLOADS: [&str; 6] = [
    r#"{"id":"chatcmpl-1","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"r"}}]}"#,
    r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"a\u00e9"},"logprobs":{"content":[{"token":"a"}]}}]}"#,
    r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}"#,
    r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"refusal":"n","tool_calls":[{"index":1,"custom":{"name":"f","input":"{"}}]}}]}"#,
    r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":1}}}"#,
];

#[test]
fn broken_requests_never_break_the_translation() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut translated = 0;
    for _ in 0..20_000 {
        let body = random.broken(REQUEST);
        if let Ok(chat) = request(&body, &to(&[])) {
            json(&chat);
            translated += 1;
        }
        let _ = (obstacle(&body), left_out(&body));
        json(&answer(PAYLOADS[1].as_bytes(), &about_body(&body, "m")).unwrap());
    }
    assert!(translated > 500, "{translated}");
}

/// A request that needs no closer look, and words by which others may come to look like it.
const PLAIN: &str = r#"{"model":"m","instructions":"s","input":[{"role":"user","content":"x"},{"type":"message","role":"assistant","id":"msg_1",
    "status":"completed","content":[{"type":"output_text","text":"a","annotations":[]}]},{"content":[{"text":"b","type":"input_text"}],
    "role":"developer"}],"temperature":1,"max_output_tokens":5,"stream":true,"user":"u"}"#;
const PLAIN_CHAT: &str = r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"x"},
    {"content":"","role":"assistant"},{"role":"user","content":" "},{"role":"developer","content":"d"}],
    "temperature":1,"max_tokens":5,"stream":true,"user":"u"}"#;
const PLAINEST_CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":""},
    {"role":"user","content":"text"}],"max_tokens":5,"max_completion_tokens":6,"stream":true}"#;
const WORDS: [&str; 27] = [
    "\"type\"",
    "\"text\"",
    "\"role\"",
    "\"content\"",
    "\"id\"",
    "\"user\"",
    "\"input_text\"",
    "\"message\"",
    "\"input\"",
    "\"refusal\"",
    "\"detail\"",
    "\"name\"",
    "\"store\"",
    "\"t\\u0065xt\"",
    "\"critic\"",
    "\"tool\"",
    "\"assistant\"",
    "\"tool_calls\"",
    "\"reasoning\"",
    "\"namespace\"",
    "null",
    "1",
    "[]",
    "{}",
    "true",
    "\"stream\":false,\"x\"",
    "\"text\":\"y\",\"z\"",
];

#[test]
fn what_needs_no_closer_look_can_be_translated() {
    for (api, base, wires) in [
        (Api::Responses, PLAIN, &[Api::Chat, Api::Messages][..]),
        (Api::Chat, PLAIN_CHAT, &[Api::Messages][..]),
        (Api::Chat, PLAINEST_CHAT, &[Api::Messages][..]),
    ] {
        let mut random = Random(0x1234_5678_9abc_def1);
        let (mut plain, mut changed) = (0, 0);
        for _ in 0..60_000 {
            let mut body = base.to_owned();
            for _ in 0..1 + random.below(3) {
                // One word for another, anywhere.
                let (from, to) = (WORDS[random.below(WORDS.len())], WORDS[random.below(WORDS.len())]);
                let places: Vec<usize> = body.match_indices(from).map(|(at, _)| at).collect();
                if let Some(at) = places.get(random.below(places.len())) {
                    body.replace_range(*at..at + from.len(), to);
                }
            }
            let request = if api == Api::Chat { read_chat(body.as_bytes()) } else { read_responses(body.as_bytes()) };
            let Some(request) = request.ok().filter(|request| request.plain_input) else { continue };
            plain += 1;
            changed += u32::from(body != base);
            for wire in wires {
                let check = |plain| crate::translate::check(api, *wire, body.as_bytes(), &request.members, plain);
                assert_eq!(check(false), check(true), "{body}");
            }
        }
        assert!(plain > changed && changed > 100, "{plain} {changed}");
    }
}

#[test]
fn broken_streams_never_break_the_events() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..10_000 {
        let mut stream = Stream::new(Api::Chat, about_body(REQUEST.as_bytes(), "m"));
        let mut out = Vec::new();
        for payload in PAYLOADS {
            match random.below(3) {
                0 => feed(&mut stream, &random.broken(payload), &mut out),
                1 => feed(&mut stream, PAYLOADS[random.below(PAYLOADS.len())].as_bytes(), &mut out),
                _ => feed(&mut stream, payload.as_bytes(), &mut out),
            }
        }
        stream.finish(&mut out);
        stream.finish(&mut out);
        let events = events(&out);
        let is_last =
            |kind: &str| ["error", "response.completed", "response.failed", "response.incomplete"].contains(&kind);
        let ends = events.iter().filter(|event| is_last(event["type"].as_str().unwrap())).count();
        assert_eq!(ends, 1);
        let _ = answer(&random.broken(PAYLOADS[1]), &about_body(b"", "m")).map(|whole| json(&whole));
    }
}

#[test]
fn deep_nesting_is_refused_or_passed_without_recursion() {
    let deep = "[".repeat(200_000);
    assert!(request(format!(r#"{{"input":"x","metadata":{deep}"#).as_bytes(), &to(&[])).is_err());
    assert!(answer(format!(r#"{{"choices":{deep}"#).as_bytes(), &about_body(b"{}", "m")).is_err());
}
