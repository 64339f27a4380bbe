"""Asynchronous clients of OpenAI and of Anthropic onto Claude's models, ten requests at a time."""

import asyncio
import json

import anthropic
import openai
import pytest

from .common import KEY

pytestmark = pytest.mark.filterwarnings("ignore:The model .* is deprecated")
MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5"]
TOOLS = [{"name": name, "parameters": {"type": "object", "properties": {f"id_of_{name}": {"type": "string"}}, "required": [f"id_of_{name}"]}}
         for name in ["one", "two"]]


def ten(ask):
    """Ten answers, each to a question of its own, by either model in turn; the questions."""
    questions = [f"[mock:call-all] {number}" for number in range(10)]

    async def gather():
        return await asyncio.gather(*(ask(MODELS[index % 2], question) for index, question in enumerate(questions)))

    return asyncio.run(gather()), questions


def check(calls, questions, mocks):
    """Each answer calls both tools with what they take, under ids that no other answer has."""
    for answer in calls:
        assert [name for _, name, _ in answer] == ["one", "two"]
        assert [list(given) for *_, given in answer] == [["id_of_one"], ["id_of_two"]]
    assert len({id for answer in calls for id, *_ in answer}) == 20
    bodies = [request["body"] for request in mocks["anthropic"].requests()]
    assert [sum(question in body for body in bodies) for question in questions] == [1] * 10 and len(bodies) == 10


@pytest.mark.parametrize("stream", [False, True])
def test_openai(envoy, mocks, stream):
    tools = [{"type": "function", "function": tool} for tool in TOOLS]

    async def ask(model, question):
        async with openai.AsyncOpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, max_retries=0) as client:
            body = {"model": model, "messages": [{"role": "user", "content": question}], "tools": tools}
            if stream:
                async with client.chat.completions.stream(**body) as chunks:
                    answer = await chunks.get_final_completion()
            else:
                answer = await client.chat.completions.create(**body)
        assert answer.model.startswith(model) and answer.choices[0].finish_reason == "tool_calls"
        return [(call.id, call.function.name, json.loads(call.function.arguments)) for call in answer.choices[0].message.tool_calls]

    check(*ten(ask), mocks)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic(envoy, mocks, stream):
    tools = [{"name": tool["name"], "input_schema": tool["parameters"]} for tool in TOOLS]

    async def ask(model, question):
        async with anthropic.AsyncAnthropic(base_url=envoy.url, api_key=KEY, max_retries=0) as client:
            body = {"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": question}], "tools": tools}
            if stream:
                async with client.messages.stream(**body) as events:
                    answer = await events.get_final_message()
            else:
                answer = await client.messages.create(**body)
        assert answer.model.startswith(model) and answer.stop_reason == "tool_use"
        return [(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"]

    check(*ten(ask), mocks)
