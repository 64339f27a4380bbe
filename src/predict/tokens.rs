//! How many tokens a text is, told from its bytes.
//!
//! Owns one estimate, for the o200k tokenizer, whose tables (megabytes) do not fit into a filter. Never tokenizes,
//! never allocates, never looks at more than about 4 KiB.
//!
//! A tokenizer of the GPT family cuts text before it merges bytes: words with the space before them, digits in threes,
//! runs of punctuation, runs of white space. So a character costs what its class costs at its place in such a piece,
//! and the estimate is a sum of weights over the characters.

mod weights;

#[cfg(test)]
mod tests;

use core::hint::select_unpredictable;

use weights::{BACKSLASH, CLASSES, COLUMNS, ESCAPE, INSIDE, JOINS, LAST_FIRST, NEWLINE, ROW_BITS, ROW_MASK, WEIGHTS};

/// Texts up to this size are read whole, longer ones in [`WINDOWS`].
const CAP: usize = 4096;
/// Evenly spaced samples of a long text; many short ones, because long texts change from part to part.
const WINDOWS: usize = 16;
/// Bytes before a window that are read to know whether it starts inside a word, but not counted.
const LEAD: usize = 8;
/// Weights are in this fraction of a token.
const UNIT: u64 = 64;

/// Tokens of `text` in o200k, about: 0 for no text, at least 1 for any other.
///
/// `text` is UTF-8, plain or as it stands in a JSON string: escapes count as the characters they mean. Any bytes are
/// accepted. Takes time in proportion to the length up to 4 KiB and constant time beyond.
///
/// Measured by `cli/tests/token_estimate.rs` against the tokenizer on text that was not fitted on, as median and 90th
/// percentile of the error per chunk and bias of the sum (at 50 kB only two to five chunks
/// of Chinese, JSON and Russian):
///
/// | text | 200 B | 2 kB | 50 kB |
/// |---|---|---|---|
/// | prose | 4, 11, −1 % | 2, 5, 0 % | 2, 6, −1 % |
/// | prose, escaped | 4, 11, −2 % | 2, 5, 0 % | 2, 6, −1 % |
/// | code | 4, 8, −1 % | 2, 4, 0 % | 2, 6, −2 % |
/// | JSON | 6, 11, −6 % | 6, 8, −6 % | 5, 6, −4 % |
/// | Chinese | 5, 12, 0 % | 4, 9, 0 % | 2, 2, 0 % |
/// | Chinese, `\u` escapes | 5, 12, 0 % | 4, 9, 0 % | 5, 5, −1 % |
/// | Russian | 5, 15, +2 % | 3, 6, +3 % | 4, 13, +5 % |
/// | German | 4, 10, −4 % | 3, 8, −3 % | 3, 7, −2 % |
pub fn estimate(text: &[u8]) -> u32 {
    let (units, bytes) = if text.len() <= CAP { (units(text), text.len()) } else { sample(text) };
    let scaled = units.saturating_mul(text.len() as u64) / (bytes.max(1) as u64 * UNIT);
    u32::try_from(scaled).unwrap_or(u32::MAX).max(u32::from(!text.is_empty()))
}

/// The units in all windows of a long text, and the bytes these cover.
fn sample(text: &[u8]) -> (u64, usize) {
    let size = CAP / WINDOWS;
    // Divided before multiplied: on wasm32 the product would overflow for bodies beyond 256 MB.
    let step = (text.len() - size) / (WINDOWS - 1);
    (0..WINDOWS).fold((0, 0), |(sum, bytes), window| {
        let start = window * step;
        let lead = text.get(start.saturating_sub(LEAD)..start).unwrap_or_default();
        let whole = text.get(start.saturating_sub(LEAD)..start + size).unwrap_or_default();
        (sum + units(whole).saturating_sub(units(lead)), bytes + size)
    })
}

/// The weights of all characters of `text`, summed.
// Apart from its caller the loop keeps its tables in registers, a sixth faster.
#[inline(never)]
fn units(text: &[u8]) -> u64 {
    let mut sum = 0u32;
    let mut before = NEWLINE;
    let mut place = LAST_FIRST;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        let mut class = class_of(byte);
        if class >= ESCAPE {
            if class == ESCAPE {
                let (meant, rest) = unescape(bytes.as_slice());
                class = class_of(meant);
                bytes = rest.iter();
            }
            if class == INSIDE {
                continue;
            }
        }
        let row = usize::from(class & ROW_MASK);
        let joins = (class ^ before) & JOINS.get(row).copied().unwrap_or(0) == 0;
        // Chosen, not branched on: text is too irregular for branch prediction.
        place = select_unpredictable(joins, place + 1, LAST_FIRST);
        let column = select_unpredictable(joins, place.min(COLUMNS - 1), usize::from(before >> ROW_BITS));
        sum += WEIGHTS.as_flattened().get(row * COLUMNS + column).map_or(0, |weight| u32::from(*weight));
        before = class;
    }
    u64::from(sum)
}

fn class_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(INSIDE)
}

/// The byte that stands for the character escaped at the start of `text`, the backslash already read, and the text
/// behind: an ASCII character itself, any other character the first byte of its UTF-8.
///
/// A backslash that begins no escape stands for itself, so plain text loses little: `\frac` reads as a control
/// character and a word, which cost about what a backslash and a word do.
#[cold]
fn unescape(text: &[u8]) -> (u8, &[u8]) {
    let literal = (BACKSLASH, text);
    let Some((&letter, rest)) = text.split_first() else { return literal };
    match letter {
        b'n' | b'r' => (b'\n', rest),
        b't' | b'b' | b'f' => (b'\t', rest),
        b'"' | b'/' => (letter, rest),
        b'\\' => (BACKSLASH, rest),
        b'u' => {
            rest.split_first_chunk().and_then(|(digits, rest)| Some((first_byte(digits)?, rest))).unwrap_or(literal)
        }
        _ => literal,
    }
}

/// The first byte of the UTF-8 of the UTF-16 code unit that four hexadecimal digits write. Of a surrogate pair, the
/// first half counts and the second does not.
fn first_byte(digits: &[u8; 4]) -> Option<u8> {
    let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))?;
    Some(match unit {
        0x5C => BACKSLASH,
        0..0x80 => unit as u8,
        0x80..0x800 => 0xC0 | (unit >> 6) as u8,
        0xD800..0xDC00 => 0xF0,
        0xDC00..0xE000 => 0x80,
        _ => 0xE0 | (unit >> 12) as u8,
    })
}
