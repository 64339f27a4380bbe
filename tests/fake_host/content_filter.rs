//! The content filter under the fake host: what is asked, what each answer does, and who may leave in between.

use super::*;

const FLAGGED: &str = r#"{"results":[{"flagged":true,"categories":{"hate":true,"violence":false}}]}"#;
const PASSED: &str = r#"{"results":[{"flagged":false}]}"#;
const CHAT: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"model-router","messages":[{"role":"user","content":"a \"secret\""}]}"#;
const PICTURE: &str = r#"{"model":"gpt-5.4","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}"#;
const OTHER_ROOT: u32 = 3;

fn start_with(root: u32, on_error: &str) {
    let filter = format!(
        r#"{{"timeouts": {{"total_seconds": 3}}, "content_filter": {{"cluster": "moderation", "authority": "m", "model": "omni",
        "on_error": "{on_error}", "timeout_seconds": 2.5}},"#
    );
    let policy = POLICY.replacen('{', &filter, 1);
    configure(root, "route", &policy);
}

/// The request is decided on, and held.
fn ask(context: u32, path: &str, body: &str) -> u32 {
    fresh_request();
    again(context, ROUTE, path, body)
}

/// As [`ask`], at a host that has other requests.
fn again(context: u32, root: u32, path: &str, body: &str) -> u32 {
    host(|host| {
        host.request_headers = set(&[(":method", "POST"), (":path", path), ("content-type", "application/json")]);
        host.request_body = body.into();
    });
    unsafe {
        proxy_on_context_create(context, root);
        assert_eq!(proxy_on_request_headers(context, 0, false), PAUSE);
        proxy_on_request_body(context, body.len(), true)
    }
}

/// Answers the first call.
fn answer(status: Option<&str>, body: &[u8]) {
    let token = host(|host| {
        host.call_headers = status.map(|status| set(&[(":status", status)])).unwrap_or_default();
        host.call_body = body.to_vec();
        host.calls.remove(0).token
    });
    unsafe { proxy_on_http_call_response(ROUTE, token, status.into_iter().count(), body.len(), 0) }
}

fn property(name: &str) -> String {
    host(|host| host.properties.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default())
}

fn counted(verdict: &str) -> u64 {
    host(|host| host.metrics.get(&format!("model_router.content_filter_total;verdict={verdict}")).copied().unwrap_or(0))
}

/// Whether the plan is published.
fn routed() -> bool {
    host(|host| host.properties.contains_key("model_router.cluster"))
}

