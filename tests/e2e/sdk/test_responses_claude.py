"""The Responses API with OpenAI's SDK onto Claude's models."""

import json

import openai
import pydantic
import pytest
from wire import CHAIN

from .common import KEY, PARAMETERS, PIXEL, PROMPT

MODEL = "claude-sonnet-4-5"
ADAPTIVE = "claude-opus-4-7"
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
TOOLS = [{"type": "function", "name": name, "parameters": PARAMETERS, "strict": False} for name in ["get_order_status", "get_time"]]
CALL = {"type": "function_call", "call_id": "call_1", "name": "get_time", "arguments": "{}"}
CUSTOM = {"type": "custom_tool_call", "call_id": "call_1", "name": "shell", "input": "ls"}


@pytest.fixture
def client(chain, mocks):
    return openai.OpenAI(base_url=f"{chain.url}/v1", api_key=KEY, max_retries=0)


def create(client, **body):
    """The response, from a stream or not."""
    body = {"model": MODEL, "input": PROMPT, **body}
    if not body.pop("stream", False):
        return client.responses.create(**body)
    with client.responses.stream(**body) as stream:
        return stream.get_final_response()


def said(content):
    return {"role": "user", "content": content}


def calls(response):
    return [item for item in response.output if item.type == "function_call"]


def results(response):
    return [{"type": "function_call_output", "call_id": call.call_id, "output": f"of {call.call_id}"} for call in calls(response)]


def sent(mocks, provider="anthropic"):
    return json.loads(mocks[provider].requests()[-1]["body"])


def blocks(body, kind):
    return [block for turn in body["messages"] for block in turn["content"] if block["type"] == kind]


def items(response):
    """What a client sends back of an answer."""
    return [item.to_dict() for item in response.output]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words, parallel, names", [
    ("[mock:call-all]", True, ["get_order_status", "get_time"]), ("[mock:call-all]", False, ["get_order_status"]), ("[mock:call]", True, ["get_order_status"]),
])
def test_a_loop_with_tools(client, mocks, words, parallel, names, stream):
    turns = [said(words)]
    asked = create(client, input=turns, tools=TOOLS, parallel_tool_calls=parallel, stream=stream)
    assert [call.name for call in calls(asked)] == names and asked.status == "completed"
    ids = [call.call_id for call in calls(asked)]
    assert len(set(ids)) == len(ids) and all("order_id" in json.loads(call.arguments) for call in calls(asked))
    told = create(client, input=[*turns, *items(asked), *results(asked)], tools=TOOLS, stream=stream)
    assert told.output_text and not calls(told)
    body = sent(mocks)
    assert [block["id"] for block in blocks(body, "tool_use")] == ids
    assert [(block["tool_use_id"], block["content"]) for block in blocks(body, "tool_result")] == [(id, f"of {id}") for id in ids]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("stream", [False, True])
def test_there_and_back_in_the_middle_of_a_loop(client, mocks, stream):
    """GPT calls, Claude answers in its place and calls again, and GPT goes on."""
    first, second, _ = (name for name, _ in CHAIN)
    fail = {"fault": "stream_error"} if stream else {"fault": "status", "status": 503}
    ask = lambda turns, **more: create(client, model="chain", input=turns, tools=TOOLS, stream=stream, **more)
    turns = [said(PROMPT)]
    one = ask(turns, tool_choice="required")
    assert one.model.startswith(first) and len(calls(one)) == 1
    turns += [*items(one), *results(one), said("[mock:call-all]")]
    mocks["openai"].fault(count=1, **fail)
    two = ask(turns)
    assert two.model.startswith(second) and [call.name for call in calls(two)] == ["get_order_status", "get_time"]
    ids = [call.call_id for call in calls(one)]
    assert [block["id"] for block in blocks(sent(mocks), "tool_use")] == ids
    assert [block["tool_use_id"] for block in blocks(sent(mocks), "tool_result")] == ids
    turns += [*items(two), *results(two)]
    three = ask(turns)
    assert three.model.startswith(first) and three.output_text
    ids += [call.call_id for call in calls(two)]
    of = lambda kind: [item["call_id"] for item in sent(mocks, "openai")["input"] if item.get("type") == kind]
    assert of("function_call") == of("function_call_output") == ids


