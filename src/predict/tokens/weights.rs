//! Classes of bytes and the weight of each class at each place.
//!
//! Owns the three tables (800 bytes) and the packing of a class. Never reads text.
//!
//! The weights were fitted offline, outside the repository: least squares of the relative error, robust (Huber, 5 %),
//! not negative, neighbouring places drawn to each other where there was little to see. Truth was `o200k_base` of
//! tiktoken on pieces of 200 and 2,000 bytes, each plain and JSON-escaped, from one half of: English prompts (a third
//! of the weight), Rust, Python, C, JavaScript, Markdown and JSON files, manual pages and books in Chinese, Japanese,
//! Korean, Russian, Ukrainian, German, French, Spanish and Polish, translated program messages in Arabic, Persian,
//! Hebrew, Hindi, Bengali and Thai, base64 and hexadecimal digits, and English with emoji, typographic quotes and
//! box drawing. `cli/tests/token_estimate.rs` measures on the other half.

/// A class is its column as a predecessor above these bits, its row in [`WEIGHTS`] below.
pub const ROW_BITS: u8 = 5;
/// Takes the row out of a class.
pub const ROW_MASK: u8 = (1 << ROW_BITS) - 1;

const SPACE: u8 = 0;
const CONTROL: u8 = 1;
const SMALL: u8 = 2;
const CAPITAL: u8 = 3;
const NUMBER: u8 = 4;
const PUNCTUATION: u8 = 5;
const OTHER: u8 = 6;

/// A byte inside a character, which costs nothing.
pub const INSIDE: u8 = u8::MAX;
/// A backslash, of which the next byte tells what it is.
pub const ESCAPE: u8 = 0xFE;
/// Stands for a backslash that means itself: a byte of the same weights.
pub const BACKSLASH: u8 = b'/';
/// Line feed and carriage return; also what stands before a text.
pub const NEWLINE: u8 = class(b'\n');
/// The class of every byte; of a character beyond ASCII the first byte decides.
pub static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut rest = classes.as_mut_slice();
    let mut byte: u8 = 0;
    while let Some((slot, tail)) = rest.split_first_mut() {
        *slot = class(byte);
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    classes
}

const fn class(byte: u8) -> u8 {
    let (column, row) = match byte {
        0x80..=0xBF => return INSIDE,
        b'\\' => return ESCAPE,
        b'a' | b'e' | b'i' | b'o' | b'u' => (SMALL, 0),
        b'j' | b'k' | b'q' | b'v'..=b'z' => (SMALL, 2),
        b'a'..=b'z' => (SMALL, 1),
        b'A'..=b'Z' => (CAPITAL, 3),
        0xC3 => (SMALL, 4),
        0xC0..=0xC1 | 0xC4..=0xCC => (SMALL, 5),
        b'0'..=b'9' => (NUMBER, 6),
        b' ' => (SPACE, 7),
        b'\n' | b'\r' => (CONTROL, 8),
        0..=31 | 127 => (CONTROL, 9),
        b'"' | b'\'' | b'`' => (PUNCTUATION, 10),
        b'.' | b',' | b';' | b':' | b'!' | b'?' => (PUNCTUATION, 11),
        b'(' | b'[' | b'{' | b'<' => (PUNCTUATION, 12),
        b')' | b']' | b'}' | b'>' => (PUNCTUATION, 13),
        b'_' => (PUNCTUATION, 14),
        33..=126 => (PUNCTUATION, 15),
        0xC2 => (OTHER, 16),
        0xCD..=0xCF => (OTHER, 17),
        0xD0..=0xD3 => (OTHER, 18),
        0xD4..=0xD7 => (OTHER, 19),
        0xD8..=0xDF => (OTHER, 20),
        0xE0 => (OTHER, 21),
        0xE1 => (OTHER, 22),
        0xE2 => (OTHER, 23),
        0xE3 => (OTHER, 24),
        0xE4..=0xE9 => (OTHER, 25),
        0xEA..=0xED => (OTHER, 26),
        0xEE | 0xEF => (OTHER, 27),
        0xF0..=0xFF => (OTHER, 28),
    };
    column << ROW_BITS | row
}

/// For each row the bits of a class in which it must agree with its predecessor to go on with its run: small letters
/// after any letter, capitals after capitals, punctuation after punctuation, anything else after its own row.
pub static JOINS: [u8; 32] = joins();

const fn joins() -> [u8; 32] {
    let mut joins = [0; 32];
    let mut rest = joins.as_mut_slice();
    let mut row = 0;
    while let Some((slot, tail)) = rest.split_first_mut() {
        *slot = match row {
            // SMALL and CAPITAL differ in the lowest bit of the column alone.
            0..=2 | 4..=5 => 0b1100_0000,
            3 | 10..=15 => 0b1110_0000,
            _ => u8::MAX,
        };
        row += 1;
        rest = tail;
    }
    joins
}

/// Columns of [`WEIGHTS`].
pub const COLUMNS: usize = 16;
/// The last of the columns for the first character of a run; those for the following characters come behind.
pub const LAST_FIRST: usize = 6;

