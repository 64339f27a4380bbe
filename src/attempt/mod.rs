//! Fits a request to one candidate.
//!
//! Owns what changes between the client's request and a provider's: parameters, model name, path, authority, headers.
//! [`brief`] runs where the decision is made and says what each slot will need; [`rewrite`] runs at the attempt and
//! turns that into edits of the body. Never re-serialises a body: every byte that need not change stays.

mod attempted;
mod brief;
mod details;
mod inner;
mod messages;
mod publish;
mod slot;

pub use attempted::Attempted;
pub use brief::{Brief, PublishedRequest, PublishedSession, brief, brief_for_kept};
pub use details::details;
pub use slot::{ACCOUNT_HEADERS, CLOUD_HEADERS, Slot, Wire};

use crate::catalog::DISABLED;
use crate::edit::{Edit, apply};
use crate::policy::Dialect;
use crate::request::json::{Kind, Reader, Span};
use crate::request::{Api, Member, Members, ReadError, marks, read_form, read_members, read_responses};
use crate::translate::{self, About, To, ToChat, ToMessages};
use std::borrow::Cow;

/// The edits that fit `body` to `slot`, in rising order, not overlapping.
///
/// `published` is what the decision saw of it. Should another filter have changed the body since then, it is read again.
///
/// # Errors
/// [`ReadError`] where the changed body is no JSON object any more.
pub fn rewrite(body: &[u8], published: &PublishedRequest, slot: &Slot) -> Result<Vec<Edit>, ReadError> {
    let seen = published.members.as_ref().filter(|members| members.length == body.len());
    let published = match (seen, published.api) {
        (None, Api::Responses) => Cow::Owned(read_again(body, published)?),
        _ => Cow::Borrowed(published),
    };
    let members = members_of(body, &published)?;
    let mut edits = Vec::with_capacity(4);
    let is_removed = |name: &str| {
        let mut dropped = slot.drop.iter().chain(&slot.moot);
        name == CONTROLS || messages::is_elsewhere(slot, name) || dropped.any(|drop| drop == name)
    };
    match messages::version_in_body(slot.dialect) {
        Some(version) => {
            messages::name_version(body, &members, slot, version, &is_removed, &mut edits);
        }
        None => name_model(body, &members, slot, &is_removed, &mut edits),
    }
    if let (Some(thinking), Some(member)) = (slot.thinking, members.get(body, "thinking")) {
        edits.push(Edit::replace(member.value, translate::thinking(thinking)));
    }
    if slot.cache_prefix && published.api == Api::Messages {
        messages::mark_prefix(body, &members, &mut edits);
    }
    if published.api == Api::Chat {
        inner::fit(body, &members, slot, &mut edits);
    }
    rename(body, &members, slot, &mut edits);
    edits.extend(effort(body, &members, slot));
    if slot.add_usage {
        edits.extend(ask_for_usage(body, &members));
    }
    remove(body, &members, 0, &is_removed, &mut edits);
    remove_inner(body, &members, slot, &mut edits);
    edits.extend(published.marks.iter().map(|(start, end)| Edit::remove(*start as usize, *end as usize)));
    let foreign = published.thoughts.iter().filter(|thought| thought.provider != slot.provider);
    cut_items(
        body,
        foreign.map(|thought| Span { start: thought.start as usize, end: thought.end as usize }),
        &mut edits,
    );
    if published.api == Api::Responses {
        cut_items(body, refused_includes(body, &members, slot).into_iter(), &mut edits);
    }
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    Ok(edits)
}

/// The body for `slot`: spliced; translated where the provider does not speak the API that was called; only without
/// marks where it is about something that the provider keeps.
///
/// # Errors
/// [`ReadError`] where the body has changed since the decision and is no such request any more.
pub fn body_for(body: &[u8], published: &PublishedRequest, slot: &Slot) -> Result<Vec<u8>, ReadError> {
    if published.members.is_none() {
        let cut = |mark: Span| Edit::remove(mark.start, mark.end);
        return Ok(apply(body, &marks(body).into_iter().map(cut).collect::<Vec<_>>()));
    }
    if let Some(boundary) = &published.form {
        return Ok(apply(body, &[name_in_form(body, boundary, slot)?]));
    }
    let to = match &slot.translate {
        None => return Ok(apply(body, &rewrite(body, published, slot)?)),
        Some(Wire::Chat { limit, reasoning, .. }) => To::Chat(ToChat {
            model: &slot.deployment,
            limit,
            reasoning: reasoning.then_some("reasoning_content"),
            effort: slot.effort.as_deref(),
        }),
        Some(Wire::Messages { max_tokens, thinking, .. }) => To::Messages(ToMessages {
            model: (slot.dialect == Dialect::Anthropic).then_some(&*slot.deployment),
            version: messages::version_in_body(slot.dialect),
            stream: slot.dialect != Dialect::BedrockAnthropic,
            max_tokens: *max_tokens,
            thinking: *thinking,
            cache_prefix: slot.cache_prefix,
        }),
    };
    let mut drop = Cow::Borrowed(&slot.drop);
    if !slot.moot.is_empty() {
        drop.to_mut().extend_from_slice(&slot.moot);
    }
    if matches!(slot.translate, Some(Wire::Chat { usage: false, .. })) {
        drop.to_mut().push("stream_options".to_owned());
    }
    let members = members_of(body, published)?;
    if let Cow::Owned(members) = &members {
        // The decision has not seen this body.
        let checked = translate::check(published.api, slot.wire(published.api), body, members, false)?;
        if let Some(param) = checked.obstacle {
            return Err(ReadError::Invalid { param, rule: "cannot be expressed in the provider's API" });
        }
    }
    translate::request(published.api, body, &members, &drop, &to)
}

