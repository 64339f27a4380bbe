//! Scans a stream of server-sent events as it passes.
//!
//! Owns event framing over any chunking, the judgement of the first event, and taking out the usage that the client
//! did not ask for. Never allocates per event: whole events are read where they lie, only the broken end of a chunk is
//! kept.

use super::Answer;
use super::answer::{Failure, Object, read_object};

/// Longest event that is read, in bytes. What is longer passes unread, and unchanged.
pub const MAX_EVENT: usize = 1 << 20;

/// What is known of a stream so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// No event that says anything yet.
    Waiting,
    /// It is an answer.
    Good,
    /// It is an error.
    Failed(Failure),
}

/// The scanner of one stream.
pub struct Events {
    take_out_usage: bool,
    /// The start of an event whose end has not come.
    tail: Vec<u8>,
    /// What goes on to the client; used only where something may be taken out.
    passed: Vec<u8>,
    /// An event was too long: everything after it passes unread.
    unread: bool,
    first: First,
    done: bool,
    answer: Answer,
}

impl Events {
    /// A scanner; `take_out_usage` where the client did not ask for it.
    pub fn new(take_out_usage: bool) -> Self {
        Events {
            take_out_usage,
            tail: Vec::new(),
            passed: Vec::new(),
            unread: false,
            first: First::Waiting,
            done: false,
            answer: Answer::default(),
        }
    }

    /// What the first event said.
    pub fn first(&self) -> &First {
        &self.first
    }

    /// Whether the stream came to its proper end.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// What the stream has said of itself.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Takes the next bytes. Where the stream may be changed, says what goes on in the place of these bytes: whole
    /// events only, until [`Events::finish`]. `None`: they pass as they are.
    pub fn push(&mut self, chunk: &[u8]) -> Option<&[u8]> {
        self.passed.clear();
        if self.unread {
            return None;
        }
        if self.tail.is_empty() {
            let rest = self.read_events(chunk, 0);
            self.tail.extend_from_slice(chunk.get(rest..).unwrap_or_default());
        } else {
            // The end may begin up to three bytes before the new ones.
            let from = self.tail.len().saturating_sub(3);
            let mut pending = core::mem::take(&mut self.tail);
            pending.extend_from_slice(chunk);
            let rest = self.read_events(&pending, from);
            pending.drain(..rest);
            self.tail = pending;
        }
        if self.tail.len() > MAX_EVENT {
            self.unread = true;
            self.decide(First::Good);
            self.passed.append(&mut self.tail);
        }
        self.take_out_usage.then_some(self.passed.as_slice())
    }

    /// No more bytes come. Says what is still to go on to the client.
    pub fn finish(&mut self) -> &[u8] {
        let tail = core::mem::take(&mut self.tail);
        self.passed.clear();
        if !tail.is_empty() {
            self.read_event(&tail);
        }
        self.decide(First::Failed(Failure::without_body("empty_stream")));
        if self.take_out_usage { &self.passed } else { &[] }
    }

    fn decide(&mut self, first: First) {
        if self.first == First::Waiting {
            self.first = first;
        }
    }

    /// Reads all whole events of `bytes` and says where the rest begins. No event ends before `from`.
    fn read_events(&mut self, bytes: &[u8], from: usize) -> usize {
        let (mut start, mut from) = (0, from);
        while let Some(end) = event_end(bytes, from) {
            self.read_event(bytes.get(start..end).unwrap_or_default());
            (start, from) = (end, end);
        }
        start
    }

    fn read_event(&mut self, event: &[u8]) {
        let Some(data) = data_of(event) else { return self.pass(event) };
        let payload = event.get(data.clone()).unwrap_or_default();
        if payload == b"[DONE]" {
            self.done = true;
            self.decide(First::Good);
            return self.pass(event);
        }
        let Ok(object) = read_object(payload) else {
            self.decide(First::Failed(Failure::without_body("malformed")));
            return self.pass(event);
        };
        self.note(&object, payload);
        match object.usage_cut().filter(|_| self.take_out_usage) {
            // The event that was asked for on the client's behalf.
            Some(_) if object.has_usage() && !object.has_choices => {}
            Some(cut) => {
                self.pass(event.get(..data.start + cut.start).unwrap_or_default());
                self.pass(event.get(data.start + cut.end..).unwrap_or_default());
            }
            None => self.pass(event),
        }
    }

    fn note(&mut self, object: &Object, payload: &[u8]) {
        if self.answer.model.is_none() {
            self.answer.model = object.model(payload);
        }
        if let Some(usage) = object.usage(payload) {
            self.answer.usage = Some(usage);
        }
        if let Some(failure) = object.failure(payload) {
            self.decide(First::Failed(failure));
        } else if object.has_choices || object.has_usage() {
            self.decide(First::Good);
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        if self.take_out_usage {
            self.passed.extend_from_slice(bytes);
        }
    }
}

/// One past the blank line that ends an event; looks from `from` on. Lines end in `\n` or `\r\n`.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
        match bytes.get(at + 1..)? {
            [b'\n', ..] => return Some(at + 2),
            [b'\r', b'\n', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
}

/// Where the payload of an event's only `data` line lies. Chat streams never spread one over several lines; an event
/// that does passes unread.
fn data_of(event: &[u8]) -> Option<core::ops::Range<usize>> {
    let mut start = 0;
    let mut found = None;
    for line in event.split_inclusive(|byte| *byte == b'\n') {
        if let Some(value) = line.strip_prefix(b"data:") {
            if found.is_some() {
                return None;
            }
            let trimmed = value.trim_ascii();
            let lead = value.len() - value.trim_ascii_start().len();
            let from = start + b"data:".len() + lead;
            found = Some(from..from + trimmed.len());
        }
        start += line.len();
    }
    found
}
