"""When nobody answers: how long clients are told to wait, and the shape of the last error."""

import email.utils
import time

import pytest
from wire import is_openai_error

CALLS = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Say hello."}]}),
    "azure": ("/openai/deployments/model-router/chat/completions?api-version=2024-10-21", {"messages": [{"role": "user", "content": "Say hello."}]}),
    "responses": ("/v1/responses", {"input": "Say hello."}),
    "project": ("/api/projects/demo/openai/v1/responses", {"input": "Say hello."}),
}
call = pytest.mark.parametrize("call", CALLS)
PROVIDERS = ["openai", "azure", "oss", "anthropic"]
# The mocks say when limits are reset even where nothing is left to wait for.
NONE = {"retry-after": None, "retry-after-ms": None}
NONE |= {"x-ratelimit-remaining-requests": "1", "x-ratelimit-remaining-tokens": "1"}
USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "0"}
HINTS = ["retry-after", "retry-after-ms", "x-should-retry"]


def send(envoy, call="chat", model="model-router", **more):
    path, body = CALLS[call]
    return envoy.client.post(path, json={"model": model, **body, **more})


def limit(mocks, hints):
    """Every provider answers 429 with its hints; those without any with none."""
    for name in PROVIDERS:
        mocks[name].fault("status", count=None, status=429, headers={**NONE, **hints.get(name, {})})


def hinted(response):
    return [response.headers.get(name) for name in HINTS]


