"""LiteLLM as a client, by each of the providers that a router can be reached with, and what it says the answer cost."""

import json

import litellm
import pytest

from .common import KEY, MESSAGES, PICTURE, SEEING, TOOL, hang, items, rate_limit, requests, text, tool_results, wait

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211"),
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier:UserWarning"),
]
litellm.suppress_debug_info = True
litellm.telemetry = False
FEE = 0.14e-6
TOOLS_ALLOWED = {"allowed_openai_params": ["tool_choice"]}
WAYS = {
    "azure_ai": ("azure_ai/model_router/", "/openai/v1/", TOOLS_ALLOWED),
    "azure_ai-at-the-root": ("azure_ai/model_router/", "", TOOLS_ALLOWED),
    "azure": ("azure/", "", {"api_version": "2024-10-21"}),
    "openai": ("openai/", "/v1", {}),
}


@pytest.fixture(params=[(way, call) for way in WAYS for call in ["completion", "acompletion"]], ids="-".join)
def complete(request, envoy, mocks):
    way, call = request.param
    prefix, path, options = WAYS[way]

    def complete(model="model-router", **body):
        body = {"messages": MESSAGES, "api_base": envoy.url + path, "api_key": KEY, "max_retries": 0, **options, **body}
        return wait(getattr(litellm, call)(model=prefix + model, **body))

    complete.way, complete.is_async = way, call == "acompletion"
    return complete


def test_chat(complete, plan):
    answer = complete(temperature=0.2)
    assert answer.choices[0].message.content
    assert answer.model.removeprefix("azure_ai/").startswith(plan[0]["model"])


def price_of(answer, fee):
    """What the tokens cost at the model that answered, known by the name in the response, and a router's fee on top."""
    price, usage = litellm.model_cost[answer.model.removeprefix("azure_ai/")], answer.usage
    cost = usage.prompt_tokens * (price["input_cost_per_token"] + fee)
    return pytest.approx(cost + usage.completion_tokens * price["output_cost_per_token"], rel=1e-9)


def test_what_the_answer_cost(complete):
    """By both of Azure's providers LiteLLM knows a router by its name, and adds Azure's fee."""
    answer = complete()
    price = price_of(answer, fee=0 if complete.way == "openai" else FEE)
    assert litellm.completion_cost(completion_response=answer) == price
    assert answer._hidden_params["response_cost"] == price


def test_streaming(complete):
    chunks = items(complete(stream=True, stream_options={"include_usage": True}), complete.is_async)
    assert text(chunks)
    whole = litellm.stream_chunk_builder(chunks, messages=MESSAGES)
    assert whole.usage.prompt_tokens > 0 and whole.usage.completion_tokens > 0


def test_a_loop_with_tools(complete, mocks):
    asked = complete(tools=[TOOL], tool_choice="required").choices[0]
    assert asked.finish_reason == "tool_calls"
    [call] = asked.message.tool_calls
    assert call.function.name == "get_order_status" and "order_id" in json.loads(call.function.arguments)
    result = {"role": "tool", "tool_call_id": call.id, "content": "shipped"}
    told = complete(messages=[*MESSAGES, asked.message.model_dump(), result], tools=[TOOL])
    assert told.choices[0].message.content
    assert tool_results(mocks) == ["shipped"]


def test_images_go_to_a_model_that_sees(complete):
    assert complete(messages=PICTURE).model.removeprefix("azure_ai/").startswith(SEEING)


def test_an_unknown_model(complete, mocks):
    with pytest.raises(litellm.NotFoundError, match="nobody"):
        complete(model="nobody")
    assert not requests(mocks)


def test_an_invalid_request(complete):
    with pytest.raises(litellm.BadRequestError):
        complete(temperature="warm")


def test_a_provider_that_hangs(complete, mocks):
    hang(mocks)
    with pytest.raises(litellm.Timeout):
        complete(timeout=0.2)


def test_the_client_gives_up(complete, mocks, plan):
    rate_limit(mocks, plan)
    with pytest.raises(litellm.RateLimitError):
        complete()


def test_the_client_tries_again(complete, mocks, plan):
    rate_limit(mocks, plan, rounds=1)
    assert complete(num_retries=1, max_retries=None).choices[0].message.content
    assert len(requests(mocks)) == len(plan) + 1
