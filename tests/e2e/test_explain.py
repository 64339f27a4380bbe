"""What the router tells of itself without asking a provider: decisions, and what there is to ask for."""

import json

import pytest
import yaml
from conftest import explain
from wire import CONTROLS, asked, is_openai_error, policy_in

PATH = "/model-router/explain"
TEXT = "Design a lock-free queue in C++, with all of its code, and prove it linearizable."
CHAT, RESPONSES = {"messages": [{"role": "user", "content": TEXT}]}, {"input": TEXT}
IMAGE = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]}


@pytest.fixture(scope="session")
def own_policy(own_envoy, tmp_path_factory):
    path = tmp_path_factory.mktemp("policy") / "policy.json"
    path.write_text(json.dumps(policy_in(yaml.safe_load(own_envoy.config.read_text()))))
    return path


def same(here, there):
    return {**here, "decision_microseconds": 0} == {**there, "decision_microseconds": 0}


@pytest.mark.parametrize("headers", [{}, CONTROLS], ids=["", "controls"])
@pytest.mark.parametrize("body", [
    CHAT, RESPONSES, IMAGE,
    {**CHAT, "stop": "x", "temperature": 0.1, "max_tokens": 5},
    {**RESPONSES, "temperature": 0.1, "metadata": {}, "tools": [{"type": "web_search"}]},
    {**CHAT, "routing_config": {"mode": "cost", "models": ["gpt-5-nano", "gpt-5.4"], "require_parameters": True}},
    {**RESPONSES, "routing_config": {"session_affinity": {"strategy": "sticky", "session_id": "explained"}}},
    {**RESPONSES, "previous_response_id": "resp_1"},
    {**CHAT, "model": "gpt-5-mini"},
    {**CHAT, "model": "nobody"},
    {**CHAT, "routing_config": {"mode": "fast"}},
    {"input": 5}, {"messages": []}, {},
], ids=lambda body: ",".join(f"{name}" for name in body))
def test_the_filter_explains_as_the_companion_does(envoy, mocks, body, headers):
    body = {"model": "model-router", **body}
    sent = {"content-type": "application/json", **headers}
    response = envoy.client.post(PATH, content=json.dumps(body), headers=sent)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    arguments = [argument for name, value in headers.items() for argument in ["--header", f"{name}: {value}"]]
    told = explain(body, *arguments)
    assert same(response.json(), told)
    assert ("error" in told) or response.json()["decision_microseconds"] > 0
    assert not asked(mocks) and TEXT[:20] not in response.text


@pytest.mark.parametrize("body", [CHAT, RESPONSES], ids=["chat", "responses"])
def test_what_is_explained_is_done(latest, mocks, body):
    body = {"model": "model-router", **body}
    told = latest.client.post(PATH, json=body).json()
    path = "/v1/chat/completions" if "messages" in body else "/v1/responses"
    response = latest.client.post(path, json=body)
    assert response.headers["x-model-router-model"] == told["model"]
    assert response.headers["x-model-router-reason"] == told["reason"]


def test_an_explanation_is_no_request(latest, mocks):
    """It is in no count, and no conversation remembers it."""
    count = lambda: sum(value for (name, _), value in latest.metrics().items() if name == "model_router_requests_total")
    before = count()
    sticky = {"session_affinity": {"strategy": "sticky", "session_id": "never answered"}}
    body = {"model": "model-router", **CHAT, "routing_config": sticky}
    decisions = [latest.client.post(PATH, json=body, headers=CONTROLS).json()["session_affinity"] for _ in range(2)]
    assert [each["decision"] for each in decisions] == ["initialize"] * 2 and count() == before


@pytest.mark.parametrize("team", ["all", "small", "plain", "stranger"])
def test_a_consumer_sees_only_what_it_may_use(own, own_policy, mocks, team):
    body, headers = {"model": "model-router", **CHAT}, {"x-team": team}
    response = own.client.post(PATH, json=body, headers=headers)
    told = explain(body, "--header", f"x-team: {team}", policy=own_policy)
    # Who is nobody gets the error itself.
    assert response.json()["error"] == told["error"] if team == "stranger" else same(response.json(), told)
    assert ("error" in told) == (team == "stranger") == (response.status_code == 403)
    hidden = {"small": ["gpt-5.4", "gpt-5-mini", "claude"], "plain": ["gpt-5"], "stranger": ["gpt"]}.get(team, [])
    assert not [name for name in hidden if name in response.text]


