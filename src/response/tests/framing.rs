use super::stream::{Broken, MAX_EVENT};
use super::*;

/// One treatment per API that changes something, and one that does not.
fn treatments() -> [Treatment; 4] {
    let full = |api| Treatment {
        take_out_usage: true,
        mark: Some("mr0123456789abcdef_".into()),
        details: Some("{}".into()),
        ..Treatment::new(api)
    };
    [Treatment::new(Api::Chat), full(Api::Chat), Treatment::new(Api::Responses), full(Api::Responses)]
}

#[test]
fn an_event_without_end_passes_in_bounded_memory() {
    for treatment in treatments() {
        let mut events = Events::new(&treatment);
        let chunk = vec![b'x'; 60_000];
        let chunks: Vec<&[u8]> = std::iter::repeat_n(chunk.as_slice(), 150).collect();
        let seen = run(&mut events, &chunks);
        assert_eq!(seen.len(), 150 * 60_000);
        assert_eq!(events.first(), &First::Good);
    }
}

#[test]
fn after_an_event_that_is_too_long_the_next_is_read() {
    let marked = "data: {\"type\":\"a\",\"item_id\":\"msg_mr0123456789abcdef_1\"}\n\n";
    let next = marked.replace("mr0123456789abcdef_", "");
    let treatment = &treatments()[3];
    for newline in ["\n", "\r\n"] {
        let long = format!("data: {{\"item_id\":\"msg_1\",\"x\":\"{}\"}}{newline}{newline}", "y".repeat(MAX_EVENT));
        // Splits around the end of the long one; what is before has been recognised as too long.
        for split in long.len() - 6..=long.len() + 2 {
            let text = format!("{long}{next}");
            let (head, tail) = text.as_bytes().split_at(split);
            for step in [1, 2, 3, tail.len()] {
                let chunks: Vec<&[u8]> = head.chunks(300_000).chain(tail.chunks(step)).collect();
                let seen = run(&mut Events::new(treatment), &chunks);
                assert!(seen == format!("{long}{marked}").into_bytes(), "split at {split}, then by {step}");
            }
        }
    }
}

#[test]
fn data_over_several_lines_is_read_as_one() {
    let treatments = treatments();
    let text = "data: {\"type\":\"a\",\r\nid: 7\r\ndata:\"item_id\":\r\ndata:  \"msg_1\",\ndata: \"item\":{\ndata: \"id\":\"b_1\"}}\n\n\
        data: {\"type\":\"response.completed\"}\n\n";
    let marked = text.replace("msg_", "msg_mr0123456789abcdef_").replace("b_", "b_mr0123456789abcdef_");
    assert_eq!(run_text(&treatments[3], text), marked);
    assert_eq!(run_text(&treatments[2], text), text);
    let text = "data: {\ndata: \"usage\":null,\ndata: \"choices\":[{}]\ndata: }\n\ndata: [DONE]\n\n";
    let seen = run_text(&treatments[1], text);
    assert_eq!(seen, "data: {\"model_selection_details\":{},\ndata: \"choices\":[{}]\ndata: }\n\ndata: [DONE]\n\n");
    let text = "data: {\"choices\":[{}]\ndata: ,\ndata: \"usage\":null}\n\ndata: [DONE]\n\n";
    let take_out = Treatment { take_out_usage: true, ..Treatment::new(Api::Chat) };
    assert_eq!(run_text(&take_out, text), "data: {\"choices\":[{}]}\n\ndata: [DONE]\n\n");
}

