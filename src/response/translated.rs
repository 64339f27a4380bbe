//! Answers in one API for clients that called another.
//!
//! Owns that they are judged and accounted by what they say, and that nothing of them passes as it came. Never
//! translates: that is [`crate::translate`].

use super::splice::DETAILS;
use super::stream::{Broken, End, Fate, First, Handler, Known, Output};
use super::{Answer, Failure, Treatment};
use crate::edit::Edit;
use crate::request::Api;
use crate::request::json::Span;
use crate::translate::{About, Delta, Stream, answer};

/// Reads a complete answer; the edit puts its translation in its place.
pub(super) fn read_answer(body: &[u8], treatment: &Treatment, about: &About) -> Result<(Answer, Vec<Edit>), Failure> {
    let (mut read, mut failure) = (Answer::default(), None);
    let text = answer(body, treatment.api, &detailed(treatment, about), &mut |delta| match delta {
        Delta::Start(start) => read.model = read.model.take().or_else(|| model_name(start.model)),
        Delta::Usage(usage) => read.usage = Some(usage.counts),
        Delta::Fault(fault) => failure = Some(Failure::of_fault(fault)),
        _ => {}
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let text = String::from_utf8(text?).map_err(|_| Failure::without_body("malformed"))?;
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

/// A stream of the provider's events that becomes one of the client's.
pub(super) struct Translated {
    stream: Stream,
    /// `[DONE]` is the end of such a stream.
    is_chat: bool,
}

impl Translated {
    pub(super) fn new(treatment: &Treatment, about: &About) -> Self {
        let stream = Stream::new(treatment.api, detailed(treatment, about));
        Translated { stream, is_chat: treatment.api != Api::Messages }
    }
}

impl Handler for Translated {
    fn rewrites(&self) -> bool {
        true
    }

    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate {
        if self.stream.event(payload, &mut output.written, &mut |delta| judge(delta, known)).is_err() {
            known.fail(Broken::Malformed, || Failure::without_body("malformed"));
        }
        Fate::Replaced
    }

    fn end(&mut self, end: End, known: &mut Known, output: &mut Output) -> Fate {
        if end == End::Done && self.is_chat {
            known.decide(|| First::Good);
            self.stream.done(&mut output.written);
        }
        // A stream without any event is no answer that could end.
        if end == End::Closed && !known.is_open() {
            self.stream.finish(&mut output.written);
        }
        known.done |= self.stream.is_whole();
        Fate::Replaced
    }

    fn too_long(&mut self, known: &mut Known, output: &mut Output) -> bool {
        known.fail(Broken::Malformed, || Failure::without_body("too_long"));
        self.stream.unreadable(&mut output.written);
        true
    }
}

/// Notes what a step of an answer tells of the whole.
pub(super) fn judge(delta: &Delta, known: &mut Known) {
    match delta {
        Delta::Start(start) => {
            known.note(|| model_name(start.model), None);
            if start.begun {
                known.decide(|| First::Good);
            }
        }
        Delta::Usage(usage) => known.note(|| None, Some(usage.counts)),
        Delta::Fault(fault) => known.fail(Broken::Error, || Failure::of_fault(fault)),
        Delta::End => known.done = true,
        _ => {}
    }
}

/// The value of a text as it stands in JSON, unless it is empty.
pub(super) fn model_name(text: &[u8]) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    serde_json::from_slice(&[b"\"", text, b"\""].concat()).ok()
}
