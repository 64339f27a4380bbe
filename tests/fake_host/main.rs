//! The filter under a host in the test: same bytes in any pieces, same effects; any order of callbacks, no harm.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// The host's side of the ABI is raw pointers throughout.
#![allow(clippy::missing_safety_doc, clippy::not_unsafe_ptr_arg_deref)]

mod content_filter;
mod host;

use host::*;
// Only its exported symbols are used.
use model_router as _;

const ROUTE: u32 = 1;
const ATTEMPT: u32 = 2;
const BOTH: u32 = 3;
const PAUSE: u32 = 1;

const POLICY: &str = r#"{
    "routers": [{"name": "model-router", "mode": "quality", "baseline": "gpt-5.4"}],
    "models": [
        {"name": "gpt-5.4", "abilities": 90, "served_by": [{"provider": "azure", "deployment": "big/one"}, {"provider": "openai"}]},
        {"name": "gpt-4.1", "abilities": 50, "served_by": [{"provider": "openai", "deployment": "gpt-4.1-2025-04-14"}]},
        {"name": "gpt-oss-120b", "abilities": 10, "served_by": [{"provider": "vllm"}]}
    ],
    "providers": [
        {"name": "openai", "cluster": "openai", "dialect": "openai", "authority": "api.openai.com"},
        {"name": "azure", "cluster": "azure", "dialect": "azure_openai", "api_version": "2024-10-21"},
        {"name": "vllm", "cluster": "vllm", "dialect": "openai", "apis": ["chat_completions"]}
    ]
}"#;

const ANSWER: &str = r#"{"id":"1","model":"gpt-5.4-2026-03-05","choices":[{"index":0,"message":{"content":"héllo"}}],
    "usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":400}}}"#;

/// All plugins configured, as Envoy does at start.
fn start() {
    start_with(POLICY);
}

fn start_with(policy: &str) {
    initialize();
    for (root, id) in [(ROUTE, "route"), (ATTEMPT, "attempt"), (BOTH, "both")] {
        configure(root, id, policy);
    }
}

/// A plugin configured.
fn configure(root: u32, id: &str, policy: &str) {
    host(|host| {
        host.root_id = id.into();
        host.configuration = policy.into();
    });
    unsafe {
        proxy_on_context_create(root, 0);
        assert!(proxy_on_vm_start(root, 0));
        assert!(proxy_on_configure(root, policy.len()), "{:?}", host(|host| host.log.clone()));
    }
}

/// A fresh client request; the metrics' ids stay, as they do in Envoy.
fn fresh_request() {
    host(|host| {
        let names = std::mem::take(&mut *host);
        *host = Host::default();
        host.keep_metric_names(names);
    });
}

fn set(headers: &[(&str, &str)]) -> Pairs {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Feeds a body in pieces, as Envoy does: paused bytes stay in the buffer. Returns what went on.
fn feed(pieces: &[&[u8]], body: fn(&mut Host) -> &mut Vec<u8>, callback: impl Fn(usize, bool) -> u32) -> Vec<u8> {
    let mut gone = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let size = host(|host| {
            body(host).extend_from_slice(piece);
            body(host).len()
        });
        if callback(size, index + 1 == pieces.len()) != PAUSE {
            gone.append(&mut host(|host| std::mem::take(body(host))));
        }
    }
    gone
}

/// Everything that one client request caused.
#[derive(Debug, PartialEq)]
struct Effects {
    host: Host,
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// One client request with one attempt, each body in the given pieces.
fn run(context: u32, request: &[&[u8]], content_type: &str, response: &[&[u8]]) -> Effects {
    fresh_request();
    run_on("/v1/chat/completions", context, request, content_type, response)
}

/// One client request through the plugin that does the work of both, each body in the given pieces; `reply` is what comes
/// back, `by` who made it.
fn run_both(request: &[&[u8]], reply: &[(&str, &str)], by: &str, response: &[&[u8]]) -> Effects {
    fresh_request();
    host(|host| {
        host.request_headers = set(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("authorization", "Bearer client"),
            ("x-model-router-cluster", "forged"),
        ]);
    });
    unsafe {
        proxy_on_context_create(100, BOTH);
        assert_eq!(proxy_on_request_headers(100, 0, false), PAUSE);
        let sent = feed(request, |host| &mut host.request_body, |size, end| proxy_on_request_body(100, size, end));
        host(|host| {
            host.properties.insert("response.code_details".into(), by.into());
            host.response_headers = set(reply);
            if by != "request_rate_limited" {
                // The router has had the request.
                host.properties.insert("upstream.request_attempt_count".into(), 1u64.to_le_bytes().to_vec());
            }
        });
        proxy_on_response_headers(100, 0, response.is_empty());
        let received =
            feed(response, |host| &mut host.response_body, |size, end| proxy_on_response_body(100, size, end));
        proxy_on_log(100);
        assert!(proxy_on_done(100));
        proxy_on_delete(100);
        Effects { host: host(|host| host.clone()), sent, received }
    }
}

