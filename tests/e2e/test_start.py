"""What Envoy does with a policy at start, and the files that deploy it."""

import json
import subprocess

import pytest
import yaml
from conftest import CLI, ROOT, Envoy, envoy_binary

PLUGIN = "model_router.route"


def with_policy(text, policy, kind="Struct"):
    """envoy.yaml with another policy, by structure rather than by text."""
    document = yaml.safe_load(text)
    [manager] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    [plugin] = [entry for entry in manager["typed_config"]["http_filters"] if entry["name"] == PLUGIN]
    configuration = plugin["typed_config"]["config"]["configuration"]
    configuration["@type"] = f"type.googleapis.com/google.protobuf.{kind}"
    configuration["value"] = json.dumps(policy) if kind == "StringValue" else policy
    return yaml.safe_dump(document, default_flow_style=False)


def policy_of(text):
    document = yaml.safe_load(text)
    [manager] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    return manager["typed_config"]["http_filters"][0]["typed_config"]["config"]["configuration"]["value"]


TEXT = (ROOT / "envoy/envoy.yaml").read_text()

BAD_POLICIES = [
    ({}, ["configuration"]),
    ({"routers": [{"name": "r", "mode": {"band": 1.5}}]}, ["routers[0].mode.band", "models", "providers"]),
    ({"routers": [{"name": "r", "subset": ["nothing"]}], "models": [], "extra": 1}, ["routers[0].subset[0]", "models", "configuration: unknown field `extra`"]),
]


@pytest.mark.parametrize("policy, paths", BAD_POLICIES)
def test_a_wrong_policy_is_refused_with_all_its_errors(version, tmp_path, policy, paths):
    config = tmp_path / "envoy.yaml"
    config.write_text(with_policy(TEXT, policy))
    validate = [envoy_binary(version), "--mode", "validate", "-c", config]
    result = subprocess.run(validate, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    check = subprocess.run([CLI, "check", config], capture_output=True, text=True, check=False)
    assert check.returncode == 1
    for path in paths:
        assert f"model_router: {path}" in result.stderr, result.stderr
        assert f"{path}" in check.stdout


def test_the_policy_as_text(version, all_mocks, mocks, tmp_path):
    envoy = Envoy(tmp_path, all_mocks, version, lambda text: with_policy(text, policy_of(text), "StringValue"))
    try:
        assert envoy.chat().status_code == 200
    finally:
        envoy.stop()


def test_unknown_paths_may_pass(version, all_mocks, mocks, tmp_path):
    def change(text):
        document = yaml.safe_load(with_policy(text, policy_of(text) | {"unknown_paths": "pass"}))
        [manager] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
        routes.insert(0, {"match": {"path": "/v1/models"}, "route": {"cluster": "oss"}})
        return yaml.safe_dump(document, default_flow_style=False)

    envoy = Envoy(tmp_path, all_mocks, version, change)
    try:
        assert envoy.client.get("/v1/models").json()["object"] == "list"
        assert envoy.chat().status_code == 200
    finally:
        envoy.stop()


def test_the_policy_limits_attempts(version, all_mocks, mocks, tmp_path):
    envoy = Envoy(tmp_path, all_mocks, version, lambda text: with_policy(text, policy_of(text) | {"max_attempts": 2}))
    try:
        for mock in mocks.values():
            mock.fault("status", count=None, status=503)
        response = envoy.chat()
        assert (response.status_code, response.headers["x-model-router-attempts"]) == (503, "2")
    finally:
        envoy.stop()
