"""The code that articles about model routers show, with only the address and the key changed.

The calls are theirs, the questions ours. What cannot be run: the Node sample for `@azure/openai`, which exports nothing
(node/chat.test.cjs has its calls with `openai`); the C# sample; LiteLLM's proxy, which needs more than LiteLLM.
"""

import time

import litellm
import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from openai import AzureOpenAI

from .common import KEY, MESSAGES, SERVED, rate_limit, requests, text, wait
from .test_litellm import FEE, price_of


@pytest.fixture
def azure(renamed, mocks):
    return AzureOpenAI(azure_endpoint=renamed.url, api_key=KEY, api_version="2025-11-18")


@pytest.fixture
def inference(envoy, mocks):
    with ChatCompletionsClient(endpoint=envoy.url, credential=AzureKeyCredential(KEY)) as client:
        yield client


def test_azure_chat(azure):
    response = azure.chat.completions.create(
        model="model-router-prod",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Compare queues with logs."},
        ],
    )
    assert response.choices[0].message.content
    assert response.model.startswith(SERVED)


def test_azure_streaming(azure):
    stream = azure.chat.completions.create(
        model="model-router-prod", messages=[{"role": "user", "content": "Explain quorums."}], stream=True
    )
    said = ""
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            said += chunk.choices[0].delta.content
    assert said


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_azure_tools(azure, choice):
    tools = [
        {
            "type": "function",
            "function": {
                "name": "get_order_status",
                "description": "Looks an order up.",
                "parameters": {
                    "type": "object",
                    "properties": {"order_id": {"type": "string", "description": "Which order."}},
                    "required": ["order_id"],
                },
            },
        }
    ]
    response = azure.chat.completions.create(
        model="model-router-prod",
        messages=[{"role": "system", "content": "You know orders."}, {"role": "user", "content": "Where is B-12?"}],
        tools=tools,
        tool_choice=choice,
    )
    message = response.choices[0].message
    assert message.tool_calls[0].function.arguments if choice == "required" else message.content
    assert response.model.startswith(SERVED)


QUESTIONS = [
    "Which river runs through Vienna?",
    """
    Three services are called in a row and each is up 99.5 % of the time.
    How often is the whole up? Show each step.
    """,
    """
    Write a Python decorator that caches results for a minute.
    With types, tests and support for async functions.
    """,
]


def test_inference_chat(inference):
    responses = [
        inference.complete(model="model-router", messages=[{"role": "user", "content": question}])
        for question in QUESTIONS
    ]
    assert all(response.choices[0].message.content for response in responses)
    assert all(response.model.startswith(SERVED) for response in responses)


def test_inference_with_a_loop_of_retries(inference, mocks, plan):
    def query_with_retry(client, model, messages, max_retries=3):
        for attempt in range(max_retries):
            try:
                return client.complete(model=model, messages=messages, timeout=30)
            except ServiceRequestError:
                raise
            except HttpResponseError as error:
                if error.status_code != 429 or attempt == max_retries - 1:
                    raise
                time.sleep(0.02)

    rate_limit(mocks, plan, rounds=1)
    assert query_with_retry(inference, "model-router", MESSAGES).choices[0].message.content
    assert len(requests(mocks)) == len(plan) + 1


def test_litellm_chat_and_its_cost(renamed, mocks):
    response = litellm.completion(
        model="azure_ai/model_router/azure-model-router",
        messages=[{"role": "user", "content": "Good morning!"}],
        api_base=f"{renamed.url}/openai/v1/",
        api_key=KEY,
    )
    assert response.model.removeprefix("azure_ai/").startswith(SERVED)
    price = price_of(response, FEE)
    assert litellm.completion_cost(completion_response=response) == price
    assert hasattr(response, "_hidden_params") and response._hidden_params["response_cost"] == price


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")
def test_litellm_streaming_with_usage(renamed, mocks):
    async def main():
        response = await litellm.acompletion(
            model="azure_ai/model_router/azure-model-router",
            messages=[{"role": "user", "content": "Good morning!"}],
            api_base=f"{renamed.url}/openai/v1/",
            api_key=KEY,
            stream=True,
            stream_options={"include_usage": True},
        )
        return [chunk async for chunk in response]

    chunks = wait(main())
    assert text(chunks)
    assert any(getattr(chunk, "usage", None) for chunk in chunks)
