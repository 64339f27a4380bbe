//! Reading: no panic, places that lie in the body, and JSON for JSON only.

use super::json::is_json;
use model_router::request::{
    Conversation, ReadError, Request, marks, read_chat, read_controls, read_form, read_members, read_messages,
    read_named, read_responses, target,
};

/// Reads `data` as the body of each API.
pub fn run(data: &[u8]) {
    let json = is_json(data);
    let members = read_members(data);
    match &members {
        Ok(_) => assert!(json),
        Err(ReadError::Invalid { .. }) => {}
        // No JSON, or no object.
        Err(_) => assert!(!json || data.trim_ascii().first() != Some(&b'{')),
    }
    for read in [read_chat, read_responses, read_messages, read_named] {
        match read(data) {
            Ok(request) => {
                assert!(json);
                assert_eq!(members.as_ref(), Ok(&request.members));
                check(&request);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let mut before = 0;
    for mark in marks(data) {
        assert!(before <= mark.start && mark.start < mark.end && mark.end <= data.len());
        before = mark.end;
    }
    let _ = (read_controls(data), read_form(data, "b"));
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = target(text);
    }
}

fn check(request: &Request) {
    let (body, mut before) = (request.body, request.members.inside);
    for member in &request.members.list {
        let places = [before, member.key.start, member.key.end, member.value.start, member.value.end, body.len()];
        assert!(places.is_sorted() && is_json(member.value.of(body)));
        before = member.value.end;
    }
    let Conversation { system, question, previous, opening, .. } = &request.conversation;
    for text in [system, question, previous, opening].into_iter().flat_map(|texts| texts.iter()) {
        let quoted = body.get(text.span.start - 1..=text.span.end).unwrap();
        assert_eq!(serde_json::from_slice::<String>(quoted).unwrap(), text.value(body));
    }
    let thoughts = request.state.thoughts.iter().map(|it| (it.start as usize, it.end as usize));
    for (start, end) in thoughts.chain(request.state.marks.iter().map(|it| (it.start, it.end))) {
        assert!(body.get(start..end).is_some_and(|place| !place.is_empty()));
    }
}
