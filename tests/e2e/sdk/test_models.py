"""What there is: routers and models, as each SDK lists them; and models that embed."""

import azure.ai.inference
import azure.ai.inference.aio
import openai
import pytest
from azure.core.credentials import AzureKeyCredential

from .common import KEY, wait

ROUTERS = {"auto", "model-router", "model-router-quality", "model-router-cost"}
MODELS = {"gpt-5-nano", "gpt-5-mini", "gpt-5.4", "gpt-4.1-mini", "claude-sonnet-4-5", "text-embedding-3-small"}


def test_the_list(client, mocks):
    listed = wait(client.models.list()).data
    assert {model.id for model in listed} >= ROUTERS | MODELS
    assert {model.object for model in listed} == {"model"}
    assert not any(mock.requests() for mock in mocks.values()), "no provider is asked"


@pytest.mark.parametrize("name", ["model-router", "gpt-5-mini"])
def test_one(client, mocks, name):
    model = wait(client.models.retrieve(name))
    assert model.id == name and model.owned_by


def test_an_unknown_one(client, mocks):
    with pytest.raises(openai.NotFoundError):
        wait(client.models.retrieve("nobody"))


@pytest.mark.parametrize("path", ["", "/models"])
@pytest.mark.parametrize("package", [azure.ai.inference, azure.ai.inference.aio], ids=["sync", "async"])
def test_model_info(envoy, mocks, package, path):
    client = package.ChatCompletionsClient(endpoint=envoy.url + path, credential=AzureKeyCredential(KEY))
    info = wait(client.get_model_info())
    assert info.model_name and info.model_type and info.model_provider_name
    assert wait(client.complete(messages=[{"role": "user", "content": "hi"}], model="model-router")).choices
    wait(client.close())


@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}, {"dimensions": 8}], ids=str)
def test_embeddings(client, mocks, options):
    answer = wait(client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], **options))
    assert [item.index for item in answer.data] == [0, 1]
    assert all(isinstance(number, float) for item in answer.data for number in item.embedding)
    assert len(answer.data[0].embedding) == options.get("dimensions", len(answer.data[1].embedding)) > 0
    assert answer.model == "text-embedding-3-small" and answer.usage.prompt_tokens > 0
    assert [name for name, mock in mocks.items() if mock.requests()] == ["openai"]


def test_embeddings_of_nobody(client, mocks):
    with pytest.raises(openai.NotFoundError):
        wait(client.embeddings.create(model="nobody", input="one"))