#[test]
fn one_plugin_does_the_work_of_both_for_the_first_slot() {
    start();
    let body = request_body(false);
    let whole = run(100, &[body.as_bytes()], "application/json", &[ANSWER.as_bytes()]);
    let json = [(":status", "200"), ("content-type", "application/json"), ("set-cookie", "c")];
    let both = run_both(&[body.as_bytes()], &json, "via_upstream", &[ANSWER.as_bytes()]);
    assert_eq!((&both.sent, &both.received), (&whole.sent, &whole.received));
    let header = |pairs: &Pairs, name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let request = |effects: &Effects, name| header(&effects.host.request_headers, name);
    assert_eq!(request(&both, ":path"), request(&whole, ":path"));
    assert_eq!(request(&both, "content-length"), request(&whole, "content-length"));
    // The cluster is published, the client's own word of it is not; how often Envoy tries again is its route's business.
    assert_eq!(request(&both, "x-model-router-cluster").unwrap(), "azure");
    assert_eq!([request(&both, "authorization"), request(&both, "x-envoy-max-retries")], [None, None]);
    assert_eq!(request(&whole, "x-model-router-cluster"), None);
    let told = |effects: &Effects| -> Pairs {
        let pairs = effects.host.response_headers.iter();
        pairs.filter(|(name, _)| name.starts_with("x-model-router-")).cloned().collect()
    };
    assert_eq!(told(&both), told(&whole));
    assert_eq!(header(&both.host.response_headers, "set-cookie"), None);
    assert_eq!(both.host.metrics, whole.host.metrics);
    let mut random = Random(13);
    for _ in 0..200 {
        let (request, response) = (random.pieces(body.as_bytes()), random.pieces(ANSWER.as_bytes()));
        assert_eq!(run_both(&request, &json, "via_upstream", &response), both);
    }
}

#[test]
fn one_plugin_tells_the_providers_failures_from_those_of_envoy() {
    start();
    let body = request_body(true);
    let run = |reply: &[(&str, &str)], by: &str, response: &[&[u8]]| run_both(&[body.as_bytes()], reply, by, response);
    let status = |effects: &Effects| effects.host.response_headers.iter().find(|(name, _)| name == ":status").cloned();
    let count = |effects: &Effects, result: &str| {
        effects.host.metrics.get(&format!("model_router.attempts_total;model=gpt-5.4;result={result}")).copied()
    };
    let rests = |effects: &Effects| effects.host.metrics.contains_key("model_router.cooldowns_total;model=gpt-5.4");
    // An error as the first event of a stream has its status, though there is no other model to try.
    let events = [(":status", "200"), ("content-type", "text/event-stream")];
    let error = "data: {\"error\":{\"message\":\"busy\",\"code\":\"rate_limit_exceeded\"}}\n\n";
    let failed = run(&events, "via_upstream", &[&error.as_bytes()[..9], &error.as_bytes()[9..]]);
    assert_eq!(status(&failed).unwrap().1, "429");
    assert!(String::from_utf8_lossy(&failed.received).contains("busy"));
    assert!(count(&failed, "error_in_200") == Some(1) && rests(&failed));
    // Nobody was there: Envoy's reply is not the provider's.
    let plain = [(":status", "503"), ("content-type", "text/plain")];
    let refused = run(&plain, "upstream_reset_before_response_started", &[b"upstream connect error"]);
    assert!(count(&refused, "no_response") == Some(1) && count(&refused, "503").is_none() && rests(&refused));
    assert!(serde_json::from_slice::<serde_json::Value>(&refused.received).unwrap()["error"]["code"].is_string());
    // Another filter has answered before the router had the request: nothing was attempted.
    let limited = run(&[(":status", "429")], "request_rate_limited", &[b"local_rate_limited"]);
    assert!(!limited.host.metrics.keys().any(|name| name.contains("attempts_total")) && !rests(&limited));
    // Nothing came.
    let empty = run(&events, "via_upstream", &[]);
    assert_eq!((count(&empty, "empty"), empty.host.reply.unwrap().0), (Some(1), 502));
}

