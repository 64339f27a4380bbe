//! The last requests of a provider, as received. Keeps a bounded number, and renders them only when asked.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{HeaderMap, Method, Uri};
use serde_json::{Map, Value, json};

/// How many requests are kept.
pub const KEPT: usize = 100;

/// How many bytes of a body [`Mode::Head`] keeps.
pub const HEAD: usize = 64 * 1024;

/// What is kept of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Everything.
    Full,
    /// Everything, but of a longer body the first 64 KiB.
    Head,
    /// Nothing, not even that there was a request.
    Off,
}

/// The ring of recorded requests.
#[derive(Debug)]
pub struct Recorder {
    mode: Mode,
    ring: Mutex<VecDeque<Record>>,
}

#[derive(Debug)]
struct Record {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    truncated: bool,
}

impl Recorder {
    /// An empty ring.
    pub fn new(mode: Mode) -> Self {
        Self { mode, ring: Mutex::new(VecDeque::with_capacity(KEPT)) }
    }

    /// Keeps a request, and forgets the oldest when there are too many. Shares the body's memory.
    pub fn push(&self, method: Method, uri: Uri, headers: HeaderMap, body: &Bytes) {
        let kept = match self.mode {
            Mode::Off => return,
            // A copy, so that the rest of the body can be freed.
            Mode::Head if body.len() > HEAD => Bytes::copy_from_slice(body.get(..HEAD).unwrap_or_default()),
            Mode::Full | Mode::Head => body.clone(),
        };
        let record = Record { method, uri, headers, truncated: kept.len() < body.len(), body: kept };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(record);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A JSON array, oldest first, of `{method, path, headers, body}`; see [`Record::to_json`].
    pub fn to_json(&self) -> Value {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().map(Record::to_json).collect()
    }
}

impl Record {
    /// `headers` maps names to a value, or to an array where the name is repeated. `body` is text; a body that is
    /// not UTF-8 is `body_base64` instead. `truncated` is there, and true, when the body is only a head.
    fn to_json(&self) -> Value {
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        let mut record = json!({"method": self.method.as_str(), "path": path, "headers": self.headers()});
        let text = match std::str::from_utf8(&self.body) {
            Ok(text) => Some(text),
            // The cut may have split the last character.
            Err(error) if self.truncated && error.error_len().is_none() => {
                self.body.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok())
            }
            Err(_) => None,
        };
        match text {
            Some(text) => record["body"] = json!(text),
            None => record["body_base64"] = json!(STANDARD.encode(&self.body)),
        }
        if self.truncated {
            record["truncated"] = json!(true);
        }
        record
    }

    fn headers(&self) -> Map<String, Value> {
        let mut object = Map::new();
        for name in self.headers.keys() {
            let mut values: Vec<Value> = self
                .headers
                .get_all(name)
                .iter()
                .map(|value| Value::from(String::from_utf8_lossy(value.as_bytes())))
                .collect();
            let value = if values.len() == 1 { values.swap_remove(0) } else { Value::Array(values) };
            object.insert(name.as_str().to_owned(), value);
        }
        object
    }
}
