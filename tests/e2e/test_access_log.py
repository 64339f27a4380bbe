"""The access log tells of each decision, and never what was said."""

import time

import pytest
from conftest import explain, wait_for
from wire import CONTROLS

SECRET = "the secret word is xyzzy"
CHAT = {"messages": [{"role": "system", "content": SECRET}, {"role": "user", "content": f"What is 2 + 2? {SECRET}"}]}
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{SECRET}"}}
SESSION = f"session-{time.monotonic_ns()}"
KEPT = {**CHAT, "routing_config": {"session_affinity": {"strategy": "sticky", "session_id": SESSION}}}
CASES = {
    "chat": ("/v1/chat/completions", CHAT),
    "stream": ("/v1/chat/completions", {**CHAT, "stream": True}),
    "responses": ("/v1/responses", {"input": SECRET, "instructions": SECRET}),
    "translated": ("/v1/responses", {"input": SECRET, "routing_config": {"models": ["gpt-oss-120b"]}}),
    "image": ("/v1/chat/completions", {"messages": [{"role": "user", "content": [IMAGE]}]}),
    "first": ("/v1/chat/completions", KEPT),
    "second": ("/v1/chat/completions", KEPT),
    "none": ("/v1/chat/completions", {**CHAT, "routing_config": {"session_affinity": {"strategy": "none"}}}),
    "direct": ("/v1/chat/completions", {**CHAT, "model": "gpt-5-nano"}),
    "embeddings": ("/v1/embeddings", {"input": SECRET, "model": "text-embedding-3-small"}),
    "refused": ("/v1/chat/completions", {**CHAT, "model": SECRET}),
    # Their providers are called at other paths.
    "in azure's form": ("/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21&key=xyzzy", {**CHAT, "model": "gpt-5-mini"}),
    "claude": ("/v1/chat/completions", {**CHAT, "model": "claude-sonnet-4-5"}),
}


@pytest.fixture(scope="module")
def entries(latest, all_mocks):
    """One entry for each case; Envoy writes them seconds later, so all are waited for at once."""
    for mock in all_mocks.values():
        mock.reset()
    run = f"log-{time.monotonic_ns()}"
    for name, (path, body) in CASES.items():
        headers = {} if "model" in body else CONTROLS
        latest.client.post(path, json={"model": "model-router", **body}, headers={**headers, "user-agent": f"{run}-{name}"})
    mine = lambda: [entry for entry in latest.access_log() if str(entry["user_agent"]).startswith(run)]
    found = wait_for(lambda: len(entries := mine()) == len(CASES) and entries, 30)
    return {entry["user_agent"].removeprefix(f"{run}-"): entry for entry in found}


@pytest.mark.parametrize("case", ["chat", "stream", "responses", "translated", "image", "first"])
def test_why_a_request_went_where_it_went(entries, case):
    entry, (_, body) = entries[case], CASES[case]
    told = explain({"model": "model-router", **body}, "--header", "foundry-features: ModelRouterControls=V1Preview")
    assert entry["model_router.task"] == told["prompt"]["task"]
    assert abs(float(entry["model_router.difficulty"]) - told["prompt"]["difficulty"]) < 0.01
    plan = [slot.split(":") for slot in entry["model_router.plan"].split(",")]
    rows = [row for row in told["candidates"] if row["slot"]]
    assert [place for place, _, _ in plan] == [f"{row['model']}@{row['provider']}" for row in rows]
    assert [float(quality) for _, quality, _ in plan] == [row["quality"] for row in rows]
    for (_, _, cost), row in zip(plan, rows):
        assert abs(float(cost) - row["cost_usd"]) < 1e-5
    assert entry["model_router.model"] == told["model"]


def test_why_others_did_not(entries):
    assert "gpt-oss-120b:no_images" in entries["image"]["model_router.excluded"].split(",")
    assert "gpt-5.4:not_in_routing_config" in entries["translated"]["model_router.excluded"].split(",")
    assert entries["chat"]["model_router.excluded"] is None, "what is outside of the router is no news"


@pytest.mark.parametrize("case, affinity, source", [
    ("first", "initialize", "session_id_payload"), ("second", "retain", "session_id_payload"), ("chat", "initialize", "fingerprint"),
    ("none", None, None), ("direct", None, None), ("embeddings", None, None), ("refused", None, None),
])
def test_what_became_of_conversations(entries, case, affinity, source):
    assert (entries[case]["model_router.affinity"], entries[case]["model_router.affinity_source"]) == (affinity, source)


@pytest.mark.parametrize("case", ["chat", "stream", "responses", "translated", "direct"])
def test_what_it_took(entries, case):
    entry = entries[case]
    assert int(entry["gen_ai.usage.input_tokens"]) > 0 and int(entry["gen_ai.usage.output_tokens"]) > 0
    assert float(entry["model_router.cost_usd"]) > 0 and entry["gen_ai.response.model"]


@pytest.mark.parametrize("case", ["chat", "stream", "responses", "translated"])
def test_what_the_baseline_would_have_cost(entries, case):
    assert float(entries[case]["model_router.baseline_cost_usd"]) > float(entries[case]["model_router.cost_usd"])


@pytest.mark.parametrize("case", ["direct", "embeddings", "refused"])
def test_only_routers_have_a_baseline(entries, case):
    assert entries[case]["model_router.baseline_cost_usd"] is None


@pytest.mark.parametrize("case", CASES)
def test_the_path_is_the_clients_without_its_query(entries, case):
    assert entries[case]["path"] == CASES[case][0].split("?")[0]


def test_nothing_that_was_said_is_there(entries, latest):
    log = latest.log.read_text()
    assert not [text for text in [SECRET, "xyzzy", SESSION, "mock provider"] if text in log]
