"""APIs that take a model's name and nothing else: embeddings, completions, moderations, images."""

import json

import pytest
from wire import asked, is_openai_error

BODIES = {
    "embeddings": {"input": ["one", "two"]},
    "completions": {"prompt": "Once upon"},
    "moderations": {"input": "x"},
    "images/generations": {"prompt": "A cat."},
}
FAULTS = [
    {"fault": "status", "status": 503}, {"fault": "status", "status": 429}, {"fault": "reset"}, {"fault": "malformed"},
    {"fault": "empty_stream"},
]
UNKNOWN = {"/v1": "model_not_found", "/openai/v1": "DeploymentNotFound", "/openai/deployments/nobody": "DeploymentNotFound"}
PREFIXES = ["/v1", "", "/openai/v1", "/api/projects/demo/openai/v1"]
api = pytest.mark.parametrize("api", BODIES)
# Azure has no moderations.
azure_api = pytest.mark.parametrize("api", [name for name in BODIES if name != "moderations"])


def send(envoy, api, model="gpt-5-nano", prefix="/v1", query="", **more):
    return envoy.client.post(f"{prefix}/{api}{query}", json={"model": model, **BODIES[api], **more})


@api
@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_api_on_each_path(latest, mocks, api, prefix):
    response = send(latest, api, prefix=prefix)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "gpt-5-nano"
    assert (response.headers["x-model-router-mode"], response.headers["x-model-router-reason"]) == ("direct", "direct")
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("openai", f"/v1/{api}")
    assert json.loads(request["body"]) == {"model": "gpt-5-nano", **BODIES[api]}


@azure_api
def test_azures_classic_paths(envoy, mocks, api):
    """The deployment in the path is the model's name here, and the provider's own name there."""
    mocks["openai"].fault("status", count=None, status=503)
    path = "/openai/deployments/text-embedding-3-small"
    response = send(envoy, api, "ignored", path, "?api-version=2024-10-21")
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "text-embedding-3-small"
    assert response.headers["x-model-router-attempts"] == "2"
    [request] = mocks["azure"].requests()
    assert request["path"] == f"/openai/deployments/my-embeddings/{api}?api-version=2025-04-01-preview"


def test_bytes_stay_as_they_are(latest, mocks):
    sent = '{ "input":["caf\\u00e9 "] ,"model" : "TEXT-embedding-3-small","dimensions":  8, "temperature":2}'
    response = latest.client.post("/v1/embeddings", content=sent, headers={"content-type": "application/json"})
    assert len(response.json()["data"][0]["embedding"]) == 8
    [(_, request)] = asked(mocks)
    assert request["body"] == sent.replace("TEXT", "text")


@azure_api
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["fault"])))
def test_failover_between_the_providers_of_a_model(latest, mocks, api, fault):
    mocks["openai"].fault(**fault)
    response = send(latest, api, "text-embedding-3-small")
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-attempts"] == "2"
    assert [provider for provider, _ in asked(mocks)] == ["openai", "azure"]


def test_usage_and_cost(latest, mocks):
    names = ["model_router_tokens_total", "model_router_cost_microdollars_total"]
    count = lambda: [latest.metric(name, model="text-embedding-3-small") for name in names]
    before = count()
    usage = send(latest, "embeddings", "text-embedding-3-small", input=["word " * 5000]).json()["usage"]
    tokens, cost = (now - old for now, old in zip(count(), before))
    assert tokens == usage["prompt_tokens"] and abs(cost - usage["prompt_tokens"] * 0.02) <= 1


@api
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_router_has_no_such_api(latest, mocks, api, prefix):
    response = send(latest, api, "model-router", prefix)
    error = is_openai_error(response)
    assert (response.status_code, error["param"]) == (400, "model") and not asked(mocks)


@api
@pytest.mark.parametrize("prefix, code", UNKNOWN.items(), ids=UNKNOWN)
def test_an_unknown_model(latest, mocks, api, prefix, code):
    response = send(latest, api, "nobody", prefix)
    assert (response.status_code, is_openai_error(response)["code"]) == (404, code)
    assert not asked(mocks)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"input":"x"}', b'{"model":5,"input":"x"}', b'{"model":"a","model":"b"}'], ids=repr)
def test_bad_bodies(latest, mocks, body):
    response = latest.client.post("/v1/embeddings", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400 and is_openai_error(response) and not asked(mocks)


def test_what_the_provider_refuses_is_the_clients_answer(latest, mocks):
    response = send(latest, "embeddings", "text-embedding-3-small", input=[])
    assert response.status_code == 400 and response.json()["error"]["message"]
    assert response.headers["x-model-router-attempts"] == "1"


def test_a_consumer_gets_only_its_models(own, mocks):
    body = {"model": "text-embedding-3-small", "input": "x"}
    ask = lambda team: own.client.post("/v1/embeddings", json=body, headers={"x-team": team}).status_code
    assert [ask(team) for team in ["all", "small", "stranger"]] == [200, 403, 403]
    assert len(asked(mocks)) == 1


def test_a_form_names_the_model_in_a_field(latest, mocks):
    form = {"model": "gpt-4.1-mini", "prompt": "names"}
    response = latest.client.post("/v1/audio/transcriptions", data=form, files={"file": ("a.wav", b"\r\n--" * 20_000)})
    assert response.status_code == 200 and response.json()["text"]
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini"
    (request,) = mocks["openai"].requests()
    assert request["headers"]["content-type"].startswith("multipart/form-data")
    assert 'name="model"\r\n\r\ngpt-4.1-mini\r\n' in request["body"]
    assert latest.client.post("/v1/audio/transcriptions", data={"model": "model-router"}, files={"file": b"x"}).status_code == 400
