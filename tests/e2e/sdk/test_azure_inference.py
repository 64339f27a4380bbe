"""azure-ai-inference, sync and async, at each kind of endpoint that it is pointed at."""

import json

import azure.ai.inference
import azure.ai.inference.aio
import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    ImageContentItem,
    ImageUrl,
    SystemMessage,
    TextContentItem,
    ToolMessage,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceResponseError

from .common import (
    KEY,
    MESSAGES,
    PARAMETERS,
    PIXEL,
    PROMPT,
    SEEING,
    AsyncCredential,
    Credential,
    hang,
    items,
    rate_limit,
    requests,
    text,
    tool_results,
    wait,
)

ENDPOINTS = ["", "/models", "/openai/deployments/model-router"]
TOOL = ChatCompletionsToolDefinition(function=FunctionDefinition(name="get_order_status", parameters=PARAMETERS))


@pytest.fixture(params=[(kind, path) for kind in ["sync", "async"] for path in ENDPOINTS], ids="-".join)
def connect(request, envoy, mocks):
    kind, path = request.param
    package = azure.ai.inference.aio if kind == "async" else azure.ai.inference
    opened = []

    def client(path=path, credential=None, **options):
        options = {"retry_total": 0, **options}
        credential = credential or AzureKeyCredential(KEY)
        opened.append(package.ChatCompletionsClient(endpoint=envoy.url + path, credential=credential, **options))
        return opened[-1]

    client.is_async = kind == "async"
    yield client
    for each in opened:
        wait(each.close())


@pytest.fixture
def client(connect):
    return connect()


def complete(client, **body):
    return wait(client.complete(**{"model": "model-router", "messages": MESSAGES, **body}))


def test_chat(client, plan):
    answer = complete(client, messages=[UserMessage(PROMPT)], temperature=0.2, max_tokens=50)
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens > 0
    assert answer.model.startswith(plan[0]["model"])


def test_streaming(client):
    updates = items(complete(client, stream=True))
    assert text(updates)
    assert len({update.model for update in updates if update.model}) == 1


def test_a_loop_with_tools(client, mocks):
    messages = [SystemMessage("You track orders."), UserMessage("Where is order A-1?")]
    asked = complete(client, messages=messages, tools=[TOOL], tool_choice="required").choices[0]
    [call] = asked.message.tool_calls
    assert call.function.name == "get_order_status" and "order_id" in json.loads(call.function.arguments)
    messages += [AssistantMessage(tool_calls=[call]), ToolMessage("shipped", tool_call_id=call.id)]
    assert complete(client, messages=messages, tools=[TOOL]).choices[0].message.content
    assert tool_results(mocks) == ["shipped"]


def test_images_go_to_a_model_that_sees(client):
    parts = [TextContentItem(text="What is in this picture?"), ImageContentItem(image_url=ImageUrl(url=PIXEL))]
    assert complete(client, messages=[UserMessage(parts)]).model.startswith(SEEING)


def test_an_unknown_model(connect, mocks):
    with pytest.raises(ResourceNotFoundError) as caught:
        complete(connect(path="/models"), model="nobody")
    assert caught.value.error.code in ["DeploymentNotFound", "model_not_found"]
    assert not requests(mocks)


def test_an_unknown_deployment(connect):
    with pytest.raises(ResourceNotFoundError) as caught:
        complete(connect(path="/openai/deployments/nobody"))
    assert caught.value.error.code == "DeploymentNotFound"


def test_an_invalid_request(client):
    with pytest.raises(HttpResponseError) as caught:
        complete(client, messages=[])
    assert caught.value.status_code == 400 and "messages" in caught.value.message


def test_a_provider_that_hangs(connect, mocks):
    hang(mocks)
    with pytest.raises(ServiceResponseError):
        complete(connect(read_timeout=0.2))


@pytest.mark.parametrize("connect", [("sync", ""), ("async", "")], indirect=True, ids="-".join)
def test_the_client_waits_and_tries_again(connect, mocks, plan):
    """azure-core repeats a POST that was refused with 429 only if `retry-after` is there; `-ms` alone does not do."""
    rate_limit(mocks, plan, rounds=1, **{"retry-after": "1"})
    assert complete(connect(retry_total=1)).choices[0].message.content
    assert len(requests(mocks)) == len(plan) + 1


def test_the_client_gives_up(connect, mocks, plan):
    rate_limit(mocks, plan)
    with pytest.raises(HttpResponseError) as caught:
        complete(connect())
    assert caught.value.status_code == 429


def test_extra_parameters_pass_through(client, mocks):
    assert complete(client, model_extras={"user": "somebody"}).choices[0].message.content
    [(_, body)] = requests(mocks)
    assert body["user"] == "somebody"


def test_with_a_token(connect):
    """azure-core gives a token to plain http only when told to."""
    credential = AsyncCredential() if connect.is_async else Credential()
    client = connect(credential=credential, credential_scopes=["https://ai.azure.com/.default"])
    assert complete(client, enforce_https=False).choices[0].message.content
