//! What a provider keeps of the Responses API: answers with their input, and conversations. In memory, bounded, the
//! oldest forgotten first.
//!
//! Never checks a request; [`super::context`] decides what a missing thing means.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::object;

/// How many responses are kept, and how many conversations.
pub const KEPT: usize = 10_000;

/// How many items of one conversation, or of one chain of responses, are kept in mind.
const ITEMS: usize = 4096;

/// A response and what led to it.
#[derive(Debug)]
pub struct Stored {
    /// The response object, finished.
    pub body: Value,
    /// The items of its input.
    pub input: Vec<Value>,
    /// The conversation that it adds to.
    pub conversation: Option<String>,
    /// Where it is, if it was made in the background.
    pub background: Option<Phase>,
}

/// The life of a response that is made in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has looked since it was asked for.
    Queued,
    /// Looked at, which is when it completes.
    Done,
    /// Not to be made any more.
    Cancelled,
}

/// What one provider keeps.
#[derive(Debug, Default)]
pub struct Store(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    responses: HashMap<String, Stored>,
    order: VecDeque<String>,
    items: HashMap<String, Value>,
    conversations: HashMap<String, Conversation>,
    conversation_order: VecDeque<String>,
}

#[derive(Debug)]
struct Conversation {
    body: Value,
    items: Vec<Value>,
}

impl Stored {
    fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }

    fn output(&self) -> &[Value] {
        match self.background {
            Some(Phase::Cancelled) => &[],
            _ => self.body["output"].as_array().map_or(&[], Vec::as_slice),
        }
    }

    fn items(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.input.iter().chain(self.output())
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a response.
    pub fn keep(&self, stored: Stored) {
        let mut kept = self.lock();
        let items: Vec<Value> = stored.items().cloned().collect();
        if let Some(conversation) = stored.conversation.as_ref().and_then(|id| kept.conversations.get_mut(id)) {
            conversation.items.extend(items.iter().cloned());
            let excess = conversation.items.len().saturating_sub(ITEMS);
            conversation.items.drain(..excess);
        }
        kept.index(items);
        kept.order.push_back(stored.id().to_owned());
        kept.responses.insert(stored.id().to_owned(), stored);
        if kept.order.len() > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.forget(&oldest);
        }
    }

    /// The response object of `id`. To look at one in the background is what completes it.
    pub fn get(&self, id: &str) -> Option<Value> {
        let mut kept = self.lock();
        let stored = kept.responses.get_mut(id)?;
        if stored.background == Some(Phase::Queued) {
            stored.background = Some(Phase::Done);
        }
        Some(match stored.background {
            Some(Phase::Cancelled) => object::unfinished(&stored.body, "cancelled"),
            _ => stored.body.clone(),
        })
    }

    /// Cancels a response if it is not finished. `None` for one that is unknown, `false` for one that was not made in
    /// the background.
    pub fn cancel(&self, id: &str) -> Option<bool> {
        let mut kept = self.lock();
        let stored = kept.responses.get_mut(id)?;
        if stored.background == Some(Phase::Queued) {
            stored.background = Some(Phase::Cancelled);
        }
        Some(stored.background.is_some())
    }

    /// Forgets a response. Whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        let mut kept = self.lock();
        kept.order.retain(|one| one != id);
        kept.forget(id)
    }

    /// The items of a response's input.
    pub fn input(&self, id: &str) -> Option<Vec<Value>> {
        self.lock().responses.get(id).map(|stored| stored.input.clone())
    }

    /// Everything that was said up to the response `id`, the oldest first. A link of the chain that is forgotten ends
    /// it.
    pub fn history(&self, id: &str) -> Option<Vec<Value>> {
        let kept = self.lock();
        let mut stored = Some(kept.responses.get(id)?);
        let mut items = Vec::new();
        while let Some(one) = stored.filter(|_| items.len() < ITEMS) {
            items.extend(one.items().rev().cloned());
            stored = one.body["previous_response_id"].as_str().and_then(|id| kept.responses.get(id));
        }
        items.reverse();
        Some(items)
    }

    /// The item `id` of any response or conversation.
    pub fn item(&self, id: &str) -> Option<Value> {
        self.lock().items.get(id).cloned()
    }

    /// Begins a conversation.
    pub fn converse(&self, body: Value, items: Vec<Value>) {
        let mut kept = self.lock();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        kept.index(items.clone());
        kept.conversation_order.push_back(id.clone());
        kept.conversations.insert(id, Conversation { body, items });
        if kept.conversation_order.len() > KEPT
            && let Some(oldest) = kept.conversation_order.pop_front()
        {
            kept.conversations.remove(&oldest);
        }
    }

    /// A conversation: its object and its items.
    pub fn conversation(&self, id: &str) -> Option<(Value, Vec<Value>)> {
        let kept = self.lock();
        kept.conversations.get(id).map(|conversation| (conversation.body.clone(), conversation.items.clone()))
    }

    /// Forgets a conversation, but not its items. Whether it was there.
    pub fn drop_conversation(&self, id: &str) -> bool {
        let mut kept = self.lock();
        kept.conversation_order.retain(|one| one != id);
        kept.conversations.remove(id).is_some()
    }
}

impl Kept {
    fn index(&mut self, items: Vec<Value>) {
        for item in items {
            if let Some(id) = item["id"].as_str() {
                self.items.insert(id.to_owned(), item);
            }
        }
    }

    fn forget(&mut self, id: &str) -> bool {
        let Some(stored) = self.responses.remove(id) else { return false };
        for item in stored.items() {
            self.items.remove(item["id"].as_str().unwrap_or_default());
        }
        true
    }
}

/// What a deletion answers.
pub fn deleted(id: &str, object: &str) -> Value {
    json!({"id": id, "object": object, "deleted": true})
}
