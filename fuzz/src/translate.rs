//! Translation: what has no obstacle can be written, and what is written is JSON; answers likewise.

use super::json::{is_json, is_json_of_any_depth};
use super::sse::treatments;
use model_router::decide::Thinking;
use model_router::edit::apply;
use model_router::request::{Api, read_chat, read_members, read_responses};
use model_router::response::{Treatment, read_answer};
use model_router::translate::{self, About, To, ToChat, ToMessages, Translation};

const CHAT: To =
    To::Chat(ToChat { model: "m", limit: "max_tokens", reasoning: Some("reasoning_content"), effort: None });
const MESSAGES: ToMessages = ToMessages {
    model: Some("m"),
    version: None,
    stream: true,
    max_tokens: 64_000,
    thinking: Some(Thinking::Budget(1024)),
    cache_prefix: true,
};

/// Translates `data` as a request, and as an answer.
pub fn run(data: &[u8]) {
    request(Api::Chat, Api::Messages, data, &To::Messages(MESSAGES));
    request(Api::Responses, Api::Messages, data, &To::Messages(MESSAGES));
    request(Api::Responses, Api::Chat, data, &CHAT);
    for treatment in treatments() {
        answer(data, &treatment);
    }
}

fn request(api: Api, wire: Api, body: &[u8], to: &To) {
    let Ok(members) = read_members(body) else { return };
    let _ = About::new(body, &members, String::new(), 1, "m");
    let written = translate::request(api, body, &members, &[], to);
    let found = translate::check(api, wire, body, &members, false);
    let Ok(Translation { obstacle: None, .. }) = found else { return };
    if let Ok(written) = &written {
        assert!(is_json_of_any_depth(written));
    }
    let read = if api == Api::Chat { read_chat(body) } else { read_responses(body) };
    assert!(read.is_err() || written.is_ok(), "{written:?}");
}

fn answer(body: &[u8], treatment: &Treatment) {
    match read_answer(body, treatment) {
        Ok((_, edits)) => assert!(is_json_of_any_depth(&apply(body, &edits))),
        Err(failure) => assert!(failure.body.is_none_or(|body| is_json(&body))),
    }
}
