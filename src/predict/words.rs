//! Cuts text into words, numbers and signs.
//!
//! Owns what counts as a word in any script, and its hashes. Accepts any bytes; never allocates, never looks back.

use core::hint::select_unpredictable;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run of letters, without regard to case.
    Word,
    /// One character of a script that is written without spaces.
    Ideograph,
    /// A run of digits.
    Number,
    /// One character of punctuation.
    Sign,
}

/// One token of a text.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Hash of a word in lower case, of a number's length up to 4 digits, of a sign.
    pub hash: u32,
    /// Hash of a word's first five characters, where it is longer.
    pub prefix: Option<u32>,
    /// Characters of a word, digits of a number.
    pub length: u32,
    /// The first byte as it stands in the text.
    pub byte: u8,
    /// A digit stands right before it.
    pub after_digit: bool,
    /// First of a line or sentence.
    pub starts: bool,
}

/// Characters of a word that its prefix hash covers.
pub const PREFIX: u32 = 5;
/// What words and their prefixes begin to be hashed from, so that a word is never its longer cousin's prefix.
const SEED: u32 = 0x811C_9DC5;
const PREFIX_SEED: u32 = 0x2F0B_4C47;

fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Spreads a hash over all its bits.
pub fn mix(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    hash ^ (hash >> 16)
}

/// The hash of two tokens that follow each other.
pub fn pair(first: u32, second: u32) -> u32 {
    mix(first.rotate_left(5).wrapping_mul(0x9E37_79B1) ^ second)
}

/// The hash that a word has as a token.
pub fn word_hash(word: &str) -> u32 {
    Tokens::new(word.as_bytes()).next().map_or(0, |token| token.hash)
}

/// The hash that the first five characters of a longer word have.
pub fn prefix_hash(prefix: &str) -> u32 {
    // One character more, or it would be a whole word.
    let longer = format!("{prefix}a");
    Tokens::new(longer.as_bytes()).next().and_then(|token| token.prefix).unwrap_or_default()
}

/// The tokens of a text.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a [u8],
    after_digit: bool,
    starts: bool,
    /// A sentence has ended; white space makes the next token a start.
    ended: bool,
}

impl<'a> Tokens<'a> {
    /// Over `text`, UTF-8 or any other bytes.
    pub fn new(text: &'a [u8]) -> Self {
        Tokens { text, after_digit: false, starts: true, ended: false }
    }

    fn take(&mut self, length: usize) {
        self.text = self.text.get(length..).unwrap_or_default();
    }

    fn number(&mut self, byte: u8) -> Token {
        let digits = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.take(digits);
        let hash = (0..digits.min(4)).fold(SEED, |hash, _| step(hash, b'0'));
        self.token(Kind::Number, hash, None, digits as u32, byte)
    }

    fn word(&mut self, byte: u8) -> Token {
        let (mut hash, mut short) = (SEED, PREFIX_SEED);
        let (mut length, mut characters, mut lead) = (0, 0, 0);
        for &byte in self.text {
            let class = class(byte);
            if class > Class::Inside {
                break;
            }
            characters += u32::from(class == Class::Letter);
            let lower = lower(lead, byte);
            hash = step(hash, lower);
            short = select_unpredictable(characters > PREFIX, short, step(short, lower));
            lead = byte;
            length += 1;
        }
        self.take(length);
        let prefix = (characters > PREFIX).then(|| mix(short));
        self.token(Kind::Word, hash, prefix, characters, byte)
    }

    fn token(&mut self, kind: Kind, hash: u32, prefix: Option<u32>, length: u32, byte: u8) -> Token {
        let starts = core::mem::replace(&mut self.starts, false);
        self.ended = false;
        let after_digit = core::mem::replace(&mut self.after_digit, kind == Kind::Number);
        Token { kind, hash: mix(hash), prefix, length, byte, after_digit, starts }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = *self.text.first()?;
            match class(byte) {
                Class::Space => {
                    self.starts |= self.ended || byte == b'\n';
                    self.after_digit = false;
                    self.take(1);
                }
                Class::Inside => {
                    self.after_digit = false;
                    self.take(1);
                }
                Class::Digit => return Some(self.number(byte)),
                Class::Letter => return Some(self.word(byte)),
                Class::Ideograph | Class::Sign => {
                    let inside = self.text.iter().skip(1).take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
                    let length = if byte < 0x80 { 1 } else { 1 + inside };
                    let hash = self.text.iter().take(length).fold(SEED, |hash, byte| step(hash, *byte));
                    self.take(length);
                    let kind = if class(byte) == Class::Sign { Kind::Sign } else { Kind::Ideograph };
                    let starts = self.starts;
                    let token = self.token(kind, hash, None, 1, byte);
                    // Bullets, quotes and brackets stand before the word that starts a line.
                    self.starts = starts && kind == Kind::Sign;
                    self.ended = matches!(byte, b'.' | b'!' | b'?' | b':');
                    return Some(token);
                }
            }
        }
    }
}

/// What a byte is part of; those of words come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Class {
    Letter,
    /// Of a character that began before.
    Inside,
    Space,
    Digit,
    Ideograph,
    Sign,
}

/// The class of every byte; of a character beyond ASCII the first byte decides.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Sign; 256];
    let mut rest: &mut [Class] = &mut classes;
    let mut byte = 0u8;
    while let Some((class, behind)) = rest.split_first_mut() {
        *class = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => Class::Space,
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            0x80..0xC0 => Class::Inside,
            // Latin, Greek, Cyrillic, Hebrew, Arabic; Indic scripts and Thai; Latin and Greek extended.
            0xC3..=0xE1 => Class::Letter,
            // Kana, Chinese, Hangul.
            0xE3..=0xED => Class::Ideograph,
            _ => Class::Sign,
        };
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Sign)
}

/// The byte in lower case, for Latin and most of Cyrillic; `lead` is the byte before it.
fn lower(lead: u8, byte: u8) -> u8 {
    match (lead, byte) {
        (0xC3, 0x80..=0x9E) | (0xD0, 0x90..=0x9F) => byte + 0x20,
        _ => byte.to_ascii_lowercase(),
    }
}
