//! What the model sees of a text: which words, and counts that a person would look at.
//!
//! Owns the two kinds of features: hashed words, pairs and stems ([`Features::buckets`]), and [`HAND`] numbers about the
//! text's shape and cues. Training and serving call the same code. Takes any bytes, in time linear in their number.

use super::cues::{CUES, Cues};
use super::words::{Kind, Token, Tokens, mix, pair};

/// Hashed features fall into this many buckets.
pub const BUCKETS: usize = 1 << 15;
/// Numbers about shape.
const SHAPE: usize = SHAPES.len();
/// All numbers: shape, then for each cue how often it occurs and how often it starts a sentence.
pub const HAND: usize = SHAPE + 2 * CUES;
/// Place of the length of the question itself among the numbers: its options left out.
pub const STEM: usize = 1;

/// Names of the numbers about shape. `log` means `ln(1 + x)`.
const SHAPES: [&str; 35] = [
    "log bytes",
    "log bytes of the question",
    "log words",
    "log distinct hashes",
    "distinct share",
    "log sentences",
    "words per sentence",
    "letters per word",
    "share of long words",
    "log numbers",
    "numbers per word",
    "log longest number",
    "log decimals, fractions, per cents",
    "log lines",
    "log longest line",
    "log indented lines",
    "log list items",
    "log options",
    "log mean option length",
    "log spread of option lengths",
    "share of options with digits",
    "share of capital words",
    "share of bytes beyond ASCII",
    "log ideographs",
    "question marks",
    "ends with a question mark",
    "log operators",
    "log brackets",
    "log commas",
    "log quotes",
    "log dollars",
    "log backslashes",
    "log underscores and semicolons",
    "log colons",
    "code fence",
];

/// Salts that keep kinds of hashed features apart.
const STEM_SALT: u32 = 0x5851_F42D;
const START_SALT: u32 = 0x4C95_7F2D;

/// The features of one text.
#[derive(Clone, Debug)]
pub struct Features {
    /// Buckets of hashed features, each once.
    pub buckets: Vec<u16>,
    /// Numbers about shape and cues, unscaled.
    pub hand: [f32; HAND],
}

/// The name of a number, for explanations.
pub fn hand_name(index: usize) -> String {
    let cue = |index: usize| super::cues::names().nth(index).unwrap_or_default();
    match index.checked_sub(SHAPE) {
        None => SHAPES.get(index).map_or_else(String::new, |name| (*name).to_owned()),
        Some(index) if index < CUES => format!("cue {}", cue(index)),
        Some(index) => format!("sentence starts with cue {}", cue(index - CUES)),
    }
}

/// Reads the features of `text`.
pub fn features(cues: &Cues, text: &[u8]) -> Features {
    let mut seen = Seen::new(text.len());
    let mut words = Words::default();
    let mut before = None;
    for token in Tokens::new(text) {
        let Token { hash, prefix, .. } = token;
        let joined = before.map(|before| pair(before, hash));
        seen.make_room();
        seen.add(hash, true);
        seen.add(mix(prefix.unwrap_or_default() ^ STEM_SALT), prefix.is_some());
        if token.starts {
            seen.add(mix(hash ^ START_SALT), true);
        }
        seen.add(joined.unwrap_or_default(), joined.is_some());
        words.add(cues, &token, joined);
        before = Some(hash);
    }
    seen.buckets.truncate(seen.count);
    let lines = Lines::read(text);
    let hand = hand(text, &seen, &words, &lines);
    Features { buckets: seen.buckets, hand }
}

/// Buckets, each once, in the order of the text.
struct Seen {
    bits: Vec<u64>,
    /// The first `count` are buckets; behind them is room for those of a token.
    buckets: Vec<u16>,
    count: usize,
}

impl Seen {
    /// Buckets of one token, at most.
    const OF_TOKEN: usize = 4;

    fn new(bytes: usize) -> Seen {
        Seen { bits: vec![0; BUCKETS / 64], buckets: vec![0; bytes.min(4096) + Seen::OF_TOKEN], count: 0 }
    }

    fn make_room(&mut self) {
        if self.buckets.len() < self.count + Seen::OF_TOKEN {
            self.buckets.resize(2 * self.buckets.len(), 0);
        }
    }