@pytest.mark.parametrize(
    "hints, seconds, milliseconds",
    [
        ({"openai": {"retry-after": "30"}, "azure": {"retry-after-ms": "2500"}, "oss": {"retry-after": "7"}}, "3", "2500"),
        ({"openai": {"retry-after": "30"}, "azure": {"retry-after-ms": "45000"}, "oss": {"retry-after": "7"}}, "7", "7000"),
        ({"oss": {"retry-after-ms": "40"}}, "1", "40"),
        ({"openai": {**USED_UP, "x-ratelimit-reset-requests": "1m30s"}, "oss": {"retry-after": "100"}}, "90", "90000"),
        ({"openai": {**USED_UP, "x-ratelimit-reset-requests": "12ms", "x-ratelimit-reset-tokens": "6s"}}, "6", "6000"),
        ({"azure": {"x-ratelimit-reset-tokens": "5", "x-ratelimit-remaining-tokens": "-1"}}, "5", "5000"),
        ({"azure": {"x-ratelimit-reset-tokens": "2"}, "oss": {"retry-after": "7"}}, "7", "7000"),
        ({"openai": {"retry-after": "9", "retry-after-ms": "8500"}}, "9", "8500"),
        ({"openai": {"retry-after": "0"}, "azure": {"retry-after": "-1"}, "oss": {"retry-after": "12"}}, "12", "12000"),
        ({"azure": {"retry-after": "soon"}}, None, None),
        ({}, None, None),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_smallest_wait_counts(latest, mocks, hints, seconds, milliseconds, stream):
    limit(mocks, hints)
    response = send(latest, stream=stream)
    assert response.status_code == 429
    assert hinted(response) == [seconds, milliseconds, "true"]


def test_a_date_is_a_wait_too(envoy, mocks):
    limit(mocks, {"oss": {"retry-after": email.utils.formatdate(time.time() + 20, usegmt=True)}})
    assert 15 <= int(send(envoy).headers["retry-after"]) <= 20


@call
def test_every_api_has_hints_and_an_error(envoy, mocks, call):
    limit(mocks, {"oss": {"retry-after": "7"}})
    response = send(envoy, call)
    assert (response.status_code, hinted(response)) == (429, ["7", "7000", "true"])
    assert response.headers["content-type"] == "application/json" and response.json()["error"]["message"]


def test_a_wait_that_is_in_a_stream_says_nothing(latest, mocks):
    for name in PROVIDERS:
        mocks[name].fault("stream_error", count=None)
    response = send(latest, stream=True)
    assert (response.status_code, hinted(response)) == (429, [None, None, "true"])


@pytest.mark.parametrize("last, others", [("oss", "openai"), ("openai", "oss")])
def test_a_mixture_is_the_last_error_without_hints(latest, mocks, plan, last, others):
    """Whoever is only overloaded may be there again at once, whatever the others say."""
    for name in PROVIDERS:
        mocks[name].fault("status", count=None, status=429, headers={"retry-after": "60"})
    mocks[last].reset()
    mocks[last].fault("status", count=None, status=503)
    response = send(latest)
    expected = 503 if plan[-1]["provider"] == last else 429
    assert response.status_code == expected
    assert response.headers.get("x-should-retry") is None and response.json()["error"]["message"]


def test_a_mixture_gives_no_wait_of_the_last(latest, mocks, plan):
    mocks[plan[0]["provider"]].fault("status", status=503)
    for name in PROVIDERS:
        mocks[name].fault("status", count=None, status=429, headers={"retry-after": "60", "retry-after-ms": None})
    response = send(latest)
    assert response.status_code == 429
    assert hinted(response) == [None, None, None]


def test_one_model_by_name(latest, mocks):
    mocks["azure"].fault("status", count=None, status=429, headers={"retry-after": "50"})
    mocks["openai"].fault("status", count=None, status=429, headers={"retry-after": "20"})
    response = send(latest, model="gpt-5-mini")
    assert (response.status_code, hinted(response)) == (429, ["20", "20000", "true"])


def test_a_wait_is_no_secret_of_one_request(latest, mocks):
    """The next request tries again; nothing is remembered."""
    limit(mocks, {"oss": {"retry-after": "3600"}})
    assert send(latest).status_code == 429
    for mock in mocks.values():
        mock.reset()
    response = send(latest)
    assert response.status_code == 200 and "retry-after" not in response.headers and "x-should-retry" not in response.headers


@call
def test_nobody_is_there(envoy, mocks, call):
    for mock in mocks.values():
        mock.kill()
    response = send(envoy, call)
    error = is_openai_error(response)
    assert (response.status_code, error["code"], error["type"]) == (503, "upstream_unavailable", "server_error")
    assert response.headers["content-type"] == "application/json" and hinted(response) == [None, None, None]
    assert response.headers["content-length"] == str(len(response.content))


FAULTS = [{"fault": "status", "status": 500}, {"fault": "malformed"}, {"fault": "stream_error"}, {"fault": "empty_stream"}]


@call
@pytest.mark.parametrize(
    "fault, stream",
    [pytest.param(fault, stream, id=f"{fault['fault']}-{stream}") for fault in FAULTS for stream in [False, True]],
)
def test_all_fail(latest, mocks, call, fault, stream):
    for mock in mocks.values():
        mock.fault(count=None, **fault)
    response = send(latest, call, stream=stream)
    assert response.status_code >= 400 and response.headers["content-type"] == "application/json"
    assert response.json()["error"]["message"]
    assert "data:" not in response.text


PAGES = ["<html><body>502 Bad Gateway, host secret-1</body></html>", "upstream secret-1 said no", ""]
LAST = {
    "chat": ("/v1/chat/completions", "gpt-4.1-mini"),
    "responses": ("/v1/responses", "gpt-4.1-mini"),
    "messages": ("/v1/messages", "claude-haiku-4-5"),
    "translated": ("/v1/chat/completions", "claude-haiku-4-5"),
}


@pytest.mark.parametrize("page", PAGES, ids=["html", "text", "nothing"])
@pytest.mark.parametrize("path, model", LAST.values(), ids=LAST)
@pytest.mark.parametrize("status, headers", [(502, {}), (503, {"content-type": None}), (520, {}), (429, {"retry-after": "7"}), (403, {})])
def test_a_page_is_no_error_for_clients(latest, mocks, path, model, status, headers, page):
    """What stands in front of a provider answers as it likes: clients get the status, what it asks for, and JSON."""
    for mock in mocks.values():
        mock.fault("status", count=None, status=status, headers=headers, body=page)
    text = "Say hello."
    asked = {"input": text} if path == "/v1/responses" else {"messages": [{"role": "user", "content": text}], "max_tokens": 9}
    response = latest.client.post(path, json={"model": model, **asked})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    assert response.headers["content-length"] == str(len(response.content)) and "secret" not in response.text
    error = response.json()["error"] if path == "/v1/messages" else is_openai_error(response)
    assert error["message"]
    if status in (502, 520) and path != "/v1/messages":
        assert error["code"] == "provider_error" if page else "empty_answer"
    if status == 429:
        assert response.headers["retry-after"] == "7"
