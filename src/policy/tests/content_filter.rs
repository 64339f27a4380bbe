use super::errors::each;
use super::*;

#[test]
fn whom_a_content_filter_asks() {
    let filter = |more: Value| {
        let mut filter = json!({"cluster": "moderation", "authority": "api.openai.com", "on_error": "reject"});
        filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        accepted(&with(small(), "/content_filter", filter)).content_filter.unwrap()
    };
    assert_eq!(accepted(&small()).content_filter, None);
    let least = ContentFilter {
        endpoint: None,
        credential: None,
        cluster: "moderation".into(),
        authority: "api.openai.com".into(),
        path: "/v1/moderations".into(),
        model: None,
        on_error: OnError::Reject,
        timeout: 2000,
        routers: None,
    };
    assert_eq!(filter(json!({})), least);
    let made = json!({"endpoint": "https://m:8443", "credential": {"file": "k"}, "cluster": null, "authority": null});
    let expected = ContentFilter {
        endpoint: Endpoint::parse("https://m:8443").ok(),
        credential: Some(Credential::File("k".into())),
        authority: "m:8443".into(),
        ..least.clone()
    };
    assert_eq!(filter(made), expected);
    let name = accepted(&small()).routers[0].name.clone();
    let all =
        json!({"path": "/moderate", "model": "omni", "on_error": "allow", "timeout_seconds": 0.5, "routers": [name]});
    let expected = ContentFilter {
        path: "/moderate".into(),
        model: Some("omni".into()),
        on_error: OnError::Allow,
        timeout: 500,
        routers: Some(vec![name]),
        ..least
    };
    assert_eq!(filter(all), expected);
}

#[test]
fn content_filters() {
    let with_field = |name: &str, value: Value| {
        let mut filter = json!({"cluster": "m", "authority": "a", "on_error": "allow"});
        filter[name] = value;
        filter
    };
    let filter = "content_filter";
    each(&[
        ("/content_filter", json!("moderation"), filter, "expected an object, found a string"),
        ("/content_filter", with_field("key", json!("k")), filter, "unknown field `key`"),
        ("/content_filter", with_field("cluster", Value::Null), "content_filter.cluster", "missing"),
        ("/content_filter", with_field("authority", Value::Null), "content_filter.authority", "missing"),
        (
            "/content_filter",
            with_field("authority", json!("https://a")),
            "content_filter.authority",
            "must be a host name",
        ),
        ("/content_filter", with_field("on_error", Value::Null), "content_filter.on_error", "missing"),
        (
            "/content_filter",
            with_field("on_error", json!("open")),
            "content_filter.on_error",
            "one of allow, reject, found `open`",
        ),
        ("/content_filter", with_field("path", json!("x")), "content_filter.path", "must start with `/`"),
        ("/content_filter", with_field("path", json!("")), "content_filter.path", "must not be empty"),
        (
            "/content_filter",
            with_field("timeout_seconds", json!(0)),
            "content_filter.timeout_seconds",
            "0.001 to 60 seconds, found 0",
        ),
        ("/content_filter", with_field("timeout_seconds", json!(61)), "content_filter.timeout_seconds", "found 61"),
        (
            "/content_filter",
            with_field("routers", json!([])),
            "content_filter.routers",
            "leave it out to check every request",
        ),
        (
            "/content_filter",
            with_field("routers", json!(["nobody"])),
            "content_filter.routers[0]",
            "there is no router `nobody`",
        ),
    ]);
}