    /// Adds a bucket, if `is_there` and not seen before. Without branches: which words come again cannot be predicted.
    fn add(&mut self, hash: u32, is_there: bool) {
        let bucket = hash as usize % BUCKETS;
        if let (Some(bits), Some(free)) = (self.bits.get_mut(bucket / 64), self.buckets.get_mut(self.count)) {
            let bit = u64::from(is_there) << (bucket % 64);
            let is_new = *bits & bit != bit;
            *bits |= bit;
            *free = bucket as u16;
            self.count += usize::from(is_new);
        }
    }
}

/// What is counted token by token.
#[derive(Default)]
struct Words {
    words: u32,
    letters: u32,
    long: u32,
    capital: u32,
    ideographs: u32,
    numbers: u32,
    longest_number: u32,
    sentences: u32,
    cues: [u16; CUES],
    starts: [u16; CUES],
    /// How often each of [`SIGNS`] occurs.
    signs: [u32; SIGNS],
    /// Signs that part the digits before them from others: of decimals, fractions, per cents.
    parts: u32,
}

impl Words {
    fn add(&mut self, cues: &Cues, token: &Token, joined: Option<u32>) {
        self.sentences += u32::from(token.starts);
        let mut found = 0;
        match token.kind {
            Kind::Word => {
                self.words += 1;
                self.letters += token.length;
                self.long += u32::from(token.length > 8);
                self.capital += u32::from(token.byte.is_ascii_uppercase());
                found = cues.of(token.hash) | token.prefix.map_or(0, |prefix| cues.of(prefix));
            }
            Kind::Ideograph => {
                self.ideographs += 1;
                found = joined.map_or(0, |joined| cues.of(joined));
            }
            Kind::Number => {
                self.numbers += 1;
                self.longest_number = self.longest_number.max(token.length);
            }
            Kind::Sign => {
                count_in(&mut self.signs, sign(token.byte));
                self.parts += u32::from(token.after_digit && matches!(token.byte, b'%' | b'/' | b'.'));
            }
        }
        while found != 0 {
            let cue = found.trailing_zeros() as usize;
            found &= found - 1;
            count(&mut self.cues, cue);
            if token.starts {
                count(&mut self.starts, cue);
            }
        }
    }
}

fn count(counts: &mut [u16; CUES], cue: usize) {
    if let Some(count) = counts.get_mut(cue) {
        *count = count.saturating_add(1);
    }
}

fn count_in(counts: &mut [u32; SIGNS], sign: usize) {
    if let Some(count) = counts.get_mut(sign) {
        *count += 1;
    }
}

/// How many bytes are such. In pieces whose count fits into a byte, because then many are compared at once.
fn count_bytes(text: &[u8], is: impl Fn(u8) -> bool) -> u32 {
    let of_piece = |piece: &[u8]| u32::from(piece.iter().map(|byte| u8::from(is(*byte))).sum::<u8>());
    text.chunks(255).map(of_piece).sum()
}

/// What is counted line by line.
#[derive(Default)]
struct Lines {
    lines: u32,
    longest: u32,
    indented: u32,
    items: u32,
    options: u32,
    option_bytes: f32,
    option_squares: f32,
    option_digits: u32,
    /// All bytes, runs of white space as one.
    bytes: usize,
    /// Those before the first of at least two options, else all.
    stem: usize,
}

impl Lines {
    fn read(text: &[u8]) -> Lines {
        let mut lines = Lines::default();
        let mut offset = 0;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let length = length(line);
            lines.lines += 1;
            lines.longest = lines.longest.max(length as u32);
            lines.indented += u32::from(matches!(line, [b' ' | b'\t', ..]));
            lines.line(line.trim_ascii(), offset);
            offset += length + 1;
        }
        lines.bytes = offset;
        if lines.options < 2 {
            lines.stem = offset;
        }
        lines
    }

    fn line(&mut self, line: &[u8], offset: usize) {
        match line {
            [b'(', b'A'..=b'J', b')', rest @ ..] | [b'A'..=b'J', b'.' | b')', rest @ ..] => {
                if self.options == 0 {
                    self.stem = offset;
                }
                let length = rest.trim_ascii().len() as f32;
                self.options += 1;
                self.option_bytes += length;
                self.option_squares += length * length;
                self.option_digits += u32::from(rest.iter().any(u8::is_ascii_digit));
            }
            [b'-' | b'*', b' ', ..] | [b'0'..=b'9', b'.' | b')', ..] | [b'0'..=b'9', b'0'..=b'9', b'.' | b')', ..] => {
                self.items += 1;
            }
            _ => {}
        }
    }
}

