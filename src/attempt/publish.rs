//! The form in which a brief goes from one plugin to the other.
//!
//! Owns the bytes of each type: the fields in their order, numbers in as few bytes as they need. Nothing is named, because
//! names took longer to write and read than all else; [`FORM`] keeps plugins of two builds apart. Reads any bytes without
//! harm.

use super::brief::{Brief, PublishedRequest, PublishedSession};
use super::slot::{Slot, Wire};
use crate::catalog::{Effort, LongContextPrice, Price};
use crate::decide::Thinking;
use crate::policy::{Cooldown, Dialect};
use crate::request::json::Span;
use crate::request::{Api, Member, Members, Thought};

/// Stands first; another one after each change of what is published.
pub const FORM: u8 = 3;

/// What can be published.
pub trait Publish: Sized {
    /// Appends it.
    fn put(&self, to: &mut Vec<u8>);
    /// Reads it, and goes behind it; `None` where it is not there.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// The next byte; goes behind it.
fn next(from: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = from.split_first()?;
    *from = rest;
    Some(*byte)
}

impl Publish for u64 {
    /// Seven bits a byte, the lowest first.
    fn put(&self, to: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        to.push(rest as u8);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = next(from)?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl Publish for f64 {
    fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(f64::from_le_bytes(*bytes))
    }
}

impl Publish for bool {
    fn put(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(next(from)? != 0)
    }
}

impl Publish for String {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        to.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let length = usize::take(from)?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        core::str::from_utf8(text).ok().map(str::to_owned)
    }
}

impl<T: Publish> Publish for Option<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(from)? { Some(T::take(from)?) } else { None })
    }
}

impl<T: Publish> Publish for Vec<T> {
    fn put(&self, to: &mut Vec<u8>) {
        self.len().put(to);
        self.iter().for_each(|value| value.put(to));
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let count = usize::take(from)?;
        // Each has a byte at least.
        let mut values = Vec::with_capacity(count.min(from.len()));
        for _ in 0..count {
            values.push(T::take(from)?);
        }
        Some(values)
    }
}

impl<A: Publish, B: Publish> Publish for (A, B) {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

/// As a wider number.
macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Publish for $type {
            fn put(&self, to: &mut Vec<u8>) {
                (*self as u64).put(to);
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                Self::try_from(u64::take(from)?).ok()
            }
        }
    )*};
}

/// By the place in a list of all.
macro_rules! choices {
    ($($type:ty: $($name:ident)*;)*) => {$(
        impl Publish for $type {
            fn put(&self, to: &mut Vec<u8>) {
                // The compiler sees whether one is missing.
                match self {
                    $(Self::$name)|* => {}
                }
                to.push([$(Self::$name),*].iter().position(|one| one == self).unwrap_or_default() as u8);
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                [$(Self::$name),*].get(usize::from(next(from)?)).copied()
            }
        }
    )*};
}

/// Field by field. Those behind the bar are left out, and what they are where it is read is said.
macro_rules! fields {
    ($($type:ty: $($name:ident)* $(| $($out:ident = $value:expr)*)?;)*) => {$(
        impl Publish for $type {
            fn put(&self, to: &mut Vec<u8>) {
                let Self { $($name),* $(, $($out: _),*)? } = self;
                $($name.put(to);)*
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($name: Publish::take(from)?,)* $($($out: $value),*)? })
            }
        }
    )*};
}

numbers! { usize u32 }

choices! {
    Api: Chat Responses Messages Other;
    Dialect: OpenAi AzureOpenAi Anthropic VertexAnthropic BedrockAnthropic;
    Effort: None Minimal Low Medium High Xhigh Max;
}

fields! {
    Span: start end;
    Member: key value;
    Members: length inside list;
    Thought: provider start end;
    Cooldown: initial maximum;
    LongContextPrice: above input cached_input output;
    Price: input cached_input cache_write cache_write_1h output long_context;
    PublishedSession: strategy source model;
    PublishedRequest: api members form private version marks thoughts earlier stream later;
    Brief: request policy router mode consumer fee baseline cooldown session limited details | reason = "" slots = Vec::new();
    Slot: model cluster next_cluster dialect path authority deployment drop moot rename effort add_usage translate thinking
        cache_prefix betas no_developer mark provider failed_lately price;
}

impl Publish for Thinking {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Thinking::Adaptive(effort) => (true, *effort).put(to),
            Thinking::Budget(tokens) => (false, *tokens).put(to),
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(from)? {
            Thinking::Adaptive(Effort::take(from)?)
        } else {
            Thinking::Budget(u32::take(from)?)
        })
    }
}

impl Publish for Wire {
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Wire::Chat { limit, reasoning, usage } => {
                true.put(to);
                limit.put(to);
                (*reasoning, *usage).put(to);
            }
            Wire::Messages { max_tokens, thinking, include_usage } => {
                (false, *max_tokens).put(to);
                (*thinking, *include_usage).put(to);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(from)? {
            Wire::Chat { limit: String::take(from)?, reasoning: bool::take(from)?, usage: bool::take(from)? }
        } else {
            Wire::Messages {
                max_tokens: u32::take(from)?,
                thinking: Publish::take(from)?,
                include_usage: bool::take(from)?,
            }
        })
    }
}
