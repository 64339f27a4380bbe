"""A candidate beside the policy: it shadows without a call, or serves a share of conversations, each of which stays."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Envoy, wait_for
from wire import changed

# What each takes for an easy question and for others: no model is in both, so the model tells which policy served.
SERVING, CANDIDATE = "gpt-5-nano", "gpt-oss-120b"
POOLS = {"stable": [SERVING, "gpt-5-mini"], "next": [CANDIDATE, "claude-haiku-4-5"]}
CONVERSATIONS = 300


def with_candidate(percent):
    def edit(policy):
        policy["name"] = "stable"
        policy["routers"][0]["subset"] = POOLS["stable"]
        routers = [{"name": "model-router", "mode": "balanced", "subset": POOLS["next"]}]
        policy["candidate"] = {"name": "next", "percent": percent, "policy": {"routers": routers}}

    return changed(edit)


@pytest.fixture(scope="module")
def shadowed(all_mocks, tmp_path_factory):
    envoy = Envoy(tmp_path_factory.mktemp("shadowed"), all_mocks, change=with_candidate(0))
    yield envoy
    envoy.stop()


@pytest.fixture(scope="module")
def rolled_out(all_mocks, tmp_path_factory):
    """Two replicas, which share nothing."""
    envoys = [Envoy(tmp_path_factory.mktemp("rolled-out"), all_mocks, change=with_candidate(30)) for _ in range(2)]
    yield envoys
    for envoy in envoys:
        envoy.stop()


def said(*texts):
    return [{"role": "user" if index % 2 == 0 else "assistant", "content": text} for index, text in enumerate(texts)]


def ask(envoy, messages, **more):
    answer = envoy.client.post("/v1/chat/completions", json={"model": "model-router", "messages": messages}, **more)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-model-router-model"]


def policy_of(model):
    [policy] = [policy for policy, models in POOLS.items() if model in models]
    return policy


def test_a_shadow_is_counted_and_never_called(shadowed, mocks):
    agent = f"shadow-{time.monotonic_ns()}"
    for number in range(20):
        assert ask(shadowed, said(f"Say hello {number}."), headers={"user-agent": agent}) == SERVING
    assert len(mocks["openai"].requests()) == 20
    assert not mocks["oss"].requests() and not mocks["anthropic"].requests()
    count = shadowed.metric
    assert count("model_router_requests_total", policy="stable", model=SERVING) == 20
    assert count("model_router_requests_total") == count("model_router_requests_total", policy="stable")
    assert count("model_router_shadow_requests_total", router="model-router", policy="next", agreement="other_model") == 20
    assert count("model_router_shadow_requests_total") == 20
    # What both expect: as the plans say.
    entries = wait_for(lambda: len(found := [it for it in shadowed.access_log() if it["user_agent"] == agent]) == 20 and found, 30)
    for policy, key in [("stable", "model_router.plan"), ("next", "model_router.shadow")]:
        firsts = [entry[key].split(",")[0].split(":") for entry in entries]
        assert {place for place, _, _ in firsts} == {f"{SERVING}@openai" if policy == "stable" else f"{CANDIDATE}@oss"}
        quality = sum(float(quality) for _, quality, _ in firsts)
        cost = sum(float(cost) for _, _, cost in firsts)
        assert count("model_router_shadow_quality_millionths_total", policy=policy) / 1e6 == pytest.approx(quality)
        # The log has whole microdollars.
        assert count("model_router_shadow_cost_nanodollars_total", policy=policy) / 1e9 == pytest.approx(cost, abs=20 * 0.5e-6)
    assert {entry["model_router.policy"] for entry in entries} == {"stable"}


def test_policies_that_agree(all_mocks, mocks, tmp_path):
    """A candidate that says nothing of its own: whatever conversations are on, both do the same."""
    envoy = Envoy(tmp_path, all_mocks, change=changed(lambda policy: policy.update(candidate={"policy": {}})))
    try:
        for number in range(10):
            ask(envoy, said(f"Say hello {number}."))
            ask(envoy, said(f"Say hello {number}.", "Hello.", "Prove that there are infinitely many primes."))
        assert envoy.metric("model_router_shadow_requests_total", agreement="same", policy="candidate") == 20
        assert envoy.metric("model_router_shadow_requests_total") == 20
        sums = [envoy.metric("model_router_shadow_cost_nanodollars_total", policy=policy) for policy in ["current", "candidate"]]
        assert sums[0] == sums[1] > 0
    finally:
        envoy.stop()


def test_a_share_of_conversations_is_served_and_each_stays(rolled_out, mocks):
    one, other = rolled_out

    def converse(number):
        """Three turns, on both replicas: the policies that served them."""
        messages, policies = said(f"Question {number}: what is the capital of country {number}?"), []
        for envoy in [one, other, one]:
            policies.append(policy_of(ask(envoy, messages)))
            messages = [*messages, *said("", "It is a town.", "And the next one?")[1:]]
        return policies

    with ThreadPoolExecutor(8) as pool:
        conversations = list(pool.map(converse, range(CONVERSATIONS)))
    assert all(len(set(policies)) == 1 for policies in conversations)
    served = Counter(policies[0] for policies in conversations)
    share = served["next"] / CONVERSATIONS
    # Four standard deviations.
    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / CONVERSATIONS) ** 0.5, share
    for policy, models in POOLS.items():
        counted = lambda **labels: one.metric("model_router_requests_total", policy=policy, **labels)
        wait_for(lambda: counted() == 2 * served[policy])
        assert sum(counted(model=model) for model in models) == counted()
    # Whoever serves, the other one is the shadow.
    shadows = {policy: one.metric("model_router_shadow_requests_total", policy=policy) for policy in POOLS}
    assert shadows == {"stable": 2 * served["next"], "next": 2 * served["stable"]}


def test_sessions_and_responses_stay_too(rolled_out, mocks):
    one, other = rolled_out
    models = []
    for number in range(40):
        headers = {"x-ms-session-id": f"session-{number}"}
        first = ask(one, said("Say hello."), headers=headers)
        assert policy_of(ask(other, said("What is the capital of France?"), headers=headers)) == policy_of(first)
        models.append(first)
    assert {policy_of(model) for model in models} == set(POOLS)
    marks = set()
    for number in range(40):
        begun = one.respond(input=f"Say hello {number}.")
        assert begun.status_code == 200, begun.text
        id, model = begun.json()["id"], begun.headers["x-model-router-model"]
        marks.add((id[5:7], model))
        # Gpt-oss is asked in Chat Completions, which keeps nothing: what it said cannot be continued by its id.
        if model == SERVING:
            then = other.respond(input="What else?", previous_response_id=id)
            assert (then.status_code, then.headers["x-model-router-model"]) == (200, model), then.text
            assert then.json()["id"][5:7] == "mr"
    assert marks == {("mr", SERVING), ("mc", CANDIDATE)}
