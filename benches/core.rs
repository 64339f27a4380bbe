//! What the pure core costs natively: reading, deciding, explaining, predicting, rewriting, translating, whole_way, scanning a
//! stream, estimating tokens.
//!
//! Envoy's V8 takes about as long in a loop like these. A request's single pass takes two to three times as long there,
//! because Envoy's own code fills the caches in between: BENCHMARKS.md has that.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/conversation.rs"]
mod conversation;

use conversation::Language;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use model_router::attempt::{Brief, body_for, rewrite};
use model_router::decide::Caller;
use model_router::decide::affinity::Recalled;
use model_router::decide::{Cooldowns, Memory};
use model_router::edit::apply;
use model_router::explain::explain;
use model_router::origin::Origin;
use model_router::policy::Policy;
use model_router::predict::{Prompt, tokens};
use model_router::request::{Api, read_chat, read_members, read_responses};
use model_router::response::stream::Events;
use model_router::response::{Treatment, read_answer};
use model_router::routing::{Call, route};
use model_router::translate::{self, About, To, ToChat, ToMessages};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

const SIZES: [(usize, &str); 3] = [(2 << 10, "2kB"), (64 << 10, "64kB"), (1 << 20, "1MB")];
const LANGUAGES: [(Language, &str); 2] = [(Language::English, "english"), (Language::Chinese, "chinese")];
const ROUTER: &str = "model-router";

/// The policy of envoy/envoy.yaml.
fn policy() -> Policy {
    Policy::from_value(&document()).unwrap()
}

/// The same with a candidate beside it, which is all the same but for the modes.
fn shadowed() -> Policy {
    let mut document = document();
    let mut routers = document.get("routers").cloned().unwrap();
    routers
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .for_each(|router| drop(router.as_object_mut().unwrap().insert("mode".into(), json!("cost"))));
    document.as_object_mut().unwrap().insert("candidate".into(), json!({"policy": {"routers": routers}}));
    Policy::from_value(&document).unwrap()
}

fn document() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/envoy.yaml")).unwrap();
    let document: Value = serde_yaml_ng::from_str(&text).unwrap();
    let filters = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let filters = document.pointer(filters).and_then(Value::as_array).unwrap();
    let plugin = filters.iter().find_map(|filter| filter.pointer("/typed_config/config")).unwrap();
    plugin.pointer("/configuration/value").cloned().unwrap()
}

fn chat() -> Call {
    Call::of(Api::Chat, Caller::Anyone)
}

fn responses() -> Call {
    Call::of(Api::Responses, Caller::Anyone)
}

fn body(size: usize, language: Language) -> Vec<u8> {
    conversation::request(ROUTER, size, language, &Value::Null)
}

/// The same conversation in the Responses API.
fn response_body(size: usize) -> Vec<u8> {
    conversation::response_request(ROUTER, size, Language::English, &Value::Null)
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(700));
    // Only for confidence intervals, which are not printed.
    group.nresamples(1000);
    group
}

/// One pass over the body, against building a tree of it.
fn reading(criterion: &mut Criterion) {
    let mut group = group(criterion, "read");
    for (language, in_language) in LANGUAGES {
        for (size, name) in SIZES {
            let body = body(size, language);
            let id = format!("{in_language}/{name}");
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_with_input(BenchmarkId::new("read_chat", &id), &body, |bencher, body| {
                bencher.iter(|| read_chat(black_box(body)).unwrap().input_tokens);
            });
            group.bench_with_input(BenchmarkId::new("serde_json_value", &id), &body, |bencher, body| {
                bencher.iter(|| serde_json::from_slice::<Value>(black_box(body)).unwrap());
            });
        }
    }
    for (size, name) in SIZES {
        let body = response_body(size);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::new("read_responses/english", name), &body, |bencher, body| {
            bencher.iter(|| read_responses(black_box(body)).unwrap().input_tokens);
        });
    }
}

