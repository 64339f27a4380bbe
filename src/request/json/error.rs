//! Why bytes are not JSON, and where.
//!
//! Owns the wording. Never shows any of the bytes.

use super::MAX_DEPTH;
use core::fmt;

/// Why bytes are not the JSON that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What was wrong.
    pub kind: JsonErrorKind,
    /// Offset of the byte at which it was noticed.
    pub offset: usize,
}

/// Kinds of [`JsonError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonErrorKind {
    UnexpectedEnd,
    Expected(&'static str),
    ControlCharacter,
    InvalidEscape,
    LoneSurrogate,
    InvalidUtf8,
    InvalidNumber,
    TooDeep,
    TrailingBytes,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            JsonErrorKind::UnexpectedEnd => f.write_str("unexpected end of the body")?,
            JsonErrorKind::Expected(what) => write!(f, "expected {what}")?,
            JsonErrorKind::ControlCharacter => f.write_str("control character in a string")?,
            JsonErrorKind::InvalidEscape => f.write_str("invalid escape in a string")?,
            JsonErrorKind::LoneSurrogate => f.write_str("lone surrogate in a string")?,
            JsonErrorKind::InvalidUtf8 => f.write_str("invalid UTF-8 in a string")?,
            JsonErrorKind::InvalidNumber => f.write_str("invalid number")?,
            JsonErrorKind::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels")?,
            JsonErrorKind::TrailingBytes => f.write_str("bytes after the end of the value")?,
        }
        write!(f, " (byte {})", self.offset)
    }
}
