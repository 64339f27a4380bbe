//! Classes of bytes and the weight of each class at each place.
//!
//! Owns the three tables (800 bytes) and the packing of a class. Never reads text.
//!
//! The weights were fitted offline, outside the repository: least squares of the relative error, robust (Huber, 5 %),
//! not negative, neighbouring places drawn to each other where there was little to see. Truth was `o200k_base` of
//! tiktoken on pieces of 200 and 2,000 bytes, each plain and JSON-escaped, from one half of: English prompts (a fifth
//! of the weight), Rust, Python, C, JavaScript, Markdown and JSON files, manual pages, books and prompts in Chinese,
//! Japanese, Korean, Russian, Ukrainian, German, French, Spanish and Polish, a vim tutorial in seven further languages,
//! program messages in Arabic, Persian, Hebrew, Hindi, Bengali and Thai, random base64 and hexadecimal digits, and
//! English with emoji, typographic quotes and box drawing. `cli/tests/token_estimate.rs` measures on other text.

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
    let mut rest: &mut [u8] = &mut classes;
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
    let mut rest: &mut [u8] = &mut joins;
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
    [ 10,  59,  13,  13,  33,  29,  14,   2,   0,   0,   0,   5,   0,   1,   0,  36], // a e i o u
    [  9,  51,  13,  13,  35,  17,   0,   0,   2,   0,   0,   0,   2,   0,  10,  11], // b c d … consonants
    [ 36,  72,  25,  25,  36,  23,  37,  17,   5,   8,   1,  13,   6,   0,   5,  14], // j k q v w x y z
    [ 28,  56,  54,  50, 109,  31,  46,  26,   4,   4,  12,  20,  24,  26,  23,   9], // A–Z
    [ 42,  59,  49,  49,  48,  47,  49,  28,  48,  76,  92,  96,  95,  93,  90,  94], // C3: é ü ß
    [ 40,  40,  40,  40,  40,  40,  40, 102, 116, 120, 133, 133, 138, 142, 144, 144], // C4–CC: ł ş ř
    [115,  78, 103, 147, 109,  92, 109,   0,   0,  46,   0,  21,  46,   0,   0,  23], // 0–9
    [  0,  16,  48,   9,  22,  36,   0,  58,   1,   0,   0,   0,   0,   0,   2,   0], // space
    [  1,  34,  95,  59,  41,  11,  58,   9,  38,  38,  38,  38,  38,  38,  38,  38], // \n \r
    [ 26,  23,  37,  32,  24,  21,  27,  29,  15,  13,  12,  12,  12,  12,  12,  12], // \t, control
    [ 46,  63,  70,  65,  40,  59,  59,   0,  17,  18,  22,  24,  26,  28,  29,  30], // " ' `
    [ 58,  34,  72,  54,  32,  49,  49,  13,  39,  38,  41,  45,  48,  49,  50,  52], // . , ; : ! ?
    [ 55,  77,  53,  64,  30,  77,  77,  70,  50,  53,  56,  59,  61,  62,  63,  63], // ( [ { <
    [ 31,  33,  59,  51,  31,  34,  34,   0,   0,   5,   9,  14,  17,  21,  24,  27], // ) ] } >
    [ 53,  30,  44,   7,  37,  44,  44,  23,  15,  14,  12,   9,   7,   5,   3,   1], // _
    [ 33,  26,  89,  59,  43,  66,  76,  20,   4,  14,  17,  17,  14,  11,   7,   2], // - + = / # \ …
    [ 62,  47,  87,  69,  43,  56,  62,  13,  12,  12,  12,  12,  11,  11,  11,  10], // C2: ° « nbsp
    [ 87, 111, 108, 108, 108, 118, 108,   9,  14,  14,  15,  15,  15,  15,  16,  16], // CD–CF: Greek
    [ 52,  63,  68,  68,  69,  88,  68,  20,  12,   9,   2,   3,  10,  13,  16,  19], // D0–D3: Cyrillic
    [ 33,  65,  61,  61,  70,  77,  61,  31,  31,  31,  30,  30,  31,  30,  30,  30], // D4–D7: Hebrew
    [ 20,  73,  43,  42,  41,  57,  42,  23,  25,  25,  25,  24,  24,  23,  24,  24], // D8–DF: Arabic
    [  8,  92,  55,  55,  54,  58,  54,  26,  29,  29,  30,  30,  30,  29,  28,  26], // E0: Hindi, Thai
    [ 24,  25,  24,  24,  24,  24,  24,  49,  49,  49,  49,  49,  49,  49,  49,  49], // E1: Vietnamese
    [ 74, 109,  90,  70,  59,  41,  74,  48,  23,  20,  17,  14,  11,   9,   7,   5], // E2: “ — … € →
    [ 53,  96,  26,  36,  52,  66,  54,  47,  31,  31,  31,  33,  34,  35,  36,  38], // E3: kana
    [  9,  45, 117, 105, 113, 165, 107,   8,  57,  61,  63,  60,  54,  43,  36,  30], // E4–E9: CJK
    [ 65,  91,  67,  70,  69,  84,  73,  38,  31,  30,  30,  30,  30,  30,  30,  30], // EA–ED: Hangul
    [ 86,  17,   8,  44, 122,  24,  79,   0,   0,   0,   0,   0,   0,   0,   0,   0], // EE, EF: full-width
    [123, 140, 136, 135, 141, 136, 135,  96,  98,  98,  98,  98,  98,  98,  98,  98], // F0…: emoji
    // No classes; with a row for every value of ROW_MASK no bound is checked in the loop.
    [0; COLUMNS], [0; COLUMNS], [0; COLUMNS],
];
