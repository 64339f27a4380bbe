//! The way of a request to the Messages API: read, refused or answered, counted.

use bytes::Bytes;
use serde_json::json;

use super::content::say;
use super::door::{Call, Head};
use super::reading::Reading;
use super::request::MessageRequest;
use super::{events, models, object, validate};
use crate::mock::delivery::{Form, Ready};
use crate::mock::errors::ApiError;
use crate::mock::ids;
use crate::mock::provider::{Outcome, Provider};
use crate::mock::reply;

impl Provider {
    /// Answers a request to the Messages API.
    pub async fn message(&self, call: &Call, head: &Head, body: &Bytes) -> Outcome {
        let request = MessageRequest::read(body, call.door, call.model.clone());
        let request = request.and_then(|request| call.door.check(&request, head, call.counts).map(|()| request));
        if call.counts {
            return self.count_message(request, call, head);
        }
        let named = || call.model.clone().unwrap_or_default();
        let model = request.as_ref().map_or_else(|_| named(), |request| request.model.clone());
        self.deliver(call.door.dialect(), &model, |_| self.spoken(&request?, head)).await
    }

    fn spoken(&self, request: &MessageRequest, head: &Head) -> Result<Ready, ApiError> {
        let served = self.signed(&request.model);
        self.check(request, &served, head, false)?;
        let said = say(request, self.speaker(&served));
        let input = Reading::of(request).input(&served, &self.cache);
        let message = object::message(&ids::message(&format!("msg{}", request.door.mark())), &served, &said, &input);
        let form = if request.door.is_streamed(request) {
            Form::Stream(events::steps(&message, &said, request.door))
        } else {
            Form::Whole(message, u32::try_from(said.visible_tokens()).unwrap_or(u32::MAX))
        };
        Ok(Ready { form, broken: Box::new(events::Failure { door: request.door }) })
    }

    /// Answers how many tokens a request has. No fault ever happens to it.
    fn count_message(&self, request: Result<MessageRequest, ApiError>, call: &Call, head: &Head) -> Outcome {
        let counted = request.and_then(|request| {
            self.check(&request, &self.signed(&request.model), head, true)?;
            Ok(Reading::of(&request).tokens())
        });
        match counted {
            Ok(tokens) => reply::json(200, &json!({"input_tokens": tokens})).into(),
            Err(error) => call.door.dialect().refusal(&error).into(),
        }
    }

    fn check(&self, request: &MessageRequest, served: &str, head: &Head, counts: bool) -> Result<(), ApiError> {
        validate::shape(request, counts)?;
        if self.config.strict { validate::strict(request, served, head, counts) } else { Ok(()) }
    }

    /// The name that signs the answer to a request for `model`.
    fn signed(&self, model: &str) -> String {
        self.config.served_as.get(model).cloned().unwrap_or_else(|| models::signed(model))
    }
}