/// What the translation of an answer has to know of its request. `now` is in seconds since 1970.
pub fn about(body: &[u8], published: &PublishedRequest, slot: &Slot, now: u64) -> About {
    if let (Api::Chat, Some(Wire::Messages { include_usage, .. })) = (published.api, &slot.translate) {
        return About::chat(*include_usage, now, &slot.model);
    }
    let members = members_of(body, published).unwrap_or_default();
    About::new(body, &members, slot.mark.clone(), now, &slot.model)
}

/// What the decision saw of a body that has changed since then.
fn read_again(body: &[u8], published: &PublishedRequest) -> Result<PublishedRequest, ReadError> {
    let request = read_responses(body)?;
    let marks = request.state.published_marks();
    let thoughts = request.state.thoughts;
    Ok(PublishedRequest { members: Some(request.members), marks, thoughts, ..published.clone() })
}

/// The items of `include` that do not go along: `include.reasoning.encrypted_content`.
fn refused_includes(body: &[u8], members: &Members, slot: &Slot) -> Vec<Span> {
    let names: Vec<&str> =
        slot.drop.iter().chain(&slot.moot).filter_map(|name| name.strip_prefix("include.")).collect();
    let mut found = Vec::new();
    let Some(list) = members.get(body, "include").map(|member| member.value).filter(|_| !names.is_empty()) else {
        return found;
    };
    each_item(body, list, &mut |item, _| {
        let text = item.of(body).strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
        if names.iter().any(|name| text == Some(name.as_bytes())) {
            found.push(item);
        }
    });
    found
}

/// Hands out the items of an array, as places in the body, and their kinds.
fn each_item(body: &[u8], list: Span, take: &mut dyn FnMut(Span, Kind)) {
    let (mut reader, mut first) = (Reader::new(list.of(body)), true);
    if reader.enter_array().is_err() {
        return;
    }
    while let Ok(true) = reader.next_item(&mut first) {
        let (Ok(kind), Ok(item)) = (reader.peek(), reader.skip()) else { return };
        take(item.within(list), kind);
    }
}

/// Cuts items out of an array, each with one comma; a row of them as one.
fn cut_items(body: &[u8], items: impl Iterator<Item = Span>, edits: &mut Vec<Edit>) {
    let between = |start: usize, end: usize| {
        let gap = Span { start, end };
        gap.of(body).iter().all(|byte| byte.is_ascii_whitespace() || *byte == b',')
    };
    let mut rows: Vec<Span> = Vec::new();
    for item in items {
        match rows.last_mut() {
            Some(row) if between(row.end, item.start) => row.end = item.end,
            _ => rows.push(item),
        }
    }
    let comma = |byte: &u8| *byte == b',';
    let space = |byte: &u8| byte.is_ascii_whitespace();
    for Span { start, end } in rows {
        let behind = body.get(end..).unwrap_or_default();
        let next = behind.iter().position(|byte| !space(byte)).unwrap_or(0);
        let before = body.get(..start).unwrap_or_default();
        let last = before.iter().rposition(|byte| !space(byte)).unwrap_or(start);
        edits.push(match (behind.get(next).is_some_and(comma), before.get(last).is_some_and(comma)) {
            (true, _) => Edit::remove(start, end + next + 1),
            (false, true) => Edit::remove(last, end),
            (false, false) => Edit::remove(start, end),
        });
    }
}

/// The body's members: as the decision saw them, unless another filter has changed the body since then.
fn members_of<'p>(body: &[u8], published: &'p PublishedRequest) -> Result<Cow<'p, Members>, ReadError> {
    match &published.members {
        Some(members) if members.length == body.len() => Ok(Cow::Borrowed(members)),
        _ => Ok(Cow::Owned(read_members(body)?)),
    }
}

