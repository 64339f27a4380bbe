//! Random and broken requests on their way to Messages, and conversations that went both ways.

use super::claude::{TO, checked, translated};
use super::hostile::Random;
use super::json;
use crate::decide::Thinking;
use crate::request::{Api, read_members};
use crate::translate::{self, About, To, ToMessages};
use serde_json::{Value, json as value};

impl Random {
    fn of<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[self.below(all.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn text(&mut self) -> String {
        self.of(&["", " ", "\n", "hi", "x \n", "back\\n", "é\u{1f600}", "\"quoted\" ", "{\"error\":\"x\"}"]).to_owned()
    }

    fn content(&mut self, images: bool) -> Value {
        if self.chance(2) {
            return self.text().into();
        }
        let mut parts = Vec::new();
        for _ in 0..self.below(4) {
            let mut part = match self.below(if images { 4 } else { 2 }) {
                0 | 1 => value!({"type": "text", "text": self.text()}),
                2 => {
                    let url = self.of(&["https://x/y.png", "https://x/y.pdf", "data:image/png;base64,AA"]);
                    value!({"type": "image_url", "image_url": {"url": url, "detail": self.of(&["auto", "low"])}})
                }
                _ => value!({"type": "file", "file": {"filename": "f", "file_data": "data:application/pdf;base64,AA"}}),
            };
            if self.chance(5) {
                part["cache_control"] = value!({"type": "ephemeral"});
            }
            parts.push(part);
        }
        parts.into()
    }

    /// A turn of the assistant, and the results of its calls.
    fn assistant(&mut self, messages: &mut Vec<Value>) {
        let mut message = value!({"role": "assistant", "content": null});
        if !self.chance(3) {
            message["content"] = self.content(false);
        }
        if self.chance(4) {
            message["thinking_blocks"] = match self.below(3) {
                0 => {
                    value!([{"type": "thinking", "thinking": "a", "signature": "s"}, {"type": "redacted_thinking", "data": "d"}])
                }
                1 => value!([{"type": "thinking", "thinking": "", "signature": "s"}]),
                _ => value!([{"type": "thinking", "thinking": "b"}]),
            };
        }
        if self.chance(4) {
            message["reasoning_content"] = self.text().into();
        }
        let mut ids = Vec::new();
        if self.chance(2) {
            for _ in 0..=self.below(3) {
                let id =
                    format!("{}{}", self.of(&["call_", "f.g:", "ü", "a/"]), self.0 % 1_000_000_007 + ids.len() as u64);
                let input = self.of(&["", " ", "{}", "{\"a\":[1,{\"b\":\"\\n\"}]}", " {\"x\": null}\n"]);
                let function = value!({"name": self.of(&["f", "get-weather", "forgotten"]), "arguments": input});
                ids.push((id.clone(), value!({"id": id, "type": "function", "function": function})));
            }
            message["tool_calls"] = ids.iter().map(|(_, call)| call.clone()).collect();
        }
        messages.push(message);
        for (id, _) in ids {
            messages.push(value!({"role": "tool", "tool_call_id": id, "content": self.content(false)}));
        }
    }

    fn chat(&mut self) -> Value {
        let mut messages = Vec::new();
        for _ in 0..=self.below(7) {
            match self.below(6) {
                0 => messages.push(value!({"role": self.of(&["system", "developer"]), "content": self.content(false)})),
                1..=3 => messages.push(value!({"role": "user", "content": self.content(true)})),
                _ => self.assistant(&mut messages),
            }
        }
        let mut body = value!({"messages": messages});
        let tools: Vec<Value> = ["f", "get-weather", "other"][..self.below(4)]
            .iter()
            .map(|name| {
                let schema = self.of(&["{}", "null", r#"{"type":"object"}"#, r#"{"properties":{"a":{"minimum":1}}}"#]);
                let strict = self.chance(2);
                value!({"type": "function", "function": {"name": name, "parameters": json(schema.as_bytes()), "strict": strict}})
            })
            .collect();
        if !tools.is_empty() || self.chance(3) {
            body["tools"] = tools.into();
        }
        for (name, values) in [
            ("tool_choice", [r#""auto""#, r#""none""#, r#""required""#,
                r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"other"}}]}}"#].as_slice()),
            ("parallel_tool_calls", &["true", "false"]),
            ("max_completion_tokens", &["1", "4096", "null"]),
            ("stop", &[r#""x""#, r#"["a"," "]"#, "[]", r#"" ""#]),
            ("temperature", &["0", "1", "1.5"]),
            ("user", &[r#""u""#, r#""a@b""#]),
            ("stream", &["true", "false"]),
            ("seed", &["1", "null"]),
            ("response_format", &[r#"{"type":"json_object"}"#,
                r#"{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}"#]),
        ] {
            if self.chance(4) {
                body[name] = json(self.of(values).as_bytes());
            }
        }
        body
    }
}

const MEMBERS: [&str; 13] = [
    "model",
    "max_tokens",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "stop_sequences",
    "temperature",
    "top_p",
    "metadata",
    "stream",
];

fn is_plain(id: &Value) -> bool {
    let id = id.as_str().unwrap();
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn is_visible(text: &Value) -> bool {
    !text.as_str().unwrap().trim().is_empty()
}

/// Panics where Anthropic would refuse.
fn validate(body: &Value) {
    for name in body.as_object().unwrap().keys() {
        assert!(MEMBERS.contains(&name.as_str()), "{name}");
    }
    assert!(body["max_tokens"].as_u64().unwrap() >= 1);
    for block in body.get("system").map_or(&[][..], |system| system.as_array().unwrap()) {
        assert!(block["type"] == "text" && is_visible(&block["text"]));
    }
    let turns = body["messages"].as_array().unwrap();
    let (mut open, mut calls): (Vec<&Value>, bool) = (Vec::new(), false);
    for (index, turn) in turns.iter().enumerate() {
        assert_eq!(turn["role"], ["user", "assistant"][index % 2]);
        let Some(blocks) = turn["content"].as_array() else {
            assert!((index == 0 || index + 1 == turns.len()) && is_visible(&turn["content"]));
            continue;
        };
        assert!(!blocks.is_empty());
        let kinds: Vec<&str> = blocks.iter().map(|block| block["type"].as_str().unwrap()).collect();
        let results = kinds.iter().take_while(|kind| **kind == "tool_result").count();
        assert_eq!(results, kinds.iter().filter(|kind| **kind == "tool_result").count(), "results come first");
        let answered: Vec<&Value> = blocks.iter().take(results).map(|block| &block["tool_use_id"]).collect();
        assert_eq!(answered, core::mem::take(&mut open));
        for (block, kind) in blocks.iter().zip(kinds) {
            match kind {
                "text" => assert!(is_visible(&block["text"])),
                "tool_use" => {
                    assert!(
                        index % 2 == 1
                            && block["input"].is_object()
                            && is_plain(&block["id"])
                            && is_plain(&block["name"])
                    );
                    open.push(&block["id"]);
                    calls = true;
                }
                "tool_result" => assert!(block["content"].is_string()),
                "thinking" | "redacted_thinking" => assert!(index % 2 == 1 && block.get("cache_control").is_none()),
                _ => assert!(index % 2 == 0 && matches!(kind, "image" | "document")),
            }
        }
        let last = blocks.last().unwrap();
        if index + 1 == turns.len() && index % 2 == 1 && last["type"] == "text" {
            let text = last["text"].as_str().unwrap();
            assert_eq!(text, text.trim_end());
        }
    }
    assert!(open.is_empty());
    let tools = body.get("tools").map(|tools| tools.as_array().unwrap());
    assert!(tools.is_none_or(|tools| !tools.is_empty()), "no empty list");
    assert!(!calls || tools.is_some(), "calls want tools");
    assert!(body.get("tool_choice").is_none() || tools.is_some(), "a choice wants tools");
    for tool in tools.into_iter().flatten() {
        assert!(is_plain(&tool["name"]) && tool["input_schema"]["type"] == "object");
    }
}

#[test]
fn random_requests_obey_the_rules_of_messages() {
    let mut random = Random(0x5151_c0de_cafe_f00d);
    let mut translations = 0;
    for case in 0..8_000 {
        let body = random.chat().to_string();
        let found = checked(Api::Chat, &body);
        if found.obstacle.is_some() {
            continue;
        }
        translations += 1;
        let thinking = (case % 3 == 0).then_some(Thinking::Budget(1024));
        let to = ToMessages { thinking, cache_prefix: case % 2 == 0, ..TO };
        let sent = translated(Api::Chat, &body, &found.left_out, to).unwrap();
        let result = std::panic::catch_unwind(|| validate(&json(&sent)));
        assert!(result.is_ok(), "{body}\n{}", String::from_utf8_lossy(&sent));
        assert_eq!(sent, translated(Api::Chat, &body, &found.left_out, to).unwrap());
    }
    assert!(translations > 5_000, "{translations}");
}

#[test]
fn broken_requests_are_refused_or_translated() {
    let mut random = Random(0x0dd5_eed5_1234_5678);
    let mut written = 0;
    for _ in 0..10_000 {
        let whole = random.chat().to_string();
        let body = random.broken(&whole);
        let Ok(members) = read_members(&body) else { continue };
        for api in [Api::Chat, Api::Responses] {
            let found = translate::check(api, Api::Messages, &body, &members, false);
            let request = translate::request(api, &body, &members, &[], &To::Messages(TO));
            if let (Ok(found), Ok(request)) = (found, request)
                && found.obstacle.is_none()
            {
                json(&request);
                written += 1;
            }
        }
    }
    assert!(written > 500, "{written}");
}

#[test]
fn a_conversation_of_two_makers_keeps_its_calls() {
    let mut messages = vec![value!({"role": "user", "content": "u"})];
    let mut expected = Vec::new();
    for turn in 0..6 {
        let ids: Vec<String> =
            (0..3).map(|call| format!("{}_{turn}_{call}", if turn % 2 == 0 { "call" } else { "toolu" })).collect();
        let message = if turn % 2 == 0 {
            let calls: Vec<Value> = ids
                .iter()
                .map(|id| value!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}))
                .collect();
            value!({"role": "assistant", "content": null, "tool_calls": calls, "refusal": null, "annotations": []})
        } else {
            let mut content = vec![
                value!({"type": "thinking", "thinking": "t", "signature": "s"}),
                value!({"type": "text", "text": "see"}),
            ];
            content.extend(ids.iter().map(|id| value!({"type": "tool_use", "id": id, "name": "f", "input": {"a": 1}})));
            let answer = value!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": content,
                "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}});
            let chat = translate::answer(
                answer.to_string().as_bytes(),
                Api::Messages,
                &About::chat(false, 1, "m"),
                &mut |_| {},
            );
            json(&chat.unwrap())["choices"][0]["message"].clone()
        };
        messages.push(message);
        messages.extend(ids.iter().map(|id| value!({"role": "tool", "tool_call_id": id, "content": "x"})));
        expected.extend(ids);
    }
    let body = value!({"messages": messages, "tools": [{"type": "function", "function": {"name": "f"}}]}).to_string();
    let sent = json(&translated(Api::Chat, &body, &[], TO).unwrap());
    validate(&sent);
    let blocks = || sent["messages"].as_array().unwrap().iter().flat_map(|turn| turn["content"].as_array().unwrap());
    let all = |kind: &str, id: &str| -> Vec<String> {
        blocks().filter(|block| block["type"] == kind).map(|block| block[id].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((all("tool_use", "id"), all("tool_result", "tool_use_id")), (expected.clone(), expected));
    assert!(blocks().filter(|block| block["type"] == "tool_use").all(|block| block["input"] == value!({"a": 1})));
    assert_eq!(blocks().filter(|block| block["type"] == "thinking" && block["signature"] == "s").count(), 3);
}
