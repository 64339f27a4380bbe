//! The other endpoints, and the provider that has fewer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[tokio::test]
async fn a_chat_only_provider_knows_no_responses() {
    for azure in [false, true] {
        let mock = Mock::start(Config { chat_only: true, azure, ..config("small") }).await;
        for (method, path) in [
            ("POST", "/v1/responses"),
            ("POST", "/openai/v1/responses"),
            ("GET", "/v1/responses/resp_1"),
            ("POST", "/v1/responses/input_tokens"),
            ("POST", "/v1/conversations"),
        ] {
            let reply = mock.send(method, path, ask("gpt-4o").to_string()).await;
            assert_eq!(reply.status, 404, "{path}");
            let text = if azure { "Resource not found".to_owned() } else { format!("Invalid URL ({method} {path})") };
            assert_eq!(reply.json()["error"]["message"], text);
        }
        assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
        let recorded = mock.send("GET", "/_mock/requests", "").await.json();
        assert_eq!(recorded.as_array().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn embeddings_are_vectors_in_two_encodings() {
    let mock = Mock::openai().await;
    let body = json!({"model": "text-embedding-3-small", "input": ["one", "two"]});
    let embed = async |body: Value| mock.send("POST", "/v1/embeddings", body.to_string()).await;
    let plain = embed(body.clone()).await.json();
    assert_eq!((&plain["object"], &plain["model"]), (&json!("list"), &json!("text-embedding-3-small")));
    assert_eq!(plain["usage"], json!({"prompt_tokens": 2, "total_tokens": 2}));
    let vector = plain["data"][1]["embedding"].as_array().unwrap();
    let length: f64 = vector.iter().map(|number| number.as_f64().unwrap().powi(2)).sum();
    assert_eq!((vector.len(), &plain["data"][1]["index"]), (1536, &json!(1)));
    assert!((length - 1.0).abs() < 1e-4, "{length}");
    assert_ne!(plain["data"][0]["embedding"], plain["data"][1]["embedding"]);
    let packed = embed(with(body.clone(), json!({"encoding_format": "base64"}))).await.json();
    let bytes = STANDARD.decode(packed["data"][1]["embedding"].as_str().unwrap()).unwrap();
    let first = f32::from_le_bytes(bytes[..4].try_into().unwrap());
    assert_eq!((bytes.len(), f64::from(first)), (4 * 1536, vector[0].as_f64().unwrap()));
    let short = embed(json!({"model": "m", "input": "one", "dimensions": 4})).await.json();
    assert_eq!(short["data"][0]["embedding"].as_array().unwrap().len(), 4);
    for (more, code, param) in [
        (json!({"input": null}), "missing_required_parameter", "input"),
        (json!({"input": 7}), "invalid_type", "input"),
        (json!({"encoding_format": "owl"}), "invalid_value", "encoding_format"),
        (json!({"routing_config": {}}), "unknown_parameter", "routing_config"),
    ] {
        assert_eq!(embed(with(body.clone(), more)).await.error(), (400, code.to_owned(), param.to_owned()));
    }
    mock.fault(json!({"fault": "status", "status": 503, "count": 1})).await;
    assert_eq!(embed(body).await.status, 503);
}

#[tokio::test]
async fn embeddings_have_azures_path() {
    let mock = Mock::azure().await;
    let body = json!({"input": "one"}).to_string();
    let path = "/openai/deployments/mine/embeddings";
    assert_eq!(mock.send("POST", path, body.clone()).await.status, 404);
    let reply = mock.send("POST", &format!("{path}?api-version=2024-10-21"), body).await;
    assert_eq!(reply.json()["model"], "mine");
}

#[tokio::test]
async fn completions_moderations_and_images_are_answered() {
    let mock = Mock::openai().await;
    let post = async |path: &str, body: Value| mock.send("POST", path, body.to_string()).await;
    let text = post("/v1/completions", json!({"model": "m", "prompt": "x", "max_tokens": 5})).await.json();
    assert_eq!((&text["object"], &text["choices"][0]["finish_reason"]), (&json!("text_completion"), &json!("length")));
    assert_eq!(
        (text["id"].as_str().unwrap().starts_with("cmpl-"), &text["usage"]["completion_tokens"]),
        (true, &json!(5))
    );
    let verdict = post("/v1/moderations", json!({"input": ["x", "y"]})).await.json();
    assert_eq!((verdict["results"].as_array().unwrap().len(), &verdict["results"][1]["flagged"]), (2, &json!(false)));
    assert_eq!(post("/v1/moderations", json!({"input": []})).await.error().0, 400);
    let image = post("/v1/images/generations", json!({"model": "gpt-image-1", "prompt": "x"})).await.json();
    let png = STANDARD.decode(image["data"][0]["b64_json"].as_str().unwrap()).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    for path in ["/v1/completions", "/v1/moderations", "/v1/images/generations"] {
        assert_eq!(post(path, json!({"model": "m"})).await.error().1, "missing_required_parameter", "{path}");
    }
}

#[tokio::test]
async fn moderations_flag_what_asks_for_it() {
    let mock = Mock::openai().await;
    let moderate = async |input: Value| {
        let body = json!({"model": "omni-moderation-latest", "input": input}).to_string();
        mock.send("POST", "/v1/moderations", body).await.json()
    };
    let verdict = moderate(json!(["fine", "please flag-me:self-harm/intent now", "flag-me"])).await;
    assert!(verdict["id"].as_str().unwrap().starts_with("modr-") && verdict["model"] == "omni-moderation-latest");
    let flags = [0, 1, 2].map(|index| verdict["results"][index]["flagged"].as_bool().unwrap());
    assert_eq!(flags, [false, true, true]);
    let of = |index: usize, what: &str, category: &str| verdict["results"][index][what][category].clone();
    assert_eq!(of(1, "categories", "self-harm/intent"), json!(true));
    assert_eq!((of(1, "categories", "violence"), of(2, "categories", "violence")), (json!(false), json!(true)));
    assert!(of(1, "category_scores", "self-harm/intent").as_f64() > Some(0.5));
    assert_eq!(of(1, "category_applied_input_types", "self-harm/intent"), json!(["text"]));
    assert_eq!(verdict["results"][0]["categories"].as_object().unwrap().len(), 13);
    let parts = json!([{"type": "text", "text": "flag-me"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}]);
    let verdict = moderate(parts).await;
    assert_eq!((verdict["results"].as_array().unwrap().len(), &verdict["results"][0]["flagged"]), (1, &json!(true)));
    mock.fault(json!({"fault": "malformed", "count": 1})).await;
    assert!(
        serde_json::from_str::<Value>(&mock.send("POST", "/v1/moderations", r#"{"input":"x"}"#).await.text).is_err()
    );
}
