"""The first model fails in every way there is; the client sees one answer, and which model gave it."""

import json

import httpx
import pytest

# Fault of the first provider, and how the header names it.
FAULTS = [
    ({"fault": "status", "status": 500}, "500"),
    ({"fault": "status", "status": 503}, "503"),
    ({"fault": "status", "status": 429}, "429"),
    ({"fault": "status", "status": 404}, "404"),
    ({"fault": "status", "status": 408}, "408"),
    ({"fault": "status", "status": 409}, "409"),
    ({"fault": "reset"}, "no_response"),
    ({"fault": "hang"}, "no_response"),
    ({"fault": "slow_first_token", "ms": 6000}, "no_response"),
    ({"fault": "stream_error"}, "error_in_200"),
    ({"fault": "malformed"}, "malformed"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault, reason", FAULTS, ids=lambda value: str(value.get("status", value["fault"])) if isinstance(value, dict) else "")
def test_each_fault(envoy, mocks, plan, fault, reason, stream):
    first, second = plan[0], next(row for row in plan if row["provider"] != plan[0]["provider"])
    mocks[first["provider"]].fault(count=None, **fault)
    response = envoy.chat(stream=stream)
    assert response.status_code == 200, response.text
    headers = response.headers
    assert headers["x-model-router-model"] == second["model"]
    assert int(headers["x-model-router-attempts"]) == plan.index(second) + 1
    assert headers["x-model-router-reason"] == f"failover_{reason}"
    if stream:
        assert response.text.endswith("data: [DONE]\n\n") and "error" not in response.text
    else:
        assert response.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream, reason", [(True, "empty_stream"), (False, "empty")])
def test_nothing_in_a_200(envoy, mocks, plan, stream, reason):
    mocks[plan[0]["provider"]].fault("empty_stream", count=None)
    response = envoy.chat(stream=stream)
    assert response.status_code == 200
    assert response.headers["x-model-router-reason"] == f"failover_{reason}"


def test_a_truncated_answer(envoy, mocks, plan):
    mocks[plan[0]["provider"]].fault("truncated", count=None)
    response = envoy.chat()
    assert response.status_code == 200
    assert response.headers["x-model-router-reason"] == "failover_no_response"
    assert response.json()["choices"]


def test_a_killed_provider(envoy, mocks, plan):
    served = envoy.chat().headers["x-model-router-model"]
    mocks[plan[0]["provider"]].kill()
    response = envoy.chat()
    assert response.status_code == 200
    assert response.headers["x-model-router-model"] != served
    assert response.headers["x-model-router-reason"] == "failover_no_response"


def test_each_attempt_is_rewritten_for_its_model(envoy, mocks, plan):
    """All but the last fail; each provider has seen its own model name, path and key, and only what it takes."""
    for row in plan[:-1]:
        mocks[row["provider"]].reset()
    names = [row["provider"] for row in plan]
    for provider in set(names):
        if provider != names[-1]:
            mocks[provider].fault("status", count=None, status=503)
    if names.count(names[-1]) > 1:
        mocks[names[-1]].fault("status", count=names.count(names[-1]) - 1, status=503)
    response = envoy.chat(temperature=1, max_tokens=64)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-attempts"] == str(len(plan))
    assert response.headers["x-model-router-model"] == plan[-1]["model"]
    for provider, mock in mocks.items():
        requests = mock.requests()
        assert len(requests) == names.count(provider)
        for request in requests:
            key = f"demo-key-of-{provider}"
            header = ("api-key", key) if provider == "azure" else ("authorization", f"Bearer {key}")
            assert request["headers"][header[0]] == header[1]
            assert not any("demo-key" in value for name, value in request["headers"].items() if name != header[0])
    models = {json.loads(request["body"])["model"] for mock in mocks.values() for request in mock.requests()}
    assert len(models) == len({(row["model"], row["provider"]) for row in plan}) - _same_name(plan)


def _same_name(plan):
    """Slots whose providers know the model by a name that another slot's provider uses too."""
    known = {("gpt-5-mini", "azure"): "my-gpt-5-mini", ("gpt-5.4", "azure"): "my-gpt-5-4"}
    names = [known.get((row["model"], row["provider"]), row["model"]) for row in plan]
    return len(names) - len(set(names))


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_the_clients_own_errors_are_not_retried(envoy, mocks, plan, status):
    mocks[plan[0]["provider"]].fault("status", status=status)
    response = envoy.chat()
    assert response.status_code == status
    assert response.headers["x-model-router-attempts"] == "1"
    assert response.json()["error"]
    assert sum(len(mock.requests()) for mock in mocks.values()) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 500])
