//! The filter under the fake host: any callbacks in any order, with any bytes.
//!
//! The first line of the input is a script, a callback per letter; below it the request's body, and below a line `---`
//! the response's. Capitals are for the route plugin, small letters for the attempt plugin.
//!
//! The moderation service answers with the response's body too.
//!
//! Whatever comes: nothing panics; nothing goes on that was flagged; no plan has a model that the consumer may not use;
//! no attempt sends what a client or an earlier attempt has left in headers, nor JSON that is none; every length that is
//! said is right.

#[allow(missing_docs, clippy::undocumented_unsafe_blocks)]
#[path = "../../tests/fake_host/host.rs"]
mod host;

use super::POLICY;
use super::json::{is_json, is_json_of_any_depth};
use host::*;
use model_router::attempt::Brief;
use model_router::content_filter::Verdict;
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
/// What nobody but the one who sent it may see. Clients send it in every header that must not go on, and providers' keys
/// are this too.
const SECRET: &str = "secret";
const FORGED: [&str; 13] = [
    "authorization",
    "api-key",
    "x-api-key",
    "proxy-authorization",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "openai-organization",
    "x-goog-user-project",
    "x-amz-security-token",
    "x-envoy-retry-on",
    "x-model-router-model",
    "accept-encoding",
];
const SMALL: [&str; 2] = ["local", "gpt-oss-120b"];
const TYPES: [&str; 4] =
    ["application/json", "text/event-stream", "application/vnd.amazon.eventstream", "multipart/form-data; boundary=b"];

/// Plays the script of `data`.
pub fn run(data: &[u8]) {
    start();
    let (script, bodies) = split(data, b"\n");
    let (request, response) = split(bodies, b"\n---\n");
    let context = fresh_request();
    let mut play = Play::new(context, request, response);
    script.iter().take(64).for_each(|step| play.step(*step));
    play.leave();
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
    /// What the client has sent before anything was done to it, and what of it this attempt has not got yet.
    routed: Vec<u8>,
    rest: Vec<u8>,
    /// Whether the client may only use [`SMALL`].
    small: bool,
    /// The attempt fits the request to a provider, and has not done so with the body.
    fits: bool,
    /// Bytes of the answer that the attempt has let go on, as long as it is the only one that does anything to them.
    passed: Option<usize>,
}

impl<'a> Play<'a> {
    /// A client's request arrives.
    fn new(context: u32, request: &'a [u8], response: &'a [u8]) -> Self {
        for root in [ROUTE, ATTEMPT] {
            unsafe { proxy_on_context_create(context + root, root) }
        }
        let (routed, rest) = (Vec::new(), Vec::new());
        let piece = usize::MAX;
        Play { context, piece, request, response, routed, rest, small: false, fits: false, passed: None }
    }

    /// It is over, and what was asked about it is answered for nobody.
    fn leave(&self) {
        for root in [ATTEMPT, ROUTE] {
            unsafe { proxy_on_delete(self.context + root) }
        }
        for call in host(|host| std::mem::take(&mut host.calls)) {
            unsafe { proxy_on_http_call_response(ROUTE, call.token, 0, 0, 0) }
        }
    }

