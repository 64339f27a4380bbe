"""The real OpenAI SDK, with only the address changed."""

import openai
import pytest


@pytest.fixture
def client(envoy):
    return openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="client-key", max_retries=0)


MESSAGES = [{"role": "user", "content": "Say hello."}]


def test_chat(client, mocks):
    answer = client.chat.completions.create(model="model-router", messages=MESSAGES, temperature=0.2, max_tokens=50)
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens > 0
    assert answer.model != "model-router"


def test_streaming(client, mocks):
    stream = client.chat.completions.create(model="model-router", messages=MESSAGES, stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices, "the usage chunk was not asked for"


def test_streaming_with_usage(client, mocks):
    stream = client.chat.completions.create(
        model="model-router", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert last.choices == [] and last.usage.total_tokens > 0


def test_tools(client, mocks):
    tool = {
        "type": "function",
        "function": {
            "name": "get_order_status",
            "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        },
    }
    answer = client.chat.completions.create(
        model="model-router", messages=MESSAGES, tools=[tool], tool_choice="required"
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "get_order_status"


def test_failover_is_invisible(client, mocks, plan):
    mocks[plan[0]["provider"]].fault("stream_error", count=None)
    stream = client.chat.completions.create(model="model-router", messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_errors(client, mocks):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=MESSAGES)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="model-router", messages=[])


def test_azure_client(envoy, mocks):
    azure = openai.AzureOpenAI(azure_endpoint=envoy.url, api_key="client-key", api_version="2024-10-21")
    answer = azure.chat.completions.create(model="model-router", messages=MESSAGES)
    assert answer.choices[0].message.content
    stream = azure.chat.completions.create(model="model-router", messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    with pytest.raises(openai.NotFoundError) as caught:
        azure.chat.completions.create(model="nobody", messages=MESSAGES)
    assert caught.value.code == "DeploymentNotFound"
