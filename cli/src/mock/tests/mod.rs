//! Every shape and every fault, over real sockets.

mod control;
mod faults;
mod message_clouds;
mod message_faults;
mod message_strict;
mod message_turns;
mod messages;
mod other;
mod response_faults;
mod response_state;
mod response_strict;
mod responses;
mod shapes;
mod streams;
mod strict;
mod units;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{Config, Provider};
use super::{record, server};

/// A running mock and a client for it.
struct Mock {
    base: String,
    client: reqwest::Client,
}

/// What came back.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Mock {
    async fn openai() -> Self {
        Self::start(config("openai")).await
    }

    async fn azure() -> Self {
        Self::start(Config { azure: true, ..config("azure") }).await
    }

    async fn start(config: Config) -> Self {
        let address = server::start("127.0.0.1:0", Provider::new(config)).await.unwrap();
        Self { base: format!("http://{address}"), client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    fn address(&self) -> &str {
        &self.base["http://".len()..]
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let method = method.parse().unwrap();
        let response = self.client.request(method, format!("{}{path}", self.base)).body(body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    async fn chat(&self, body: &Value) -> Reply {
        self.send("POST", "/v1/chat/completions", body.to_string()).await
    }

    async fn respond(&self, body: &Value) -> Reply {
        self.send("POST", "/v1/responses", body.to_string()).await
    }

    /// Asks at a path of the Messages API, as the client of Anthropic does.
    async fn message_at(&self, path: &str, body: &Value) -> Reply {
        let request = self.client.post(format!("{}{path}", self.base)).header("anthropic-version", "2023-06-01");
        let response = request.json(body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    async fn message(&self, body: &Value) -> Reply {
        self.message_at("/v1/messages", body).await
    }

    /// Chats, and fails as the connection does.
    async fn try_chat(&self, body: &Value) -> reqwest::Result<String> {
        let url = format!("{}/v1/chat/completions", self.base);
        self.client.post(url).json(body).send().await?.text().await
    }

    async fn fault(&self, fault: Value) {
        let reply = self.send("POST", "/_mock/faults", fault.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The data of every event; panics on anything else in the body.
    fn events(&self) -> Vec<&str> {
        let body = self.text.strip_suffix("\n\n").unwrap();
        body.split("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }

    /// The events of a stream of the Responses API; panics on anything else in the body.
    fn typed_events(&self) -> Vec<Value> {
        let read = |(number, event): (usize, &str)| {
            let (kind, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!((&data["type"], &data["sequence_number"]), (&json!(kind), &json!(number)));
            data
        };
        self.text.strip_suffix("\n\n").unwrap().split("\n\n").enumerate().map(read).collect()
    }

    /// The events of a stream of the Messages API; panics on anything else in the body.
    fn message_events(&self) -> Vec<Value> {
        let read = |event: &str| {
            let (kind, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(data["type"], kind);
            data
        };
        self.text.strip_suffix("\n\n").unwrap().split("\n\n").map(read).collect()
    }

    /// Status, type and message of an error in Anthropic's envelope.
    fn message_error(&self) -> (u16, String, String) {
        let body = self.json();
        assert_eq!(body["type"], "error", "{body}");
        assert!(body["request_id"].as_str().unwrap().starts_with("req_"));
        let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
        (self.status, text("type"), text("message"))
    }

    /// Every chunk of a stream that ends well.
    fn chunks(&self) -> Vec<Value> {
        let mut events = self.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        events.into_iter().map(|event| serde_json::from_str(event).unwrap()).collect()
    }

    /// Status, `code` and `param` of an error in OpenAI's envelope.
    fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let error = &body["error"];
        for key in ["message", "type", "param", "code"] {
            assert!(error.get(key).is_some(), "no {key}: {body}");
        }
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        (self.status, text(&error["code"]), text(&error["param"]))
    }
}

fn config(name: &str) -> Config {
    Config {
        name: name.to_owned(),
        azure: false,
        strict: true,
        chat_only: false,
        messages_only: false,
        per_token: Duration::ZERO,
        latency: Duration::ZERO,
        served_as: Arc::default(),
        record: record::Mode::Full,
    }
}

fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello, who are you?"}]})
}

/// The same question in the Responses API.
fn ask(model: &str) -> Value {
    json!({"model": model, "input": "Hello, who are you?"})
}

/// The same question in the Messages API.
fn say(more: Value) -> Value {
    with(with(hello("claude-sonnet-4-5"), json!({"max_tokens": 4096})), more)
}

/// A tool of the Messages API that needs a city.
fn tool(name: &str) -> Value {
    let schema = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false,
    });
    json!({"name": name, "description": "Tells something of a city.", "input_schema": schema})
}

/// A function in the flat form of the Responses API.
fn weather() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!({"type": "function", "name": "weather", "parameters": parameters})
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}
