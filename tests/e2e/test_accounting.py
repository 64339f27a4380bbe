"""Usage, cost, metrics and the access log; the client sees of the stream what it asked for and no more."""

import json
import time

import pytest
from conftest import explain, wait_for

USAGE = {"include_usage": True}


def events(text):
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def delta(envoy, name, before, **labels):
    return envoy.metric(name, **labels) - before


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_tokens_and_cost(envoy, mocks, stream, asked):
    if asked and not stream:
        pytest.skip("usage of a whole answer is always there")
    labels = {"model": "gpt-4.1-mini"}
    names = ["input", "cached_input", "output"]
    before = {kind: envoy.metric("model_router_tokens_total", kind=kind, **labels) for kind in names}
    cost = envoy.metric("model_router_cost_microdollars_total", **labels)
    # To the provider directly, as the client would see it without the router.
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Count to ten. " * 800}], "stream": stream}
    if asked:
        body["stream_options"] = USAGE
    direct = mocks["openai"].client.post("/v1/chat/completions", json=body)
    response = envoy.client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    [_, request] = mocks["openai"].requests()
    if stream:
        assert json.loads(request["body"])["stream_options"] == USAGE
        shape = lambda text: [sorted(event) for event in events(text)]
        assert shape(response.text) == shape(direct.text)
        assert ("usage" in response.text) == asked
        whole = mocks["openai"].client.post("/v1/chat/completions", json=body | {"stream_options": USAGE})
        usage = events(whole.text)[-1]["usage"]
    else:
        usage = response.json()["usage"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    assert cached > 0, "the mock caches long prompts, so that cached prices are exercised"
    now = {kind: envoy.metric("model_router_tokens_total", kind=kind, **labels) - before[kind] for kind in names}
    assert now == {"input": usage["prompt_tokens"], "cached_input": cached, "output": usage["completion_tokens"]}
    # gpt-4.1-mini: 0.4 in, 0.1 cached, 1.6 out per million.
    expected = (usage["prompt_tokens"] - cached) * 0.4 + cached * 0.1 + usage["completion_tokens"] * 1.6
    assert abs(delta(envoy, "model_router_cost_microdollars_total", cost, **labels) - expected) <= 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kept", [{}, {"ttl": "1h"}], ids=["5m", "1h"])
def test_writes_to_the_prompt_cache(envoy, mocks, stream, kept):
    marker = f"writes-{time.monotonic_ns()}"
    names = ["model_router_tokens_total", "model_router_cost_microdollars_total"]
    count = lambda: [envoy.metric(names[0], model="claude-sonnet-4-5", kind="cache_write"), envoy.metric(names[1], model="claude-sonnet-4-5")]
    before = count()
    system = [{"type": "text", "text": f"{marker}. " + "Be kind. " * 1500, "cache_control": {"type": "ephemeral", **kept}}]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 64, "system": system, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    response = envoy.client.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01", "user-agent": marker})
    assert response.status_code == 200, response.text
    found = events(response.text)
    usage = found[0]["message"]["usage"] | found[-2]["usage"] if stream else response.json()["usage"]
    written, cost = (now - old for now, old in zip(count(), before))
    assert written == usage["cache_creation_input_tokens"] > 1024
    # claude-sonnet-4-5: 3 in, 3.75 for five minutes, 6 for an hour, 15 out per million.
    expected = usage["input_tokens"] * 3 + written * (6 if kept else 3.75) + usage["output_tokens"] * 15
    assert abs(cost - expected) <= 1
    [entry] = wait_for(lambda: [entry for entry in envoy.access_log() if entry["user_agent"] == marker], 30)
    assert int(entry["gen_ai.usage.cache_creation.input_tokens"]) == written
    assert abs(float(entry["model_router.cost_usd"]) * 1e6 - expected) <= 1


def test_requests_attempts_and_baseline(envoy, mocks, plan):
    first = plan[0]["model"]
    name = "model_router_requests_total"
    labels = {"router": "model-router", "mode": "balanced"}
    before = {outcome: envoy.metric(name, outcome=outcome, **labels) for outcome in ["ok", "failover", "error"]}
    attempts = envoy.metric("model_router_attempts_total", model=first, result="429")
    baseline = envoy.metric("model_router_baseline_cost_microdollars_total", router="model-router")
    envoy.chat()
    mocks[plan[0]["provider"]].fault("status", status=429)
    envoy.chat()
    for mock in mocks.values():
        mock.fault("status", count=None, status=500)
    envoy.chat()
    assert {outcome: envoy.metric(name, outcome=outcome, **labels) - before[outcome] for outcome in before} == {
        "ok": 1, "failover": 1, "error": 1,
    }
    assert envoy.metric("model_router_attempts_total", model=first, result="429") - attempts == 1
    assert envoy.metric("model_router_baseline_cost_microdollars_total", router="model-router") > baseline


def test_what_consumers_took(own):
    team, names = {"x-team": "plain"}, ["requests_total", "cost_microdollars_total", "tokens_total"]
    count = lambda: [own.metric(f"model_router_consumer_{name}", consumer="plain") for name in names]
    total = lambda: [own.metric("model_router_cost_microdollars_total"), own.metric("model_router_tokens_total", kind="input") + own.metric("model_router_tokens_total", kind="output")]
    before, before_all = count(), total()
    assert own.chat(headers=team).status_code == own.chat(headers=team, stream=True).status_code == 200
    assert own.chat("gpt-5-nano", headers=team).status_code == 403
    requests, cost, tokens = (now - old for now, old in zip(count(), before))
    assert requests == 2
    assert [cost, tokens] == [now - old for now, old in zip(total(), before_all)] and cost > 0
    assert own.metric("model_router_consumer_requests_total", consumer="plain", router="model-router") >= 2


def test_nobody_is_counted_where_there_are_no_consumers(latest, mocks):
    latest.chat()
    assert not [name for name, _ in latest.metrics() if name.startswith("model_router_consumer_")]


def test_refused_connections_are_counted_as_attempts(envoy, mocks, plan):
    labels = {"model": plan[0]["model"], "result": "no_response"}
    before = envoy.metric("model_router_attempts_total", **labels)
    mocks[plan[0]["provider"]].kill()
    assert envoy.chat().status_code == 200
    same_place = [row for row in plan if row["provider"] == plan[0]["provider"] and row["model"] == plan[0]["model"]]
    assert envoy.metric("model_router_attempts_total", **labels) - before == len(same_place)


def test_histograms(envoy, mocks):
    envoy.chat(stream=True)
    text = wait_for(lambda: (t := envoy.admin.get("/stats/prometheus").text) and "model_router_decision_microseconds_bucket" in t and t, 10)
    assert "model_router_time_to_first_token_milliseconds_bucket{model=" in text
    assert 'model_router_memory_bytes{plugin="route"}' in text


def test_the_access_log_tells_the_whole_story(envoy, mocks):
    marker = f"marker-{time.monotonic_ns()}"
    body = {"model": "model-router", "messages": [{"role": "user", "content": "no secret"}], "user": "somebody"}
    plan = explain(body)["candidates"]
    mocks[plan[0]["provider"]].fault("status", status=503)
    response = envoy.client.post("/v1/chat/completions", json=body, headers={"user-agent": marker})
    [entry] = wait_for(lambda: [entry for entry in envoy.access_log() if entry["user_agent"] == marker], 30)
    assert entry["gen_ai.request.model"] == "model-router"
    assert entry["gen_ai.response.model"] == response.json()["model"]
    assert entry["model_router.model"] == response.headers["x-model-router-model"]
    assert entry["model_router.trace"] == f"{plan[0]['model']}=503,{plan[1]['model']}=200"
    assert int(entry["gen_ai.usage.input_tokens"]) == response.json()["usage"]["prompt_tokens"]
    assert float(entry["model_router.cost_usd"]) > 0
    log = envoy.log.read_text()
    assert not any(text in log for text in ["no secret", "somebody", "Bearer", "demo-key"])
