//! Scans a stream of server-sent events as it passes.
//!
//! Owns event framing over any chunking, and the place where an event's payload is handed to the `Handler` of its
//! API. Never allocates per event: whole events are read where they lie, only the broken end of a chunk is kept. Never
//! knows what is in a payload.

pub use super::known::{Broken, First};

pub(super) use super::known::Known;
use super::splice::Splices;
use super::{Answer, Treatment, chat, messages, responses, translated};
use crate::bytes::find;
use crate::request::Api;
use core::ops::Range;

/// Longest event that is read, in bytes: a whole response with its images fits. What is longer passes unread, and
/// unchanged.
pub const MAX_EVENT: usize = 8 << 20;

/// What one API makes of its events.
pub(super) trait Handler {
    /// Whether any event may go on other than it came. Asked once, before the first event. `false`: they pass as they
    /// come, whatever is noted or written.
    fn rewrites(&self) -> bool;

    /// Takes one event's payload: tells `known` what it says, and `output` what becomes of it.
    fn event(&mut self, payload: &[u8], known: &mut Known, output: &mut Output) -> Fate;

    /// Takes the end of the stream: once for each `[DONE]`, and once when no more bytes come.
    fn end(&mut self, end: End, known: &mut Known, output: &mut Output) -> Fate;

    /// Takes it that the stream ended early, and writes what tells the client so, in the place of all that was to come.
    fn cut_off(&self, _output: &mut Output) {}

    /// Takes it that an event is too long to be read. `true`: nothing of it may pass, and what is to stand in its place
    /// is written.
    fn too_long(&mut self, _known: &mut Known, _output: &mut Output) -> bool {
        false
    }
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The event `[DONE]`.
    Done,
    /// No more bytes come.
    Closed,
}

/// What becomes of an event.
pub(super) enum Fate {
    /// It goes on, with the splices that were noted.
    Kept,
    /// What the handler has written goes in its place; nothing, if it has written nothing.
    Replaced,
}

/// What goes on to the client.
pub(super) struct Output {
    /// Changes to the payload at hand.
    pub(super) splices: Splices,
    /// Bytes that go on, whole events; a handler may append to them.
    pub(super) written: Vec<u8>,
}

impl Output {
    /// Writes an event of this payload in the place of all that was to go on.
    pub(super) fn replace(&mut self, head: &[u8], payload: &[u8]) {
        self.written.clear();
        for piece in [head, payload, b"\n\n"] {
            self.written.extend_from_slice(piece);
        }
    }
}

/// The scanner of one stream.
pub struct Events {
    handler: Box<dyn Handler>,
    rewrites: bool,
    known: Known,
    output: Output,
    /// The start of an event whose end has not come; of one that is too long, only its last bytes.
    tail: Vec<u8>,
    /// The event at hand is too long, and has passed up to here.
    too_long: bool,
    /// And nothing of it may.
    swallows: bool,
    data: Data,
}

impl Events {
    /// A scanner that does to the stream what `treatment` says.
    pub fn new(treatment: &Treatment) -> Self {
        let handler: Box<dyn Handler> = match (&treatment.about, treatment.api) {
            (Some(about), _) => Box::new(translated::Translated::new(treatment, about)),
            (None, Api::Messages) => Box::new(messages::Stream::new(treatment)),
            (None, Api::Chat | Api::Other) => Box::new(chat::Chunks {
                take_out_usage: treatment.take_out_usage,
                details: treatment.details.is_some(),
                any: treatment.api == Api::Other,
            }),
            (None, Api::Responses) => Box::new(responses::Stream::new(treatment)),
        };
        Events {
            rewrites: handler.rewrites(),
            handler,
            // The streams of other endpoints end as they like.
            known: Known::new(treatment.api == Api::Other && treatment.about.is_none()),
            output: Output { splices: Splices::new(treatment), written: Vec::new() },
            tail: Vec::new(),
            too_long: false,
            swallows: false,
            data: Data::default(),
        }
    }

    /// What the first event said.
    pub fn first(&self) -> &First {
        self.known.first()
    }

    /// Whether the stream came to its proper end.
    pub fn is_done(&self) -> bool {
        self.known.done
    }

    /// What is wrong with a stream that had begun well.
    pub fn broken(&self) -> Option<Broken> {
        self.known.broken()
    }

    /// What the stream has said of itself.
    pub fn answer(&self) -> &Answer {
        self.known.answer()
    }

    /// Takes the next bytes, and says what goes on in their place: whole events only (but for one that is too long), until
    /// [`Events::finish`], so that the client can be told of an early end. `None`: they pass as they are.
    pub fn push(&mut self, chunk: &[u8]) -> Option<&[u8]> {
        self.output.written.clear();
        let mut as_they_are = !self.rewrites && self.tail.is_empty() && !self.too_long;
        let chunk = if self.too_long { self.pass_too_long(chunk) } else { chunk };
        if self.tail.is_empty() {
            let rest = self.read_events(chunk, 0);
            let (whole, tail) = chunk.split_at_checked(rest).unwrap_or((chunk, &[]));
            as_they_are &= tail.is_empty();
            self.tail.extend_from_slice(tail);
            if !as_they_are {
                self.pass_as_it_is(whole);
            }
        } else if !self.too_long {
            // The end may begin up to three bytes before the new ones.
            let from = self.tail.len().saturating_sub(3);
            let mut pending = core::mem::take(&mut self.tail);
            pending.extend_from_slice(chunk);
            let rest = self.read_events(&pending, from);
            self.pass_as_it_is(pending.get(..rest).unwrap_or_default());
            pending.drain(..rest);
            self.tail = pending;
        }
        if self.tail.len() > MAX_EVENT {
            let start = core::mem::take(&mut self.tail);
            self.pass_unread();
            self.pass(&start);
            self.too_long = true;
            self.keep_end(&start);
        }
        (!as_they_are).then_some(self.output.written.as_slice())
    }

