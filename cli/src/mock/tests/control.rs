//! `/_mock/*`.

use super::*;

#[tokio::test]
async fn requests_are_recorded_as_received() {
    let mock = Mock::openai().await;
    let path = "/openai/deployments/d/chat/completions?api-version=1&x=%20";
    let request = mock.client.post(format!("{}{path}", mock.base));
    let body = "{ \"model\":\"m\" , \"messages\":[] }";
    request.header("x-one", "1").header("x-two", "a").header("x-two", "b").body(body).send().await.unwrap();
    mock.send("POST", "/nowhere", vec![0xff_u8, 0x00]).await;
    mock.send("GET", "/_mock/faults", "").await;
    let recorded = mock.send("GET", "/_mock/requests", "").await.json();
    assert_eq!(recorded.as_array().unwrap().len(), 2);
    let first = &recorded[0];
    assert_eq!((&first["method"], &first["path"], &first["body"]), (&json!("POST"), &json!(path), &json!(body)));
    assert_eq!((&first["headers"]["x-one"], &first["headers"]["x-two"]), (&json!("1"), &json!(["a", "b"])));
    assert_eq!((&recorded[1]["body_base64"], recorded[1].get("body")), (&json!("/wA="), None));
    assert_eq!(mock.send("DELETE", "/_mock/requests", "").await.status, 204);
    assert_eq!(mock.send("GET", "/_mock/requests", "").await.json(), json!([]));
}

#[tokio::test]
async fn a_hundred_requests_are_kept() {
    let mock = Mock::openai().await;
    for index in 0..record::KEPT + 5 {
        mock.send("GET", &format!("/{index}"), "").await;
    }
    let recorded = mock.send("GET", "/_mock/requests", "").await.json();
    assert_eq!(recorded.as_array().unwrap().len(), record::KEPT);
    assert_eq!((&recorded[0]["path"], &recorded[99]["path"]), (&json!("/5"), &json!("/104")));
}

#[tokio::test]
async fn bodies_are_kept_as_the_mode_says() {
    let long = "é".repeat(2_000_001);
    for (mode, kept) in
        [(record::Mode::Full, Some(4_000_002)), (record::Mode::Head, Some(65_536)), (record::Mode::Off, None)]
    {
        let mock = Mock::start(Config { record: mode, ..config("openai") }).await;
        // One byte off, so that the head ends within a letter.
        mock.send("POST", "/v1/chat/completions", format!("{long}x")).await;
        mock.send("POST", "/v1/chat/completions", format!("x{long}")).await;
        let recorded = mock.send("GET", "/_mock/requests", "").await.json();
        let bodies: Vec<usize> =
            recorded.as_array().unwrap().iter().map(|request| request["body"].as_str().unwrap().len()).collect();
        match kept {
            None => assert!(bodies.is_empty()),
            Some(4_000_002) => assert_eq!(bodies, [4_000_003, 4_000_003]),
            Some(kept) => assert_eq!(bodies, [kept, kept - 1]),
        }
        assert_eq!(recorded[0].get("truncated").is_some(), mode == record::Mode::Head);
    }
}

#[tokio::test]
async fn faults_are_shown_and_cleared_per_provider() {
    let (mock, other) = (Mock::openai().await, Mock::openai().await);
    mock.fault(json!({"fault": "hang", "count": 3})).await;
    mock.fault(json!({"fault": "status", "status": 500})).await;
    mock.fault(json!({"fault": "reset"})).await;
    let shown = mock.send("GET", "/_mock/faults", "").await.json();
    let names: Vec<&str> = shown.as_array().unwrap().iter().map(|fault| fault["fault"].as_str().unwrap()).collect();
    assert_eq!(names, ["hang", "reset"], "an endless fault gives way to a new one");
    assert_eq!((&shown[0]["count"], &shown[1]["count"]), (&json!(3), &Value::Null));
    assert_eq!(other.send("GET", "/_mock/faults", "").await.json(), json!([]));
    assert_eq!(mock.send("DELETE", "/_mock/faults", "").await.status, 204);
    assert_eq!(mock.chat(&hello("gpt-4o")).await.status, 200);
}

#[tokio::test]
async fn faults_with_mistakes_are_refused() {
    let mock = Mock::openai().await;
    for body in [
        "{",
        "{}",
        r#"{"fault":"explode"}"#,
        r#"{"fault":"status"}"#,
        r#"{"fault":"status","status":999}"#,
        r#"{"fault":"status","status":500,"headers":{"a b":"c"}}"#,
        r#"{"fault":"reset","cuont":1}"#,
        r#"{"fault":"reset","count":0}"#,
        r#"[{"fault":"reset"},{"fault":"explode"}]"#,
    ] {
        let reply = mock.send("POST", "/_mock/faults", body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["error"].is_string(), "{body}");
    }
    assert_eq!(mock.send("GET", "/_mock/faults", "").await.json(), json!([]));
    assert_eq!(mock.send("GET", "/_mock/nothing", "").await.status, 404);
}