/// Bytes of a line, each run of white space as one.
fn length(line: &[u8]) -> usize {
    let line = line.trim_ascii();
    let next = line.get(1..).unwrap_or_default();
    // Compared in pieces, as in [`count_bytes`].
    let doubled = line.chunks(255).zip(next.chunks(255)).map(|(line, next)| {
        let both = |(a, b): (&u8, &u8)| u8::from(a.is_ascii_whitespace() & b.is_ascii_whitespace());
        u32::from(line.iter().zip(next).map(both).sum::<u8>())
    });
    line.len() - doubled.sum::<u32>() as usize
}

/// Kinds of signs that are counted, and the others.
const SIGNS: usize = 10;

/// Which kind of sign begins with this byte.
fn sign(byte: u8) -> usize {
    match byte {
        b'?' => 0,
        b'+' | b'-' | b'*' | b'=' | b'<' | b'>' | b'^' => 1,
        b'(' | b')' | b'[' | b']' | b'{' | b'}' => 2,
        b',' => 3,
        b'"' => 4,
        b'$' => 5,
        b'\\' => 6,
        b'_' | b';' => 7,
        b':' => 8,
        _ => 9,
    }
}

fn hand(text: &[u8], seen: &Seen, words: &Words, lines: &Lines) -> [f32; HAND] {
    let [questions, operators, brackets, commas, quotes, dollars, backslashes, joiners, colons, _] = words.signs;
    let beyond_ascii = count_bytes(text, |byte| byte >= 0x80);
    // Most cues never occur, and there is no logarithm in hardware.
    let log = |count: u32| if count == 0 { 0.0 } else { (1.0 + count as f32).ln() };
    let bytes = lines.bytes as f32;
    let all_words = (words.words + words.ideographs / 2) as f32;
    let share = |count: u32| count as f32 / (all_words + 1.0);
    let options = lines.options.max(1) as f32;
    let option = lines.option_bytes / options;
    let spread = (lines.option_squares / options - option * option).max(0.0).sqrt();
    let distinct = seen.buckets.len() as f32;
    let fence = text.contains(&b'`') && text.windows(3).any(|window| window == b"```");
    let shape: [f32; SHAPE] = [
        (1.0 + bytes).ln(),
        log(lines.stem as u32),
        (1.0 + all_words).ln(),
        (1.0 + distinct).ln(),
        distinct / (2.0 * all_words + 8.0),
        log(words.sentences),
        all_words / (words.sentences as f32).max(1.0),
        words.letters as f32 / (words.words as f32).max(1.0),
        share(words.long),
        log(words.numbers),
        share(words.numbers),
        log(words.longest_number),
        log(words.parts),
        log(lines.lines),
        log(lines.longest),
        log(lines.indented),
        log(lines.items),
        log(lines.options),
        (1.0 + option).ln(),
        (1.0 + spread).ln(),
        lines.option_digits as f32 / options,
        share(words.capital),
        beyond_ascii as f32 / (bytes + 1.0),
        log(words.ideographs),
        questions.min(8) as f32,
        f32::from(u8::from(text.trim_ascii_end().ends_with(b"?"))),
        log(operators),
        log(brackets),
        log(commas),
        log(quotes),
        log(dollars),
        log(backslashes),
        log(joiners),
        log(colons),
        f32::from(u8::from(fence)),
    ];
    let cues = words.cues.iter().chain(&words.starts).map(|count| log(u32::from(*count)));
    let mut hand = [0.0; HAND];
    for (number, value) in hand.iter_mut().zip(shape.into_iter().chain(cues)) {
        *number = value;
    }
    hand
}