/// Tokens, in 64ths, of a character of a class (row) at a place (column).
///
/// The first seven columns are for the first character of a run, after a space, a line break or control character, a
/// small letter, a capital, a digit, punctuation, anything else; the other nine for the second to the tenth and later
/// character of a run. Digits cost in threes.
#[rustfmt::skip]
pub static WEIGHTS: [[u8; COLUMNS]; 32] = [
    [  7,  58,  12,  12,  33,  24,  11,   4,   0,   0,   0,   5,   2,   0,   0,  32], // a e i o u
    [  6,  58,  13,  13,  18,  16,   0,   0,   1,   0,   1,   0,   0,   0,  13,  11], // b c d … consonants
    [ 23,  91,  27,  27,  68,  27,  41,  18,   6,  10,   6,  11,   0,  12,  17,  23], // j k q v w x y z
    [ 28,  57,  59,  54, 108,  27,  49,  25,   7,  13,  13,  11,  16,  22,  25,  32], // A–Z
    [ 49,  76,  63,  63,  63,  62,  63,  37,  62,  94, 110, 113, 114, 116, 116, 117], // C3: é ü ß
    [ 40,  40,  40,  40,  40,  40,  40,  91, 108, 113, 128, 133, 138, 144, 147, 148], // C4–CC: ł ş ř
    [118,  69, 114, 145, 112,  94, 112,   0,   0,  57,   0,   0,  52,   0,   0,  25], // 0–9
    [  0,  17,  50,   5,  13,  37,   0,  52,   1,   0,   0,   0,   0,   0,   1,   1], // space
    [  0,  40,  89,  46,  45,  15,  66,   0,  25,  25,  25,  25,  25,  25,  25,  25], // \n \r
    [ 34,  43,  49,  37,  33,  25,  37,  11,   7,   7,   6,   6,   6,   6,   6,   6], // \t, control
    [ 35,  81,  74,  81,  28,  63,  63,   0,  15,  10,  11,  14,  16,  18,  21,  23], // " ' `
    [ 71,  40,  73,  59,  35,  50,  50,  24,  39,  40,  44,  47,  50,  51,  54,  56], // . , ; : ! ?
    [ 51,  53,  50,  66,  47,  75,  75,  75,  39,  41,  44,  47,  49,  51,  52,  53], // ( [ { <
    [ 26,  24,  58,  58,  25,  29,  29,   0,   0,   4,   9,  14,  19,  23,  27,  31], // ) ] } >
    [ 60,  49,  48,   6,  15,  45,  45,  38,  11,  10,   8,   6,   4,   3,   1,   0], // _
    [ 38,  27,  94,  65,  38,  62,  77,  15,   9,  19,  20,  20,  17,  13,   8,   2], // - + = / # \ …
    [ 76,  51, 101,  80,  48,  48,  68,  13,  13,  14,  14,  13,  13,  13,  12,  12], // C2: ° « nbsp
    [ 74,  91,  84,  80,  87, 100,  88,  13,  17,  17,  18,  18,  18,  18,  18,  18], // CD–CF: Greek
    [ 45,  40,  52,  51,  53,  63,  51,  24,  13,  10,   4,   7,  14,  16,  16,  17], // D0–D3: Cyrillic
    [ 30,  59,  57,  57,  66,  74,  57,  32,  31,  31,  31,  31,  31,  30,  30,  30], // D4–D7: Hebrew
    [ 32,  81,  53,  54,  51,  68,  51,  15,  21,  22,  24,  24,  25,  26,  26,  27], // D8–DF: Arabic
    [  8,  84,  57,  56,  56,  71,  56,  24,  30,  30,  30,  30,  29,  28,  27,  26], // E0: Hindi, Thai
    [ 24,  25,  24,  24,  24,  25,  24, 104, 104, 104, 104, 104, 104, 104, 104, 104], // E1: Vietnamese
    [ 81, 112,  91,  67,  55,  33,  71,  51,  23,  19,  16,  13,  10,   8,   6,   4], // E2: “ — … € →
    [ 38,  84,  16,  32,  52,  74,  51,  43,  29,  29,  31,  34,  35,  37,  39,  40], // E3: kana
    [ 11,  43, 118, 110, 127, 176, 115,   6,  56,  60,  61,  59,  53,  43,  36,  31], // E4–E9: CJK
    [ 62,  81,  68,  67,  69,  91,  72,  42,  30,  28,  28,  28,  28,  27,  27,  27], // EA–ED: Hangul
    [ 88,  17,   8,  43, 129,  21,  79,   0,   0,   0,   0,   0,   0,   0,   0,   0], // EE, EF: full-width
    [118, 139, 132, 132, 138, 133, 132,  96,  98,  98,  98,  98,  98,  98,  98,  98], // F0…: emoji
    // No classes; with a row for every value of ROW_MASK no bound is checked in the loop.
    [0; COLUMNS], [0; COLUMNS], [0; COLUMNS],
];