/// As [`run`], on any path and with what the host remembers.
fn run_on(path: &str, context: u32, request: &[&[u8]], content_type: &str, response: &[&[u8]]) -> Effects {
    host(|host| {
        host.request_headers = set(&[
            (":method", "POST"),
            (":path", path),
            (":authority", "router"),
            ("content-type", "application/json"),
            ("authorization", "Bearer client"),
            ("x-model-router-model", "forged"),
            ("accept-encoding", "gzip"),
            ("x-goog-user-project", "forged"),
            ("x-amzn-bedrock-service-tier", "forged"),
            ("x-amz-security-token", "forged"),
        ]);
    });
    let (route, attempt) = (context, context + 1);
    unsafe {
        proxy_on_context_create(route, ROUTE);
        assert_eq!(proxy_on_request_headers(route, 0, false), PAUSE);
        let routed = feed(request, |host| &mut host.request_body, |size, end| proxy_on_request_body(route, size, end));
        if host(|host| host.reply.is_some()) {
            proxy_on_delete(route);
            return Effects { host: host(|host| host.clone()), sent: routed, received: Vec::new() };
        }
        host(|host| {
            let cluster = host.properties["model_router.cluster"].clone();
            host.properties.insert("xds.cluster_name".into(), cluster);
            host.properties.insert("upstream.request_attempt_count".into(), 1u64.to_le_bytes().to_vec());
            host.properties.insert("response.code_details".into(), "via_upstream".into());
        });
        proxy_on_context_create(attempt, ATTEMPT);
        assert_eq!(proxy_on_request_headers(attempt, 0, false), PAUSE);
        let sent =
            feed(&[&routed], |host| &mut host.request_body, |size, end| proxy_on_request_body(attempt, size, end));
        let answered =
            [(":status", "200"), ("content-type", content_type), ("openai-organization", "o"), ("set-cookie", "c")];
        host(|host| host.response_headers = set(&answered));
        assert_eq!(proxy_on_response_headers(attempt, 0, false), PAUSE);
        let received =
            feed(response, |host| &mut host.response_body, |size, end| proxy_on_response_body(attempt, size, end));
        proxy_on_response_headers(route, 0, false);
        for context in [attempt, route] {
            proxy_on_log(context);
            assert!(proxy_on_done(context));
            proxy_on_delete(context);
        }
        Effects { host: host(|host| host.clone()), sent, received }
    }
}

fn request_body(stream: bool) -> String {
    format!(
        r#"{{"messages":[{{"role":"user","content":"café \u00e9\n"}}], "max_tokens": 7,"temperature":0.5,"stream":{stream},"stop":["x"] ,"model":"model-router","user":"u"}}"#
    )
}

/// A small generator, so that runs repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pieces<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.below(40)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

#[test]
fn a_request_is_routed_rewritten_and_accounted_for() {
    start();
    let body = request_body(false);
    let Effects { host, sent, received } = run(100, &[body.as_bytes()], "application/json", &[ANSWER.as_bytes()]);
    assert_eq!(
        String::from_utf8(sent).unwrap(),
        r#"{"messages":[{"role":"user","content":"café \u00e9\n"}], "max_completion_tokens": 7,"temperature":0.5,"stream":false ,"model":"big/one","user":"u"}"#
    );
    assert_eq!(received, ANSWER.as_bytes());
    let header = |pairs: &Pairs, name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let request = |name| header(&host.request_headers, name);
    assert_eq!(request(":path").unwrap(), "/openai/deployments/big%2Fone/chat/completions?api-version=2024-10-21");
    assert_eq!(request("x-envoy-max-retries").unwrap(), "3");
    for gone in ["authorization", "x-model-router-model", "accept-encoding"] {
        assert_eq!(request(gone), None);
    }
    assert!(!host.request_headers.iter().any(|(_, value)| value == "forged"));
    assert!(!host.response_headers.iter().any(|(_, value)| value == "o" || value == "c"));
    let response = |name| header(&host.response_headers, name).unwrap_or_default();
    assert_eq!(response("x-model-router-model"), "gpt-5.4");
    assert_eq!(response("x-model-router-router"), "model-router");
    assert_eq!(response("x-model-router-attempts"), "1");
    assert_eq!(response("x-model-router-dropped"), "stop");
    assert_eq!(response("x-model-router-reason"), "best");
    // 600 plain, 400 cached and 100 output tokens of gpt-5.4: 600 × 2.5 + 400 × 0.25 + 100 × 15 = 3100 millionths.
    assert_eq!(host.metrics["model_router.cost_microdollars_total;router=model-router;model=gpt-5.4"], 3100);
    assert_eq!(host.metrics["model_router.tokens_total;model=gpt-5.4;kind=cached_input"], 400);
    assert_eq!(host.metrics["model_router.attempts_total;model=gpt-5.4;result=200"], 1);
    assert_eq!(
        host.metrics["model_router.requests_total;router=model-router;mode=quality;model=gpt-5.4;outcome=ok"],
        1
    );
}

