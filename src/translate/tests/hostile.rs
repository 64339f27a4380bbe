use super::super::{About, Stream, answer, left_out, obstacle, request};
use super::{MARK, events, json, to};

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// `body` with a few bytes changed, a range moved, or its end cut off.
    fn broken(&mut self, body: &str) -> Vec<u8> {
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
        json(&answer(PAYLOADS[1].as_bytes(), &About::new(&body, MARK.to_owned(), "m")).unwrap());
    }
    assert!(translated > 500, "{translated}");
}

#[test]
fn broken_streams_never_break_the_events() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..10_000 {
        let mut stream = Stream::new(About::new(REQUEST.as_bytes(), MARK.to_owned(), "m"));
        let mut out = Vec::new();
        for payload in PAYLOADS {
            match random.below(3) {
                0 => stream.event(&random.broken(payload), &mut out),
                1 => stream.event(PAYLOADS[random.below(PAYLOADS.len())].as_bytes(), &mut out),
                _ => stream.event(payload.as_bytes(), &mut out),
            }
        }
        stream.finish(&mut out);
        stream.finish(&mut out);
        let events = events(&out);
        let is_last =
            |kind: &str| ["error", "response.completed", "response.failed", "response.incomplete"].contains(&kind);
        let ends = events.iter().filter(|event| is_last(event["type"].as_str().unwrap())).count();
        assert_eq!(ends, 1);
        let _ = answer(&random.broken(PAYLOADS[1]), &About::new(b"", String::new(), "m")).map(|whole| json(&whole));
    }
}

#[test]
fn deep_nesting_is_refused_or_passed_without_recursion() {
    let deep = "[".repeat(200_000);
    assert!(request(format!(r#"{{"input":"x","metadata":{deep}"#).as_bytes(), &to(&[])).is_err());
    assert!(answer(format!(r#"{{"choices":{deep}"#).as_bytes(), &About::new(b"{}", String::new(), "m")).is_err());
}