/// All that the route plugin computes on a body, and what it leaves for the attempts.
fn deciding(criterion: &mut Criterion) {
    let policy = policy();
    let body = body(2 << 10, Language::English);
    let mut group = group(criterion, "decide");
    group.bench_function("route/2kB", |bencher| {
        bencher.iter(|| route(&policy, &chat(), black_box(&body), Memory::NONE).unwrap());
    });
    // Above, the conversation is decided on as it began and as it is now; nobody remembers its model.
    let model = Origin::new("", "gpt-5-mini").model;
    let recall = |_| Recalled::Model(model);
    let remembered = Memory { recall: &recall, cooldowns: &Cooldowns::NONE };
    group.bench_function("route_remembered/2kB", |bencher| {
        bencher.iter(|| route(&policy, &chat(), black_box(&body), remembered).unwrap());
    });
    let two = shadowed();
    group.bench_function("route_shadowed/2kB", |bencher| {
        bencher.iter(|| route(&two, &chat(), black_box(&body), remembered).unwrap());
    });
    let response_body = response_body(2 << 10);
    group.bench_function("route_responses/2kB", |bencher| {
        bencher.iter(|| route(&policy, &responses(), black_box(&response_body), Memory::NONE).unwrap());
    });
    group.bench_function("explain/2kB", |bencher| {
        bencher.iter(|| explain(&policy, &chat(), black_box(&body), Memory::NONE));
    });
    let brief = route(&policy, &chat(), &body, Memory::NONE).unwrap().brief;
    group.bench_function("publish", |bencher| bencher.iter(|| black_box(&brief).publish()));
}

/// The routing model on one question, and a whole decision on a request that is one question.
fn predicting(criterion: &mut Criterion) {
    let policy = policy();
    let mut group = group(criterion, "predict");
    for (size, name) in [(256, "256B"), (2 << 10, "2kB"), (64 << 10, "64kB")] {
        let text = conversation::question(size);
        let prompt = Prompt::question(&text);
        let body = json!({"model": ROUTER, "messages": [{"role": "user", "content": text}]}).to_string();
        group.bench_with_input(BenchmarkId::new("question", name), &prompt, |bencher, prompt| {
            bencher.iter(|| policy.predictor.read_prompt(black_box(prompt)));
        });
        group.bench_with_input(BenchmarkId::new("decision", name), body.as_bytes(), |bencher, body| {
            bencher.iter(|| route(&policy, &chat(), black_box(body), Memory::NONE).unwrap());
        });
    }
}

/// What the attempt plugin does with a body, but for reading the brief, which does not depend on the body's size.
fn rewriting(criterion: &mut Criterion) {
    let policy = policy();
    let mut group = group(criterion, "rewrite");
    for (size, name) in SIZES {
        let body = body(size, Language::English);
        let brief = route(&policy, &chat(), &body, Memory::NONE).unwrap().brief;
        let lines = brief.publish();
        let cluster = brief.slots.first().unwrap().cluster.clone();
        if size == 2 << 10 {
            group.bench_function("read_brief", |bencher| {
                bencher.iter(|| Brief::at_attempt(black_box(&lines), 1, cluster.as_bytes()).unwrap());
            });
        }
        let (brief, slot) = Brief::at_attempt(&lines, 1, cluster.as_bytes()).unwrap();
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_with_input(BenchmarkId::new("rewrite_and_apply", name), &body, |bencher, body| {
            bencher.iter(|| apply(body, &rewrite(black_box(body), &brief.request, &slot).unwrap()));
        });
    }
}

