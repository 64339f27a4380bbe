"""The manifests for Istio and Envoy Gateway: their policies, and the Envoy configurations that they produce, running."""

import json
import os
import re
import subprocess
import uuid

import mesh
import pytest
import yaml
from conftest import CLI, ROOT, VERSIONS, Envoy

MANIFESTS = ["istio/full", "istio/small", "envoy-gateway/full", "envoy-gateway/small"]
IMAGE = re.compile(r"registry\.example\.com/model-router:([\d.]+)")


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_policy_is_valid(name, tmp_path):
    (tmp_path / "policy.json").write_text(json.dumps(mesh.policy(name)))
    checked = subprocess.run([CLI, "check", tmp_path / "policy.json"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and "warning" not in checked.stdout, checked


@pytest.mark.parametrize("name", MANIFESTS)
def test_it_names_this_version_of_the_image(name):
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    assert set(IMAGE.findall((mesh.MESH / f"{name}.yaml").read_text())) == {version}


@pytest.fixture(scope="module")
def gateways(all_mocks, tmp_path_factory):
    """An Envoy for each manifest and version, started when first asked for."""
    os.environ |= {"OPENAI_API_KEY": "secret of openai-key", "ANTHROPIC_API_KEY": "secret of anthropic-key"}
    running = {}

    def gateway(name, version):
        if (name, version) not in running:
            directory = tmp_path_factory.mktemp("mesh")
            make = mesh.istio if name.startswith("istio") else mesh.envoy_gateway
            source = directory / "made.yaml"
            source.write_text(yaml.safe_dump(make(name, directory), default_flow_style=False))
            running[name, version] = Envoy(directory, all_mocks, version, source=source)
        return running[name, version]

    yield gateway
    for envoy in running.values():
        envoy.stop()


@pytest.fixture
def gateway(gateways, name, version, mocks):
    return gateways(name, version)


def fresh():
    """A conversation that no model has had."""
    return [{"role": "user", "content": f"Say {uuid.uuid4()}."}]


def seen(mocks):
    return [(provider, request) for provider, mock in mocks.items() for request in mock.requests()]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model, provider, header, key", [
    ("gpt-5-mini", "openai", "authorization", "openai-key"), ("claude-sonnet-4-5", "anthropic", "x-api-key", "anthropic-key")])
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_model_is_asked_with_its_providers_key(gateway, name, mocks, model, provider, header, key, stream):
    headers = {"authorization": "Bearer client", "x-model-router-cluster": "anthropic"}
    response = gateway.chat(model, stream=stream, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == model
    assert "[DONE]" in response.text if stream else response.json()["usage"]["completion_tokens"]
    [(asked, request)] = seen(mocks)
    # Istio's manifests put `Bearer` before the key; in Envoy Gateway's it is part of the secret.
    prefix = "Bearer " if header == "authorization" and name.startswith("istio") else ""
    assert (asked, request["headers"][header]) == (provider, f"{prefix}secret of {key}")
    assert request["headers"]["host"] == f"api.{provider}.com"
    assert not [each for each in request["headers"] if each.startswith("x-model-router")]
    assert gateway.metric("model_router_tokens_total", model=model, kind="output") > 0


@pytest.mark.parametrize("name", MANIFESTS)
def test_long_requests_and_answers_pass(gateway, name):
    response = gateway.client.post("/v1/chat/completions", json={
        "model": "gpt-5-mini", "messages": [{"role": "user", "content": "word " * 400_000}]}, headers={"expect": ""})
    assert response.status_code in (200, 400), response.text
    assert "context" in response.text or response.status_code == 200


@pytest.mark.parametrize("name", MANIFESTS)
def test_other_paths_and_unknown_models_reach_nobody(gateway, name, mocks):
    assert gateway.client.get("/other").json()["error"]["code"] == "unknown_path"
    assert gateway.chat("nobody").status_code == 404
    assert {model["id"] for model in gateway.client.get("/v1/models").json()["data"]} >= {"model-router", "gpt-5.4"}
    assert not seen(mocks)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["istio/full", "envoy-gateway/full"])
def test_the_full_deployment_fails_over_to_another_model(gateway, name, mocks, stream):
    mocks["openai"].fault("stream_error" if stream else "status", count=None, **({} if stream else {"status": 503}))
    response = gateway.chat(stream=stream, messages=fresh())
    assert response.status_code == 200 and response.headers["x-model-router-model"] == "claude-sonnet-4-5"
    assert {provider for provider, _ in seen(mocks)} == {"openai", "anthropic"}
    last = mocks["anthropic"].requests()[-1]
    assert last["headers"]["x-api-key"].endswith("secret of anthropic-key") and "authorization" not in last["headers"]


@pytest.mark.parametrize("name", ["istio/small", "envoy-gateway/small"])
def test_the_small_deployment_tells_the_error(gateway, name, mocks):
    mocks["openai"].fault("status", count=None, status=503)
    response = gateway.chat(messages=fresh())
    assert response.status_code == 503 and response.headers["x-model-router-attempts"] == "1"
    assert response.json()["error"]["message"] and {provider for provider, _ in seen(mocks)} == {"openai"}
