"""Fixtures of the SDK suites. They run on the newest Envoy only, unless a suite says otherwise."""

import os

import pytest
import yaml
from conftest import Envoy

from .openai_clients import CLIENTS

os.environ |= {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LANGSMITH_TRACING": "false",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "AZURE_TRACING_GEN_AI_ENABLE_GENAI_TRACING": "false",
}


@pytest.fixture(scope="session")
def latest(all_envoys):
    return next(iter(all_envoys.values()))


@pytest.fixture
def envoy(latest):
    return latest


@pytest.fixture(params=CLIENTS)
def connect(request, envoy, mocks):
    """Makes one of the clients; it does not retry unless told to."""
    return lambda **options: CLIENTS[request.param](envoy.url, **{"max_retries": 0, **options})


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def kind(request):
    """The name of the client that the test is given."""
    return request.node.callspec.params["connect"]


@pytest.fixture(scope="session")
def renamed(all_mocks, tmp_path_factory):
    """An Envoy whose routers and models have the names that the samples ask for."""
    envoy = Envoy(tmp_path_factory.mktemp("renamed"), all_mocks, change=_rename)
    yield envoy
    envoy.stop()


def _rename(text):
    config = yaml.safe_load(text)
    [policy] = _policies(config)
    demo = policy["routers"][0]
    policy["routers"] += [{**demo, "name": name} for name in ["model-router-prod", "azure-model-router"]]
    policy["models"] += [
        {"name": "gpt-5.2", "served_by": [{"provider": "openai"}]},
        {"name": "DeepSeek-V3.2", "served_by": [{"provider": "oss"}]},
    ]
    return yaml.safe_dump(config)


def _policies(node):
    """The policies in Envoy's configuration: whatever has routers and models."""
    if isinstance(node, dict) and {"routers", "models", "providers"} <= node.keys():
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return [policy for child in children for policy in _policies(child)]