/// A request for a provider that speaks another API: what the route plugin asks before, and what the attempt plugin
/// writes. To compare with `rewrite` and, both steps together, with `whole_way/rewritten`.
fn translating(criterion: &mut Criterion) {
    let mut group = group(criterion, "translate");
    let chat = To::Chat(ToChat { model: "openai/gpt-oss-120b", limit: "max_tokens", reasoning: None, effort: None });
    let messages = To::Messages(ToMessages {
        model: Some("claude-sonnet-4-5"),
        version: None,
        stream: true,
        max_tokens: 64_000,
        thinking: None,
        cache_prefix: false,
    });
    for (size, name) in SIZES {
        for (way, api, wire, to, body) in [
            ("responses_to_chat", Api::Responses, Api::Chat, &chat, response_body(size)),
            ("chat_to_messages", Api::Chat, Api::Messages, &messages, body(size, Language::English)),
        ] {
            let members = read_members(&body).unwrap();
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_with_input(BenchmarkId::new(format!("check/{way}"), name), &body, |bencher, body| {
                bencher.iter(|| translate::check(api, wire, black_box(body), &members, false).unwrap());
            });
            group.bench_with_input(BenchmarkId::new(format!("request/{way}"), name), &body, |bencher, body| {
                bencher.iter(|| translate::request(api, black_box(body), &members, &[], to).unwrap());
            });
        }
    }
}

/// A request from its first byte to the body that goes to a provider: rewritten for one of OpenAI's dialect, translated
/// for Claude, the question whether it can be included. `make bench` reports their ratio. What passes between the plugins
/// is left out: it takes as long for both, whatever the body's size.
fn whole_way(criterion: &mut Criterion) {
    let mut group = group(criterion, "whole_way");
    // With room for a body of 1 MB.
    let context = json!({"input": 1_000_000, "output": 64_000});
    let policy = |dialect: &str| {
        let policy = json!({
            "routers": [{"name": ROUTER}],
            "models": [{"name": "claude-sonnet-4-5", "served_by": [{"provider": "p"}], "context": context}],
            "providers": [{"name": "p", "cluster": "p", "dialect": dialect}],
        });
        Policy::from_value(&policy).unwrap()
    };
    let ways = [("rewritten", policy("openai")), ("translated", policy("anthropic"))];
    // What is compared is measured one after the other.
    for (size, name) in SIZES {
        let body = body(size, Language::English);
        group.throughput(Throughput::Bytes(body.len() as u64));
        for (way, policy) in &ways {
            group.bench_with_input(BenchmarkId::new(*way, name), &body, |bencher, body| {
                bencher.iter(|| {
                    let brief = route(policy, &chat(), black_box(body), Memory::NONE).unwrap().brief;
                    body_for(body, &brief.request, brief.slots.first().unwrap()).unwrap()
                });
            });
        }
    }
}

/// Tokens of each stream.
const TOKENS: usize = 1000;

fn token(index: usize) -> String {
    format!(" token{index}")
}

/// A Chat stream as OpenAI sends it, usage included.
fn chat_stream() -> Vec<String> {
    let event = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion.chunk", "created": 1_741_569_952,
            "model": "gpt-5-mini-2025-08-07", "service_tier": "default", "system_fingerprint": "fp_44709d6fcb",
            "choices": choices, "usage": usage, "obfuscation": "nUvaFX8tPq",
        });
        format!("data: {chunk}\n\n")
    };
    let choice = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        event(json!([choice]), Value::Null)
    };
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": TOKENS, "total_tokens": 1000 + TOKENS});
    let mut events = vec![choice(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null)];
    events.extend((0..TOKENS).map(|index| choice(json!({"content": token(index)}), Value::Null)));
    events.extend([choice(json!({}), json!("stop")), event(json!([]), usage), "data: [DONE]\n\n".into()]);
    events
}

/// The same tokens as the Responses API sends them.
fn response_stream() -> Vec<String> {
    let delta = |index| {
        json!({
            "type": "response.output_text.delta", "sequence_number": index + 4,
            "item_id": "msg_67ccd3acc8d48190a77525dc6de64b4104becb25c45c1d42", "output_index": 0, "content_index": 0,
            "delta": token(index), "logprobs": [], "obfuscation": "nUvaFX8tPq",
        })
    };
    let response = |status| {
        json!({
            "id": "resp_67ccd3acc8d48190a77525dc6de64b4104becb25c45c1d42", "object": "response", "status": status,
            "model": "gpt-5-mini-2025-08-07", "output": [],
        })
    };
    let mut events = vec![json!({"type": "response.created", "response": response("in_progress")})];
    events.extend((0..TOKENS).map(delta));
    events.push(json!({"type": "response.completed", "response": response("completed")}));
    events.iter().map(named).collect()
}

