//! Identifiers that no other answer has: a per-process random part and a counter. Owns no other state.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static COUNTER: AtomicU64 = AtomicU64::new(0);
static PROCESS: LazyLock<[u64; 2]> =
    LazyLock::new(|| [RandomState::new().hash_one("process"), RandomState::new().hash_one("salt")]);

/// An id of an answer: `chatcmpl-` and 29 letters and digits.
pub fn completion() -> String {
    let mut id = String::with_capacity(38);
    id.push_str("chatcmpl-");
    push_base62(&mut id, PROCESS[0], 11);
    push_base62(&mut id, PROCESS[1], 7);
    push_base62(&mut id, next(), 11);
    id
}

/// An id of a tool call: `call_` and 24 letters and digits.
pub fn call() -> String {
    let mut id = String::from("call_");
    push_base62(&mut id, PROCESS[0], 11);
    push_base62(&mut id, next(), 13);
    id
}

/// An id of the Responses API: a prefix such as `resp`, `msg` or `rs`, and 48 hexadecimal digits.
pub fn item(prefix: &str) -> String {
    format!("{prefix}_{:016x}{:016x}{:016x}", PROCESS[0], PROCESS[1], next())
}

/// An id of the Messages API: a prefix such as `msg`, `toolu` or `req`, and 24 letters and digits.
pub fn message(prefix: &str) -> String {
    let mut id = format!("{prefix}_01");
    push_base62(&mut id, PROCESS[1], 11);
    push_base62(&mut id, next(), 11);
    id
}

/// An id of an HTTP exchange, in the form of a UUID.
pub fn request() -> String {
    let (high, low) = (PROCESS[1], next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// The fingerprint of a model's backend: the same for the same model, as `fp_` and ten hexadecimal digits.
pub fn fingerprint(model: &str) -> String {
    let hash = hash(model);
    format!("fp_{:010x}", hash & 0xff_ffff_ffff)
}

/// The same number for the same text, in every process.
pub fn hash(text: &str) -> u64 {
    // FNV-1a: stable between processes, unlike the standard library's hashers.
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Counts up, then scatters: an odd factor maps no two counts onto one number.
fn next() -> u64 {
    COUNTER.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn push_base62(out: &mut String, mut number: u64, digits: usize) {
    for _ in 0..digits {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        out.push(char::from(ALPHABET[digit]));
        number /= 62;
    }
}