/// Sets the field `model` of a form, or adds it.
fn name_in_form(body: &[u8], boundary: &str, slot: &Slot) -> Result<Edit, ReadError> {
    let form = read_form(body, boundary)?;
    let model = &slot.deployment;
    Ok(match form.members.list.first() {
        Some(field) => Edit::replace(field.value, model.clone()),
        None => {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n");
            Edit::insert(0, format!("{head}{model}\r\n"))
        }
    })
}

/// What a request asks of the router is no provider's business.
const CONTROLS: &str = "routing_config";

/// Sets `model`, or adds it where the body names none. Azure's classic paths carry the deployment, and ignore `model`.
fn name_model(body: &[u8], members: &Members, slot: &Slot, is_removed: &dyn Fn(&str) -> bool, edits: &mut Vec<Edit>) {
    let quoted = quote(&slot.deployment);
    match members.get(body, "model") {
        Some(model) => edits.push(Edit::replace(model.value, quoted)),
        None if slot.dialect == Dialect::AzureOpenAi && slot.path.contains("/deployments/") => {}
        None => {
            let alone = members.list.iter().all(|member| is_removed(&member.name(body)));
            let comma = if alone { "" } else { "," };
            edits.push(Edit::insert(members.inside, format!("\"model\":{quoted}{comma}")));
        }
    }
}

fn rename(body: &[u8], members: &Members, slot: &Slot, edits: &mut Vec<Edit>) {
    for (from, to) in &slot.rename {
        if let Some(member) = members.get(body, from) {
            edits.push(Edit::replace(member.key, to.clone()));
        }
    }
}

/// Says the effort as the API does: a member in OpenAI's APIs, one inside of `output_config` in Messages.
fn effort(body: &[u8], members: &Members, slot: &Slot) -> Option<Edit> {
    let effort = slot.effort.as_deref()?;
    if slot.dialect.is_messages() {
        let config = members.get(body, "output_config")?.value;
        let inside = read_members(config.of(body)).ok()?;
        let value = inside.get(config.of(body), "effort")?.value.within(config);
        return Some(Edit::replace(value, quote(effort)));
    }
    let member = members.get(body, "reasoning_effort")?;
    if effort != DISABLED {
        return Some(Edit::replace(member.value, quote(effort)));
    }
    let whole = Span { start: member.key.start, end: member.value.end };
    Some(Edit::replace(whole, r#"thinking":{"type":"disabled"}"#.into()))
}

/// Removes members with exactly one comma each, so that what stays is an object again. `offset` is where `object` begins
/// in the body.
fn remove(object: &[u8], members: &Members, offset: usize, is_removed: &dyn Fn(&str) -> bool, edits: &mut Vec<Edit>) {
    let mut before: Option<&Member> = None;
    let mut kept_before = false;
    let mut rest = members.list.iter().peekable();
    let mut cut = |start: usize, end: usize| edits.push(Edit::remove(offset + start, offset + end));
    while let Some(member) = rest.next() {
        if !is_removed(&member.name(object)) {
            kept_before = true;
        } else if let Some(before) = before.filter(|_| kept_before) {
            cut(before.value.end, member.value.end);
        } else {
            // The key's span lies between its quotes.
            let next = rest.peek().map(|next| next.key.start - 1);
            cut(member.key.start - 1, next.unwrap_or(member.value.end));
        }
        before = Some(member);
    }
}

/// Removes what is dropped of an object that stays: `reasoning.effort`.
fn remove_inner(body: &[u8], members: &Members, slot: &Slot, edits: &mut Vec<Edit>) {
    for (outer, inner) in slot.drop.iter().filter_map(|name| name.split_once('.')) {
        let Some(object) = members.get(body, outer).map(|member| member.value) else { continue };
        if let Ok(inside) = read_members(object.of(body)) {
            remove(object.of(body), &inside, object.start, &|name| name == inner, edits);
        }
    }
}

/// A stream's usage is only sent when asked for; the router needs it for its accounts.
fn ask_for_usage(body: &[u8], members: &Members) -> Option<Edit> {
    const ASK: &str = "\"include_usage\":true";
    let Some(options) = members.get(body, "stream_options").map(|member| member.value) else {
        let stream = members.get(body, "stream")?;
        return Some(Edit::insert(stream.value.end, format!(",\"stream_options\":{{{ASK}}}")));
    };
    // `null`, or an object in which another option may stand.
    let Ok(inner) = read_members(options.of(body)) else { return Some(Edit::replace(options, format!("{{{ASK}}}"))) };
    match inner.get(options.of(body), "include_usage") {
        Some(Member { value, .. }) => Some(Edit::replace(value.within(options), "true".into())),
        None => {
            let comma = if inner.list.is_empty() { "" } else { "," };
            Some(Edit::insert(options.start + inner.inside, format!("{ASK}{comma}")))
        }
    }
}

/// A JSON string.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
