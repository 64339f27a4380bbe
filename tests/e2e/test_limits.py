"""Limits that Envoy counts by itself: who is refused, with what, and when there is room again."""

import time

import openai
import pytest
from conftest import VERSIONS, Envoy, wait_for
from made import made, policy
from test_both import downstream_only
from wire import asked

MINUTE = {"requests_per_minute": 3}
LIMITS = {
    "requests": MINUTE, "tokens": {"tokens_per_minute": 1000}, "money": {"usd_per_day": 0.01}, "free": {},
    "azure": {"requests_per_minute": 1}, "messages": {"requests_per_minute": 1}, "sdk": {"requests_per_minute": 1},
    "several": {"requests_per_minute": 50, "tokens_per_minute": 600},
}


def limited_policy():
    document = policy("limits")
    del document["envoy"]
    [router] = document["routers"]
    document["routers"] = [router | {"limits": {"requests_per_minute": 100_000}},
                           router | {"name": "narrow", "limits": {"requests_per_minute": 2}}]
    document["models"][1]["price"] = {"input": 1, "output": 4}
    claude = {"name": "claude-haiku-4-5", "served_by": [{"provider": "anthropic"}]}
    document["models"].append(claude)
    document["providers"].append({"name": "anthropic", "preset": "anthropic", "endpoint": "http://127.0.0.1:9103"})
    document["consumers"] = [
        {"name": name, "when": {"header": "x-team", "equals": name}, **({"limits": limits} if limits else {})}
        for name, limits in LIMITS.items()
    ]
    return document


@pytest.fixture(scope="module")
def envoys(all_mocks, tmp_path_factory):
    running = {}
    for version in VERSIONS:
        directory = tmp_path_factory.mktemp("limits")
        running[version] = Envoy(directory, all_mocks, version, source=made(directory, limited_policy()))
    yield running
    for envoy in running.values():
        envoy.stop()


@pytest.fixture
def limited(envoys, version, mocks):
    return envoys[version]


@pytest.fixture
def one(envoys, mocks):
    """The newest Envoy."""
    return envoys[VERSIONS[0]]


def ask(envoy, team, model="gpt-5-mini", **more):
    return envoy.chat(model=model, headers={"x-team": team}, **more)


def quota(response, counted):
    names = [f"x-ratelimit-{what}-{counted}" for what in ["limit", "remaining"]]
    return [int(response.headers[name]) for name in names]


