//! Request bodies for the benchmarks: conversations of a given size, always the same ones.

use serde_json::{Map, Value, json};

/// What people write to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Prose with some code in it, so with the escapes of line breaks and quotes.
    English,
    /// The same in Chinese: three bytes per character.
    Chinese,
}

const ENGLISH: [&str; 8] = [
    "Could you look at the report from last week and tell me which of the three plans costs the least?",
    "The second one, though its price does not include the migration; over two years the first is cheaper by 4,200 EUR.",
    "Here is what I have so far:\n\n```python\ndef total(items):\n    return sum(item[\"price\"] for item in items)\n```\n",
    "That fails for an empty cart with `KeyError: 'price'`. Add a default: `item.get(\"price\", 0)`.",
    "I would rather not change the schema before the release on 14 March; is there a way around it?",
    "Yes.\n\n1. Keep the column and fill it from a trigger.\n2. Read both until every client has been updated.\n",
    "Please write it so that somebody who has never heard of OAuth understands why the token expires.",
    "A token is like a day ticket: the gate reads the date, and nobody needs to look you up in a list.",
];

const CHINESE: [&str; 8] = [
    "请看一下上周的报告，告诉我这三个方案中哪一个成本最低？",
    "第二个方案最低，不过它的价格不包含迁移费用；按两年计算，第一个方案便宜约四千二百欧元。",
    "这是我目前写的代码：\n\n```python\ndef total(items):\n    return sum(item[\"价格\"] for item in items)\n```\n",
    "购物车为空时会报错，建议加一个默认值：`item.get(\"价格\", 0)`。",
    "我不想在三月十四日发布之前修改表结构，有没有别的办法？",
    "有。\n\n1. 保留这一列，用触发器填写。\n2. 在所有客户端升级之前，两种格式都读取。\n",
    "请写得通俗一些，让从来没有听说过 OAuth 的人也能明白令牌为什么会过期。",
    "令牌就像一日票：检票口只看日期，不需要到名单里去查你的名字。",
];

/// A chat request to `model` of about `size` bytes (never more than one sentence longer), with `more` members.
pub fn request(model: &str, size: usize, language: Language, more: &Value) -> Vec<u8> {
    let standard = json!({"messages": messages(size, language), "temperature": 0.7, "max_completion_tokens": 512});
    body(model, [&standard, more])
}

/// The same conversation as a Responses request. It is not to be stored, because the mock provider would do so.
pub fn response_request(model: &str, size: usize, language: Language, more: &Value) -> Vec<u8> {
    let input = messages(size, language);
    let standard = json!({"input": input, "temperature": 0.7, "max_output_tokens": 512, "store": false});
    body(model, [&standard, more])
}

/// The same conversation as a Messages request.
#[allow(dead_code, reason = "one of the two benchmarks needs it")]
pub fn message_request(model: &str, size: usize, language: Language, more: &Value) -> Vec<u8> {
    let mut messages = messages(size, language);
    let system = messages.remove(0).get("content").cloned();
    let standard = json!({"system": system, "messages": messages, "temperature": 0.7, "max_tokens": 512});
    body(model, [&standard, more])
}

/// An object of `model` and the members of `objects`, of which later ones win.
fn body(model: &str, objects: [&Value; 2]) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    for (name, value) in objects.into_iter().filter_map(Value::as_object).flatten() {
        body.insert(name.clone(), value.clone());
    }
    Value::Object(body).to_string().into_bytes()
}

/// A conversation that makes a request of about `size` bytes. Both APIs take its messages as they are.
fn messages(size: usize, language: Language) -> Vec<Value> {
    let sentences = match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    };
    let mut messages = vec![json!({"role": "system", "content": "You are a helpful assistant. Answer briefly."})];
    // The envelope, and the message that asks for an answer.
    let mut length = 200;
    // A small generator of numbers, so that neighbours differ from message to message.
    let mut state = 1u64;
    while length < size {
        let user = messages.len() % 2 == 1;
        let mut text = String::new();
        let wanted = if user { 300 } else { 900 };
        while text.len() < wanted && length + text.len() < size {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = (state >> 60) as usize % sentences.len();
            text.push_str(sentences.iter().cycle().nth(index).copied().unwrap_or_default());
            text.push(' ');
        }
        let message = json!({"role": if user { "user" } else { "assistant" }, "content": text});
        length += message.to_string().len() + 1;
        messages.push(message);
    }
    if messages.len() % 2 == 1 {
        messages.push(json!({"role": "user", "content": "And now?"}));
    }
    messages
}

/// One question of about `size` bytes: prose with code in it, in which no sentence comes twice within 2 kB.
#[allow(dead_code, reason = "one of the two benchmarks needs it")]
pub fn question(size: usize) -> String {
    let sentences = ENGLISH.iter().cycle().zip(1..).map(|(sentence, number)| format!("{number}. {sentence} "));
    let mut text = String::new();
    for sentence in sentences {
        if text.len() + sentence.len() > size && !text.is_empty() {
            break;
        }
        text.push_str(&sentence);
    }
    text
}
