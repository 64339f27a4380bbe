"""Limits that two Envoys share: a real Redis counts, asked through Envoy's protocol for rate limits (see fleet.py)."""

import socket
import subprocess
import time

import pytest
import yaml
from conftest import ROOT, VERSIONS, Envoy, free_port, wait_for
from fleet import RateLimit, Redis
from made import made, policy

LIMITS = {"requests": {"requests_per_minute": 4}, "tokens": {"tokens_per_minute": 1000}, "money": {"usd_per_day": 0.01}}


def shared_policy(port, on_failure="allow"):
    document = policy("fleet")
    document["envoy"] = {"rate_limit": {"service": {"endpoint": f"http://127.0.0.1:{port}", "on_failure": on_failure}}}
    document["models"][1]["price"] = {"input": 1, "output": 100}
    document["consumers"] = [
        {"name": name, "when": {"header": "x-team", "equals": name}, "limits": limits} for name, limits in LIMITS.items()
    ]
    return document


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    running = Redis(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def service(redis, tmp_path_factory):
    directory = tmp_path_factory.mktemp("service")
    running = RateLimit(made(directory, shared_policy(1), "--rate-limits"), redis)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def pair(service, all_mocks, tmp_path_factory):
    """Two Envoys, of each supported version one, that ask the same service."""
    envoys = []
    for version in (VERSIONS * 2)[:2]:
        directory = tmp_path_factory.mktemp("fleet")
        envoys.append(Envoy(directory, all_mocks, version, source=made(directory, shared_policy(service.port))))
    yield envoys
    for envoy in envoys:
        envoy.stop()


@pytest.fixture
def fleet(pair, redis, service, mocks):
    # A minute begins for all at once: what a test counts must not fall into two.
    if time.time() % 60 > 50:
        time.sleep(60 - time.time() % 60)
    redis.client.flushall()
    service.seen.clear()
    return pair


def ask(envoy, team, **more):
    return envoy.chat(model="gpt-5-mini", headers={"x-team": team}, **more)


def test_two_envoys_share_a_quota_of_requests(fleet):
    answers = [ask(fleet[at % 2], "requests") for at in range(6)]
    assert [it.status_code for it in answers] == [200] * 4 + [429] * 2
    # One number, as the SDKs read it, though the service says more.
    assert [it.headers["x-ratelimit-limit-requests"] for it in answers] == ["4"] * 6
    assert [it.headers["x-ratelimit-remaining-requests"] for it in answers] == ["3", "2", "1", "0", "0", "0"]
    for refused in answers[4:]:
        assert refused.json()["error"]["code"] == "rate_limit_exceeded" and refused.json()["error"]["type"] == "requests"
        assert refused.headers["x-model-router-reason"] == "requests_per_minute"
        # All comes back with the next minute.
        assert abs(int(refused.headers["retry-after"]) - (60 - time.time() % 60)) <= 2
    assert sum(envoy.metric("model_router_rejected_total", reason="requests_per_minute") for envoy in fleet) == 2


def test_two_envoys_share_a_quota_of_tokens(fleet):
    answers = [ask(fleet[at], "tokens", max_completion_tokens=600) for at in range(2)]
    assert [it.status_code for it in answers] == [200, 429]
    assert answers[1].headers["x-model-router-reason"] == "tokens_per_minute"
    assert "x-ratelimit-limit-requests" not in answers[1].headers and answers[1].headers["x-ratelimit-limit-tokens"] == "1000"


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_is_charged_with_what_answers_cost(fleet, service, stream):
    money = lambda: [hits for key, _, hits in service.seen if key == "consumer_usd_per_day"]
    answers = []
    for at in range(20):
        answers.append(ask(fleet[at % 2], "money", stream=stream))
        if answers[-1].status_code != 200:
            break
        # A question when it comes, a word of its cost when it is over.
        wait_for(lambda: len(money()) == 2 * len(answers))
    charged = [hits for hits in money() if hits]
    # The request that goes over the budget is still answered, the next is not.
    assert answers[-1].status_code == 429 and sum(charged) > 10_000 >= sum(charged[:-1])
    assert len(charged) == len(answers) - 1
    costs = wait_for(lambda: len(found := in_log(fleet, stream)) >= len(charged) and found)
    assert {round(float(cost) * 1e6) for cost in costs} == set(charged)
    assert answers[-1].json()["error"]["code"] == "insufficient_quota" and answers[-1].headers["x-should-retry"] == "false"


def in_log(envoys, stream):
    entries = [entry for envoy in envoys for entry in envoy.access_log()]
    return [it["model_router.cost_usd"] for it in entries if it["model_router.consumer"] == "money" and it["status"] == 200]


@pytest.mark.parametrize("on_failure, status", [("allow", 200), ("reject", 503)])
def test_while_nobody_counts(service, all_mocks, mocks, tmp_path, on_failure, status):
    envoy = Envoy(tmp_path, all_mocks, source=made(tmp_path, shared_policy(1, on_failure)))
    try:
        answer = ask(envoy, "requests")
        assert answer.status_code == status
        if status == 503:
            assert answer.json()["error"]["code"] == answer.headers["x-model-router-reason"] == "limits_unavailable"
            assert mocks["openai"].requests() == []
    finally:
        envoy.stop()


def test_compose_starts_what_the_example_asks():
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    redis, service = services["redis"], services["ratelimit"]
    # Beside Envoy, at the addresses that the policy and the service are told.
    assert [it["profiles"] for it in (redis, service)] == [["fleet"]] * 2
    assert [it["network_mode"] for it in (redis, service)] == ["service:envoy"] * 2
    assert policy("fleet")["envoy"]["rate_limit"]["service"]["endpoint"] == "http://127.0.0.1:8081"
    assert service["environment"]["REDIS_URL"] == "127.0.0.1:6379" and "127.0.0.1" in redis["command"]
    [volume] = service["volumes"]
    source, target, _ = volume.split(":")
    assert (ROOT / source).is_file() and target.startswith("/data/ratelimit/config/")
    program, *arguments = redis["command"]
    port = free_port()
    process = subprocess.Popen([ROOT / f".tools/redis/{program}", *arguments, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    finally:
        process.terminate()
        process.wait()