def test_requests_per_minute(limited, mocks):
    before = limited.metric("model_router_requests_total")
    answers = [ask(limited, "requests") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [quota(answer, "requests") for answer in answers] == [[3, 2], [3, 1], [3, 0], [3, 0]]
    assert len(asked(mocks)) == 3
    refused = answers[3]
    message = refused.json()["error"].pop("message")
    assert message.startswith("The limit of 3 requests per minute is reached. Try again in ")
    error = refused.json()["error"] | {"message": None}
    assert error == {"message": None, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    assert 15 <= int(refused.headers["retry-after"]) <= 20 and "x-should-retry" not in refused.headers
    assert refused.headers["x-model-router-reason"] == "requests_per_minute"
    assert "x-model-router-model" not in refused.headers
    # Refused requests are counted as such, and not among those that models were asked for.
    assert limited.metric("model_router_rejected_total", reason="requests_per_minute") == 1
    assert limited.metric("model_router_requests_total") - before == 3
    entry = wait_for(lambda: [it for it in limited.access_log() if it["status_details"] == "local_rate_limited"])[0]
    assert (entry["status"], entry["model_router.consumer"], entry["model_router.reason"]) == (429, "requests", "requests_per_minute")
    assert ask(limited, "free").status_code == 200


def test_tokens_per_minute(limited):
    first = ask(limited, "tokens", max_completion_tokens=520)
    most, left = quota(first, "tokens")
    charged = most - left
    # What the request may make, and what it says.
    assert first.status_code == 200 and 520 < charged < 540
    refused = ask(limited, "tokens", max_completion_tokens=520)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (429, "tokens", "rate_limit_exceeded")
    assert refused.headers["x-model-router-reason"] == "tokens_per_minute"
    wait = int(refused.headers["retry-after"])
    assert 0 < wait <= -(-(charged - left) * 60 // 1000)
    assert ask(limited, "tokens", max_completion_tokens=100).status_code == 200
    time.sleep(int(ask(limited, "tokens", max_completion_tokens=520).headers["retry-after"]))
    assert ask(limited, "tokens", max_completion_tokens=520).status_code == 200


def test_what_never_fits_is_not_worth_another_try(one):
    refused = ask(one, "tokens", max_completion_tokens=5000)
    assert refused.status_code == 429 and "retry-after" not in refused.headers
    assert refused.headers["x-should-retry"] == "false"
    message = refused.json()["error"]["message"]
    assert message.startswith("This request is charged with 50") and message.endswith("tokens; the limit is 1000 per minute.")


def test_a_budget_per_day(limited, mocks):
    answers = [ask(limited, "money")]
    most, left = quota(answers[0], "microdollars")
    assert most == 10_000 and 0 < left < most
    while answers[-1].status_code == 200 and len(answers) < 50:
        answers.append(ask(limited, "money"))
    refused = answers[-1]
    assert len(asked(mocks)) == len(answers) - 1 == most // (most - left)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (429, "insufficient_quota", "insufficient_quota")
    assert error["message"].startswith("The budget of 0.01 USD per day is used up.")
    # That is hours: no client should sit and wait for it.
    assert int(refused.headers["retry-after"]) > 60 and refused.headers["x-should-retry"] == "false"
    assert limited.metric("model_router_rejected_total", reason="usd_per_day") == 1


def test_a_router_has_limits_of_its_own_whoever_asks(limited):
    answers = [ask(limited, team, model="narrow") for team in ["free", "money", "free"]]
    assert [answer.headers["x-model-router-reason"] for answer in answers][2] == "requests_per_minute"
    assert ask(limited, "free", model="model-router").status_code == 200


def test_both_limits_hold_at_once(one):
    answers = [ask(one, "several", max_completion_tokens=250) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert quota(answers[1], "requests") == [50, 48]
    # The request counts, though its tokens were too many.
    assert quota(answers[2], "requests")[1] <= 48 and answers[2].json()["error"]["type"] == "tokens"


def test_errors_in_the_shape_of_the_api(limited):
    azure = [limited.chat(model="gpt-5-mini", path="/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21",
                          headers={"x-team": "azure"}) for _ in range(2)]
    assert [it.status_code for it in azure] == [200, 429]
    assert azure[1].json()["error"]["code"] == "RateLimitReached" and int(azure[1].headers["retry-after"]) > 0
    body = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
    said = [limited.client.post("/v1/messages", json=body, headers={"x-team": "messages"}) for _ in range(2)]
    assert [it.status_code for it in said] == [200, 429]
    assert said[1].json()["type"] == "error" and said[1].json()["error"]["type"] == "rate_limit_error"


def test_a_providers_429_is_its_own(one, mocks):
    mocks["openai"].fault("status", count=None, status=429)
    refused = ask(one, "free", model="gpt-5-nano")
    assert refused.status_code == 429
    assert refused.headers["x-model-router-model"] == "gpt-5-nano"
    assert refused.headers["x-model-router-reason"] not in ["requests_per_minute", "tokens_per_minute"]


def test_of_a_provider_no_quota_is_told(one, latest):
    """What the operator may use is no client's business, and would be taken for the client's own."""
    names = lambda response: {name for name in response.headers if "ratelimit" in name}
    assert "x-ratelimit-limit-tokens" in names(latest.chat())
    assert names(ask(one, "free")) == set()


def test_the_sdk_knows_what_it_is_told(one):
    client = openai.OpenAI(base_url=one.url + "/v1", api_key="x", max_retries=0, default_headers={"x-team": "sdk"})
    create = lambda: client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
    assert create().choices
    with pytest.raises(openai.RateLimitError) as refused:
        create()
    assert refused.value.code == "rate_limit_exceeded" and refused.value.type == "requests"


def test_limits_where_the_filter_stands_downstream_alone(all_mocks, mocks, version, tmp_path, monkeypatch):
    for name in ["TEST_OPENAI_KEY", "TEST_ANTHROPIC_KEY"]:
        monkeypatch.setenv(name, "key")
    envoy = Envoy(tmp_path, all_mocks, version, source=made(tmp_path, limited_policy()), change=downstream_only)
    try:
        answers = [ask(envoy, "requests") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [quota(answer, "requests") for answer in answers] == [[3, 2], [3, 1], [3, 0], [3, 0]]
        assert answers[3].json()["error"]["type"] == "requests" and answers[3].headers["retry-after"]
    finally:
        envoy.stop()
