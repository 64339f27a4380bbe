//! What the Messages API refuses of a conversation.

use super::*;

async fn answer(mock: &Mock, messages: Value, more: Value) -> Reply {
    mock.message(&say(with(json!({"messages": messages}), more))).await
}

/// The messages have to be refused with words that contain `part`.
async fn refused(mock: &Mock, messages: Value, more: Value, part: &str) {
    let reply = answer(mock, messages.clone(), more).await;
    let (status, _, message) = reply.message_error();
    assert_eq!(status, 400, "{messages}");
    assert!(message.contains(part), "{messages}: {message}");
}

async fn accepted(mock: &Mock, messages: Value, more: Value) {
    let reply = answer(mock, messages.clone(), more).await;
    assert_eq!(reply.status, 200, "{messages}: {}", reply.text);
}

fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "weather", "input": {"city": "x"}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "Sunny."})
}

fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

#[tokio::test]
async fn roles_follow_their_order() {
    let mock = Mock::openai().await;
    let none = json!({});
    refused(
        &mock,
        json!([{"role": "system", "content": "x"}]),
        none.clone(),
        "messages.0.role: Unexpected role \"system\"",
    )
    .await;
    refused(&mock, json!([{"role": "owl", "content": "x"}]), none.clone(), "messages.0.role: Input should be").await;
    refused(&mock, json!([assistant(json!("x"))]), none.clone(), "messages: first message must use the \"user\" role")
        .await;
    refused(&mock, json!([user(json!(""))]), none.clone(), "messages.0: all messages must have non-empty content")
        .await;
    refused(&mock, json!([user(json!([]))]), none.clone(), "messages.0: all messages must have non-empty content")
        .await;
    refused(&mock, json!([user(json!("x")), assistant(json!("y "))]), none.clone(), "trailing whitespace").await;
    accepted(&mock, json!([user(json!("x")), user(json!("y")), assistant(json!("z"))]), none).await;
    for model in ["claude-opus-4-6", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-4-6", "claude-fable-5-1"] {
        let turns = json!([user(json!("x")), assistant(json!("y"))]);
        refused(&mock, turns, json!({"model": model}), "does not support assistant message prefill").await;
    }
}

#[tokio::test]
async fn calls_and_results_belong_together() {
    let mock = Mock::openai().await;
    let tools = json!({"tools": [tool("weather")]});
    let start = user(json!("x"));
    let turns = |calls: Value, results: Value| json!([start, assistant(calls), user(results)]);
    for (messages, part) in [
        (
            turns(json!([call("a")]), json!("y")),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a.",
        ),
        (turns(json!([call("a")]), json!([text("y"), result("a")])), "messages.1: `tool_use` ids were found without"),
        (turns(json!([call("a"), call("b")]), json!([result("a")])), "immediately after: b."),
        (
            turns(json!([call("a")]), json!([result("a"), result("c")])),
            "messages.2.content.1: unexpected `tool_use_id`",
        ),
        (turns(json!([call("a")]), json!([result("a"), result("a")])), "each tool_use must have a single result"),
        (turns(json!("y"), json!([result("a")])), "messages.2.content.0: unexpected `tool_use_id`"),
        (json!([start, assistant(json!([call("a")]))]), "messages.1: `tool_use` ids were found without"),
        (
            turns(json!([call("a.b")]), json!([result("a")])),
            "messages.1.content.0.tool_use.id: String should match pattern",
        ),
        (
            turns(json!([with(call("a"), json!({"input": "{}"}))]), json!([result("a")])),
            "messages.1.content.0.tool_use.input: ",
        ),
        (
            turns(json!([with(call("a"), json!({"name": "a b"}))]), json!([result("a")])),
            "messages.1.content.0.tool_use.name: ",
        ),
    ] {
        refused(&mock, messages, tools.clone(), part).await;
    }
    let good = turns(json!([text("y"), call("a"), call("b")]), json!([result("b"), result("a"), text("z")]));
    accepted(&mock, good.clone(), tools.clone()).await;
    refused(&mock, good, json!({}), "must define tools").await;
    let split = json!([start, assistant(json!([call("a")])), user(json!([result("a")])), user(json!("And?"))]);
    accepted(&mock, split, tools).await;
}

#[tokio::test]
async fn thoughts_come_back_as_they_were() {
    let mock = Mock::openai().await;
    let thinking = json!({"tools": [tool("weather")], "thinking": {"type": "enabled", "budget_tokens": 1024}});
    let ask = user(json!("[mock:call]"));
    let body = answer(&mock, json!([ask]), thinking.clone()).await.json();
    let content = body["content"].as_array().unwrap();
    let id = content.last().unwrap()["id"].as_str().unwrap();
    let turns = |content: &[Value]| json!([ask, assistant(json!(content)), user(json!([result(id)]))]);
    accepted(&mock, turns(content), thinking.clone()).await;
    let part = "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`";
    refused(&mock, turns(&content[1..]), thinking.clone(), part).await;
    accepted(&mock, turns(&content[1..]), json!({"tools": [tool("weather")]})).await;
    let mut forged = content.clone();
    forged[0]["thinking"] = json!("Something else.");
    let part = "messages.1.content.0: Invalid `signature` in `thinking` block";
    refused(&mock, turns(&forged), thinking.clone(), part).await;
    let over = json!([user(json!("x")), assistant(json!("y")), user(json!("z"))]);
    accepted(&mock, over, thinking).await;
}
