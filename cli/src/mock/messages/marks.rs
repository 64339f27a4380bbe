//! The marks of prompt caching, `cache_control`: where they are, and what the real API refuses of them.

use serde_json::Value;

use super::refuse::{Checked, known, object, one_of, refuse, refuse_all, text};
use super::request::MessageRequest;

/// The most marks of one request.
const MOST: usize = 4;

/// How long a prefix is kept that ends with `block`; `None` when it has no mark.
pub fn ttl(block: &Value) -> Option<&str> {
    let mark = block.get("cache_control").filter(|mark| !mark.is_null())?;
    Some(mark["ttl"].as_str().unwrap_or("5m"))
}

/// Refuses marks that are wrong, too many, or in the wrong order.
pub fn check(request: &MessageRequest) -> Checked {
    let mut marked = Vec::new();
    collect(request.tools(), "tools", &mut marked);
    collect(request.list("system"), "system", &mut marked);
    for (index, message) in request.list("messages").iter().enumerate() {
        let at = format!("messages.{index}.content");
        for (index, block) in message["content"].as_array().into_iter().flatten().enumerate() {
            collect(
                block["content"].as_array().map_or(&[], Vec::as_slice),
                &format!("{at}.{index}.content"),
                &mut marked,
            );
            collect_one(block, format!("{at}.{index}"), &mut marked);
        }
    }
    if marked.len() > MOST {
        let message = format!("A maximum of {MOST} blocks with cache_control may be provided. Found {}.", marked.len());
        return Err(refuse_all(message));
    }
    let mut short = false;
    for (at, block) in marked {
        let at = format!("{at}.cache_control");
        one(&block["cache_control"], &at)?;
        let long = ttl(block) == Some("1h");
        if long && short {
            let why = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that \
                       blocks are processed in the following order: `tools`, `system`, `messages`.";
            return Err(refuse(&format!("{at}.ttl"), why));
        }
        short |= !long;
    }
    Ok(())
}

fn one(mark: &Value, at: &str) -> Checked {
    let mark = object(mark, at)?;
    known(mark, at, &["type", "ttl"])?;
    one_of(text(mark, at, "type")?, &format!("{at}.type"), &["ephemeral"])?;
    if mark.contains_key("ttl") {
        one_of(text(mark, at, "ttl")?, &format!("{at}.ttl"), &["5m", "1h"])?;
    }
    Ok(())
}

fn collect<'a>(blocks: &'a [Value], at: &str, marked: &mut Vec<(String, &'a Value)>) {
    for (index, block) in blocks.iter().enumerate() {
        collect_one(block, format!("{at}.{index}"), marked);
    }
}

fn collect_one<'a>(block: &'a Value, at: String, marked: &mut Vec<(String, &'a Value)>) {
    if ttl(block).is_some() {
        marked.push((at, block));
    }
}
