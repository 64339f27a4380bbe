use super::*;
use std::time::Instant;

const ENGLISH: &str = "Please summarise the attached report in three bullet points. The audience is a board that has \
                       not read it, so avoid jargon, name the two largest risks (with figures), and finish with one \
                       question that they should put to management on 14 March 2025.\n\n";

/// Numbers that look random and are the same on every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn nothing_is_no_token_and_anything_is_one() {
    assert_eq!(estimate(b""), 0);
    for byte in 0..=u8::MAX {
        assert!((1..=3).contains(&estimate(&[byte])), "byte {byte:#x}");
    }
}

#[test]
fn a_known_sentence() {
    // o200k_base says 54.
    assert!((50..=58).contains(&estimate(ENGLISH.as_bytes())), "{}", estimate(ENGLISH.as_bytes()));
}

#[test]
fn escapes_count_as_what_they_mean() {
    let plain = "Er sagte:\n\t\"Grüße aus 北京!\" 😀 and left C:\\ behind.";
    let escaped = "Er sagte:\\n\\t\\\"Gr\\u00fc\\u00DFe aus \\u5317\\u4eac!\\\" \\ud83d\\ude00 and left C:\\\\ behind.";
    assert_eq!(estimate(plain.as_bytes()), estimate(escaped.as_bytes()));
}

#[test]
fn broken_escapes_are_text() {
    for text in ["\\", "\\u", "\\u12", "\\u12g4", "\\x", "\\ud83d", "\\udc00\\"] {
        assert!(estimate(text.as_bytes()) <= 8, "{text}");
    }
}

#[test]
fn long_runs_of_one_byte_are_finite_and_quick() {
    for byte in [b'a', b'A', b'7', b' ', b'\n', b'-', b'\\', b'"', 0x80, 0xE4, 0xF0, 0xFF, 0] {
        let text = vec![byte; 10 << 20];
        let start = Instant::now();
        let tokens = estimate(&text);
        // Generous for a debug build on a busy machine; reading all of it would take far longer.
        assert!(start.elapsed().as_millis() < 50, "byte {byte:#x}: {:?}", start.elapsed());
        assert!((1..=40 << 20).contains(&tokens), "byte {byte:#x}: {tokens}");
    }
}

#[test]
fn any_bytes_are_accepted_at_any_length() {
    let noise = noise(20_000);
    for length in (0..600).chain(4000..4200).chain([8191, 8192, 19_999, 20_000]) {
        let tokens = estimate(noise.get(..length).unwrap()) as usize;
        assert!(tokens <= length * 4, "{length} bytes: {tokens}");
    }
}

#[test]
fn twice_the_text_is_twice_the_tokens() {
    for repeats in [1, 2, 5, 10, 17, 40, 300, 3000] {
        let once = f64::from(estimate(ENGLISH.repeat(repeats).as_bytes()));
        let twice = f64::from(estimate(ENGLISH.repeat(2 * repeats).as_bytes()));
        assert!((1.8..=2.2).contains(&(twice / once)), "{repeats} repeats: {once}, then {twice}");
    }
}

#[test]
fn a_long_text_is_judged_by_all_of_its_parts() {
    let mixed = format!("{}{}", ENGLISH.repeat(100), "0,1;2:".repeat(ENGLISH.len() * 100 / 6));
    let parts = [ENGLISH.repeat(100), "0,1;2:".repeat(ENGLISH.len() * 100 / 6)].map(|part| estimate(part.as_bytes()));
    let share = f64::from(estimate(mixed.as_bytes())) / f64::from(parts.iter().sum::<u32>());
    assert!((0.9..=1.1).contains(&share), "{share}");
}