    fn step(&mut self, step: u8) {
        let is_route = step.is_ascii_uppercase();
        let context = self.context + if is_route { ROUTE } else { ATTEMPT };
        let ends = matches!(step.to_ascii_lowercase(), b'g' | b'e' | b'q' | b'f');
        unsafe {
            match step {
                b'H' | b'G' => {
                    self.small = host(|host| host.request_headers.iter().any(|(_, value)| value == "small"));
                    proxy_on_request_headers(context, 0, ends);
                    self.routed_at_end(step == b'G');
                }
                b'B' | b'E' => {
                    let (piece, rest) = self.request.split_at(self.piece.min(self.request.len()));
                    self.request = rest;
                    let size = arrive(|host| &mut host.request_body, piece);
                    let goes_on = proxy_on_request_body(context, size, ends) == 0;
                    self.routed_at_end(ends && goes_on);
                }
                b'h' | b'g' => {
                    let plan = host(|host| host.properties.contains_key("model_router.brief") && host.reply.is_none());
                    proxy_on_request_headers(context, 0, ends);
                    self.fits = plan && host(|host| host.reply.is_none());
                    if self.fits {
                        let left = host(|host| host.request_headers.clone());
                        assert!(!left.iter().any(|(name, value)| value == SECRET || name == "x-team"), "{left:?}");
                    }
                }
                b'b' | b'e' => {
                    let piece: Vec<u8> = self.rest.drain(..self.piece.min(self.rest.len())).collect();
                    let size = arrive(|host| &mut host.request_body, &piece);
                    let before = host(|host| host.request_body.clone());
                    proxy_on_request_body(context, size, ends);
                    self.sent(ends, &before);
                }
                b't' => {
                    let before = host(|host| host.request_body.clone());
                    proxy_on_request_trailers(context, 0);
                    self.sent(true, &before);
                }
                b'T' => drop(proxy_on_request_trailers(context, 0)),
                b'r' | b'q' | b'R' | b'Q' => {
                    host(|host| host.response_headers.retain(|(name, _)| name != "content-length"));
                    proxy_on_response_headers(context, 0, ends);
                    self.passed = (step == b'r').then_some(0);
                }
                b'd' | b'f' | b'D' | b'F' => {
                    let (piece, rest) = self.response.split_at(self.piece.min(self.response.len()));
                    self.response = rest;
                    let size = arrive(|host| &mut host.response_body, piece);
                    let goes_on = proxy_on_response_body(context, size, ends) == 0;
                    self.answered(goes_on, ends, is_route);
                }
                b's' | b'S' => {
                    let goes_on = proxy_on_response_trailers(context, 0) == 0;
                    self.answered(goes_on, true, is_route);
                }
                // The moderation service answers, or the host in its place.
                b'{' | b'|' => self.moderated(step == b'{'),
                b'l' | b'L' => proxy_on_log(context),
                b'x' | b'X' => drop(proxy_on_done(context)),
                // What follows is about another attempt; Envoy has given the one before its provider's key.
                b'n' => {
                    proxy_on_delete(context);
                    proxy_on_context_create(context, ATTEMPT);
                    for name in ["authorization", "api-key", "x-api-key"] {
                        header(|host| &mut host.request_headers, name, SECRET.into());
                    }
                    self.place();
                }
                // And here about another client's request, at the same worker.
                b'N' => {
                    let Play { piece, request, response, .. } = *self;
                    self.leave();
                    *self = Play { piece, ..Play::new(next_request(), request, response) };
                }
                _ => self.set(step),
            }
        }
    }

    /// The first call is answered: with a status, or with none.
    fn moderated(&mut self, has_status: bool) {
        let (size, resumed) = (self.response.len(), host(|host| host.resumed));
        let token = host(|host| {
            host.call_body = self.response.to_vec();
            host.call_headers = if has_status { vec![(":status".into(), "200".into())] } else { Vec::new() };
            (!host.calls.is_empty()).then(|| host.calls.remove(0).token)
        });
        let Some(token) = token else { return };
        unsafe { proxy_on_http_call_response(ROUTE, token, usize::from(has_status), size, 0) }
        let goes_on = host(|host| host.resumed) > resumed;
        let flagged = matches!(Verdict::read(self.response), Some(Verdict::Flagged(_))) && has_status;
        assert!(!(goes_on && flagged));
        self.routed_at_end(goes_on);
    }