    /// No more bytes come. Says what is still to go on to the client.
    pub fn finish(&mut self) -> &[u8] {
        let tail = core::mem::take(&mut self.tail);
        self.output.written.clear();
        if !self.too_long && !tail.is_empty() {
            self.read_event(&tail);
            self.pass_as_it_is(&tail);
        }
        self.handler.end(End::Closed, &mut self.known, &mut self.output);
        if self.known.close() {
            self.handler.cut_off(&mut self.output);
        }
        &self.output.written
    }

    /// Passes what belongs to the event that is too long, and says what comes after it.
    fn pass_too_long<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let mut seam = core::mem::take(&mut self.tail);
        let before = seam.len();
        seam.extend_from_slice(chunk.get(..LONGEST_END - 1).unwrap_or(chunk));
        let over_seam = event_end(&seam, 0).map(|end| end.saturating_sub(before));
        let Some(end) = over_seam.or_else(|| event_end(chunk, 0)) else {
            self.pass(chunk);
            self.keep_end(if chunk.len() < LONGEST_END { &seam } else { chunk });
            return &[];
        };
        self.too_long = false;
        let (event, rest) = chunk.split_at_checked(end).unwrap_or((chunk, &[]));
        self.pass(event);
        rest
    }

    /// Keeps of an event that has passed what the end of it may begin with.
    fn keep_end(&mut self, passed: &[u8]) {
        let from = passed.len().saturating_sub(LONGEST_END - 1);
        self.tail.extend_from_slice(passed.get(from..).unwrap_or_default());
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
        // Whether an event is read must not hang on how it was cut.
        let payload = if event.len() > MAX_EVENT { None } else { self.data.of(event) };
        let Some(payload) = payload else {
            self.pass_unread();
            // What is not rewritten is passed by those who call this.
            if self.rewrites {
                self.pass(event);
            }
            return;
        };
        self.output.splices.clear();
        // The one place where a payload meets what its API makes of it.
        let fate = match payload {
            b"" => Fate::Kept,
            b"[DONE]" => self.handler.end(End::Done, &mut self.known, &mut self.output),
            payload => self.handler.event(payload, &mut self.known, &mut self.output),
        };
        let Output { splices, written } = &mut self.output;
        if let (Fate::Kept, true) = (fate, self.rewrites) {
            let mut at = 0;
            for (span, text) in splices.iter() {
                written.extend_from_slice(event.get(at..self.data.place(span.start)).unwrap_or_default());
                written.extend_from_slice(text.as_bytes());
                at = self.data.place(span.end);
            }
            written.extend_from_slice(event.get(at..).unwrap_or_default());
        }
    }

    /// An event passes unread, unless its handler knows better.
    fn pass_unread(&mut self) {
        self.swallows = self.handler.too_long(&mut self.known, &mut self.output);
        self.known.decide(|| First::Good);
        self.known.endless = true;
    }

    fn pass(&mut self, bytes: &[u8]) {
        if !self.swallows {
            self.output.written.extend_from_slice(bytes);
        }
    }

    /// Passes whole events of a stream that is not rewritten.
    fn pass_as_it_is(&mut self, events: &[u8]) {
        if !self.rewrites {
            self.output.written.extend_from_slice(events);
        }
    }
}

/// Bytes of the longest end of an event.
const LONGEST_END: usize = b"\n\r\n".len();

/// One past the blank line that ends an event; looks from `from` on. Lines end in `\n` or `\r\n`.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += find(bytes.get(at..)?, b'\n')?;
        match bytes.get(at + 1..)? {
            [b'\n', ..] => return Some(at + 2),
            [b'\r', b'\n', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
}

/// Lines of data in an event that is read, at most; no provider sends two. One with more is as one that is too long.
const MAX_LINES: usize = 64;

/// The payload of the event at hand.
#[derive(Default)]
struct Data {
    /// Where the values of its `data` lines lie in the event.
    lines: Vec<Range<usize>>,
    /// The payload, where it has more than one line. No provider sends such events; what stands between may.
    joined: Vec<u8>,
}

impl Data {
    /// The payload of `event`, empty where it has none; `None` where it has too many lines.
    fn of<'a>(&'a mut self, event: &'a [u8]) -> Option<&'a [u8]> {
        self.lines.clear();
        let mut start = 0;
        while let Some(rest) = event.get(start..).filter(|rest| !rest.is_empty()) {
            let line = find(rest, b'\n').and_then(|end| rest.get(..=end)).unwrap_or(rest);
            if let Some(value) = line.strip_prefix(b"data:") {
                if self.lines.len() == MAX_LINES {
                    return None;
                }
                let lead = value.len() - value.trim_ascii_start().len();
                let from = start + b"data:".len() + lead;
                self.lines.push(from..from + value.trim_ascii().len());
            }
            start += line.len();
        }
        if let [] | [_] = self.lines.as_slice() {
            return Some(self.lines.first().and_then(|line| event.get(line.clone())).unwrap_or_default());
        }
        self.joined.clear();
        for (index, line) in self.lines.iter().enumerate() {
            if index > 0 {
                self.joined.push(b'\n');
            }
            self.joined.extend_from_slice(event.get(line.clone()).unwrap_or_default());
        }
        Some(&self.joined)
    }

    /// Where in the event a byte of the payload lies.
    fn place(&self, at: usize) -> usize {
        let mut at = at;
        for line in &self.lines {
            if at <= line.len() {
                return line.start + at;
            }
            // Past the line and the break behind it.
            at -= line.len() + 1;
        }
        self.lines.last().map_or(0, |line| line.end)
    }
}
