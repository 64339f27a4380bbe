//! The body of a request that goes to a model by its name: embeddings, images, speech, …
//!
//! Owns the little that is read of it. Never judges the rest: the provider does.

use super::json::Kind;
use super::members::{MemberReader, Result};
use super::{Api, Request};

/// Reads `model` and `stream`.
///
/// # Errors
/// [`super::ReadError`] when the body is no JSON object, names a top-level key twice, or one of the two has the wrong
/// type.
pub fn read_named(body: &[u8]) -> Result<Request<'_>> {
    let mut members = MemberReader::enter(body)?;
    let mut request = Request::new(Api::Other, body);
    while let Some(key) = members.next_key()? {
        let name = key.value(body);
        match &*name {
            "model" | "stream" if members.reader.peek()? != Kind::Null => members.common(key, &name, &mut request)?,
            _ => drop(members.skip(key)?),
        }
    }
    request.members = members.end()?;
    Ok(request)
}
