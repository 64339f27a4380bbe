"""Models rest after they failed: ranked last, longer each time, back after one trial."""

import concurrent.futures
import time

import httpx
import pytest
from conftest import VERSIONS, Envoy
from wire import changed

INITIAL = 0.4
MAXIMUM = 4 * INITIAL


@pytest.fixture(scope="module", params=VERSIONS)
def envoy(request, all_mocks, tmp_path_factory):
    limits = f"{{initial_seconds: {INITIAL}, maximum_seconds: {MAXIMUM}}}"
    envoy = Envoy(tmp_path_factory.mktemp("cooldown"), all_mocks, request.param, cooldown=limits)
    yield envoy
    envoy.stop()


@pytest.fixture(autouse=True)
def rested(envoy, mocks):
    """All models answer before the test, and none is remembered for a failure."""
    time.sleep(max(row.get("rests_milliseconds", 0) for row in explained(envoy)) / 1000)
    for row in explained(envoy):
        assert envoy.chat(row["model"]).status_code == 200
    for mock in mocks.values():
        mock.reset()


def explained(envoy, **more):
    body = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}], **more}
    return envoy.client.post("/model-router/explain", json=body).json()["candidates"]


FAULTS = [
    {"fault": "status", "status": 503}, {"fault": "status", "status": 429, "headers": {"retry-after-ms": "10"}},
    {"fault": "reset"}, {"fault": "stream_error"}, {"fault": "empty_stream"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["fault"])))
def test_a_model_that_fails_is_tried_last(envoy, mocks, fault):
    first, second = explained(envoy)[:2]
    mocks[first["provider"]].fault(**fault)
    assert envoy.chat().headers["x-model-router-attempts"] == "2"
    response = envoy.chat()
    headers = response.headers
    assert (headers["x-model-router-attempts"], headers["x-model-router-reason"]) == ("1", "cooldown")
    assert headers["x-model-router-model"] == second["model"]
    last = explained(envoy)[-1]
    assert last["model"] == first["model"] and 0 < last["rests_milliseconds"] <= 1000 * INITIAL
    time.sleep(1.1 * INITIAL)
    assert envoy.chat().headers["x-model-router-model"] == first["model"]
    assert not any(row.get("rests_milliseconds") for row in explained(envoy))


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_what_is_not_the_models_fault_does_not_count(envoy, mocks, status):
    first = explained(envoy)[0]
    mocks[first["provider"]].fault("status", status=status)
    envoy.chat()
    assert explained(envoy)[0] == first


def test_each_failure_doubles_the_rest(envoy, mocks):
    first = explained(envoy)[0]
    mocks[first["provider"]].fault("status", status=503, count=None)
    for expected in [1000 * INITIAL, 2000 * INITIAL, 1000 * MAXIMUM, 1000 * MAXIMUM]:
        assert envoy.chat().headers["x-model-router-attempts"] == "2"
        rests = explained(envoy)[-1]["rests_milliseconds"]
        assert expected / 2 < rests <= expected
        time.sleep(rests / 1000 + 0.05)


@pytest.mark.parametrize("name, value", [("retry-after-ms", "2000"), ("retry-after", "2"), ("x-ratelimit-reset-requests", "2s")])
def test_a_rest_is_as_long_as_the_provider_asks(envoy, mocks, name, value):
    first = explained(envoy)[0]
    asked = {"retry-after": None, "retry-after-ms": None, "x-ratelimit-remaining-requests": 0, name: value}
    mocks[first["provider"]].fault("status", status=429, headers=asked)
    envoy.chat()
    assert 1000 * MAXIMUM < explained(envoy)[-1]["rests_milliseconds"] <= 2000


def test_one_request_tries_it_again(envoy, mocks):
    first, second = explained(envoy)[:2]
    mocks[first["provider"]].fault("status", status=503)
    envoy.chat()
    time.sleep(1.1 * INITIAL)
    mocks[first["provider"]].reset()
    mocks[first["provider"]].fault("slow_first_token", ms=1000, model=first["model"])
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        served = [answer.headers["x-model-router-model"] for answer in pool.map(lambda _: envoy.chat(stream=True), range(16))]
    assert sorted(served, key=[second["model"], first["model"]].index) == [second["model"]] * 15 + [first["model"]]
    assert envoy.chat().headers["x-model-router-model"] == first["model"]


def test_one_that_rests_is_used_when_nothing_else_is_left(envoy, mocks):
    model = explained(envoy)[0]
    mocks[model["provider"]].fault("status", status=503)
    assert envoy.chat(model["model"]).status_code == 503
    response = envoy.chat(model["model"])
    assert (response.status_code, response.headers["x-model-router-reason"]) == (200, "direct")
    assert not any(row.get("rests_milliseconds") for row in explained(envoy))


def test_every_model_fails(envoy, mocks):
    for mock in mocks.values():
        mock.fault("status", status=503, count=None)
    for _ in range(3):
        response = envoy.chat()
        assert response.status_code == 503 and response.json()["error"]["type"] == "server_error"


def test_a_client_that_leaves_blames_nobody(envoy, mocks):
    first = explained(envoy)[0]
    mocks[first["provider"]].fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        envoy.client.post("/v1/chat/completions", json={"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}]}, timeout=0.5)
    time.sleep(0.2)
    assert explained(envoy)[0] == first


def test_cooldowns_are_counted(envoy, mocks):
    first = explained(envoy)[0]
    count = lambda: envoy.metric("model_router_cooldowns_total", model=first["model"])
    before = count()
    mocks[first["provider"]].fault("status", status=503)
    envoy.chat()
    assert count() == before + 1


@pytest.mark.parametrize("stream", [False, True])
def test_time_until_another_model_is_tried(all_mocks, mocks, tmp_path, stream):
    """The policy's bounds are Envoy's timers: until the first token, and until a whole answer."""
    edit = lambda policy: policy.update(timeouts={"first_token_seconds": 0.5, "answer_seconds": 0.7, "total_seconds": 2})
    envoy = Envoy(tmp_path, all_mocks, change=changed(edit))
    try:
        first = explained(envoy)[0]
        mocks[first["provider"]].fault("slow_first_token", ms=1500)
        began = time.monotonic()
        response = envoy.chat(stream=stream)
        assert response.headers["x-model-router-reason"] == "failover_no_response"
        assert time.monotonic() - began >= (0.5 if stream else 0.7)
        for mock in mocks.values():
            mock.fault("hang", count=None)
        response = envoy.chat(stream=stream)
        assert response.status_code == 504 and response.json()["error"]["code"] == "upstream_timeout"
        [request] = mocks[first["provider"]].requests()[:1]
        assert not any(name.startswith("x-envoy-upstream") for name in request["headers"])
    finally:
        envoy.stop()
