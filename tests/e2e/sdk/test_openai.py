"""Chat Completions with the OpenAI SDK: OpenAI's client, Azure's and a Foundry project's, sync and async."""

import json

import openai
import pydantic
import pytest

from .common import MESSAGES, PICTURE, SEEING, TOOL, hang, items, rate_limit, requests, text, tool_results, wait
from .openai_clients import CLIENTS


def create(client, **body):
    return wait(client.chat.completions.create(**{"model": "model-router", "messages": MESSAGES, **body}))


def test_chat(client, mocks, plan):
    answer = create(client, temperature=0.2, max_tokens=50)
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens > 0
    assert answer.model.startswith(plan[0]["model"]), "the model that answered"


def test_streaming(client, mocks, plan):
    chunks = items(create(client, stream=True))
    assert text(chunks)
    assert {chunk.model for chunk in chunks if chunk.model} == {create(client).model}
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices, "the usage chunk was not asked for"


def test_streaming_with_usage(client, mocks):
    *_, last = items(create(client, stream=True, stream_options={"include_usage": True}))
    assert last.choices == [] and last.usage.total_tokens > 0


def test_a_loop_with_tools(client, mocks):
    asked = create(client, tools=[TOOL], tool_choice="required").choices[0]
    assert asked.finish_reason == "tool_calls"
    [call] = asked.message.tool_calls
    assert call.function.name == "get_order_status" and "order_id" in json.loads(call.function.arguments)
    result = {"role": "tool", "tool_call_id": call.id, "content": "shipped"}
    told = create(client, messages=[*MESSAGES, asked.message, result], tools=[TOOL])
    assert told.choices[0].message.content
    assert tool_results(mocks) == ["shipped"]


def test_streamed_tool_calls(client, mocks):
    chunks = items(create(client, tools=[TOOL], tool_choice="required", stream=True))
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert calls[0].function.name == "get_order_status"
    assert "order_id" in json.loads("".join(call.function.arguments or "" for call in calls))


def test_images_go_to_a_model_that_sees(client, mocks):
    assert create(client, messages=PICTURE).model.startswith(SEEING)
    [(_, body)] = requests(mocks)
    assert body["messages"] == PICTURE


def test_parsed_output(client, mocks):
    class Order(pydantic.BaseModel):
        order_id: str
        items: list[str]

    parse = client.chat.completions.parse(model="model-router", messages=MESSAGES, response_format=Order)
    assert isinstance(wait(parse).choices[0].message.parsed, Order)


def test_failover_is_invisible(client, mocks, plan):
    mocks[plan[0]["provider"]].fault("stream_error", count=None)
    chunks = items(create(client, stream=True))
    assert text(chunks) and not chunks[-1].model.startswith(plan[0]["model"])


def test_an_unknown_model(client, kind, mocks):
    with pytest.raises(openai.NotFoundError) as caught:
        create(client, model="nobody")
    assert caught.value.code == ("model_not_found" if kind in ["openai", "openai-async"] else "DeploymentNotFound")
    assert not requests(mocks)


def test_an_invalid_request(client, mocks):
    with pytest.raises(openai.BadRequestError) as caught:
        create(client, messages=[])
    assert caught.value.param == "messages"
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_hangs(connect, mocks, stream):
    hang(mocks)
    with pytest.raises(openai.APITimeoutError):
        create(connect(timeout=0.2), stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_waits_and_tries_again(connect, mocks, plan, stream):
    rate_limit(mocks, plan, rounds=1)
    answer = create(connect(max_retries=1), stream=stream)
    assert text(items(answer)) if stream else answer.choices[0].message.content
    assert len(requests(mocks)) == len(plan) + 1


def test_the_client_gives_up(connect, mocks, plan):
    rate_limit(mocks, plan)
    with pytest.raises(openai.RateLimitError) as caught:
        create(connect(max_retries=1))
    assert caught.value.code
    assert len(requests(mocks)) == 2 * len(plan)


@pytest.mark.parametrize("name", ["openai", "azure"])
def test_on_every_envoy(all_envoys, version, mocks, plan, name):
    client = CLIENTS[name](all_envoys[version].url, max_retries=1)
    rate_limit(mocks, plan, rounds=1)
    assert create(client).choices[0].message.content
    assert text(items(create(client, stream=True)))
    assert create(client, tools=[TOOL], tool_choice="required").choices[0].message.tool_calls
    with pytest.raises(openai.NotFoundError):
        create(client, model="nobody")


def test_azures_deployment_beats_the_model(envoy, mocks):
    azure = openai.AzureOpenAI(
        azure_endpoint=envoy.url, azure_deployment="gpt-4.1-mini", api_key="key", api_version="2024-10-21"
    )
    assert create(azure).model.startswith("gpt-4.1-mini")


def test_azure_with_a_token(envoy, mocks):
    azure = openai.AzureOpenAI(azure_endpoint=envoy.url, azure_ad_token="token", api_version="2024-10-21")
    assert create(azure).choices[0].message.content
    [(provider, _)] = requests(mocks)
    assert "Bearer token" not in mocks[provider].requests()[0]["headers"].values(), "the client's own"
