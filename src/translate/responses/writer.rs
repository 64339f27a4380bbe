//! Writes a response object, and the head of the events that carry one.

use super::about::About;
use super::item::Item;
use crate::origin::fnv;
use crate::translate::delta::{Finish, Start, Usage};
use crate::translate::json::{Object, array};

/// What is said of the answer as a whole.
#[derive(Debug, Default)]
pub struct Head {
    /// What all ids have in common: the mark and the rest of the provider's id.
    pub stem: String,
    id: Vec<u8>,
    model: Vec<u8>,
    created: Vec<u8>,
    service_tier: Vec<u8>,
    /// What it took, where the provider said.
    pub usage: Option<Usage>,
}

/// How a response stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    InProgress,
    /// It ended as the provider said.
    Ended(Finish),
    /// It broke off.
    Failed,
}

/// The longest rest of a provider's id that is kept: with kind, mark and index it stays under the 64 characters that
/// OpenAI takes of an id.
const LONGEST_ID: usize = 36;

impl Head {
    /// Keeps what is said for the first time.
    pub fn note(&mut self, start: &Start) {
        let created = start.created.map_or(b"".as_slice(), |created| created.bytes());
        let said = [
            (&mut self.id, start.id),
            (&mut self.model, start.model),
            (&mut self.created, created),
            (&mut self.service_tier, start.service_tier),
        ];
        for (kept, said) in said {
            if kept.is_empty() {
                kept.extend_from_slice(said);
            }
        }
    }

    /// Settles the ids, before the first of them is written.
    pub fn settle(&mut self, about: &About) {
        let id = self.id.strip_prefix(b"chatcmpl-").unwrap_or(&self.id);
        let plain = id.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let mut rest: String = plain.take(LONGEST_ID + 1).map(|byte| char::from(*byte)).collect();
        if rest.is_empty() || rest.len() > LONGEST_ID {
            let known = [&*self.id, &*self.model, &*self.created, &*about.members].concat();
            rest = format!("{:016x}", fnv(&known));
        }
        self.stem = format!("{}{rest}", about.mark);
    }

    /// Writes the response object.
    pub fn write(&self, out: &mut Vec<u8>, about: &About, state: State, items: &[Item]) {
        let mut object = Object::open(out);
        let id = object.key("id");
        for text in ["\"resp_", &self.stem, "\""] {
            id.extend_from_slice(text.as_bytes());
        }
        object.json("object", b"\"response\"");
        object.json("created_at", if self.created.is_empty() { &about.created } else { &self.created });
        object.json("completed_at", b"null");
        let (status, reason) = match state {
            State::InProgress => ("in_progress", None),
            State::Ended(Finish::Whole) => ("completed", None),
            State::Ended(Finish::Length) => ("incomplete", Some("max_output_tokens")),
            State::Ended(Finish::Filter) => ("incomplete", Some("content_filter")),
            State::Failed => ("failed", None),
        };
        object.text("status", status.as_bytes());
        match state {
            State::Failed => {
                let mut error = object.object("error");
                error.json("code", b"\"server_error\"");
                error.json("message", b"\"The provider's stream ended early.\"");
                error.close();
            }
            _ => object.json("error", b"null"),
        }
        match reason {
            Some(reason) => {
                let mut details = object.object("incomplete_details");
                details.text("reason", reason.as_bytes());
                details.close();
            }
            None => object.json("incomplete_details", b"null"),
        }
        object.text("model", if self.model.is_empty() { &about.model } else { &self.model });
        array(object.key("output"), items.iter().enumerate(), |out, (place, item)| item.write(out, &self.stem, place));
        match self.usage.filter(|_| state != State::InProgress) {
            Some(usage) => write_usage(object.object("usage"), &usage),
            None => object.json("usage", b"null"),
        }
        match self.service_tier.as_slice() {
            b"" => object.json("service_tier", &about.service_tier),
            tier => object.text("service_tier", tier),
        }
        object.members(&about.members);
        object.close();
    }
}

fn write_usage(mut object: Object, Usage { counts, total }: &Usage) {
    object.number("input_tokens", counts.input);
    let mut input = object.object("input_tokens_details");
    input.number("cached_tokens", counts.cached_input);
    input.number("cache_write_tokens", counts.cache_write);
    input.close();
    object.number("output_tokens", counts.output);
    let mut output = object.object("output_tokens_details");
    output.number("reasoning_tokens", counts.reasoning);
    output.close();
    object.number("total_tokens", *total);
    object.close();
}
