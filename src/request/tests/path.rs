use crate::request::*;

#[test]
fn chat_paths_of_every_client() {
    let read = |path: &str| {
        let target = target(path).filter(|target| target.endpoint == Endpoint::Model(Api::Chat))?;
        Some((target.shape, target.deployment.map(Cow::into_owned)))
    };
    let openai = |path| assert_eq!(read(path), Some((Shape::OpenAi, None)), "{path}");
    let azure = |path, deployment: Option<&str>| {
        assert_eq!(read(path), Some((Shape::Azure, deployment.map(Into::into))), "{path}");
    };
    openai("/v1/chat/completions");
    openai("/chat/completions");
    azure("/openai/v1/chat/completions", None);
    azure("/openai/v1/chat/completions?api-version=preview", None);
    azure("/chat/completions?api-version=2024-05-01-preview", None);
    azure("/models/chat/completions?api-version=2024-05-01-preview", None);
    azure("/api/projects/proj1/openai/v1/chat/completions", None);
    azure("/openai/deployments/dep1/chat/completions?api-version=2024-10-21", Some("dep1"));
    azure("/openai/deployments/my%20router%2Fv1/chat/completions", Some("my router/v1"));
    azure("/openai/deployments/100%25%zz%/chat/completions", Some("100%%zz%"));
    for unknown in [
        "",
        "/",
        "/v1/chat/completions/",
        "/v2/chat/completions",
        "/openai/deployments//chat/completions",
        "/openai/deployments/a/b/chat/completions",
        "/api/projects//openai/v1/chat/completions",
        "/api/projects/p/openai/chat/completions",
        "/evil/v1/chat/completions",
    ] {
        assert_eq!(target(unknown), None, "{unknown}");
    }
}

#[test]
fn responses_and_what_providers_keep() {
    let prefixes = ["/v1", "", "/openai", "/openai/v1", "/api/projects/p/openai/v1"];
    let kept = |collection, id, rest| Endpoint::Kept(Kept { collection, id, rest });
    for prefix in prefixes {
        for (rest, endpoint) in [
            ("responses?api-version=1", Endpoint::Model(Api::Responses)),
            ("responses/resp_1-a", kept("responses", "resp_1-a", "")),
            ("responses/resp_1/cancel", kept("responses", "resp_1", "/cancel")),
            ("responses/resp_1/input_items?limit=2", kept("responses", "resp_1", "/input_items")),
            ("responses/input_tokens", Endpoint::Named("responses/input_tokens")),
            ("responses/compact", Endpoint::Named("responses/compact")),
            ("conversations", kept("conversations", "", "")),
            ("conversations/conv_1/items/msg_1", kept("conversations", "conv_1", "/items/msg_1")),
        ] {
            let path = format!("{prefix}/{rest}");
            assert_eq!(target(&path).map(|target| target.endpoint), Some(endpoint), "{path}");
        }
    }
    assert_eq!(target("/v1/responses/r/input_items?a=1&b").map(|target| target.query), Some("a=1&b"));
    for unknown in [
        "/v1/responses/",
        "/v1/responses/a/other",
        "/v1/responses/a/cancel/more",
        "/v1/responses/../models",
        "/v1/responses/a%2F..",
        "/v1/responses/a b",
        "/v1/conversations/",
        "/v1/conversations//items",
        "/v1/conversations/a/../../x",
        "/openai/deployments/d/responses",
        "/openai/deployments/d/responses/r",
    ] {
        assert_eq!(target(unknown), None, "{unknown}");
    }
}

#[test]
fn endpoints_by_model_name_and_lists() {
    fn read(path: &str) -> Option<(Endpoint<'_>, Shape)> {
        target(path).map(|target| (target.endpoint, target.shape))
    }
    for path in ["/v1/embeddings", "/embeddings"] {
        assert_eq!(read(path), Some((Endpoint::Named("embeddings"), Shape::OpenAi)));
    }
    let azure = target("/openai/deployments/my%20e/embeddings?api-version=1").unwrap();
    assert_eq!((azure.endpoint, azure.deployment.as_deref()), (Endpoint::Named("embeddings"), Some("my e")));
    assert_eq!(read("/models/embeddings?api-version=1"), Some((Endpoint::Named("embeddings"), Shape::Azure)));
    for path in ["/v1/models", "/models", "/openai/v1/models", "/openai/models?api-version=1", "/openai/deployments"] {
        assert_eq!(read(path).map(|(endpoint, _)| endpoint), Some(Endpoint::Models), "{path}");
    }
    let entry = |path: &str| match read(path)?.0 {
        Endpoint::Entry(name) => Some(name.into_owned()),
        _ => None,
    };
    assert_eq!(entry("/v1/models/gpt-5").as_deref(), Some("gpt-5"));
    assert_eq!(entry("/openai/models/a%2Fb").as_deref(), Some("a/b"));
    assert_eq!(entry("/v1/models/openai/gpt-oss").as_deref(), Some("openai/gpt-oss"));
    assert_eq!(read("/models/info?api-version=1").map(|(endpoint, _)| endpoint), Some(Endpoint::Info));
    assert_eq!(read("/info").map(|(endpoint, _)| endpoint), Some(Endpoint::Info));
    assert_eq!(read("/model-router/explain").map(|(endpoint, _)| endpoint), Some(Endpoint::Explain));
    for unknown in ["/v1/models/", "/v1/info", "/v1/files", "/v1/audio/voices", "/model-router/explain/x"] {
        assert_eq!(read(unknown), None, "{unknown}");
    }
}

#[test]
fn messages_and_what_counts_their_tokens() {
    let read = |path: &'static str| target(path).map(|target| (target.endpoint, target.shape, target.query));
    for (path, endpoint, query) in [
        ("/v1/messages", Endpoint::Model(Api::Messages), ""),
        ("/v1/messages?beta=true", Endpoint::Model(Api::Messages), "beta=true"),
        ("/anthropic/v1/messages", Endpoint::Model(Api::Messages), ""),
        ("/v1/messages/count_tokens", Endpoint::Named("messages/count_tokens"), ""),
        ("/anthropic/v1/messages/count_tokens?beta=true", Endpoint::Named("messages/count_tokens"), "beta=true"),
        ("/anthropic/v1/models?limit=1000", Endpoint::Models, "limit=1000"),
        ("/anthropic/v1/models/claude%2Fx", Endpoint::Entry("claude/x".into()), ""),
    ] {
        assert_eq!(read(path), Some((endpoint, Shape::Anthropic, query)), "{path}");
    }
    assert_eq!(target("/v1/models").map(|target| target.shape), Some(Shape::OpenAi));
    for unknown in [
        "/messages",
        "/openai/v1/messages",
        "/openai/deployments/d/messages",
        "/openai/deployments/d/messages/count_tokens",
        "/v1/messages/",
        "/v1/messages/batches",
        "/anthropic/messages",
        "/anthropic/v1/",
        "/anthropic/v1/chat/completions",
        "/anthropic/v1/responses",
        "/anthropic/v1/embeddings",
        "/anthropic/v1/messages/../models",
    ] {
        assert_eq!(target(unknown), None, "{unknown}");
    }
    for path in ["/anthropic", "/anthropic/", "/anthropic/v1/files?a=1", "/anthropic?x"] {
        assert_eq!(shape_of_unknown(path), Shape::Anthropic, "{path}");
    }
    for path in ["", "/", "/v1/files", "/anthropics/v1/messages", "/x/anthropic/", "/?/anthropic/"] {
        assert_eq!(shape_of_unknown(path), Shape::OpenAi, "{path}");
    }
}
