//! What the Responses API keeps, and what refers to it.

use super::*;
use crate::mock::responses::{KEPT, Store, Stored};

const UNKNOWN: &str = "resp_000000000000000000000000000000000000000000000000";

async fn get(mock: &Mock, path: &str) -> Reply {
    mock.send("GET", path, "").await
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_response_can_be_read_and_deleted() {
    let mock = Mock::openai().await;
    let body = mock.respond(&ask("gpt-5")).await.json();
    let path = format!("/v1/responses/{}", id(&body));
    assert_eq!(get(&mock, &path).await.json(), body);
    let streamed = mock.respond(&with(ask("gpt-5"), json!({"stream": true}))).await.typed_events();
    let last = &streamed.last().unwrap()["response"];
    assert_eq!(&get(&mock, &format!("/v1/responses/{}", id(last))).await.json(), last);
    let reply = mock.send("DELETE", &path, "").await;
    assert_eq!(reply.json(), json!({"id": id(&body), "object": "response", "deleted": true}));
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/cancel")),
        ("GET", format!("{path}/input_items")),
    ] {
        let reply = mock.send(method, &path, "").await;
        assert_eq!(reply.error(), (404, "null".to_owned(), "null".to_owned()), "{method} {path}");
        assert_eq!(reply.json()["error"]["message"], format!("Response with id '{}' not found.", id(&body)));
    }
    let body = mock.respond(&with(ask("gpt-5"), json!({"store": false}))).await.json();
    assert_eq!(get(&mock, &format!("/v1/responses/{}", id(&body))).await.status, 404);
}

#[tokio::test]
async fn a_response_follows_another() {
    let mock = Mock::openai().await;
    let first = mock.respond(&ask("gpt-4o")).await.json();
    let next = with(ask("gpt-4o"), json!({"previous_response_id": id(&first)}));
    let second = mock.respond(&next).await.json();
    assert_eq!(second["previous_response_id"], first["id"]);
    let tokens = |body: &Value| body["usage"]["input_tokens"].as_u64().unwrap();
    assert!(tokens(&second) > 2 * tokens(&first), "the model reads all of it again");
    let third = mock.respond(&with(ask("gpt-4o"), json!({"previous_response_id": id(&second)}))).await.json();
    assert!(tokens(&third) > tokens(&second));
    let other = Mock::openai().await;
    let reply = other.respond(&next).await;
    let expected = (400, "previous_response_not_found".to_owned(), "previous_response_id".to_owned());
    assert_eq!(reply.error(), expected, "another provider has another memory");
}

#[tokio::test]
async fn calls_and_their_outputs_belong_together() {
    let mock = Mock::openai().await;
    let call = json!({"tools": [weather()], "tool_choice": "required"});
    let first = mock.respond(&with(ask("gpt-4o"), call)).await.json();
    let item = &first["output"][0];
    let output = json!({"type": "function_call_output", "call_id": item["call_id"], "output": "sunny"});
    let follow = json!({"previous_response_id": first["id"]});
    let ok = [
        with(json!({"model": "gpt-4o", "input": [output]}), follow.clone()),
        json!({"model": "gpt-4o", "input": [{"role": "user", "content": "x"}, item, output]}),
        json!({"model": "gpt-4o", "input": [{"type": "item_reference", "id": item["id"]}, output]}),
    ];
    for body in ok {
        let reply = mock.respond(&body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    for (body, text) in [
        (json!({"model": "gpt-4o", "input": [output]}), "No tool call found for function call output with call_id"),
        (with(ask("gpt-4o"), follow), "No tool output found for function call call_"),
    ] {
        let reply = mock.respond(&body).await;
        assert_eq!(reply.error(), (400, "null".to_owned(), "input".to_owned()));
        assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with(text), "{}", reply.text);
    }
}

#[tokio::test]
async fn only_its_maker_knows_items_and_reasoning() {
    let (mock, other) = (Mock::openai().await, Mock::start(config("other")).await);
    let input = |items: Vec<Value>| json!({"model": "gpt-5", "input": items});
    let user = json!({"role": "user", "content": "x"});
    let include = json!({"include": ["reasoning.encrypted_content"], "store": false});
    let body = mock.respond(&with(ask("gpt-5"), include)).await.json();
    let sealed = &body["output"][0];
    assert!(sealed["encrypted_content"].as_str().unwrap().starts_with("gAAAAAB"));
    assert_eq!(mock.respond(&input(vec![sealed.clone(), user.clone()])).await.status, 200);
    let expected = (400, "invalid_encrypted_content".to_owned(), "null".to_owned());
    assert_eq!(other.respond(&input(vec![sealed.clone(), user.clone()])).await.error(), expected);

    let kept = mock.respond(&ask("gpt-5")).await.json()["output"][0].clone();
    assert_eq!(mock.respond(&input(vec![kept.clone(), user.clone()])).await.status, 200);
    let reference = json!({"type": "item_reference", "id": kept["id"]});
    assert_eq!(mock.respond(&input(vec![reference.clone(), user.clone()])).await.status, 200);
    for item in [kept, reference] {
        let reply = other.respond(&input(vec![item, user.clone()])).await;
        assert_eq!(reply.error(), (404, "null".to_owned(), "input".to_owned()));
        assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with("Item with id 'rs_"), "{}", reply.text);
    }
}