/// The same tokens as Claude sends them.
fn message_stream() -> Vec<String> {
    let message = json!({
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 1000, "output_tokens": 1},
    });
    let mut events = vec![
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ];
    let delta = |index| json!({"type": "text_delta", "text": token(index)});
    events.extend((0..TOKENS).map(|at| json!({"type": "content_block_delta", "index": 0, "delta": delta(at)})));
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({
            "type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": TOKENS},
        }),
        json!({"type": "message_stop"}),
    ]);
    events.iter().map(named).collect()
}

/// An event with its type before it.
fn named(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

/// Streams of the same tokens in each API, passed and translated, so that times per token compare. Bytes do not: an event
/// of a token has 336 in Chat, 262 in Responses and 124 in Messages.
fn scanning(criterion: &mut Criterion) {
    let (chat, responses, messages) = (chat_stream(), response_stream(), message_stream());
    let mark = Origin::new("openai", "gpt-5-mini").mark();
    let body = response_body(2 << 10);
    let about = About::new(&body, &read_members(&body).unwrap(), mark.clone(), 1_741_569_952, "gpt-5-mini");
    let to_chat = About::chat(true, 1_741_569_952, "claude-sonnet-4-5");
    let mut group = group(criterion, "stream");
    group.throughput(Throughput::Elements(TOKENS as u64));
    let treatments = [
        ("passed", &chat, Treatment::new(Api::Chat)),
        ("usage_taken_out", &chat, Treatment { take_out_usage: true, ..Treatment::new(Api::Chat) }),
        ("responses_marked", &responses, Treatment { mark: Some(mark), ..Treatment::new(Api::Responses) }),
        ("translated", &chat, Treatment { about: Some(about.clone()), ..Treatment::new(Api::Chat) }),
        ("messages_passed", &messages, Treatment::new(Api::Messages)),
        ("messages_to_chat", &messages, Treatment { about: Some(to_chat), ..Treatment::new(Api::Messages) }),
        ("messages_to_responses", &messages, Treatment { about: Some(about), ..Treatment::new(Api::Messages) }),
    ];
    for (name, stream, treatment) in treatments {
        let whole = stream.concat();
        // Nothing is measured that does not come to its end.
        let mut events = Events::new(&treatment);
        events.push(whole.as_bytes());
        assert!(events.is_done(), "{name}");
        // As a provider sends it: each event in a chunk of its own.
        group.bench_function(format!("event_by_event/{name}"), |bencher| {
            bencher.iter(|| {
                let mut events = Events::new(&treatment);
                stream.iter().map(|event| events.push(event.as_bytes()).map_or(0, <[u8]>::len)).sum::<usize>()
            });
        });
        group.bench_function(format!("all_in_one_chunk/{name}"), |bencher| {
            bencher.iter(|| Events::new(&treatment).push(black_box(whole.as_bytes())).map_or(0, <[u8]>::len));
        });
    }
    let answer = json!({
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1_741_569_952,
        "model": "gpt-5-mini-2025-08-07", "service_tier": "default",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word ".repeat(300)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}},
    });
    let answer = answer.to_string().into_bytes();
    group.throughput(Throughput::Bytes(answer.len() as u64));
    let treatment = Treatment::new(Api::Chat);
    group.bench_function("whole_answer", |bencher| {
        bencher.iter(|| read_answer(black_box(&answer), &treatment).unwrap());
    });
}

/// Past 4 KiB the estimate takes samples, so its time stays the same.
fn estimating(criterion: &mut Criterion) {
    let mut group = group(criterion, "tokens");
    for (language, in_language) in LANGUAGES {
        for (size, name) in [(2 << 10, "2kB"), (64 << 10, "64kB")] {
            let text = body(size, language);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(in_language, name), &text, |bencher, text| {
                bencher.iter(|| tokens::estimate(black_box(text)));
            });
        }
    }
}

criterion_group!(benches, reading, deciding, predicting, rewriting, translating, whole_way, scanning, estimating);
criterion_main!(benches);
