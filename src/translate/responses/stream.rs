//! Writes an answer as the events of the Responses API, or as one response object.
//!
//! Both come from the same steps, so the object at the end of a stream is the one that a whole answer would have been.
//! Holds the output so far, because the last events repeat it; per delta, only that and the events grow.

use super::about::About;
use super::item::{Item, ItemKind, Part, PartKind, Status, write_logprobs};
use super::writer::{Head, State};
use crate::translate::delta::{Delta, Fault, Finish, Start};
use crate::translate::json::{Escaped, Object, Raw, escape_json};

/// Items among which a piece of a call finds its own.
const MOST_OPEN: usize = 512;

/// Turns the deltas of a stream into the events of a Responses stream.
#[derive(Debug)]
pub struct Stream {
    about: About,
    answer: Progress,
}

impl Stream {
    /// A stream of which nothing has come yet.
    pub fn new(about: About) -> Self {
        Stream { about, answer: Progress::default() }
    }

    /// Takes a step of the answer, and adds the events to `out` that it becomes.
    pub fn take(&mut self, delta: Delta, out: &mut Vec<u8>) {
        self.answer.take(delta, &mut Events { out: Some(out), about: &self.about });
    }

    /// Whether the client has got a whole answer.
    pub fn is_whole(&self) -> bool {
        self.answer.has_ended && !self.answer.has_failed
    }
}

/// Turns the deltas of a whole answer into a response object.
pub struct Whole<'a> {
    about: &'a About,
    answer: Progress,
}

impl<'a> Whole<'a> {
    /// An answer of which nothing has been read yet.
    pub fn new(about: &'a About) -> Self {
        Whole { about, answer: Progress::default() }
    }

    /// Takes a step of the answer.
    pub fn take(&mut self, delta: Delta) {
        self.answer.take(delta, &mut Events { out: None, about: self.about });
    }

    /// The response object; `None` where there was no answer.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        let mut quiet = Events { out: None, about: self.about };
        // A whole answer that does not say why it ended did not end early.
        self.answer.take(Delta::Finish(Finish::Whole), &mut quiet);
        let finish = self.answer.finish.filter(|_| self.answer.has_begun && !self.answer.has_ended)?;
        let mut out = Vec::new();
        self.answer.head.write(&mut out, self.about, State::Ended(finish), &self.answer.items);
        Some(out)
    }
}

/// Where events go; nowhere for a whole answer.
struct Events<'e> {
    out: Option<&'e mut Vec<u8>>,
    about: &'e About,
}

impl Events<'_> {
    /// Writes an event, whose members `write` adds.
    fn write(&mut self, name: &str, sequence: &mut u64, write: impl FnOnce(&mut Object)) {
        let Some(out) = self.out.as_deref_mut() else { return };
        for text in ["event: ", name, "\ndata: "] {
            out.extend_from_slice(text.as_bytes());
        }
        let mut object = Object::open(out);
        object.text("type", name.as_bytes());
        object.number("sequence_number", *sequence);
        *sequence += 1;
        write(&mut object);
        object.close().extend_from_slice(b"\n\n");
    }
}

/// How far an answer has come.
#[derive(Debug, Default)]
struct Progress {
    head: Head,
    items: Vec<Item>,
    /// The message or reasoning that goes on. Calls go on beside it: they come at the same time, told apart by an index.
    current: Option<usize>,
    finish: Option<Finish>,
    sequence: u64,
    has_begun: bool,
    has_ended: bool,
    has_failed: bool,
}

