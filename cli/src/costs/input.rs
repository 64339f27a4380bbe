//! The log, line by line.
//!
//! Owns where it comes from, how long a line may be, and the list of lines that are skipped.

use super::sums::Tally;
use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;

/// Bytes of the longest line that is read; an entry has about two thousand.
const LONGEST: usize = 1 << 20;
/// How many skipped lines are listed.
const LISTED: usize = 10;

/// A log.
pub enum Source<'a> {
    /// What is piped in.
    Stdin,
    /// A file.
    File(&'a PathBuf),
}

/// The files, or standard input where there are none.
pub fn sources(files: &[PathBuf]) -> Vec<Source<'_>> {
    match files.is_empty() {
        true => vec![Source::Stdin],
        false => files.iter().map(Source::File).collect(),
    }
}

impl Source<'_> {
    /// Adds every line.
    ///
    /// # Errors
    /// Where the log cannot be read to its end.
    pub fn read(&self, tally: &mut Tally, skipped: &mut Skipped) -> anyhow::Result<()> {
        let (name, place) = match self {
            Source::Stdin => ("standard input".to_owned(), "line ".to_owned()),
            Source::File(path) => (path.display().to_string(), format!("{}:", path.display())),
        };
        let mut number = 0;
        self.lines(|line| {
            number += 1;
            if let Err(rule) = tally.take(line) {
                skipped.add(|| format!("{place}{number} {rule}"));
            }
        })
        .with_context(|| format!("cannot read {name} after line {number}"))
    }

    fn lines(&self, take: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
        match self {
            Source::Stdin => unzipped(io::stdin().lock(), take),
            Source::File(path) => unzipped(BufReader::new(File::open(path)?), take),
        }
    }
}

/// Reads lines of what may be gzipped, as rotated logs are.
fn unzipped(mut input: impl BufRead, take: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
    const MAGIC: [u8; 2] = [0x1f, 0x8b];
    match input.fill_buf()?.starts_with(&MAGIC) {
        true => each_line(BufReader::new(MultiGzDecoder::new(input)), take),
        false => each_line(input, take),
    }
}

/// Gives every line that is not empty to `take`; `None` is one that is too long.
fn each_line(mut input: impl BufRead, mut take: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let is_whole = line.len() < LONGEST || line.ends_with(b"\n");
        if !is_whole {
            input.skip_until(b'\n')?;
        }
        take(is_whole.then_some(&line));
    }
}

/// Lines that are no entries.
#[derive(Default)]
pub struct Skipped {
    /// How many.
    pub lines: u64,
    first: Vec<String>,
}

impl Skipped {
    fn add(&mut self, describe: impl FnOnce() -> String) {
        self.lines += 1;
        if self.first.len() < LISTED {
            self.first.push(describe());
        }
    }

    /// How many of `lines` there are, and the first of them.
    pub fn show(&self, lines: u64) -> String {
        if self.lines == 0 {
            return String::new();
        }
        let mut text = format!("skipped {} of {lines} lines:\n", self.lines);
        self.first.iter().for_each(|line| text += &format!("  {line}\n"));
        match self.lines - self.first.len() as u64 {
            0 => text,
            more => text + &format!("  and {more} more\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_they_end_and_none_is_held_that_is_too_long() {
        let long = vec![b'x'; 3 * LONGEST];
        let input = [b"one\n\n".as_slice(), &long, b"\r\n", &long[..LONGEST - 1], b"\nlast"].concat();
        let mut lengths = Vec::new();
        each_line(input.as_slice(), |line| lengths.push(line.map(<[u8]>::len))).unwrap();
        assert_eq!(lengths, [Some(4), Some(1), None, Some(LONGEST), Some(4)]);
    }

    #[test]
    fn few_of_many_skipped_lines_are_listed() {
        let mut skipped = Skipped::default();
        assert_eq!(skipped.show(5), "");
        (1..=LISTED + 3).for_each(|line| skipped.add(|| format!("line {line} is wrong")));
        let text = skipped.show(99);
        assert!(text.starts_with("skipped 13 of 99 lines:\n  line 1 is wrong\n"), "{text}");
        assert!(text.ends_with("  line 10 is wrong\n  and 3 more\n"), "{text}");
    }
}
