"""Compressed answers: never asked for, passed on intact where they come all the same, and of no use to a translation."""

import gzip

import httpx
import pytest
from wire import asked, events, mark

CALLS = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Say hello."}]}),
    "responses": ("/v1/responses", {"input": "Say hello."}),
}
api = pytest.mark.parametrize("api", CALLS)
stream = pytest.mark.parametrize("stream", [False, True])


def send(envoy, api, model, **more):
    path, body = CALLS[api]
    return envoy.client.post(path, json={"model": model, **body, **more}, headers={"accept-encoding": "gzip, br"})


def said(api, response, stream):
    if stream and api == "chat":
        return "".join(choice["delta"].get("content") or "" for chunk in events(response) for choice in chunk["choices"])
    if stream:
        return "".join(event["delta"] for event in events(response) if event["type"].endswith("text.delta"))
    body = response.json()
    return body["choices"][0]["message"]["content"] if api == "chat" else body["output"][-1]["content"][0]["text"]


@api
@stream
@pytest.mark.parametrize("model", ["gpt-5-nano", "gpt-oss-120b", "gpt-5-mini"])
def test_no_provider_is_asked_to_compress(latest, mocks, api, stream, model):
    response = send(latest, api, model, stream=stream)
    assert response.status_code == 200 and "content-encoding" not in response.headers
    [(_, request)] = asked(mocks)
    assert "accept-encoding" not in request["headers"]


@api
@stream
def test_a_compressed_answer_arrives(envoy, mocks, api, stream):
    plain = said(api, send(envoy, api, "gpt-4.1-mini", stream=stream), stream)
    missing = envoy.metric("model_router_usage_missing_total", model="gpt-4.1-mini")
    mocks["openai"].fault("gzip")
    response = send(envoy, api, "gpt-4.1-mini", stream=stream)
    assert (response.status_code, response.headers["content-encoding"]) == (200, "gzip")
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini"
    assert said(api, response, stream) == plain and plain
    assert envoy.metric("model_router_usage_missing_total", model="gpt-4.1-mini") - missing == 1


@stream
def test_a_translation_needs_another_answer(own, mocks, script, stream):
    mocks["oss"].fault("gzip")
    response = send(own, "responses", "mixed", stream=stream)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "third" and "content-encoding" not in response.headers
    assert response.headers["x-model-router-reason"].startswith("failover_")
    assert mark("openai", "third") in response.text


@stream
def test_a_translation_without_another_fails_in_the_apis_shape(envoy, mocks, stream):
    """At once: a body that is promised and never comes would let the client wait for ever."""
    mocks["oss"].fault("gzip", count=None)
    body = {"model": "gpt-oss-120b", "input": "Say hello.", "stream": stream}
    response = httpx.post(f"{envoy.url}/v1/responses", json=body, timeout=2)
    assert response.status_code == 502 and "content-encoding" not in response.headers
    assert response.headers["content-type"] == "application/json" and response.json()["error"]["message"]


@stream
def test_a_compressed_error_goes_through_as_it_is(own, mocks, script, stream):
    body = b'{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"no"}}'
    script.says(gzip.compress(body), status=400, content_encoding="gzip")
    response = send(own, "responses", "first", stream=stream)
    assert (response.status_code, response.content) == (400, body)
