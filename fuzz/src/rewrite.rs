//! Rewriting: what is planned can be written for every provider, is JSON, and has of the client's bytes all that need not
//! change.

use super::fixed_policy;
use super::json::{is_json, is_json_of_any_depth};
use model_router::attempt::{Brief, PublishedRequest, Slot, body_for};
use model_router::decide::{Caller, Memory};
use model_router::request::{Api, Member, read_members};
use model_router::routing::{Call, route};

/// Rewrites `data` as a body of each API for a provider of each kind.
pub fn run(data: &[u8]) {
    for api in [Api::Chat, Api::Responses, Api::Messages] {
        for controls in [false, true] {
            let deployment = Some("model-router".into());
            let call = Call { deployment, controls, ..Call::of(api, Caller::Anyone) };
            let Ok(routed) = route(fixed_policy(), &call, data, Memory::NONE) else { continue };
            let lines = routed.brief.publish();
            for (number, slot) in (1..).zip(&routed.brief.slots) {
                let (brief, published) = Brief::at_attempt(&lines, number, slot.cluster.as_bytes()).unwrap();
                assert_eq!((&brief.request, &published), (&routed.brief.request, slot));
                let sent = body_for(data, &brief.request, slot).unwrap();
                if slot.translate.is_some() {
                    assert!(is_json_of_any_depth(&sent));
                } else {
                    assert!(is_json(&sent));
                    compare(data, &sent, &brief.request, slot);
                }
            }
        }
    }
}

/// Members that are the router's to set.
const SET: [&str; 5] = ["model", "stream", "stream_options", "anthropic_version", "anthropic_beta"];

fn compare(body: &[u8], sent: &[u8], request: &PublishedRequest, slot: &Slot) {
    let (before, after) = (read_members(body).unwrap(), read_members(sent).unwrap());
    let gone = |name: &str| name == "routing_config" || slot.drop.iter().chain(&slot.moot).any(|drop| drop == name);
    let set = |name: &str| SET.contains(&name);
    let kept = before.list.iter().filter(|member| !gone(&member.name(body)) && !set(&member.name(body)));
    let mut rest = after.list.iter().filter(|member| !set(&member.name(sent)));
    for member in kept {
        let name = member.name(body);
        let there = rest.next().unwrap();
        if *there.name(sent) != *name {
            let renamed = slot.rename.iter().any(|(from, to)| *from == *name && *to == *there.name(sent));
            assert!(renamed || name == "reasoning_effort" && slot.effort.is_some(), "{name}");
        }
        if !may_change(&name, member, request, slot) {
            assert_eq!(member.value.of(body), there.value.of(sent), "{name}");
        }
    }
    assert_eq!(rest.next(), None);
}

fn may_change(name: &str, member: &Member, request: &PublishedRequest, slot: &Slot) -> bool {
    let inside = |(start, end): (u32, u32)| member.value.start <= start as usize && end as usize <= member.value.end;
    let dropped =
        |drop: &String| drop == "cache_control" || drop.split_once('.').is_some_and(|(outer, _)| outer == name);
    let by_slot = match name {
        "thinking" => slot.thinking.is_some(),
        "reasoning_effort" | "output_config" => slot.effort.is_some(),
        "system" | "messages" | "tools" => slot.cache_prefix || slot.no_developer,
        _ => false,
    };
    by_slot
        || slot.drop.iter().chain(&slot.moot).any(dropped)
        || request.marks.iter().copied().any(inside)
        || request.thoughts.iter().any(|it| inside((it.start, it.end)))
}
