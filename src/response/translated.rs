//! Chat Completions answers for clients that called Responses.
//!
//! Owns that they are judged and accounted as Chat is, and that nothing of them passes as it came. Never translates: that
//! is [`crate::translate`].

use super::splice::{DETAILS, Splices};
use super::stream::{End, Fate, Handler, Known, Output};
use super::{Answer, Failure, Treatment, chat};
use crate::edit::Edit;
use crate::request::json::Span;
use crate::translate::{About, Stream, answer};

/// Reads a complete answer; the edit puts its translation in its place.
pub(super) fn read_answer(body: &[u8], treatment: &Treatment, about: &About) -> Result<(Answer, Vec<Edit>), Failure> {
    let read = chat::read_answer(body, &mut Splices::new(&Treatment::new(treatment.api)))?;
    let text = answer(body, &detailed(treatment, about))?;
    let text = String::from_utf8(text).map_err(|_| Failure::without_body("malformed"))?;
    Ok((read, vec![Edit::replace(Span { start: 0, end: body.len() }, text)]))
}

/// What the translation repeats, details included.
fn detailed(treatment: &Treatment, about: &About) -> About {
    let mut about = about.clone();
    if let Some(details) = &treatment.details {
        about.add(DETAILS, details);
    }
    about
}

/// A stream of chunks that becomes one of events.
pub(super) struct Translated {
    chunks: chat::Chunks,
    stream: Stream,
}

impl Translated {
    pub(super) fn new(treatment: &Treatment, about: &About) -> Self {
        let chunks = chat::Chunks { take_out_usage: false, details: false, any: false };
        Translated { chunks, stream: Stream::new(detailed(treatment, about)) }
    }
}

impl Handler for Translated {
    fn rewrites(&self) -> bool {
        true
    }

    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate {
        self.chunks.event(payload, known, output);
        output.splices.clear();
        self.stream.event(payload, &mut output.written);
        Fate::Replaced
    }

    fn end(&mut self, end: End, known: &mut Known, output: &mut Output) -> Fate {
        self.chunks.end(end, known, output);
        // A stream without any event is no answer that could end.
        if !known.is_open() {
            self.stream.finish(&mut output.written);
        }
        Fate::Replaced
    }
}