#[test]
fn a_prompt_is_asked_about_before_the_plan_is_published() {
    initialize();
    start_with(ROUTE, "reject");
    assert_eq!(ask(100, CHAT, BODY), PAUSE);
    let call = host(|host| host.calls[0].clone());
    assert_eq!((call.cluster.as_str(), call.timeout), ("moderation", 2500));
    assert_eq!(String::from_utf8(call.body).unwrap(), r#"{"input":["a \"secret\""],"model":"omni"}"#);
    for header in
        [(":method", "POST"), (":path", "/v1/moderations"), (":authority", "m"), ("content-type", "application/json")]
    {
        assert!(call.headers.contains(&(header.0.into(), header.1.into())), "{header:?}");
    }
    assert!(!routed() && host(|host| host.resumed) == 0);
    host(|host| host.clock += 1);
    answer(Some("200"), PASSED.as_bytes());
    assert!(routed() && host(|host| (host.resumed, host.reply.is_none())) == (1, true));
    assert_eq!((property("model_router.content_filter"), counted("passed")), ("passed".into(), 1));
    assert_eq!(property("model_router.content_filter_ms"), "1000");
    // Of three seconds that the request may take.
    let total =
        host(|host| host.request_headers.iter().find(|(name, _)| name == "x-envoy-upstream-rq-timeout-ms").cloned());
    assert_eq!(total.unwrap().1, "2000");
    unsafe { proxy_on_delete(100) }
}

#[test]
fn a_flagged_prompt_is_refused_in_the_words_of_the_api() {
    initialize();
    start_with(ROUTE, "allow");
    let azure = "/openai/deployments/model-router/chat/completions?api-version=2024-10-21";
    let messages = r#"{"model":"model-router","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    for (context, (path, body)) in
        [(CHAT, BODY), (azure, BODY), ("/v1/responses", r#"{"model":"model-router","input":"x"}"#)]
            .into_iter()
            .enumerate()
    {
        assert_eq!(ask(100 + context as u32, path, body), PAUSE);
        answer(Some("200"), FLAGGED.as_bytes());
        let (status, headers, text) = host(|host| host.reply.clone()).unwrap();
        let error: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (status, &error["error"]["code"], &error["error"]["param"]),
            (400, &"content_filter".into(), &"prompt".into())
        );
        let inner = &error["error"]["innererror"];
        assert_eq!(inner["code"], "ResponsibleAIPolicyViolation");
        assert_eq!(inner["content_filter_result"]["hate"], serde_json::json!({"filtered": true, "severity": "medium"}));
        assert_eq!(
            inner["content_filter_result"]["violence"],
            serde_json::json!({"filtered": false, "severity": "safe"})
        );
        assert!(headers.contains(&("x-model-router-reason".into(), "content_filter".into())));
        assert!(!routed() && host(|host| host.resumed) == 0);
        assert_eq!(property("model_router.content_filter"), "flagged:hate");
        assert_eq!(host(|host| host.metrics["model_router.rejected_total;reason=content_filter"]), 1);
    }
    let policy_of_claude = POLICY
        .replace(r#""dialect": "openai", "apis": ["chat_completions"]"#, r#""dialect": "anthropic""#)
        .replacen('{', r#"{"content_filter": {"cluster": "c", "authority": "a", "on_error": "allow"},"#, 1);
    configure(OTHER_ROOT, "route", &policy_of_claude);
    fresh_request();
    assert_eq!(again(200, OTHER_ROOT, "/v1/messages", messages), PAUSE);
    answer(Some("200"), FLAGGED.as_bytes());
    let (status, _, text) = host(|host| host.reply.clone()).unwrap();
    let error: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &error["type"], &error["error"]["type"]),
        (400, &"error".into(), &"invalid_request_error".into())
    );
    assert_eq!(error["error"]["code"], "content_filter");
}

#[test]
fn without_a_verdict_the_policy_decides() {
    initialize();
    let long = [PASSED.as_bytes(), &vec![b' '; 1 << 20]].concat();
    let answers: [(Option<&str>, &[u8], &str); 7] = [
        (None, b"", "failed:no_answer"),
        (Some("500"), PASSED.as_bytes(), "failed:500"),
        (Some("504"), b"", "failed:504"),
        (Some("200"), b"{\"results\":[{\"flagged\":fal", "failed:unreadable"),
        (Some("200"), b"\xff\x00", "failed:unreadable"),
        (Some("200"), &long, "failed:unreadable"),
        (Some("99999;x"), b"", "failed:999"),
    ];
    for (root, on_error) in [(ROUTE, "allow"), (OTHER_ROOT, "reject")] {
        start_with(root, on_error);
        let allowed = on_error == "allow";
        for (index, (status, body, said)) in answers.iter().enumerate() {
            fresh_request();
            assert_eq!(again(100 + index as u32, root, CHAT, BODY), PAUSE);
            answer(*status, body);
            let reply = host(|host| host.reply.as_ref().map(|(status, ..)| *status));
            assert_eq!(
                (routed(), host(|host| host.resumed), reply),
                if allowed { (true, 1, None) } else { (false, 0, Some(503)) }
            );
            assert_eq!((property("model_router.content_filter").as_str(), counted("failed")), (*said, 1));
            unsafe { proxy_on_delete(100 + index as u32) }
        }
        fresh_request();
        host(|host| host.calls_fail = true);
        let goes_on = again(200, root, CHAT, BODY) != PAUSE;
        assert_eq!((goes_on, routed(), host(|host| host.reply.is_some())), (allowed, allowed, !allowed));
        assert_eq!(property("model_router.content_filter"), "failed:not_called");
        unsafe { proxy_on_delete(200) }
        // What is too long is checked as far as it can be, or not at all.
        let long = BODY.replace("secret", &"x".repeat(200_000));
        fresh_request();
        assert_eq!(again(300, root, CHAT, &long), PAUSE);
        unsafe { proxy_on_delete(300) }
        let status = host(|host| host.reply.as_ref().map(|(status, ..)| *status));
        assert_eq!((host(|host| host.calls.len()), status), if allowed { (1, None) } else { (0, Some(413)) });
    }
}

#[test]
fn what_has_no_text_is_not_asked_about() {
    initialize();
    start_with(ROUTE, "reject");
    assert_ne!(ask(100, CHAT, PICTURE), PAUSE);
    assert!(routed() && host(|host| host.calls.is_empty()) && counted("skipped") == 1);
    assert_eq!(ask(101, "/model-router/explain", BODY), PAUSE);
    let (status, _, text) = host(|host| host.reply.clone()).unwrap();
    assert!(status == 200 && text.contains("\"content_filter\":true") && host(|host| host.calls.is_empty()), "{text}");
}

#[test]
fn a_client_that_leaves_is_asked_about_for_nothing() {
    initialize();
    start_with(ROUTE, "reject");
    ask(100, CHAT, BODY);
    unsafe {
        proxy_on_log(100);
        assert!(proxy_on_done(100));
        proxy_on_delete(100);
    }
    assert_eq!((property("model_router.content_filter"), counted("cancelled")), ("cancelled".into(), 1));
    let requests = "model_router.requests_total;router=model-router;mode=quality;model=gpt-5.4;outcome=cancelled";
    assert_eq!(host(|host| host.metrics[requests]), 1);
    answer(Some("200"), FLAGGED.as_bytes());
    assert!(!routed() && host(|host| host.reply.is_none() && host.resumed == 0));
}

#[test]
fn who_is_answered_already_is_not_answered_again() {
    initialize();
    start_with(ROUTE, "allow");
    ask(100, CHAT, BODY);
    // Envoy has lost its patience.
    host(|host| host.response_headers = set(&[(":status", "408"), ("content-type", "text/plain")]));
    unsafe { proxy_on_response_headers(100, 0, false) };
    assert_eq!(host(|host| host.metrics["model_router.rejected_total;reason=request_timeout"]), 1);
    for body in [PASSED, FLAGGED] {
        if host(|host| !host.calls.is_empty()) {
            answer(Some("200"), body.as_bytes());
        }
    }
    assert!(!routed() && host(|host| host.reply.is_none() && host.resumed == 0));
    // All of the request's time is gone.
    ask(101, CHAT, BODY);
    host(|host| host.clock += 3);
    answer(Some("200"), PASSED.as_bytes());
    assert_eq!(host(|host| host.reply.clone().map(|(status, ..)| status)), Some(504));
    assert!(!routed());
}

#[test]
fn where_one_plugin_does_it_all_the_request_is_rewritten_after_the_verdict() {
    initialize();
    let filter = r#"{"content_filter": {"cluster": "c", "authority": "a", "on_error": "reject"},"#;
    configure(BOTH, "both", &POLICY.replacen('{', filter, 1));
    fresh_request();
    assert_eq!(again(100, BOTH, CHAT, BODY), PAUSE);
    assert_eq!(host(|host| host.request_body.clone()), BODY.as_bytes());
    answer(Some("200"), PASSED.as_bytes());
    assert!(routed() && host(|host| host.resumed) == 1);
    let sent = host(|host| String::from_utf8(host.request_body.clone()).unwrap());
    assert!(sent.contains(r#""model":"big/one""#), "{sent}");
    let length = host(|host| host.request_headers.iter().find(|(name, _)| name == "content-length").unwrap().1.clone());
    assert_eq!(length, sent.len().to_string());
}
