//! The way of a request to the Responses API: validated, resolved, answered, kept; and the paths that read what is
//! kept.

use bytes::Bytes;
use serde_json::{Value, json};

use super::request::ResponseRequest;
use super::store::{Phase, Stored, deleted};
use super::{context, events, items, object, validate};
use crate::mock::answer::{self, now};
use crate::mock::delivery::{Form, Ready};
use crate::mock::errors::ApiError;
use crate::mock::ids;
use crate::mock::paths::State;
use crate::mock::provider::{Outcome, Provider};
use crate::mock::reply;

impl Provider {
    /// Answers `POST /responses`.
    pub async fn respond(&self, body: &Bytes) -> Outcome {
        let request = ResponseRequest::read(body);
        let model = request.as_ref().map(|request| request.model.clone()).unwrap_or_default();
        self.deliver(self.dialect(), &model, |sound| self.response(&request?, sound)).await
    }

    fn response(&self, request: &ResponseRequest, sound: bool) -> Result<Ready, ApiError> {
        let served = self.served(&request.model);
        validate::shape(request)?;
        if self.config.strict {
            validate::strict(request, request.family(&served))?;
        }
        let context = context::resolve(request, &self.store, &self.config.name)?;
        let speaker = self.speaker(&served);
        let question = request.question(&served, &context.all);
        let answer = answer::answer(&question, speaker, &self.cache);
        let body = object::finished(&answer, request, speaker, question.effort);
        let background = request.flag("background", false);
        if sound && request.flag("store", true) {
            self.store.keep(Stored {
                body: body.clone(),
                input: context.input,
                conversation: request.conversation().map(str::to_owned),
                background: background.then_some(if request.is_stream() { Phase::Done } else { Phase::Queued }),
            });
        }
        let form = if request.is_stream() {
            Form::Stream(events::steps(&body, request.stream_option("include_obfuscation", true)))
        } else if background {
            Form::Whole(object::unfinished(&body, "queued"), 0)
        } else {
            Form::Whole(body.clone(), answer.visible_tokens())
        };
        Ok(Ready { form, broken: Box::new(events::Failure { body }) })
    }

    /// Answers what asks no model. No fault ever happens to it.
    pub fn state(&self, state: &State, body: &[u8]) -> Outcome {
        match self.stateful(state, body) {
            Ok(body) => reply::json(200, &body).into(),
            Err(error) => error.into(),
        }
    }

    fn stateful(&self, state: &State, body: &[u8]) -> Result<Value, ApiError> {
        match state {
            State::Get(id) => self.store.get(id).ok_or_else(|| no_response(id)),
            State::Delete(id) if self.store.remove(id) => Ok(deleted(id, "response")),
            State::Delete(id) => Err(no_response(id)),
            State::Cancel(id) => match self.store.cancel(id) {
                Some(true) => self.store.get(id).ok_or_else(|| no_response(id)),
                Some(false) => Err(ApiError::request(400, "Cannot cancel a synchronous response.")),
                None => Err(no_response(id)),
            },
            State::InputItems(id, query) => {
                let items = self.store.input(id).ok_or_else(|| no_response(id))?;
                Ok(page(items, query))
            }
            State::InputTokens => self.count(body),
            State::NewConversation => self.converse(body),
            State::Conversation(id) => {
                self.store.conversation(id).map(|(body, _)| body).ok_or_else(|| context::no_conversation(id))
            }
            State::DropConversation(id) if self.store.drop_conversation(id) => Ok(deleted(id, "conversation.deleted")),
            State::DropConversation(id) => Err(context::no_conversation(id)),
        }
    }

    fn count(&self, body: &[u8]) -> Result<Value, ApiError> {
        let request = ResponseRequest::read(body)?;
        validate::shape(&request)?;
        let context = context::resolve(&request, &self.store, &self.config.name)?;
        let tokens = request.prompt(&context.all).tokens();
        Ok(json!({"object": "response.input_tokens", "input_tokens": tokens}))
    }

    fn converse(&self, body: &[u8]) -> Result<Value, ApiError> {
        // Everything about a conversation is optional, its body as well.
        let request = if body.is_empty() { Value::Null } else { json!(ResponseRequest::read(body)?.map) };
        let items = request.get("items").filter(|items| !items.is_null());
        if let Some(items) = items {
            items::check(items)?;
        }
        let metadata = request.get("metadata").cloned().unwrap_or(json!({}));
        let body = json!({
            "id": ids::item("conv"),
            "object": "conversation",
            "created_at": now(),
            "metadata": metadata,
        });
        self.store.converse(body.clone(), items.map(items::stored).unwrap_or_default());
        Ok(body)
    }
}

fn no_response(id: &str) -> ApiError {
    ApiError::request(404, format!("Response with id '{id}' not found."))
}

/// A page of a list, as `limit`, `order` and `after` of the query ask for it.
fn page(mut items: Vec<Value>, query: &str) -> Value {
    let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    if asked("order") != Some("asc") {
        items.reverse();
    }
    if let Some(after) = asked("after")
        && let Some(at) = items.iter().position(|item| item["id"] == after)
    {
        items.drain(..=at);
    }
    let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20_usize).clamp(1, 100);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Value>| item.map_or(Value::Null, |item| item["id"].clone());
    let (first, last) = (id(items.first()), id(items.last()));
    json!({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": has_more})
}
