//! The filter under the fake host: any callbacks in any order, with any bytes.
//!
//! The first line of the input is a script, a callback per letter; below it the request's body, and below a line `---`
//! the response's. Capitals are for the route plugin, small letters for the attempt plugin.

#[allow(missing_docs, clippy::undocumented_unsafe_blocks)]
#[path = "../../tests/fake_host/host.rs"]
mod host;

use super::POLICY;
use super::json::is_json;
use host::*;
use std::cell::Cell;

const ROUTE: u32 = 1;
const ATTEMPT: u32 = 2;

const PATHS: [&str; 10] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/responses/resp_1",
    "/model-router/explain",
    "/v1/models",
    "/openai/deployments/model-router/chat/completions?api-version=2024-10-21",
    "/v1/embeddings",
    "/v1/messages/count_tokens",
    "/x",
];
const CLUSTERS: [&str; 8] = ["openai", "azure", "azure_v1", "anthropic", "vertex", "bedrock", "vllm", "ollama"];
const TYPES: [&str; 4] =
    ["application/json", "text/event-stream", "application/vnd.amazon.eventstream", "multipart/form-data; boundary=b"];

/// Plays the script of `data`.
pub fn run(data: &[u8]) {
    start();
    let (script, bodies) = split(data, b"\n");
    let (request, response) = split(bodies, b"\n---\n");
    let context = fresh_request();
    let mut play = Play { context, piece: usize::MAX, request, response };
    for root in [ROUTE, ATTEMPT] {
        unsafe { proxy_on_context_create(context + root, root) }
    }
    script.iter().take(64).for_each(|step| play.step(*step));
    for root in [ATTEMPT, ROUTE] {
        unsafe { proxy_on_delete(context + root) }
    }
    if let Some((status, _, body)) = host(|host| host.reply.take()) {
        assert!((200..600).contains(&status) && (body.is_empty() || is_json(body.as_bytes())), "{status} {body}");
    }
}

struct Play<'a> {
    context: u32,
    /// Bytes of the next piece of a body.
    piece: usize,
    request: &'a [u8],
    response: &'a [u8],
}

impl Play<'_> {
    fn step(&mut self, step: u8) {
        let context = self.context + if step.is_ascii_uppercase() { ROUTE } else { ATTEMPT };
        unsafe {
            match step.to_ascii_lowercase() {
                b'h' => drop(proxy_on_request_headers(context, 0, false)),
                b'g' => drop(proxy_on_request_headers(context, 0, true)),
                b'b' | b'e' => {
                    let (piece, rest) = self.request.split_at(self.piece.min(self.request.len()));
                    self.request = rest;
                    let size = arrive(|host| &mut host.request_body, piece);
                    if proxy_on_request_body(context, size, matches!(step, b'e' | b'E')) == 0 && step == b'E' {
                        place();
                    }
                }
                b't' => drop(proxy_on_request_trailers(context, 0)),
                b'r' => drop(proxy_on_response_headers(context, 0, false)),
                b'q' => drop(proxy_on_response_headers(context, 0, true)),
                b'd' | b'f' => {
                    let (piece, rest) = self.response.split_at(self.piece.min(self.response.len()));
                    self.response = rest;
                    let size = arrive(|host| &mut host.response_body, piece);
                    if proxy_on_response_body(context, size, step.eq_ignore_ascii_case(&b'f')) == 0 {
                        host(|host| host.response_body.clear());
                    }
                }
                b's' => drop(proxy_on_response_trailers(context, 0)),
                b'l' => proxy_on_log(context),
                b'x' => drop(proxy_on_done(context)),
                // What follows is about another attempt.
                b'n' => {
                    proxy_on_delete(self.context + ATTEMPT);
                    proxy_on_context_create(self.context + ATTEMPT, ATTEMPT);
                    place();
                }
                _ => self.set(step),
            }
        }
    }

    /// What the host says from here on.
    fn set(&mut self, step: u8) {
        let pick = |list: &[&str]| list[usize::from(step) % list.len()].to_owned();
        match step {
            b'0'..=b'9' => header(|host| &mut host.request_headers, ":path", pick(&PATHS)),
            b'!'..=b'/' => self.piece = usize::from(step - b' ') * 7,
            b':'..=b'@' => self.piece = usize::from(step - b'9'),
            b'[' => self.piece = usize::MAX,
            b'u'..=b'w' | b'y' | b'z' => header(|host| &mut host.response_headers, "content-type", pick(&TYPES)),
            b'U'..=b'W' => header(|host| &mut host.request_headers, "content-type", pick(&TYPES)),
            b'Y' => {
                header(|host| &mut host.request_headers, "foundry-features", "ModelRouterControls=V1Preview".into())
            }
            b'Z' => header(|host| &mut host.request_headers, ":method", "GET".into()),
            b'a' | b'c' | b'i'..=b'k' => {
                header(|host| &mut host.response_headers, ":status", pick(&["200", "503", "429", "x", "400"]));
            }
            b'A' => header(|host| &mut host.request_headers, "anthropic-version", "2023-06-01".into()),
            b'I' => header(|host| &mut host.request_headers, "x-ms-session-id", "s".into()),
            b'J'..=b'K' => host(|host| host.clock += 1000),
            b'm' | b'o' | b'p' | b'M' | b'O' | b'P' | 0x80.. => {
                host(|host| host.properties.insert("xds.cluster_name".into(), pick(&CLUSTERS).into()));
            }
            _ => {}
        }
    }
}