/// POLICY under a name, with a candidate that takes the second model, for so many of a hundred conversations.
fn policy_with_candidate(percent: u32) -> String {
    let candidate = format!(
        r#"{{"name":"stable","candidate":{{"name":"next","percent":{percent},"policy":
            {{"routers":[{{"name":"model-router","mode":"quality","subset":["gpt-4.1"]}}]}}}},"#
    );
    POLICY.replacen('{', &candidate, 1)
}

#[test]
fn a_candidate_is_heard_and_not_followed_until_it_serves() {
    // A thread is a VM.
    let served = |percent| {
        let vm = std::thread::spawn(move || {
            start_with(&policy_with_candidate(percent));
            let log = host(|host| host.log.join("\n"));
            assert!(log.contains("candidate.policy: router `model-router`: gpt-5.4@azure, "), "{log}");
            run(100, &[request_body(false).as_bytes()], "application/json", &[ANSWER.as_bytes()]).host
        });
        vm.join().unwrap()
    };
    let [shadowed, served] = [&served(0), &served(100)];
    let labels = |policy, model| {
        format!("model_router.requests_total;router=model-router;mode=quality;model={model};outcome=ok;policy={policy}")
    };
    assert_eq!(shadowed.metrics[&labels("stable", "gpt-5.4")], 1);
    assert_eq!(served.metrics[&labels("next", "gpt-4.1")], 1);
    let told = |host: &Host, name: &str| String::from_utf8(host.properties[name].clone()).unwrap();
    assert_eq!([shadowed, served].map(|host| told(host, "model_router.policy")), ["stable", "next"]);
    assert_eq!(told(served, "model_router.cluster"), "openai");
    // Each stands for the plan of the other.
    for (one, other) in [(shadowed, served), (served, shadowed)] {
        assert_eq!(told(one, "model_router.shadow"), told(other, "model_router.plan").split(',').next().unwrap());
        let shadow = told(other, "model_router.policy");
        let agreement =
            format!("model_router.shadow_requests_total;router=model-router;policy={shadow};agreement=other_model");
        assert_eq!(one.metrics[&agreement], 1);
        let sums = |host: &Host| -> Vec<(String, u64)> {
            host.metrics
                .clone()
                .into_iter()
                .filter(|(name, _)| name.contains("shadow_") && !name.contains("agree"))
                .collect()
        };
        assert_eq!(sums(one), sums(other), "which of them serves changes nothing of what is expected");
        assert_eq!(sums(one).len(), 4);
    }
    let cost = "model_router.cost_microdollars_total;router=model-router;model=gpt-5.4;policy=stable";
    assert_eq!(shadowed.metrics[cost], 3100);
}

#[test]
fn without_a_candidate_nothing_is_labelled_with_a_policy() {
    start();
    let body = request_body(false);
    let host = run(100, &[body.as_bytes()], "application/json", &[ANSWER.as_bytes()]).host;
    assert!(!host.metrics.keys().any(|name| name.contains("policy=") || name.contains("shadow")));
    assert!(!host.properties.keys().any(|name| name.contains("policy") || name.contains("shadow")));
}