impl Progress {
    fn take(&mut self, delta: Delta, events: &mut Events) {
        if self.has_ended {
            return;
        }
        match delta {
            Delta::Start(start) => self.start(&start, events),
            Delta::Usage(usage) => self.head.usage = Some(usage),
            Delta::Fault(fault) => self.fail(&fault, events),
            Delta::End => self.end(events),
            // What comes after its end is not part of the answer.
            _ if self.finish.is_some() => {}
            // Only its maker could read it, and this API has a place for it in items that it keeps itself.
            Delta::Signature(_) | Delta::Redacted(_) => {}
            Delta::Reasoning(text) => self.text(PartKind::Reasoning, text, None, events),
            Delta::Text { text, logprobs } => self.text(PartKind::Text, text, logprobs, events),
            Delta::Refusal(text) => self.text(PartKind::Refusal, text, None, events),
            Delta::CallStart { index, id, name, custom } => self.call(index, id, name, custom, events),
            Delta::CallInput { index, input } => {
                if let Some(place) = self.find_call(index) {
                    self.add(place, input, None, events);
                }
            }
            Delta::CallObject { index, input } => {
                if let Some(place) = self.find_call(index) {
                    let mut text = Vec::with_capacity(input.bytes().len() * 5 / 4);
                    escape_json(&mut text, input.bytes());
                    self.add(place, &text, None, events);
                }
            }
            Delta::CallEnd { index } => {
                let is_empty = |item: &Item| item.parts.iter().all(|part| part.text.is_empty());
                let found = self.find_call(index).filter(|place| self.items.get(*place).is_some_and(is_empty));
                if let Some(place) = found {
                    self.add(place, b"{}", None, events);
                }
            }
            Delta::Finish(finish) => {
                let status = if finish == Finish::Whole { Status::Completed } else { Status::Incomplete };
                self.finish = Some(finish);
                self.close_all(status, events);
            }
        }
    }

    fn start(&mut self, start: &Start, events: &mut Events) {
        self.head.note(start);
        if start.begun && !self.has_begun {
            self.begin(events);
        }
    }

    fn begin(&mut self, events: &mut Events) {
        self.has_begun = true;
        self.head.settle(events.about);
        self.lifecycle("response.created", State::InProgress, events);
        self.lifecycle("response.in_progress", State::InProgress, events);
    }

    /// Writes an event that carries the response.
    fn lifecycle(&mut self, name: &str, state: State, events: &mut Events) {
        let about = events.about;
        events.write(name, &mut self.sequence, |event| {
            self.head.write(event.key("response"), about, state, &self.items);
        });
    }

    fn end(&mut self, events: &mut Events) {
        if !self.has_begun {
            self.begin(events);
        }
        let (name, state) = match self.finish {
            Some(Finish::Whole) => ("response.completed", State::Ended(Finish::Whole)),
            Some(finish) => ("response.incomplete", State::Ended(finish)),
            None => {
                self.has_failed = true;
                self.close_all(Status::Incomplete, events);
                ("response.failed", State::Failed)
            }
        };
        self.lifecycle(name, state, events);
        self.has_ended = true;
    }

    fn fail(&mut self, fault: &Fault, events: &mut Events) {
        (self.has_ended, self.has_failed) = (true, true);
        events.write("error", &mut self.sequence, |event| {
            match fault.code {
                Some(code) => event.text("code", code),
                None => event.json("code", b"null"),
            }
            event.text("message", fault.message.unwrap_or(b"The provider reported an error."));
            match fault.param {
                Some(param) => event.text("param", param),
                None => event.json("param", b"null"),
            }
        });
    }

    fn text(&mut self, kind: PartKind, text: Escaped, logprobs: Option<Raw>, events: &mut Events) {
        let is_reasoning = kind == PartKind::Reasoning;
        let fits = |item: &Item| matches!(item.kind, ItemKind::Reasoning) == is_reasoning;
        let place = match self.current.filter(|place| self.items.get(*place).is_some_and(fits)) {
            Some(place) => place,
            None => {
                self.close_current(events);
                let place = self.open(if is_reasoning { ItemKind::Reasoning } else { ItemKind::Message }, events);
                self.current = Some(place);
                place
            }
        };
        let last = self.items.get(place).and_then(|item| item.parts.last()).map(|part| part.kind);
        if last != Some(kind) {
            self.close_part(place, events);
            if let Some(item) = self.items.get_mut(place) {
                item.parts.push(kind.empty());
            }
            self.content_part("response.content_part.added", place, events);
        }
        self.add(place, text, logprobs, events);
    }

