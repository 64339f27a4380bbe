//! Keeps a conversation on its model.
//!
//! Owns how a conversation is recognised, which model it is on, and whether it stays there. Holds no state: what is
//! remembered travels in ids, stands in the conversation itself, or comes from a [`Memory`], which may forget. Only
//! ever chooses among eligible candidates.

use super::cost::expected;
use super::{Caller, Candidate, Terms, best_quality, in_band};
use crate::origin::{Origin, fnv};
use crate::policy::{Affinity, ModelId, Policy};
use crate::request::{Controls, Request, Texts, is_session_id};

/// Seconds after the last answer when a conversation is forgotten.
pub const LIFETIME: u64 = 30 * 60;
/// Prompts shorter than this are in no provider's cache.
const SHORTEST_CACHED: u32 = 1024;
/// Bytes of each end of a text that tell it from others.
const LOOK: usize = 128;

/// What is remembered of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// Never heard of it: it may be new, or known to another replica.
    Nothing,
    /// It was too long ago.
    Expired,
    /// The hash of its model's name, as in [`Origin`].
    Model(u32),
}

/// Looks up the model of the conversation with this key.
pub type Recall<'m> = &'m dyn Fn(u64) -> Recalled;

/// By what a conversation was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Source {
    SessionIdPayload,
    SessionIdHeader,
    Conversation,
    PreviousResponseId,
    Fingerprint,
}

impl Source {
    /// The name that details and logs show.
    pub fn code(self) -> &'static str {
        match self {
            Source::SessionIdPayload => "session_id_payload",
            Source::SessionIdHeader => "session_id_header",
            Source::Conversation => "conversation",
            Source::PreviousResponseId => "previous_response_id",
            Source::Fingerprint => "fingerprint",
        }
    }
}

/// A conversation, as one request shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// How it is kept.
    pub strategy: Affinity,
    /// By what it was recognised; `None`: not at all.
    pub source: Option<Source>,
    /// Hash of its id, where it has one.
    pub id: Option<u64>,
    /// By what its model is remembered: no two callers share one.
    pub key: Option<u64>,
    /// The model that it is on.
    pub model: Option<ModelId>,
    /// Its model is not remembered, but was chosen from its first message, which the request holds.
    pub replay: bool,
}

impl Session {
    /// Recognises the conversation of a request to a router. `ids` are the ids of sessions that it may bear.
    pub fn of(
        policy: &Policy,
        request: &Request,
        terms: &Terms,
        caller: Caller,
        ids: Ids,
        recall: Recall,
    ) -> Option<Session> {
        let router = terms.router?;
        let strategy = terms.affinity;
        let mut session = Session { strategy, source: None, id: None, key: None, model: None, replay: false };
        if strategy == Affinity::None {
            return Some(session);
        }
        let consumer = caller.consumer(policy).map_or("", |consumer| &consumer.name);
        let scope = fnv([consumer, "\0", &router.name, "\0"].concat().as_bytes());
        if let Some((source, id)) = named(request, ids) {
            session.source = Some(source);
            session.model = Origin::of(id.as_bytes()).and_then(|(origin, _)| model_of(policy, origin.model));
            // A response is never on another model than the one that made it.
            session.id = (source != Source::PreviousResponseId).then(|| key_of(id));
            session.key = session.id.map(|id| mix(scope, id));
        } else if strategy == Affinity::Adaptive && !request.conversation.opening.is_empty() {
            session.source = Some(Source::Fingerprint);
            session.key = Some(mix(scope, fingerprint(request)));
        }
        session.recall(policy, request.conversation.answered, recall);
        Some(session)
    }

    /// The same conversation, where another policy than the one that serves it is to decide: as it stands, on the model
    /// that the serving one has it on.
    pub fn under(self, serving: &Policy, other: &Policy, strategy: Affinity) -> Session {
        let model = self.model.filter(|_| strategy != Affinity::None).and_then(|model| other.same(serving, model));
        Session { strategy, model, replay: false, ..self }
    }

    /// Finds the model that the conversation is on. What is remembered is newer than what an id says.
    fn recall(&mut self, policy: &Policy, answered: bool, recall: Recall) {
        // The first message of a conversation without a name has nothing to be remembered by.
        let told = answered || self.source != Some(Source::Fingerprint);
        match self.key.filter(|_| told).map(recall) {
            Some(Recalled::Model(hash)) => self.model = model_of(policy, hash).or(self.model),
            Some(Recalled::Expired) => self.model = None,
            Some(Recalled::Nothing) if self.model.is_none() => self.replay = answered,
            _ => {}
        }
    }

    /// What clients may send as their session id, so that a replica that never saw the conversation knows its model.
    pub fn token(&self, model: &str) -> Option<String> {
        Some(format!("session_{}{:016x}", Origin::new("", model).mark(), self.id?))
    }
}