    /// The route plugin lets the request go, if this was the end of it: to what this consumer may use.
    fn routed_at_end(&mut self, goes_on: bool) {
        if !goes_on || host(|host| host.reply.is_some()) {
            return;
        }
        self.routed = host(|host| host.request_body.clone());
        self.place();
        let Some(brief) = host(|host| host.properties.get("model_router.brief").cloned()) else { return };
        for (number, cluster) in (1..=8).flat_map(|number| CLUSTERS.map(|cluster| (number, cluster))) {
            if let Some((_, slot)) = Brief::at_attempt(&brief, number, cluster.as_bytes()) {
                assert!(!self.small || slot.model.is_empty() || SMALL.contains(&&*slot.model), "{}", slot.model);
            }
        }
    }

    /// Envoy comes to the cluster that the plan says, for the next attempt, with what the client has sent.
    fn place(&mut self) {
        self.rest.clone_from(&self.routed);
        (self.fits, self.passed) = (false, None);
        host(|host| {
            host.request_body.clear();
            host.response_body.clear();
            let number = host.properties.get("upstream.request_attempt_count").map_or(1, |it| u64::from(it[0]) + 1);
            let cluster = host.properties.get("model_router.cluster").cloned().unwrap_or_default();
            host.properties.insert("xds.cluster_name".into(), cluster);
            host.properties.insert("upstream.request_attempt_count".into(), number.to_le_bytes().to_vec());
            host.properties.insert("response.code_details".into(), "via_upstream".into());
        });
    }

    /// The attempt has sent its body, if this was the end of it. `before`: what the client has sent.
    fn sent(&mut self, ends: bool, before: &[u8]) {
        if !ends || !std::mem::take(&mut self.fits) || host(|host| host.reply.is_some()) {
            return;
        }
        let after = host(|host| host.request_body.clone());
        assert!(!is_json(before) || is_json_of_any_depth(&after), "{}", after.escape_ascii());
        assert_eq!(length_said(&host(|host| host.request_headers.clone())), Some(after.len()));
    }

    /// A piece of the answer goes on, or is held.
    fn answered(&mut self, goes_on: bool, ends: bool, is_route: bool) {
        let size = if goes_on { host(|host| std::mem::take(&mut host.response_body).len()) } else { 0 };
        let before = self.passed.take().filter(|_| !is_route);
        let said = length_said(&host(|host| host.response_headers.clone()));
        match before.map(|before| before + size) {
            Some(passed) if ends && goes_on => assert!(said.is_none_or(|said| said == passed), "{said:?} {passed}"),
            passed => self.passed = passed,
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
            b'J' => host(|host| host.clock += 1000),
            b'K' => host(|host| host.clock += 1),
            b'}' => host(|host| host.calls_fail = !host.calls_fail),
            b'C' => header(|host| &mut host.request_headers, "x-team", "small".into()),
            b'm' | b'o' | b'p' | b'M' | b'O' | b'P' | 0x80.. => {
                host(|host| host.properties.insert("xds.cluster_name".into(), pick(&CLUSTERS).into()));
            }
            _ => {}
        }
    }
}

/// The length of a body as its headers say.
fn length_said(headers: &Pairs) -> Option<usize> {
    let (_, value) = headers.iter().find(|(name, _)| name == "content-length")?;
    Some(value.parse().unwrap())
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
        host.clock = before.clock + 1000;
        host.keep_metric_names(before);
    });
    next_request()
}

/// The next request at a host that remembers what was shared; its number.
fn next_request() -> u32 {
    host(|host| {
        host.properties.clear();
        host.reply = None;
        host.resumed = 0;
        host.request_body.clear();
        host.response_body.clear();
        let head = [(":method", "POST"), (":path", PATHS[0]), ("content-type", TYPES[0]), ("x-team", "all")];
        let forged = FORGED.map(|name| (name, SECRET));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        host.request_headers = head.into_iter().chain(forged).map(owned).collect();
        host.response_headers = vec![(":status".into(), "200".into()), ("content-type".into(), TYPES[0].into())];
    });
    CONTEXT.set(CONTEXT.get() + 8);
    CONTEXT.get()
}