def test_a_consumer_sees_no_model_of_other_routers(own, mocks):
    told = own.client.post(PATH, json={"model": "model-router", **CHAT}, headers={"x-team": "small"}).json()
    listed = own.client.get("/v1/models", headers={"x-team": "small"}).json()["data"]
    assert {row["model"] for row in told["excluded"]} <= {entry["id"] for entry in listed}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"hello", b'{"model":"model-router"}'], ids=repr)
def test_what_cannot_be_explained(latest, mocks, content):
    response = latest.client.post(PATH, content=content, headers={"content-type": "application/json"})
    told = response.json()
    assert told["status"] == 400 and set(told["error"]) == {"message", "type", "param", "code"}


WRONG = [
    ("GET", PATH), ("DELETE", PATH), ("POST", "/v1/models"), ("DELETE", "/v1/models/gpt-5-nano"), ("PUT", "/models/info"),
    ("GET", "/v1/responses"), ("PUT", "/v1/chat/completions"),
]


@pytest.mark.parametrize("method, path", WRONG)
def test_the_wrong_method(envoy, mocks, method, path):
    response = envoy.client.request(method, path)
    assert (response.status_code, is_openai_error(response)["code"]) == (405, "method_not_allowed")
    assert not asked(mocks)


def test_explanations_have_no_other_path(latest, mocks):
    for path in [PATH + "/", "/v1" + PATH, "/model-router", PATH.upper()]:
        response = latest.client.post(path, json={"model": "model-router", **CHAT})
        assert response.status_code == 404 and is_openai_error(response)


LISTS = ["/v1/models", "/models", "/openai/v1/models", "/openai/models?api-version=2024-10-21", "/openai/deployments?api-version=1",
         "/api/projects/demo/openai/v1/models"]


@pytest.mark.parametrize("path", LISTS)
def test_the_list(envoy, mocks, path):
    response = envoy.client.get(path)
    listed = response.json()
    assert (response.status_code, listed["object"]) == (200, "list")
    names = [entry["id"] for entry in listed["data"]]
    assert names[0] == "model-router" and {"auto", "gpt-5-nano", "text-embedding-3-small"} <= set(names)
    assert len(names) == len(set(names))
    for entry in listed["data"]:
        assert entry.keys() == {"id", "object", "created", "owned_by"} and entry["object"] == "model"
    head = envoy.client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(response.content)))
    assert not asked(mocks)


@pytest.mark.parametrize("prefix", ["/v1", "", "/openai/v1", "/api/projects/demo/openai/v1"])
def test_entries(latest, mocks, prefix):
    for name in ["model-router", "gpt-5.4", "GPT-5-mini", "gpt%2D5.4"]:
        response = latest.client.get(f"{prefix}/models/{name}")
        assert response.status_code == 200 and response.json()["object"] == "model", name
    missing = latest.client.get(f"{prefix}/models/nobody")
    code = "DeploymentNotFound" if "openai" in prefix else "model_not_found"
    assert (missing.status_code, is_openai_error(missing)["code"]) == (404, code)


@pytest.mark.parametrize("path", ["/models/info", "/models/info?api-version=2024-05-01-preview", "/info"])
def test_info(latest, mocks, path):
    info = latest.client.get(path).json()
    assert info == {"model_name": "model-router", "model_type": "chat-completion", "model_provider_name": "model-router"}


def test_the_list_of_a_consumer(own, mocks):
    listed = lambda team: {entry["id"] for entry in own.client.get("/v1/models", headers={"x-team": team}).json()["data"]}
    assert listed("small") == {"model-router", "gpt-5-nano", "gpt-oss-120b"}
    assert {"mixed", "first", "gpt-5.4"} <= listed("all")
    for path in ["/v1/models", "/v1/models/gpt-5-nano", "/models/info"]:
        response = own.client.get(path, headers={"x-team": "stranger"})
        assert response.status_code == 403 and is_openai_error(response)
    hidden = own.client.get("/v1/models/gpt-5.4", headers={"x-team": "small"})
    assert hidden.status_code in [403, 404] and is_openai_error(hidden)
