//! What a response repeats of its request.

use crate::request::Members;
use crate::request::json::Kind;
use crate::translate::json::{Object, Raw, compact, fields, write_number, write_string};

/// What a response repeats of its request, and what its ids begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Stands behind the kind of each id.
    pub(super) mark: String,
    /// Seconds since 1970 where the provider says none, as they are written.
    pub(super) created: Vec<u8>,
    /// The model's name where the provider says none, a JSON string without its quotes.
    pub(super) model: Vec<u8>,
    /// The tier that was asked for, where the provider names none: JSON.
    pub(super) service_tier: Vec<u8>,
    /// The other members, ready to be written, on one line.
    pub(super) members: Vec<u8>,
}

/// Members that are repeated as they were sent, with the API's defaults.
const REPEATED: [(&str, &str); 15] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("prompt_cache_retention", "null"),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
];

impl About {
    /// Keeps what is repeated of the Responses request `body` with these members; where there are none, the defaults. `mark`
    /// goes into the ids; `created` and `model_fallback` stand where the provider says neither.
    pub fn new(body: &[u8], members: &Members, mark: String, created: u64, model_fallback: &str) -> Self {
        let get = |name: &str| {
            let value = Raw::at(members.get(body, name)?.value, body);
            Some(value).filter(|value| value.kind() != Kind::Null)
        };
        let mut repeated = Vec::new();
        let mut object = Object::bare(&mut repeated);
        // Nothing is stored, and nothing runs on.
        object.json("background", b"false");
        object.json("previous_response_id", b"null");
        object.json("store", b"false");
        for (name, default) in REPEATED {
            let value = get(name).map_or(default.as_bytes(), Raw::bytes);
            compact(object.key(name), value);
        }
        let [effort, summary] = picked(get("reasoning"), &["effort", "summary"]);
        let mut reasoning = object.object("reasoning");
        compact(reasoning.key("effort"), effort.map_or(b"null", Raw::bytes));
        compact(reasoning.key("summary"), summary.map_or(b"null", Raw::bytes));
        reasoning.close();
        let [format, verbosity] = picked(get("text"), &["format", "verbosity"]);
        let mut text = object.object("text");
        compact(text.key("format"), format.map_or(br#"{"type":"text"}"#, Raw::bytes));
        if let Some(verbosity) = verbosity {
            compact(text.key("verbosity"), verbosity.bytes());
        }
        text.close();
        let (mut digits, mut model) = (Vec::new(), Vec::new());
        write_number(&mut digits, created);
        write_string(&mut model, model_fallback);
        let model = model.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or_default().to_vec();
        About {
            mark,
            created: digits,
            model,
            service_tier: get("service_tier").map_or(b"\"auto\"".as_slice(), Raw::bytes).to_vec(),
            members: repeated,
        }
    }

    /// Adds a member to every response object. `json` has no line breaks.
    pub fn add(&mut self, name: &str, json: &str) {
        self.members.push(b',');
        write_string(&mut self.members, name);
        self.members.push(b':');
        self.members.extend_from_slice(json.as_bytes());
    }
}

fn picked<'a, const N: usize>(object: Option<Raw<'a>>, names: &[&str; N]) -> [Option<Raw<'a>>; N] {
    let object = object.filter(|object| object.kind() == Kind::Object);
    object.and_then(|object| fields(&mut object.reader(), names).ok()).map_or([None; N], |found| found.values)
}
