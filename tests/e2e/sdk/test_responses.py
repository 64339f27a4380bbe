"""The Responses API with the OpenAI SDK: OpenAI's client, Azure's and a Foundry project's, sync and async."""

import json

import openai
import pydantic
import pytest

from .common import PARAMETERS, PIXEL, PROMPT, SEEING, SERVED, hang, items, rate_limit, requests, wait

TOOL = {"type": "function", "name": "get_order_status", "parameters": PARAMETERS, "strict": False}
IMAGE = [
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is in this picture?"},
            {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
        ],
    }
]
# The demo's models, by the different kinds of provider that they are at.
MODELS = ["gpt-5-nano", "gpt-5-mini", "gpt-5.4", "gpt-4.1-mini"]
MODELS += ["claude-sonnet-4-5", "grok-4-fast-reasoning", "gpt-oss-120b"]


def create(client, **body):
    return wait(client.responses.create(**{"model": "model-router", "input": PROMPT, **body}))


def providers(mocks):
    return [name for name, mock in mocks.items() for _ in mock.requests()]


def calls(response):
    return [item for item in response.output if item.type == "function_call"]


def test_an_answer(client, mocks):
    response = create(client, temperature=0.2, max_output_tokens=80, instructions="Be brief.")
    assert response.id.startswith("resp_") and response.status == "completed"
    assert response.output_text
    assert response.usage.input_tokens > 0 and response.usage.output_tokens > 0
    assert response.model.startswith(SERVED), "the model that answered"


def test_streaming(client, mocks):
    events = items(create(client, stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    whole = events[-1].response
    assert said and said == whole.output_text
    assert whole.usage.output_tokens > 0 and whole.model.startswith(SERVED)
    assert len({event.response.id for event in events if hasattr(event, "response")}) == 1
    assert [event.sequence_number for event in events] == sorted({event.sequence_number for event in events})


def test_the_streaming_helper(client, mocks):
    async def collect(manager):
        async with manager as stream:
            return [event async for event in stream], await stream.get_final_response()

    manager = client.responses.stream(model="model-router", input=PROMPT)
    if hasattr(manager, "__aenter__"):
        events, final = wait(collect(manager))
    else:
        with manager as stream:
            events, final = list(stream), stream.get_final_response()
    assert any(event.type == "response.output_text.delta" for event in events)
    assert final.output_text


def test_parsed_output(client, mocks):
    class Order(pydantic.BaseModel):
        order_id: str
        items: list[str]

    response = wait(client.responses.parse(model="model-router", input=PROMPT, text_format=Order))
    assert isinstance(response.output_parsed, Order)


def test_a_loop_with_tools(client, mocks):
    asked = create(client, tools=[TOOL], tool_choice="required")
    [call] = calls(asked)
    assert call.name == "get_order_status" and "order_id" in json.loads(call.arguments)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "shipped"}
    turns = [{"role": "user", "content": PROMPT}, *(item.to_dict() for item in asked.output), result]
    told = create(client, input=turns, tools=[TOOL])
    assert told.output_text and not calls(told)
    assert "shipped" in json.dumps(requests(mocks))


def test_streamed_tool_calls(client, mocks):
    events = items(create(client, tools=[TOOL], tool_choice="required", stream=True))
    said = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    [call] = calls(events[-1].response)
    assert said == call.arguments and "order_id" in json.loads(said)


def test_images_go_to_a_model_that_sees(client, mocks):
    assert create(client, input=IMAGE).model.startswith(SEEING)
    assert PIXEL in json.dumps(requests(mocks))


@pytest.mark.parametrize("model", ["gpt-5-nano", "model-router"])
def test_a_conversation_by_the_id_of_its_last_answer(client, mocks, model):
    """The second turn goes to the provider that knows the first."""
    first = create(client, model=model)
    second = create(client, model=model, input="And in French?", previous_response_id=first.id)
    assert second.id != first.id and second.output_text
    assert second.previous_response_id == first.id
    [there, again] = providers(mocks)
    assert there == again


def test_stored_responses(client, mocks):
    response = create(client, model="gpt-5-nano")
    again = wait(client.responses.retrieve(response.id))
    assert again.id == response.id and again.output_text == response.output_text
    listed = wait(client.responses.input_items.list(response.id))
    assert listed.data[0].role == "user"
    wait(client.responses.delete(response.id))
    with pytest.raises(openai.NotFoundError):
        wait(client.responses.retrieve(response.id))


@pytest.mark.parametrize("what", ["retrieve", "delete", "previous"])
def test_unknown_ids(client, mocks, what):
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)):
        if what == "previous":
            create(client, previous_response_id="resp_0123456789abcdef")
        else:
            wait(getattr(client.responses, what)("resp_0123456789abcdef"))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_answers_alike(envoy, mocks, model):
    """Whether its provider has a Responses API or is asked by Chat Completions."""
    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="key", max_retries=0)
    whole = create(client, model=model)
    assert whole.id.startswith("resp_") and whole.status == "completed" and whole.output_text
    assert model in whole.model or whole.model.startswith("my-gpt-5")
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    *_, last = items(create(client, model=model, stream=True))
    assert last.type == "response.completed" and last.response.output_text == whole.output_text
    [call] = calls(create(client, model=model, tools=[TOOL], tool_choice="required"))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "shipped"}
    turns = [{"role": "user", "content": PROMPT}, call.to_dict(), result]
    assert create(client, model=model, input=turns, tools=[TOOL]).output_text


@pytest.mark.parametrize("stream", [False, True])
def test_failover_is_invisible(client, mocks, stream):
    served = create(client)
    [failing] = providers(mocks)
    mocks[failing].fault("stream_error" if stream else "status", count=None, **({} if stream else {"status": 503}))
    answer = create(client, stream=stream)
    answer = items(answer)[-1].response if stream else answer
    assert answer.output_text and answer.model != served.model


def test_an_unknown_model(client, kind, mocks):
    with pytest.raises(openai.NotFoundError) as caught:
        create(client, model="nobody")
    assert caught.value.code == ("model_not_found" if kind in ["openai", "openai-async"] else "DeploymentNotFound")
    assert not requests(mocks)


def test_an_invalid_request(client, mocks):
    with pytest.raises(openai.BadRequestError) as caught:
        create(client, input=5)
    assert caught.value.param == "input"


def test_a_provider_that_hangs(connect, mocks):
    hang(mocks)
    with pytest.raises(openai.APITimeoutError):
        create(connect(timeout=0.2))


def test_the_client_waits_and_tries_again(connect, mocks):
    rate_limit(mocks, [{"provider": "openai"}], rounds=1)
    assert create(connect(max_retries=1), model="gpt-5-nano").output_text
    assert len(requests(mocks)) == 2


def test_the_client_gives_up(connect, mocks, plan):
    rate_limit(mocks, plan)
    with pytest.raises(openai.RateLimitError):
        create(connect(max_retries=1))