@pytest.mark.parametrize("model", [MODEL, ADAPTIVE])
def test_events_as_the_helper_reads_them(client, mocks, model):
    with client.responses.stream(model=model, input="[mock:call]", tools=TOOLS, reasoning={"effort": "high", "summary": "auto"}) as stream:
        events, final = list(stream), stream.get_final_response()
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call"]
    thought, message, call = final.output
    of = lambda kind: [event for event in events if event.type == f"response.{kind}"]
    for kind, name, whole in [
        ("output_text", "text", message.content[0].text), ("function_call_arguments", "arguments", call.arguments),
        ("reasoning_text", "text", thought.content[0].text),
    ]:
        assert "".join(event.delta for event in of(f"{kind}.delta")) == whole
        assert [getattr(event, name) for event in of(f"{kind}.done")] == [whole] != [""]
    assert [event.item.type for event in of("output_item.added")] == [event.item.type for event in of("output_item.done")]
    assert {event.output_index for event in of("output_text.delta")} == {1}
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert final.usage.output_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("model, effort, thinking, config", [
    (MODEL, "low", {"type": "enabled", "budget_tokens": 1024}, None),
    (MODEL, "high", {"type": "enabled", "budget_tokens": 4096}, None),
    (MODEL, "none", None, None),
    (ADAPTIVE, "high", {"type": "adaptive"}, {"effort": "high"}),
    (ADAPTIVE, "minimal", {"type": "adaptive"}, {"effort": "low"}),
])
@pytest.mark.parametrize("stream", [False, True])
def test_effort(client, mocks, model, effort, thinking, config, stream):
    answer = create(client, model=model, reasoning={"effort": effort}, stream=stream)
    assert (sent(mocks).get("thinking"), sent(mocks).get("output_config")) == (thinking, config)
    assert [item.type for item in answer.output] == ["reasoning", "message"][not thinking :]


class Order(pydantic.BaseModel):
    order_id: str
    amount: int | None
    lines: list[str]


@pytest.mark.parametrize("stream", [False, True])
def test_parsed_output(client, mocks, stream):
    if stream:
        with client.responses.stream(model=MODEL, input=PROMPT, text_format=Order) as streamed:
            answer = streamed.get_final_response()
    else:
        answer = client.responses.parse(model=MODEL, input=PROMPT, text_format=Order)
    assert isinstance(answer.output_parsed, Order)
    form = sent(mocks)["output_config"]["format"]
    assert form["type"] == "json_schema" and set(form["schema"]["properties"]) == set(Order.model_fields)
    assert form["schema"]["additionalProperties"] is False


def test_pictures_and_files(client, mocks):
    url = "https://example.org/a.png"
    parts = [{"type": "input_image", "detail": "auto", "image_url": each} for each in [PIXEL, url]]
    parts += [{"type": "input_file", "filename": "a.pdf", "file_data": PDF}, {"type": "input_text", "text": "What is it?"}]
    assert create(client, input=[said(parts)]).output_text
    [turn] = sent(mocks)["messages"]
    png, web, pdf, text = turn["content"]
    assert png == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.partition(",")[2]}}
    assert web == {"type": "image", "source": {"type": "url", "url": url}} and text["text"] == "What is it?"
    assert pdf["source"] == {"type": "base64", "media_type": "application/pdf", "data": PDF.partition(",")[2]}


@pytest.mark.parametrize("body, field", [
    ({"tools": [*TOOLS, {"type": "custom", "name": "shell"}]}, "tools[2]"),
    ({"tools": [{"type": "web_search"}]}, "tools[0]"),
    ({"input": [said([{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}])]}, "input[0].content"),
    ({"input": [said([{"type": "input_file", "file_id": "file-1"}])]}, "input[0].content[0].file_id"),
    ({"input": [said("x"), CUSTOM, {"type": "custom_tool_call_output", "call_id": "call_1", "output": "x"}]}, "input[1].type"),
    ({"input": [said("x"), {**CALL, "arguments": "[]"}, {"type": "function_call_output", "call_id": "call_1", "output": "x"}]}, "input[1].arguments"),
    ({"input": [said("x"), {"type": "item_reference", "id": "msg_1"}]}, "input[1].id"),
    ({"store": True}, "store"),
    ({"background": True}, "background"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt"),
], ids=lambda value: json.dumps(value)[:60])
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_expressed(client, mocks, body, field, stream):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": MODEL, "input": PROMPT, **body}, stream=stream)
    assert caught.value.param.startswith(field) and caught.value.body["message"]
    assert not any(mock.requests() for mock in mocks.values())


@pytest.mark.parametrize("fault", ["stream_error", "malformed"])
def test_a_stream_that_fails_in_the_middle(client, mocks, fault):
    mocks["anthropic"].fault(fault, after=3)
    *events, last = client.responses.create(model=MODEL, input=PROMPT, stream=True)
    assert [event.type for event in events].count("response.output_text.delta") == 3
    assert last.type == "error" and last.message and last.sequence_number == len(events)


@pytest.mark.parametrize("status, error", [(401, openai.AuthenticationError), (429, openai.RateLimitError), (529, openai.InternalServerError)])
@pytest.mark.parametrize("stream", [False, True])
def test_errors(client, mocks, status, error, stream):
    mocks["anthropic"].fault("status", count=None, status=status)
    with pytest.raises(error) as caught:
        client.responses.create(model=MODEL, input=PROMPT, stream=stream)
    assert set(caught.value.body) == {"message", "type", "param", "code"}