#[tokio::test]
async fn input_items_are_listed() {
    let mock = Mock::openai().await;
    let input = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
    let body = mock.respond(&json!({"model": "gpt-4o", "input": input})).await.json();
    let path = format!("/v1/responses/{}/input_items", id(&body));
    let list = get(&mock, &path).await.json();
    let data = list["data"].as_array().unwrap();
    assert_eq!((&list["object"], &list["has_more"]), (&json!("list"), &json!(false)));
    assert_eq!((&list["first_id"], &list["last_id"]), (&data[0]["id"], &data[2]["id"]));
    assert_eq!(data[0]["content"], json!([{"type": "input_text", "text": "c"}]), "the newest first");
    assert_eq!((&data[1]["type"], &data[1]["content"][0]["type"]), (&json!("message"), &json!("output_text")));
    let page = get(&mock, &format!("{path}?limit=1&order=asc&after={}", id(&data[2]))).await.json();
    assert_eq!((&page["data"][0]["id"], &page["has_more"]), (&data[1]["id"], &json!(true)));
}

#[tokio::test]
async fn work_in_the_background_is_done_when_looked_at() {
    let mock = Mock::openai().await;
    let background = with(ask("gpt-4o"), json!({"background": true}));
    let queued = mock.respond(&background).await.json();
    assert_eq!((&queued["status"], &queued["output"], &queued["usage"]), (&json!("queued"), &json!([]), &Value::Null));
    let path = format!("/v1/responses/{}", id(&queued));
    assert_eq!(get(&mock, &path).await.json()["status"], "completed");
    assert_eq!(mock.send("POST", &format!("{path}/cancel"), "").await.json()["status"], "completed");
    let queued = mock.respond(&background).await.json();
    let path = format!("/v1/responses/{}", id(&queued));
    assert_eq!(mock.send("POST", &format!("{path}/cancel"), "").await.json()["status"], "cancelled");
    assert_eq!(get(&mock, &path).await.json()["status"], "cancelled");
    let plain = mock.respond(&ask("gpt-4o")).await.json();
    let reply = mock.send("POST", &format!("/v1/responses/{}/cancel", id(&plain)), "").await;
    assert_eq!(reply.error(), (400, "null".to_owned(), "null".to_owned()));
    let events = mock.respond(&with(background, json!({"stream": true}))).await.typed_events();
    assert_eq!(events[1]["type"], "response.queued");
}

#[tokio::test]
async fn input_tokens_are_counted() {
    let mock = Mock::openai().await;
    let reply = mock.send("POST", "/v1/responses/input_tokens", ask("gpt-4o").to_string()).await;
    let used = mock.respond(&ask("gpt-4o")).await.json()["usage"]["input_tokens"].clone();
    assert_eq!(reply.json(), json!({"object": "response.input_tokens", "input_tokens": used}));
}

#[tokio::test]
async fn conversations_remember() {
    let mock = Mock::openai().await;
    let made = mock.send("POST", "/v1/conversations", r#"{"metadata":{"a":"b"}}"#).await.json();
    assert!(id(&made).starts_with("conv_"));
    assert_eq!((&made["object"], &made["metadata"]), (&json!("conversation"), &json!({"a": "b"})));
    let path = format!("/v1/conversations/{}", id(&made));
    assert_eq!(get(&mock, &path).await.json(), made);
    let first = mock.respond(&with(ask("gpt-4o"), json!({"conversation": id(&made)}))).await.json();
    assert_eq!(first["conversation"], json!({"id": made["id"]}));
    let second = mock.respond(&with(ask("gpt-4o"), json!({"conversation": {"id": id(&made)}}))).await.json();
    assert!(second["usage"]["input_tokens"].as_u64() > first["usage"]["input_tokens"].as_u64());
    let both = json!({"conversation": id(&made), "previous_response_id": UNKNOWN});
    let expected = (400, "mutually_exclusive_parameters".to_owned(), "previous_response_id".to_owned());
    assert_eq!(mock.respond(&with(ask("gpt-4o"), both)).await.error(), expected);
    let gone = mock.send("DELETE", &path, "").await.json();
    assert_eq!(gone, json!({"id": id(&made), "object": "conversation.deleted", "deleted": true}));
    assert_eq!(get(&mock, &path).await.error().0, 404);
    assert_eq!(mock.respond(&with(ask("gpt-4o"), json!({"conversation": id(&made)}))).await.error().0, 404);
    assert_eq!(mock.send("POST", "/v1/conversations", "").await.status, 200);
}

#[test]
fn the_oldest_is_forgotten_first() {
    let store = Store::default();
    for index in 0..=KEPT {
        let body = json!({"id": format!("resp_{index}"), "output": [{"id": format!("msg_{index}")}]});
        store.keep(Stored { body, input: Vec::new(), conversation: None, background: None });
    }
    assert!(store.get("resp_0").is_none() && store.item("msg_0").is_none());
    assert!(store.get("resp_1").is_some() && store.item("msg_1").is_some());
}
