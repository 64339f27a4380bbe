//! What a model reads of a Messages request, block by block, and how much of it the prompt cache has.
//!
//! Marks are no part of what is read, so that they can move.

use serde_json::Value;

use super::marks::ttl;
use super::request::MessageRequest;
use crate::mock::cache::PrefixCache;
use crate::mock::prompt::Prompt;

/// The shortest prefix that is cached, in tokens.
const MINIMUM: u64 = 1024;

/// A prompt, and the places up to which it can be cached.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    /// All of it.
    prompt: Prompt,
    ends: Vec<End<'a>>,
}

/// The end of a block.
#[derive(Debug)]
struct End<'a> {
    /// The length of the text up to here.
    length: usize,
    /// The number of tokens up to here.
    tokens: u64,
    /// How long what ends here is to be kept, where it is marked.
    ttl: Option<&'a str>,
}

/// Tokens of a prompt by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Input {
    /// Neither read from the cache nor written to it.
    pub fresh: u64,
    /// Read from the cache.
    pub read: u64,
    /// Written for five minutes.
    pub written_5m: u64,
    /// Written for an hour.
    pub written_1h: u64,
}

impl<'a> Reading<'a> {
    /// What the model reads of `request`, in the order in which it does.
    pub fn of(request: &'a MessageRequest) -> Self {
        let mut reading = Self::default();
        for tool in request.tools() {
            let mut read = tool.clone();
            read.as_object_mut().map(|read| read.shift_remove("cache_control"));
            reading.prompt.push_json(&read);
            reading.end(tool);
        }
        if let Some(system) = request.given("system") {
            reading.prompt.messages += 1;
            reading.content(system);
        }
        for message in request.list("messages") {
            reading.prompt.messages += 1;
            reading.content(&message["content"]);
        }
        reading
    }

    /// How many tokens this is.
    pub fn tokens(&self) -> u64 {
        self.prompt.tokens()
    }

    /// How many tokens the cache has of this for `model`. Keeps what is marked.
    pub fn input(&self, model: &str, cache: &PrefixCache) -> Input {
        let total = self.tokens();
        let marked: Vec<usize> = self.marked().collect();
        let Some(last) = marked.last() else { return Input { fresh: total, ..Input::default() } };
        let known = cache.revisit(model, &self.parts(*last), &marked);
        let read = known.and_then(|index| self.ends.get(index)).map_or(0, |end| end.tokens);
        let mut input = Input { read, ..Input::default() };
        let mut before = read;
        for end in marked.iter().filter_map(|index| self.ends.get(*index)) {
            let more = end.tokens.saturating_sub(before);
            match end.ttl {
                Some("1h") => input.written_1h += more,
                _ => input.written_5m += more,
            }
            before = before.max(end.tokens);
        }
        input.fresh = total.saturating_sub(before);
        input
    }

    /// The ends that are marked and far enough from the beginning.
    fn marked(&self) -> impl Iterator<Item = usize> {
        let ends = self.ends.iter().enumerate();
        ends.filter(|(_, end)| end.ttl.is_some() && end.tokens >= MINIMUM).map(|(index, _)| index)
    }

    /// The text between the ends, up to the one at `last`.
    fn parts(&self, last: usize) -> Vec<&str> {
        let mut from = 0;
        let parts = self.ends.iter().take(last + 1).map(|end| {
            let part = self.prompt.text.get(from..end.length).unwrap_or_default();
            from = end.length;
            part
        });
        parts.collect()
    }

    fn content(&mut self, content: &'a Value) {
        match content {
            Value::String(_) => {
                self.prompt.push(content);
                self.end(content);
            }
            Value::Array(blocks) => blocks.iter().for_each(|block| self.block(block)),
            _ => {}
        }
    }

    fn block(&mut self, block: &'a Value) {
        match block["type"].as_str().unwrap_or_default() {
            "text" => self.prompt.push(&block["text"]),
            "image" => self.prompt.images += 1,
            "document" => match block["source"]["data"].as_str() {
                Some(text) if block["source"]["type"] == "text" => self.prompt.text.push_str(text),
                _ => self.prompt.images += 1,
            },
            "tool_use" => {
                self.prompt.push(&block["name"]);
                self.prompt.push_json(&block["input"]);
            }
            "tool_result" | "search_result" => self.content(&block["content"]),
            "thinking" => self.prompt.push(&block["thinking"]),
            _ => {}
        }
        self.end(block);
    }

    fn end(&mut self, block: &'a Value) {
        // What follows the last message is no part of any prefix.
        let tokens = self.prompt.tokens() - Prompt::default().tokens();
        self.ends.push(End { length: self.prompt.text.len(), tokens, ttl: ttl(block) });
    }
}
