//! Fits what stands inside the messages and tools of a Chat Completions request.
//!
//! Owns the members and the role that only some providers take. Reads the body again only where the decision saw one of
//! them. Never touches a text.

use super::{Slot, each_item, remove};
use crate::edit::Edit;
use crate::request::json::{Kind, Span};
use crate::request::{Members, read_members};

/// Cuts what the slot drops, and renames the role.
pub fn fit(body: &[u8], members: &Members, slot: &Slot, edits: &mut Vec<Edit>) {
    let dropped = |name: &str| slot.drop.iter().any(|drop| drop == name);
    let mark = dropped("cache_control");
    let cut: Vec<&str> = slot.drop.iter().filter_map(|name| name.strip_prefix("messages.")).collect();
    if mark || slot.no_developer || !cut.is_empty() {
        each_object(body, members.get(body, "messages").map(|member| member.value), &mut |message, inside| {
            let value = |name: &str| Some(inside.get(message.of(body), name)?.value.within(message));
            let role = value("role").unwrap_or_default();
            // The name of a function says whose result it is, not who speaks.
            let stays = |name: &str| name == "name" && role.of(body) == b"\"function\"";
            let is_cut = |name: &str| cut.contains(&name) && !stays(name) || mark && name == "cache_control";
            remove(message.of(body), inside, message.start, &is_cut, edits);
            if slot.no_developer && role.of(body) == b"\"developer\"" {
                edits.push(Edit::replace(role, "\"system\"".into()));
            }
            let content = value("content").filter(|content| mark && content.of(body).starts_with(b"["));
            each_object(body, content, &mut |part, inside| {
                remove(part.of(body), inside, part.start, &|name| name == "cache_control", edits);
            });
        });
    }
    let strict = dropped("tools.function.strict");
    if mark || strict {
        each_object(body, members.get(body, "tools").map(|member| member.value), &mut |tool, inside| {
            remove(tool.of(body), inside, tool.start, &|name| mark && name == "cache_control", edits);
            let Some(function) = inside.get(tool.of(body), "function") else { return };
            let function = function.value.within(tool);
            if let Ok(inside) = read_members(function.of(body)) {
                let is_cut = |name: &str| strict && name == "strict" || mark && name == "cache_control";
                remove(function.of(body), &inside, function.start, &is_cut, edits);
            }
        });
    }
}

/// Hands out the objects of an array, as places in the body, each with its members.
fn each_object(body: &[u8], list: Option<Span>, take: &mut dyn FnMut(Span, &Members)) {
    let Some(list) = list else { return };
    each_item(body, list, &mut |object, kind| {
        if kind == Kind::Object
            && let Ok(inside) = read_members(object.of(body))
        {
            take(object, &inside);
        }
    });
}