#[test]
fn every_two_way_split_and_random_chunkings_have_the_same_effects() {
    start();
    let events = "data: {\"id\":\"\",\"choices\":[],\"model\":\"\",\"usage\":null}\n\n\
        data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"é\"}}],\"usage\":null}\n\n\
        data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\ndata: [DONE]\n\n";
    let mut random = Random(7);
    for (stream, content_type, response) in [(false, "application/json", ANSWER), (true, "text/event-stream", events)] {
        let body = request_body(stream);
        let (body, response) = (body.as_bytes(), response.as_bytes());
        let whole = run(100, &[body], content_type, &[response]);
        assert!(!whole.received.is_empty());
        assert_eq!(whole.received.windows(7).any(|window| window == b"\"usage\""), !stream);
        for split in 0..=body.len() {
            let (head, tail) = body.split_at(split);
            assert_eq!(run(100, &[head, tail], content_type, &[response]), whole, "request split at {split}");
        }
        for split in 0..=response.len() {
            let (head, tail) = response.split_at(split);
            assert_eq!(run(100, &[body], content_type, &[head, tail]), whole, "response split at {split}");
        }
        for _ in 0..300 {
            let (request, answer) = (random.pieces(body), random.pieces(response));
            assert_eq!(run(100, &request, content_type, &answer), whole);
        }
    }
}

/// A Responses stream as OpenAI sends it, and a Chat stream as any provider does.
const RESPONSES_EVENTS: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"output\":[]}}\n\n\
    event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{\"id\":\"msg_1\"}}\n\n\
    event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"delta\":\"h\u{e9}\"}\n\n\
    event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"output\":[{\"id\":\"msg_1\"}],\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}}\n\n";
const CHAT_EVENTS: &str = "data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
    data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"}}]}\n\n\
    data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\ndata: [DONE]\n\n";

#[test]
fn responses_native_and_translated_are_the_same_in_any_pieces() {
    start();
    let mut random = Random(11);
    for (model, response) in [("model-router", RESPONSES_EVENTS), ("gpt-oss-120b", CHAT_EVENTS)] {
        let body = format!(r#"{{"model":"{model}","input":"h\u00e9llo","stream":true,"temperature":1}}"#);
        let (body, response) = (body.as_bytes(), response.as_bytes());
        let run = |request: &[&[u8]], response: &[&[u8]]| {
            fresh_request();
            run_on("/v1/responses", 100, request, "text/event-stream", response)
        };
        let whole = run(&[body], &[response]);
        let seen = String::from_utf8(whole.received.clone()).unwrap();
        assert!(seen.contains("\"id\":\"resp_mr") && seen.contains("event: response.completed"), "{seen}");
        assert_eq!(seen.matches("event: response.output_text.delta").count(), 1);
        let label = if model == "model-router" { "gpt-5.4" } else { model };
        assert_eq!(whole.host.metrics[&format!("model_router.tokens_total;model={label};kind=output")], 6);
        for split in 0..=response.len() {
            let (head, tail) = response.split_at(split);
            assert_eq!(run(&[body], &[head, tail]), whole, "response split at {split}");
        }
        for _ in 0..100 {
            assert_eq!(run(&random.pieces(body), &random.pieces(response)), whole);
        }
    }
}

#[test]
fn a_conversation_is_remembered_for_half_an_hour_after_its_last_answer() {
    start();
    fresh_request();
    let body = r#"{"model":"model-router","messages":[{"role":"user","content":"hi"},
        {"role":"assistant","content":"hello"},{"role":"user","content":"go on"}]}"#;
    let mut decisions = Vec::new();
    for (turn, (minutes, answer)) in
        [(0, ANSWER), (29, ANSWER), (58, ""), (60, ANSWER), (91, ANSWER), (100, ANSWER)].into_iter().enumerate()
    {
        host(|host| {
            host.clock = minutes * 60;
            host.properties.clear();
        });
        let context = 100 + 2 * turn as u32;
        run_on("/v1/chat/completions", context, &[body.as_bytes()], "application/json", &[answer.as_bytes()]);
        let decision = host(|host| host.properties.get("model_router.affinity").cloned());
        decisions.push(String::from_utf8(decision.unwrap_or_default()).unwrap());
    }
    // The first is found by what the conversation holds; the third got no answer, which counts for nothing.
    assert_eq!(decisions, ["retain", "retain", "", "initialize", "initialize", "retain"]);
    let conversations = |host: &mut Host| host.shared.keys().filter(|key| key.contains(".session.")).count();
    assert_eq!(host(conversations), 1);
}

