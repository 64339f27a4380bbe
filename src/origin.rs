//! Where an id was made: a mark in the ids that clients see, by which a later request finds its way back.
//!
//! Responses, their items and encrypted reasoning are state at one provider. The mark names that provider and the model,
//! so that every replica can route to them without a database: `resp_68a1` becomes `resp_mr0123456789abcdef_68a1`. It
//! is a hint, no credential: whoever forges one only narrows the choice that the policy allows anyway. Never says what
//! is allowed.

use core::ops::Range;

/// Provider and model of an id, as hashes of their names in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Hash of the provider's name.
    pub provider: u32,
    /// Hash of the model's name.
    pub model: u32,
    /// Whether a candidate of the policy decided: what follows on a response stays with the policy that made it.
    pub candidate: bool,
}

/// What a mark begins with.
const LEAD: &[u8] = b"mr";
/// What one begins with where a candidate decided.
const LEAD_OF_CANDIDATE: &[u8] = b"mc";
/// Hexadecimal digits of a mark.
const DIGITS: usize = 16;
/// Length of a mark in bytes.
pub const MARK: usize = LEAD.len() + DIGITS + 1;

impl Origin {
    /// The origin of what `model` makes at `provider`, both by their names in the policy.
    pub fn new(provider: &str, model: &str) -> Self {
        Origin { provider: hash(provider), model: hash(model), candidate: false }
    }

    /// Whether a provider or model of this name is meant by the hash.
    pub fn means(hashed: u32, name: &str) -> bool {
        hashed == hash(name)
    }

    /// Both as one number, by which a model at a provider is known.
    pub fn place(self) -> u64 {
        u64::from(self.provider) << 32 | u64::from(self.model)
    }

    /// What is written into an id at [`place`].
    pub fn mark(self) -> String {
        let lead = if self.candidate { "mc" } else { "mr" };
        format!("{lead}{:08x}{:08x}_", self.provider, self.model)
    }

    /// The origin that an id bears, and where in it the mark stands.
    pub fn of(id: &[u8]) -> Option<(Origin, Range<usize>)> {
        let at = place(id);
        let (mark, _) = id.get(at..)?.split_first_chunk::<MARK>()?;
        let candidate = mark.starts_with(LEAD_OF_CANDIDATE);
        let lead = if candidate { LEAD_OF_CANDIDATE } else { LEAD };
        let digits = mark.strip_prefix(lead)?.strip_suffix(b"_")?;
        let (provider, model) = digits.split_at_checked(DIGITS / 2)?;
        Some((Origin { provider: hex(provider)?, model: hex(model)?, candidate }, at..at + MARK))
    }
}

/// An id without its mark.
pub fn unmarked(id: &str) -> String {
    let mark = Origin::of(id.as_bytes()).map_or(0..0, |(_, mark)| mark);
    let (head, tail) = (id.get(..mark.start), id.get(mark.end..));
    [head.unwrap_or_default(), tail.unwrap_or_default()].concat()
}

/// Where the mark of an id stands: behind the kind, `resp_` or `msg_`, so that the id still looks like one of its kind;
/// else at its beginning.
pub fn place(id: &[u8]) -> usize {
    const LONGEST_KIND: usize = 8;
    let kind = id.iter().take(LONGEST_KIND + 1).position(|byte| !byte.is_ascii_lowercase());
    match kind {
        Some(end @ 1..) if id.get(end) == Some(&b'_') => end + 1,
        _ => 0,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let lower = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok().filter(|_| lower)
}

/// FNV-1a, folded to 32 bits: the same on every replica.
fn hash(name: &str) -> u32 {
    let wide = fnv(name.as_bytes());
    (wide ^ (wide >> 32)) as u32
}

/// FNV-1a of 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(id: &str, origin: Origin) -> String {
        let (kind, rest) = id.split_at(place(id.as_bytes()));
        format!("{kind}{}{rest}", origin.mark())
    }

    #[test]
    fn a_mark_is_found_again_and_comes_off() {
        let origin = Origin::new("openai", "gpt-5-mini");
        for id in ["resp_68a1", "msg_", "rs_x_y", "gAAAAB_1", "conv_1", "", "_", "abcdefghijk_1", "a_b_c", "résp_1"] {
            let seen = marked(id, origin);
            let (found, mark) = Origin::of(seen.as_bytes()).unwrap();
            assert_eq!(found, origin);
            assert_eq!([&seen[..mark.start], &seen[mark.end..]].concat(), id);
        }
        assert!(marked("resp_68a1", origin).starts_with("resp_mr"));
        assert!(Origin::means(origin.provider, "openai") && !Origin::means(origin.provider, "azure"));
    }

    #[test]
    fn a_candidates_mark_says_so() {
        let origin = Origin { candidate: true, ..Origin::new("openai", "gpt-5-mini") };
        let seen = marked("resp_68a1", origin);
        assert!(seen.starts_with("resp_mc") && seen.len() == "resp_68a1".len() + MARK);
        assert_eq!(Origin::of(seen.as_bytes()).unwrap().0, origin);
        assert_eq!(unmarked(&seen), "resp_68a1");
    }

    #[test]
    fn an_id_loses_its_mark_and_no_other_text_does() {
        let origin = Origin::new("openai", "gpt-5-mini");
        assert_eq!(unmarked(&marked("msg_1", origin)), "msg_1");
        assert_eq!(unmarked(&marked(&marked("msg_1", origin), Origin::new("a", "b"))), marked("msg_1", origin));
        assert_eq!(unmarked("msg_1"), "msg_1");
    }

    #[test]
    fn an_id_from_elsewhere_bears_none() {
        for id in [
            "resp_68a1",
            "resp_mr0123456789abcde_1",
            "resp_mr0123456789ABCDEF_1",
            "mr",
            "resp_mr+123456789abcdef_",
            "resp_mx0123456789abcdef_1",
            "",
        ] {
            assert_eq!(Origin::of(id.as_bytes()), None, "{id}");
        }
    }
}
