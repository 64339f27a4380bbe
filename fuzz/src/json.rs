//! serde_json, which judges what is JSON.

use serde::de::IgnoredAny;
use serde_json::{Value, from_slice};

/// Whether serde_json reads `bytes`: escapes, surrogates, UTF-8 and its 127 levels included. What it refuses of numbers is
/// only that an `f64` cannot hold them, which is no matter of grammar: they are made shorter first.
pub fn is_json(bytes: &[u8]) -> bool {
    match from_slice::<Value>(bytes) {
        Err(error) if error.to_string().starts_with("number out of range") => {
            from_slice::<Value>(&with_short_numbers(bytes)).is_ok()
        }
        read => read.is_ok(),
    }
}

/// As [`is_json`], at any depth, lone surrogates allowed: for what is written around a value that was read.
pub fn is_json_of_any_depth(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok() && from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Leaves of each row of digits outside of strings the first two, which is a number where the whole row was.
fn with_short_numbers(bytes: &[u8]) -> Vec<u8> {
    let (mut in_string, mut escaped, mut digits) = (false, false, 0);
    let mut short = bytes.to_vec();
    short.retain(|byte| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        in_string = *byte == b'"';
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits <= 2
    });
    short
}