#[test]
fn bad_bodies_are_answered_and_go_nowhere() {
    start();
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"\xff\xfe",
        deep.as_bytes(),
        br#"{"model":"model-router","messages":[]}"#,
        br#"{"model":"nobody","messages":[{"role":"user","content":"x"}]}"#,
        br#"{"messages":[{"role":"user","content":"x"}]}"#,
        br#"{"model":"model-router","model":"x","messages":[{"role":"user","content":"x"}]}"#,
        br#"{"model":"model-router","messages":[{"role":"user","content":"\udc00"}]}"#,
    ];
    for body in bodies {
        let whole = run(100, &[body], "", &[]);
        let (status, headers, text) = whole.host.reply.clone().expect("a reply");
        assert!((400..500).contains(&status));
        assert!(headers.contains(&("content-type".into(), "application/json".into())));
        let error: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(error["error"]["message"].is_string() && error["error"]["code"].is_string());
        assert!(whole.sent.is_empty() && !whole.host.properties.contains_key("model_router.cluster"));
        let (head, tail) = body.split_at(body.len() / 2);
        assert_eq!(run(100, &[head, tail], "", &[]), whole);
    }
}

#[test]
fn a_wrong_policy_refuses_to_start_and_says_why() {
    initialize();
    host(|host| {
        host.root_id = "route".into();
        host.configuration = br#"{"routers":[{"name":"r","mode":"best"}],"models":[],"providers":[],"extra":1}"#.into();
    });
    unsafe {
        proxy_on_context_create(ROUTE, 0);
        assert!(!proxy_on_configure(ROUTE, 1));
    }
    let log = host(|host| host.log.join("\n"));
    assert!(log.contains("routers[0].mode") && log.contains("extra"), "{log}");
}

#[test]
fn any_order_of_callbacks_is_survived() {
    start();
    let mut random = Random(99);
    let body = request_body(true);
    let chat = run(90, &[body.as_bytes()], "text/event-stream", &[CHAT_EVENTS.as_bytes()]).host;
    fresh_request();
    let ask = r#"{"model":"gpt-oss-120b","input":"x","stream":true}"#;
    let translated =
        run_on("/v1/responses", 92, &[ask.as_bytes()], "text/event-stream", &[CHAT_EVENTS.as_bytes()]).host;
    let briefs = [&chat, &translated].map(|host| host.properties["model_router.brief"].clone());
    let paths =
        ["/v1/chat/completions", "/v1/responses", "/v1/responses/resp_1", "/model-router/explain", "/v1/models"];
    for round in 0..20_000u32 {
        fresh_request();
        let context = 100 + round;
        let (request, response) = (random.below(body.len()), random.below(ANSWER.len()));
        host(|host| {
            host.request_headers = set(&[(":method", "POST"), (":path", paths[round as usize % 7 % 5])]);
            host.response_headers = set(&[
                (":status", ["200", "503", "x", ""][round as usize % 4]),
                ("content-type", ["application/json", "text/event-stream", "text/html"][round as usize % 3]),
            ]);
            host.request_body = body.as_bytes()[..if round % 2 == 0 { body.len() } else { request }].to_vec();
            host.response_body = ANSWER.as_bytes()[..response].to_vec();
            host.properties.insert("xds.cluster_name".into(), ["openai", "azure", "vllm"][round as usize % 3].into());
            if round % 2 == 0 {
                host.properties.insert("model_router.brief".into(), briefs[round as usize / 2 % 2].clone());
            }
        });
        unsafe {
            proxy_on_context_create(context, [ROUTE, ROUTE, BOTH, ATTEMPT, ATTEMPT][round as usize % 5]);
            for _ in 0..random.below(12) {
                let (size, end) = (random.below(body.len() + 9), random.below(2) == 0);
                match random.below(9) {
                    0 => drop(proxy_on_request_headers(context, 2, end)),
                    1 | 2 => drop(proxy_on_request_body(context, size, end)),
                    3 => drop(proxy_on_request_trailers(context, 1)),
                    4 => drop(proxy_on_response_headers(context, 2, end)),
                    5 => drop(proxy_on_response_body(context, size, end)),
                    6 => drop(proxy_on_response_trailers(context, 1)),
                    7 => proxy_on_log(context),
                    _ => drop(proxy_on_done(context)),
                }
            }
            proxy_on_delete(context);
        }
    }
}
