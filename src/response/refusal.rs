//! Error answers whose words the client does not know: a provider's of Messages where the client speaks one of OpenAI's
//! APIs, a cloud's with errors of its own, and whatever is no JSON, such as a load balancer's page.
//!
//! Owns the envelope and the status that the client expects. Never decides whether another attempt is made: Envoy has
//! seen the status by then.

use super::error::{messages_type_of, type_of};
use super::failure::as_messages_error;
use crate::request::Api;
use crate::translate::{Delta, Fault, messages_answer};

/// The longest error that is read, in bytes; no provider sends longer ones.
pub const LONGEST_ERROR: usize = 64 << 10;

/// Whether a content type is JSON, as every API's errors are.
pub fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.get(kind.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

/// The status that the client's API has for one of Messages.
pub fn status(status: u16, client: Api) -> u16 {
    match (status, client) {
        (_, Api::Messages) => status,
        // Overloaded.
        (529, _) => 503,
        _ => status,
    }
}

/// The body of an error answer with this status, as the client's API words it. `None`, or what is no error that can be
/// read: the status alone tells what is known.
pub fn body(sent: Option<&[u8]>, status: u16, client: Api) -> Vec<u8> {
    if client == Api::Messages {
        return as_messages_error(sent.unwrap_or_default(), messages_type_of(status));
    }
    let mut out = Vec::new();
    let mut take = |delta: Delta| {
        if let (Delta::Fault(fault), true) = (delta, out.is_empty()) {
            complete(fault, status).write(&mut out);
        }
    };
    let read = sent.map(|sent| messages_answer(sent, &mut take));
    if !matches!(read, Some(Ok(()))) || out.is_empty() {
        out.clear();
        complete(Fault::default(), status).write(&mut out);
    }
    out
}

/// Adds what the error does not say and the status does.
fn complete(fault: Fault, status: u16) -> Fault {
    let code: &[u8] = match status {
        401 => b"invalid_api_key",
        404 => b"model_not_found",
        429 => b"rate_limit_exceeded",
        503 | 529 => b"server_overloaded",
        400..=499 => b"invalid_request_error",
        _ => b"provider_error",
    };
    let kind: &[u8] = match status {
        429 => b"requests",
        status => type_of(status).as_bytes(),
    };
    let known = fault.code.is_some();
    Fault {
        kind: fault.kind.filter(|_| known).or(Some(kind)),
        code: fault.code.or(Some(code)),
        message: fault.message.or(Some(b"The provider answered with an error that does not say why.")),
        ..fault
    }
}