/// Puts the conversation's model first where it stays there. `ranked` are the candidates in the order of the mode, one
/// for each model. Says whether that changed the order.
pub fn keep(session: &Session, policy: &Policy, request: &Request, terms: &Terms, ranked: &mut [Candidate]) -> bool {
    let place = ranked.iter().position(|candidate| Some(candidate.model) == session.model);
    let (Some(place), Some(&best)) = (place, ranked.first()) else { return false };
    let Some(kept) = ranked.get(place).map(|kept| with_cache(kept, policy, request, terms)) else { return false };
    let dearer = kept.cost.zip(best.cost).is_some_and(|(kept, best)| kept > best);
    let good = in_band(&kept, best_quality(ranked), terms.band);
    let stays = session.strategy == Affinity::Sticky || (good && !dearer);
    if !stays {
        return false;
    }
    if let Some(front) = ranked.get_mut(..=place) {
        front.rotate_right(1);
    }
    if let Some(first) = ranked.first_mut() {
        *first = kept;
    }
    place > 0
}

/// The candidate at what it costs if what was said before is in its provider's cache, which a switch would lose.
fn with_cache(candidate: &Candidate, policy: &Policy, request: &Request, terms: &Terms) -> Candidate {
    let earlier = Some(request.conversation.earlier_tokens).filter(|tokens| *tokens >= SHORTEST_CACHED);
    let price = policy.models.get(candidate.model).and_then(|model| model.price.as_ref());
    let (Some(earlier), Some(price)) = (earlier, price) else { return *candidate };
    let fee = terms.router.map_or(0.0, |router| router.fee);
    let cost = expected(price, fee, request.input_tokens, earlier.min(request.input_tokens), &candidate.prediction);
    Candidate { cost: Some(cost), ..*candidate }
}

/// The conversation as it was when its first message was all there was.
pub fn opening<'a>(request: &Request<'a>) -> Request<'a> {
    let mut first = request.clone();
    let conversation = &mut first.conversation;
    let texts: usize = conversation.opening.iter().map(|text| text.span.len()).sum();
    conversation.question = conversation.opening;
    conversation.previous = Texts::default();
    conversation.tool_results = 0;
    conversation.bytes = texts;
    first.input_tokens = first.input_tokens.saturating_sub(conversation.earlier_tokens).max(1);
    first
}

/// Where a request may bear the id of its session beside its members: in its controls, and in a header.
pub type Ids<'i> = (Option<&'i Controls>, Option<&'i str>);

/// The id by which the conversation of a request is known, where it has one.
pub fn named<'r>(request: &'r Request, (controls, header): Ids<'r>) -> Option<(Source, &'r str)> {
    let payload = controls.and_then(|controls| controls.session.id.as_deref());
    let ids = [
        (Source::SessionIdPayload, payload),
        (Source::SessionIdHeader, header.filter(|id| is_session_id(id))),
        (Source::Conversation, request.kept_conversation.as_deref()),
        (Source::PreviousResponseId, request.previous_response.as_deref()),
    ];
    ids.into_iter().find_map(|(source, id)| Some((source, id?)))
}

/// The model whose name has this hash.
fn model_of(policy: &Policy, hash: u32) -> Option<ModelId> {
    policy.models.iter().position(|model| Origin::means(hash, &model.name))
}

/// A token of ours holds the hash of the id that it stands for; any other id is hashed.
pub(super) fn key_of(id: &str) -> u64 {
    let token = Origin::of(id.as_bytes()).and_then(|(_, mark)| id.get(mark.end..));
    let key = token.filter(|key| key.len() == 16 && id.starts_with("session_"));
    key.and_then(|key| u64::from_str_radix(key, 16).ok()).unwrap_or_else(|| fnv(id.as_bytes()))
}

pub(super) fn mix(scope: u64, key: u64) -> u64 {
    fnv(&[scope.to_le_bytes(), key.to_le_bytes()].concat())
}

/// The system prompt and the first message tell a conversation from others as long as it lasts.
pub(super) fn fingerprint(request: &Request) -> u64 {
    let texts = request.conversation.system.iter().chain(request.conversation.opening.iter());
    texts.fold(0, |hash, text| with_ends(hash, text.span.of(request.body)))
}

/// A hash with that of a text's head, tail and length.
pub(super) fn with_ends(hash: u64, text: &[u8]) -> u64 {
    let head = text.get(..LOOK).unwrap_or(text);
    let tail = text.get(text.len().saturating_sub(LOOK)..).unwrap_or_default();
    mix(mix(hash, fnv(head)), fnv(tail) ^ text.len() as u64)
}
