"""One request, no faults: the right model, the right bytes, the right headers."""

import json

import pytest
from conftest import explain

CHAT_PATHS = [
    "/v1/chat/completions",
    "/chat/completions",
    "/chat/completions?api-version=2024-05-01-preview",
    "/openai/v1/chat/completions",
    "/models/chat/completions?api-version=2024-05-01-preview",
    "/api/projects/demo/openai/v1/chat/completions",
    "/openai/deployments/model-router/chat/completions?api-version=2024-10-21",
]


def served(mocks):
    """(provider, request) of every model request that reached a provider."""
    return [(name, request) for name, mock in mocks.items() for request in mock.requests()]


@pytest.mark.parametrize("path", CHAT_PATHS)
def test_every_path_of_the_api(envoy, mocks, plan, path):
    response = envoy.chat(path=path)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == plan[0]["model"]
    assert response.headers["x-model-router-router"] == "model-router"
    assert response.headers["x-model-router-mode"] == "balanced"
    assert response.headers["x-model-router-attempts"] == "1"
    assert response.headers["x-model-router-reason"] == explain({"model": "model-router", "messages": [
        {"role": "user", "content": "Say hello."}]})["reason"]
    assert [name for name, _ in served(mocks)] == [plan[0]["provider"]]


@pytest.mark.parametrize("router", ["model-router", "model-router-quality", "model-router-cost"])
def test_the_filter_and_explain_agree(envoy, mocks, router):
    body = {"model": router, "messages": [{"role": "user", "content": "What is 2 + 2?"}], "temperature": 0.2}
    decision = explain(body)
    response = envoy.client.post("/v1/chat/completions", json=body)
    assert response.headers["x-model-router-model"] == decision["model"]
    assert response.headers["x-model-router-reason"] == decision["reason"]
    dropped = response.headers.get("x-model-router-dropped", "")
    assert dropped.split(",") == (decision["candidates"][0]["dropped"] or [""])


@pytest.mark.parametrize(
    "name", ["gpt-4.1-mini", "GPT-4.1-mini", "model_router/gpt-4.1-mini", "azure_ai/model_router/gpt-4.1-mini"]
)
def test_a_model_by_name_is_that_model(envoy, mocks, name):
    response = envoy.chat(model=name, temperature=0.3)
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini"
    assert response.headers["x-model-router-reason"] == "direct"
    assert "x-model-router-dropped" not in response.headers
    assert response.json()["model"].startswith("gpt-4.1-mini")
    [(_, request)] = served(mocks)
    assert json.loads(request["body"])["temperature"] == 0.3


def test_the_deployment_in_the_path_beats_the_body(envoy, mocks):
    response = envoy.chat(model="model-router", path="/openai/deployments/gpt-4.1-mini/chat/completions?api-version=1")
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini"


def test_only_what_must_change_changes(envoy, mocks):
    sent = (
        '{ "messages" : [{"role":"user","content":"caf\\u00e9 \\ud83d\\ude00  é\\n"}],\n "top_p":1 ,"model" : "GPT-5.4",'
        '"stop":null, "max_tokens":20,"logit_bias":{"1":2},"metadata": {"a" : "b"},"user":"u"}'
    )
    expected = (
        '{ "messages" : [{"role":"user","content":"caf\\u00e9 \\ud83d\\ude00  é\\n"}],\n "top_p":1 ,"model" : "gpt-5.4",'
        ' "max_completion_tokens":20,"metadata": {"a" : "b"},"user":"u"}'
    )
    response = envoy.client.post(
        "/v1/chat/completions", content=sent.encode(), headers={"content-type": "application/json; charset=utf-8"}
    )
    assert response.status_code == 200, response.text
    [(name, request)] = served(mocks)
    assert name == "openai"
    assert request["body"] == expected
    assert response.headers["x-model-router-dropped"] == "stop,logit_bias"
    assert request["headers"]["content-length"] == str(len(expected.encode()))


def test_azure_gets_its_path_its_deployment_and_the_right_parameter_names(envoy, mocks):
    for mock in ["openai", "anthropic", "xai", "oss"]:
        mocks[mock].fault("status", count=None, status=503)
    response = envoy.chat(model="gpt-5-mini", max_tokens=99, temperature=1.0)
    assert response.status_code == 200, response.text
    [request] = mocks["azure"].requests()
    assert request["path"] == "/openai/deployments/my-gpt-5-mini/chat/completions?api-version=2025-04-01-preview"
    body = json.loads(request["body"])
    assert body["max_completion_tokens"] == 99 and "max_tokens" not in body and "temperature" not in body
    assert request["headers"]["host"] == "my-resource.openai.azure.com"
    assert request["headers"]["api-key"] == "demo-key-of-azure"


def test_reasoning_effort_goes_only_where_it_is_taken(envoy, mocks):
    for model, effort, kept in [("gpt-5.4", "high", True), ("gpt-5.4", "minimal", False), ("gpt-4.1-mini", "low", False)]:
        mocks["openai"].reset()
        response = envoy.chat(model=model, reasoning_effort=effort)
        assert response.status_code == 200, response.text
        [request] = mocks["openai"].requests()
        assert ("reasoning_effort" in json.loads(request["body"])) == kept
        assert (response.headers.get("x-model-router-dropped") == "reasoning_effort") != kept


def test_large_bodies_go_through(envoy, mocks):
    text = "lorem ipsum " * 250_000
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": text}]}
    response = envoy.client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    [(_, request)] = served(mocks)
    assert json.loads(request["body"])["messages"][0]["content"] == text


def test_requests_that_only_a_large_context_can_take(envoy, mocks):
    body = {"model": "model-router", "messages": [{"role": "user", "content": "word " * 250_000}]}
    decision = explain(body)
    assert {row["reason"] for row in decision["excluded"]} >= {"context_length_exceeded"}
    response = envoy.client.post("/v1/chat/completions", json=body)
    assert response.headers["x-model-router-model"] == decision["model"]


def test_images_go_only_to_models_that_see(envoy, mocks):
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    body = {"model": "model-router", "messages": [{"role": "user", "content": [part]}]}
    decision = explain(body)
    assert {"model": "gpt-oss-120b", "reason": "no_images"} in decision["excluded"]
    assert envoy.client.post("/v1/chat/completions", json=body).headers["x-model-router-model"] == decision["model"]