#[test]
fn an_event_without_data_says_nothing() {
    for treatment in treatments() {
        let text = "event: ping\n\ndata:\n\n: x\n\nretry: 5\ndata: \n\n";
        assert_eq!(first(&treatment, text), First::Waiting);
        assert_eq!(run_text(&treatment, text), text);
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Up to the last blank line.
fn whole_events(bytes: &[u8]) -> &[u8] {
    let ends = (0..=bytes.len()).rev();
    let is_end = |end: &usize| [&b"\n\n"[..], b"\n\r\n"].iter().any(|blank| bytes[..*end].ends_with(blank));
    &bytes[..ends.into_iter().find(is_end).unwrap_or(0)]
}

#[test]
fn hostile_bytes_never_panic_and_none_is_lost() {
    const SEED: &str = "event: response.created\r\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\
        \"output\":[{\"id\":\"rs_1\",\"encrypted_content\":\"gA\"}],\"usage\":{\"input_tokens\":1}}}\n\n: c\n\ndata: \
        {\"usage\":null,\"choices\":[{}],\"model\":\"x\"}\n\ndata: {\"item_id\":\"msg_1\",\ndata: \"type\":\"error\"}\r\n\r\ndata: [DONE]\n\n";
    const BYTES: &[u8] = b"\n\r\"{}[]:,\\ d\0\xff\xc3_ae1";
    let mut random = Random(7);
    for round in 0..4000 {
        let mut bytes = SEED.as_bytes().to_vec();
        for _ in 0..random.below(12) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 if bytes.len() > 1 => _ = bytes.remove(at),
                1 => bytes.insert(at, BYTES[random.below(BYTES.len())]),
                2 => bytes[at] = BYTES[random.below(BYTES.len())],
                _ => bytes.truncate(at + 1),
            }
        }
        let mut chunks: Vec<&[u8]> = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (chunk, next) = rest.split_at(1 + random.below(rest.len().min(90)));
            chunks.push(chunk);
            rest = next;
        }
        for (index, treatment) in treatments().iter().enumerate() {
            let mut events = Events::new(treatment);
            let seen = run(&mut events, &chunks);
            assert_ne!(events.first(), &First::Waiting);
            // However it is cut, it says the same.
            let mut whole = Events::new(treatment);
            assert!(run(&mut whole, &[&bytes]) == seen, "round {round}");
            assert_eq!((whole.first(), whole.answer()), (events.first(), events.answer()));
            // An early end is told, and takes the place of what is no whole event.
            let early = events.first() == &First::Good && !events.is_done() && events.broken() != Some(Broken::Error);
            let (passed, told) = cut_off(&seen, treatment);
            assert_eq!(told, early, "round {round}");
            let kept = if early { whole_events(&bytes) } else { bytes.as_slice() };
            if index % 2 == 0 {
                assert!(passed == kept, "round {round}");
            }
            if let (3, Ok(text)) = (index, core::str::from_utf8(passed)) {
                let undone = text.replace("mr0123456789abcdef_", "");
                let undone =
                    undone.replace("\"model_selection_details\":{},", "").replace("\"model_selection_details\":{}", "");
                assert_eq!(undone.as_bytes(), kept);
            }
            _ = read_answer(&bytes, treatment);
        }
    }
}

#[test]
fn an_event_that_becomes_too_long_with_its_end_passes_once() {
    let half = "y".repeat(MAX_EVENT * 2 / 3);
    let chunks = [format!("data: {{\"x\":\"{half}"), format!("{half}\"}}\n\ndata: "), "[DONE]\n\n".to_owned()];
    let chunks = chunks.each_ref().map(String::as_bytes);
    for treatment in treatments().into_iter().chain([Treatment::new(Api::Messages)]) {
        assert!(run(&mut Events::new(&treatment), &chunks) == chunks.concat(), "{treatment:?}");
    }
}

#[test]
fn an_event_of_too_many_lines_is_not_read_and_none_that_is_translated_passes() {
    let event = |lines: usize| {
        let spaces = "data:\n".repeat(lines - 1);
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"secret\"}}}}],\n{spaces}data: \"model\":\"m\"}}\n\n"
        )
    };
    let translated = Treatment { about: Some(About::chat(false, 1, "m")), ..Treatment::new(Api::Messages) };
    for (lines, is_read) in [(62, true), (63, true), (64, false), (65, false), (66, false), (200, false)] {
        let passed = Treatment::new(Api::Chat);
        let mut events = Events::new(&passed);
        assert!(run(&mut events, &[event(lines).as_bytes()]).starts_with(event(lines).as_bytes()));
        assert_eq!(events.answer().model.is_some(), is_read, "{lines}");
        let seen = run_text(&translated, &event(lines));
        assert!(!seen.contains("secret"), "{lines}: {seen}");
    }
}