/// Envoy comes to the cluster that the plan says, for the next attempt.
fn place() {
    host(|host| {
        let number = host.properties.get("upstream.request_attempt_count").map_or(1, |it| u64::from(it[0]) + 1);
        let cluster = host.properties.get("model_router.cluster").cloned().unwrap_or_default();
        host.properties.insert("xds.cluster_name".into(), cluster);
        host.properties.insert("upstream.request_attempt_count".into(), number.to_le_bytes().to_vec());
        host.properties.insert("response.code_details".into(), "via_upstream".into());
    });
}

/// Puts a piece behind what waits in the buffer, and says how much that is.
fn arrive(body: fn(&mut Host) -> &mut Vec<u8>, piece: &[u8]) -> usize {
    host(|host| {
        body(host).extend_from_slice(piece);
        body(host).len()
    })
}

fn header(headers: fn(&mut Host) -> &mut Pairs, name: &str, value: String) {
    host(|host| {
        headers(host).retain(|(key, _)| key != name);
        headers(host).push((name.into(), value));
    });
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = bytes.windows(by.len()).position(|window| window == by).unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + by.len()..).unwrap_or_default())
}

thread_local!(static CONTEXT: Cell<u32> = const { Cell::new(0) });

/// Both plugins configured, once in a thread.
fn start() {
    if CONTEXT.get() > 0 {
        return;
    }
    CONTEXT.set(100);
    initialize();
    for (root, id) in [(ROUTE, "route"), (ATTEMPT, "attempt")] {
        host(|host| {
            host.root_id = id.into();
            host.configuration = POLICY.into();
        });
        unsafe {
            proxy_on_context_create(root, 0);
            assert!(proxy_on_vm_start(root, 0) && proxy_on_configure(root, POLICY.len()));
        }
    }
}

/// A host that knows nothing but the metrics' ids; the request's number.
fn fresh_request() -> u32 {
    host(|host| {
        let before = std::mem::take(&mut *host);
        host.keep_metric_names(before);
        host.request_headers = [(":method", "POST"), (":path", PATHS[0]), ("content-type", TYPES[0])]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        host.response_headers = vec![(":status".into(), "200".into()), ("content-type".into(), TYPES[0].into())];
    });
    CONTEXT.set(CONTEXT.get() + 8);
    CONTEXT.get()
}