    fn call(&mut self, index: u64, id: Escaped, name: Escaped, custom: bool, events: &mut Events) {
        let known = self.find_call(index).and_then(|place| self.items.get(place));
        // Some providers number all calls 0: a new id is a new call.
        let is_same = known.is_some_and(|item| match &item.kind {
            ItemKind::Call { id: known, .. } => id.is_empty() || known == id,
            _ => false,
        });
        if !is_same {
            self.close_current(events);
            self.open(ItemKind::Call { index, id: id.to_vec(), name: name.to_vec(), custom }, events);
        }
    }

    /// The call of this index that was opened last.
    fn find_call(&self, wanted: u64) -> Option<usize> {
        // The latest calls only: who interleaves more than these is no model.
        let old = self.items.len().saturating_sub(MOST_OPEN);
        let found = self
            .items
            .get(old..)?
            .iter()
            .rposition(|item| matches!(item.kind, ItemKind::Call { index, .. } if index == wanted));
        found.map(|place| old + place)
    }

    fn open(&mut self, kind: ItemKind, events: &mut Events) -> usize {
        let place = self.items.len();
        self.items.push(Item::empty(kind));
        self.item("response.output_item.added", place, events);
        place
    }

    /// Adds text to the last part of an item.
    fn add(&mut self, place: usize, text: Escaped, logprobs: Option<Raw>, events: &mut Events) {
        let logprobs =
            logprobs.and_then(|list| list.bytes().strip_prefix(b"[")?.strip_suffix(b"]")).unwrap_or_default();
        let Some(part) = self.items.get_mut(place).and_then(|item| item.parts.last_mut()) else { return };
        part.add(text, logprobs);
        let name = part.kind.delta();
        self.part(name, place, events, |event, _, part| {
            event.text("delta", text);
            if part.kind == PartKind::Text {
                write_logprobs(event, logprobs);
            }
        });
    }

    /// Ends the last part of an item.
    fn close_part(&mut self, place: usize, events: &mut Events) {
        let Some(kind) = self.items.get(place).and_then(|item| item.parts.last()).map(|part| part.kind) else { return };
        self.part(kind.done(), place, events, |event, item, part| {
            if let ItemKind::Call { name, custom: false, .. } = &item.kind {
                event.text("name", name);
            }
            event.text(kind.member(), &part.text);
            if kind == PartKind::Text {
                write_logprobs(event, &part.logprobs);
            }
        });
        if !kind.is_call() {
            self.content_part("response.content_part.done", place, events);
        }
    }

    fn close(&mut self, place: usize, status: Status, events: &mut Events) {
        self.close_part(place, events);
        if let Some(item) = self.items.get_mut(place) {
            item.status = status;
        }
        self.item("response.output_item.done", place, events);
    }

    fn close_current(&mut self, events: &mut Events) {
        if let Some(place) = self.current.take() {
            self.close(place, Status::Completed, events);
        }
    }

    fn close_all(&mut self, status: Status, events: &mut Events) {
        self.current = None;
        for place in 0..self.items.len() {
            if self.items.get(place).is_some_and(|item| item.status == Status::InProgress) {
                self.close(place, status, events);
            }
        }
    }

    /// Writes an event that carries an item.
    fn item(&mut self, name: &str, place: usize, events: &mut Events) {
        let Some(item) = self.items.get(place) else { return };
        events.write(name, &mut self.sequence, |event| {
            event.number("output_index", place as u64);
            item.write(event.key("item"), &self.head.stem, place);
        });
    }

    /// Writes an event that carries the last part of an item.
    fn content_part(&mut self, name: &str, place: usize, events: &mut Events) {
        self.part(name, place, events, |event, _, part| part.write(event.key("part")));
    }

    /// Writes an event about the last part of an item.
    fn part(&mut self, name: &str, place: usize, events: &mut Events, write: impl FnOnce(&mut Object, &Item, &Part)) {
        let Some(item) = self.items.get(place) else { return };
        let Some(part) = item.parts.last() else { return };
        events.write(name, &mut self.sequence, |event| {
            item.write_id(event.key("item_id"), &self.head.stem, place);
            event.number("output_index", place as u64);
            if !part.kind.is_call() {
                event.number("content_index", item.parts.len() as u64 - 1);
            }
            write(event, item, part);
        });
    }
}
