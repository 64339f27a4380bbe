//! Which model a conversation is on, remembered for all workers of one Envoy.
//!
//! A cache of fixed size: a conversation whose place another has taken is forgotten, and found again by what its ids or
//! its own messages say. Never holds text, only hashes.

use super::host;
use crate::decide::affinity::{LIFETIME, Recalled};
use crate::origin::Origin;

/// Conversations that are remembered, at most.
const PLACES: u64 = 16_384;

fn place(key: u64) -> String {
    "model_router.session.".to_owned() + &(key % PLACES).to_string()
}

/// The model of a conversation.
pub fn recall(key: u64) -> Recalled {
    let Some((known, model, written)) = host::shared(&place(key)).and_then(|(value, _)| read(&value)) else {
        return Recalled::Nothing;
    };
    match known == key {
        true if host::now() / 1_000_000_000 < written + LIFETIME => Recalled::Model(model),
        true => Recalled::Expired,
        false => Recalled::Nothing,
    }
}

/// Notes that a conversation was answered by the model of this name.
pub fn remember(key: u64, model: &str) {
    let seconds = host::now() / 1_000_000_000;
    let hash = Origin::new("", model).model;
    let value = [&key.to_le_bytes()[..], &hash.to_le_bytes(), &seconds.to_le_bytes()].concat();
    host::set_shared(&place(key), &value, 0);
}

/// Key, hash of the model's name, and seconds since 1970.
fn read(value: &[u8]) -> Option<(u64, u32, u64)> {
    let (key, rest) = value.split_first_chunk::<8>()?;
    let (model, seconds) = rest.split_first_chunk::<4>()?;
    Some((u64::from_le_bytes(*key), u32::from_le_bytes(*model), u64::from_le_bytes(*seconds.first_chunk::<8>()?)))
}
