//! Looks at eight bytes at once.
//!
//! Owns the arithmetic of it. Never knows what the bytes mean.

/// The highest bit of each byte.
pub const HIGH: u64 = 0x8080_8080_8080_8080;
/// A word whose bytes are all `byte`.
pub const fn all(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// The highest bit of each byte of `word` that is less than `limit`, which is at most 128. A borrow can spoil the bytes
/// above the first one, so the lowest is exact.
pub const fn less(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(all(limit)) & !word & HIGH
}

/// The same for the bytes that are `byte`.
pub const fn equal(word: u64, byte: u8) -> u64 {
    less(word ^ all(byte), 1)
}

/// Which byte of a little-endian word the lowest of such bits belongs to.
pub const fn first(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

/// Where `byte` first stands in `bytes`.
pub fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = equal(u64::from_le_bytes(*word), byte);
        if hits != 0 {
            return Some(index * 8 + first(hits));
        }
    }
    Some(words.len() * 8 + rest.iter().position(|other| *other == byte)?)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for length in 0..40 {
            for (byte, other) in [(b'\n', 0x0B), (b'\n', 0x09), (0, 1), (0x80, 0x7F), (0xFF, 0)] {
                let mut bytes = vec![other; length];
                assert_eq!(find(&bytes, byte), None);
                for at in (0..length).rev() {
                    bytes[at] = byte;
                    assert_eq!(find(&bytes, byte), Some(at));
                }
            }
        }
    }
}