def test_all_fail_with_a_status(envoy, mocks, plan, status, stream):
    for mock in mocks.values():
        mock.fault("status", count=None, status=status)
    response = envoy.chat(stream=stream)
    assert response.status_code == status
    assert response.headers["x-model-router-attempts"] == str(len(plan))
    assert response.json()["error"]["message"]


def test_all_fail_inside_their_streams(envoy, mocks, plan):
    for mock in mocks.values():
        mock.fault("stream_error", count=None)
    response = envoy.chat(stream=True)
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["code"]


def test_all_are_gone(envoy, mocks, plan):
    for mock in mocks.values():
        mock.kill()
    response = envoy.chat()
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "upstream_unavailable"
    assert response.headers["x-model-router-attempts"] == str(len(plan))


def test_a_model_by_name_fails_over_only_to_its_own_providers(envoy, mocks):
    mocks["azure"].fault("status", count=None, status=503)
    response = envoy.chat(model="gpt-5-mini")
    assert response.status_code == 200
    assert response.headers["x-model-router-model"] == "gpt-5-mini"
    assert response.headers["x-model-router-attempts"] == "2"
    mocks["openai"].fault("status", count=None, status=503)
    response = envoy.chat(model="gpt-5-mini")
    assert response.status_code == 503
    assert response.headers["x-model-router-attempts"] == "2"


def test_streams_keep_the_providers_cadence(envoy, mocks, plan):
    """After a failover inside a stream the client gets tokens as they come, not in one piece at the end."""
    import time

    mocks[plan[0]["provider"]].fault("stream_error", count=None)
    second = next(row for row in plan if row["provider"] != plan[0]["provider"])
    mocks[second["provider"]].fault("slow_first_token", count=None, ms=300)
    body = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}], "stream": True}
    start, times = time.monotonic(), []
    with httpx.stream("POST", f"{envoy.url}/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        for _ in response.iter_lines():
            times.append(time.monotonic() - start)
    assert times[0] >= 0.25


SAID = [{"role": "user", "content": "Tell me a story."}]
EARLY = {
    "chat": ("/v1/chat/completions", {"model": "gpt-4.1-mini", "messages": SAID}),
    "chat-with-usage": ("/v1/chat/completions", {"model": "gpt-4.1-mini", "messages": SAID, "stream_options": {"include_usage": True}}),
    "responses": ("/v1/responses", {"model": "gpt-4.1-mini", "input": "Tell me a story."}),
    "messages": ("/v1/messages", {"model": "claude-sonnet-4-5", "messages": SAID, "max_tokens": 64}),
    "translated": ("/v1/chat/completions", {"model": "claude-sonnet-4-5", "messages": SAID}),
}


@pytest.mark.parametrize("path, body", EARLY.values(), ids=EARLY)
def test_a_stream_that_ends_early_is_told(envoy, mocks, path, body):
    for mock in mocks.values():
        mock.fault("ends_early", after=3)
    count = lambda: envoy.metric("model_router_broken_streams_total")
    before = count()
    response = envoy.client.post(path, json={**body, "stream": True})
    assert response.status_code == 200
    *events, rest = response.text.split("\n\n")
    assert rest == "" and "[DONE]" not in response.text
    *_, last = [json.loads(line[6:]) for event in events for line in event.splitlines() if line.startswith("data: ")]
    error = last if path == "/v1/responses" else last["error"]
    # What is translated is read to the last byte.
    words = "could not be read" if body["model"] == "claude-sonnet-4-5" and "max_tokens" not in body else "ended early"
    assert error["message"] == f"The provider's stream {words}."
    assert last.get("type") == (None if path == "/v1/chat/completions" else "error")
    assert count() - before == 1
