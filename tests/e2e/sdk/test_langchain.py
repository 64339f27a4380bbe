"""LangChain's ChatOpenAI and AzureChatOpenAI."""

import langchain_openai
import openai
import pydantic
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

from .common import KEY, PICTURE, PROMPT, SEEING, hang, items, rate_limit, requests, tool_results, wait


@tool
def get_order_status(order_id: str) -> str:
    """Where an order is."""
    return f"{order_id} is shipped"


def _openai(url, model="model-router", **options):
    return langchain_openai.ChatOpenAI(model=model, base_url=f"{url}/v1", api_key=KEY, **options)


def _azure(url, model="model-router", **options):
    return langchain_openai.AzureChatOpenAI(
        azure_deployment=model, azure_endpoint=url, api_key=KEY, api_version="2024-10-21", **options
    )


MAKERS = {"openai": _openai, "azure": _azure}


@pytest.fixture(params=[(maker, way) for maker in MAKERS for way in ["sync", "async"]], ids="-".join)
def connect(request, envoy, mocks):
    maker, way = request.param
    return lambda **options: Chat(MAKERS[maker](envoy.url, **{"max_retries": 0, **options}), way == "async")


class Chat:
    """A chat model, by its sync or its async methods."""

    def __init__(self, model, is_async):
        self.model, self.is_async = model, is_async

    def invoke(self, messages):
        return wait((self.model.ainvoke if self.is_async else self.model.invoke)(messages))

    def stream(self, messages):
        return items((self.model.astream if self.is_async else self.model.stream)(messages))

    def __getattr__(self, name):
        return lambda *arguments, **options: Chat(getattr(self.model, name)(*arguments, **options), self.is_async)


def test_chat(connect, plan):
    answer = connect().invoke(PROMPT)
    assert answer.content
    assert answer.response_metadata["model_name"].startswith(plan[0]["model"])
    assert answer.usage_metadata["total_tokens"] > 0


def test_streaming(connect, plan):
    chunks = connect(stream_usage=True).stream(PROMPT)
    whole = sum(chunks[1:], chunks[0])
    assert whole.content and whole.usage_metadata["total_tokens"] > 0
    assert whole.response_metadata["model_name"].startswith(plan[0]["model"])


def test_a_loop_with_tools(connect, mocks):
    messages = [HumanMessage("Where is order A-1?")]
    asked = connect().bind_tools([get_order_status], tool_choice="required").invoke(messages)
    [call] = asked.tool_calls
    result = get_order_status.invoke(call)
    assert isinstance(result, ToolMessage)
    assert connect().bind_tools([get_order_status]).invoke([*messages, asked, result]).content
    assert tool_results(mocks) == [result.content]


def test_images_go_to_a_model_that_sees(connect):
    answer = connect().invoke(PICTURE)
    assert answer.response_metadata["model_name"].startswith(SEEING)


def test_structured_output(connect):
    class Order(pydantic.BaseModel):
        order_id: str

    assert isinstance(connect().with_structured_output(Order).invoke(PROMPT), Order)


def test_an_unknown_model(connect, mocks):
    with pytest.raises(openai.NotFoundError, match="nobody"):
        connect(model="nobody").invoke(PROMPT)
    assert not requests(mocks)


def test_an_invalid_request(connect):
    with pytest.raises(openai.BadRequestError):
        connect().invoke([])


def test_a_provider_that_hangs(connect, mocks):
    hang(mocks)
    with pytest.raises(openai.APITimeoutError):
        connect(timeout=0.2).invoke(PROMPT)


def test_the_client_waits_and_tries_again(connect, mocks, plan):
    rate_limit(mocks, plan, rounds=1)
    assert connect(max_retries=1).invoke(PROMPT).content


def test_the_client_gives_up(connect, mocks, plan):
    rate_limit(mocks, plan)
    with pytest.raises(openai.RateLimitError):
        connect(max_retries=1).invoke(PROMPT)
