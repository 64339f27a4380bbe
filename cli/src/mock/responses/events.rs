//! A response as server-sent events (FACTS §3.5): their order, numbered, and without `[DONE]`.
//!
//! Never decides when one is sent.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::object;
use crate::mock::answer::pieces;
use crate::mock::delivery::Broken;
use crate::mock::faults::ErrorForm;
use crate::mock::stream::Step;

/// The stream of a finished response object that goes well.
pub fn steps(body: &Value, obfuscation: bool) -> Vec<Step> {
    let mut writer = Writer { steps: Vec::new(), padding: obfuscation.then(|| padding(body)) };
    if body["background"] == true {
        let queued = object::unfinished(body, "queued");
        writer.event("response.created", json!({"response": queued}));
        writer.event("response.queued", json!({"response": queued}));
    } else {
        writer.event("response.created", json!({"response": object::unfinished(body, "in_progress")}));
    }
    writer.event("response.in_progress", json!({"response": object::unfinished(body, "in_progress")}));
    for (index, item) in body["output"].as_array().into_iter().flatten().enumerate() {
        writer.item(index, item);
    }
    let end = if body["status"] == "incomplete" { "response.incomplete" } else { "response.completed" };
    writer.event(end, json!({"response": body}));
    writer.steps
}

/// A response that fails on its way.
#[derive(Debug)]
pub struct Failure {
    /// What it would have been.
    pub body: Value,
}

impl Broken for Failure {
    fn event(&self, error: Value, form: ErrorForm, events: usize) -> Bytes {
        let fields = match form {
            ErrorForm::Error => {
                let field = |name: &str| error.get(name).cloned().unwrap_or(Value::Null);
                json!({"code": field("code"), "message": field("message"), "param": field("param")})
            }
            ErrorForm::Failed => json!({"response": object::failed(&self.body, &error)}),
        };
        let kind = if form == ErrorForm::Error { "error" } else { "response.failed" };
        event(kind, events, fields)
    }

    fn body(&self, error: Value, form: ErrorForm) -> Value {
        match form {
            ErrorForm::Error => json!({"error": error}),
            ErrorForm::Failed => object::failed(&self.body, &error),
        }
    }
}

struct Writer<'a> {
    steps: Vec<Step>,
    padding: Option<&'a str>,
}

impl Writer<'_> {
    fn event(&mut self, kind: &str, fields: Value) {
        let event = event(kind, self.steps.len(), fields);
        self.steps.push(Step::Event(event));
    }

    fn deltas(&mut self, kind: &str, text: &str, fields: &Value) {
        for piece in pieces(text) {
            let mut fields = fields.clone();
            fields["delta"] = json!(piece);
            if let Some(padding) = self.padding {
                // As much as makes events of different tokens equally long.
                fields["obfuscation"] = json!(padding.get(piece.len().min(16)..).unwrap_or_default());
            }
            let event = event(kind, self.steps.len(), fields);
            self.steps.push(Step::Token(event));
        }
    }

    fn item(&mut self, index: usize, item: &Value) {
        let kind = item["type"].as_str().unwrap_or_default();
        let mut begun = item.clone();
        let (text_field, deltas) = match kind {
            "message" => ("content", ""),
            "function_call" => ("arguments", "response.function_call_arguments"),
            "custom_tool_call" => ("input", "response.custom_tool_call_input"),
            _ => ("", ""),
        };
        if !text_field.is_empty() {
            begun["status"] = json!("in_progress");
            begun[text_field] = if kind == "message" { json!([]) } else { json!("") };
        }
        self.event("response.output_item.added", json!({"output_index": index, "item": begun}));
        let place = json!({"item_id": item["id"], "output_index": index});
        if kind == "message" {
            self.text(&place, &item["content"][0]);
        } else if !deltas.is_empty() {
            let text = item[text_field].as_str().unwrap_or_default();
            self.deltas(&format!("{deltas}.delta"), text, &place);
            self.event(&format!("{deltas}.done"), with(&place, &json!({text_field: text})));
        }
        self.event("response.output_item.done", json!({"output_index": index, "item": item}));
    }

    fn text(&mut self, place: &Value, part: &Value) {
        let place = with(place, &json!({"content_index": 0}));
        let text = part["text"].as_str().unwrap_or_default();
        let begun = with(part, &json!({"text": ""}));
        self.event("response.content_part.added", with(&place, &json!({"part": begun})));
        self.deltas("response.output_text.delta", text, &with(&place, &json!({"logprobs": []})));
        self.event("response.output_text.done", with(&place, &json!({"text": text, "logprobs": []})));
        self.event("response.content_part.done", with(&place, &json!({"part": part})));
    }
}

fn event(kind: &str, number: usize, fields: Value) -> Bytes {
    let mut data = Map::new();
    data.insert("type".to_owned(), json!(kind));
    data.insert("sequence_number".to_owned(), json!(number));
    if let Value::Object(fields) = fields {
        data.extend(fields);
    }
    format!("event: {kind}\ndata: {}\n\n", Value::Object(data)).into()
}

/// An object with the members of both; those of `more` win.
fn with(object: &Value, more: &Value) -> Value {
    let members = [object, more].into_iter().filter_map(Value::as_object).flatten();
    members.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// Sixteen letters of the response's id.
fn padding(body: &Value) -> &str {
    body["id"].as_str().and_then(|id| id.get(5..21)).unwrap_or_default()
}
