"""Responses for clients, Chat Completions for providers: shapes, events and their cadence, errors, accounts, memory."""

import json
import time

import httpx
import pytest
from wire import TOOL, asked, body_at, events, is_openai_error, mark

MODEL = "gpt-oss-120b"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TEXT_EVENTS = [
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done",
    "response.output_item.done", "response.completed",
]


def unlike(whole):
    """A response without what no two answers have in common."""
    text = json.dumps({name: value for name, value in whole.items() if name not in ["created_at", "completed_at"]})
    for each in {whole["id"], *(item["id"] for item in whole["output"])}:
        text = text.replace(each, "ID")
    found = json.loads(text)
    for item in found["output"]:
        item.pop("call_id", None)
    # The provider has read the same prompt before.
    found["usage"].pop("input_tokens_details")
    return found


def shape(value):
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


@pytest.mark.parametrize("sent", [{}, {"tools": [TOOL], "tool_choice": "required"}, {"text": {"format": {
    "type": "json_schema", "name": "place", "schema": SCHEMA}}}], ids=["text", "tool", "schema"])
def test_the_stream_ends_with_the_whole_answer(envoy, mocks, sent):
    whole = envoy.respond(MODEL, **sent).json()
    found = events(envoy.respond(MODEL, stream=True, **sent))
    assert found[-1]["type"] == "response.completed"
    assert unlike(found[-1]["response"]) == unlike(whole)
    said = "".join(event["delta"] for event in found if event["type"].endswith(".delta"))
    item = whole["output"][-1]
    assert said == (item["arguments"] if "arguments" in item else item["content"][0]["text"])


def test_the_answer_has_the_shape_of_a_native_one(latest, mocks):
    native, translated = latest.respond("gpt-4.1-mini").json(), latest.respond(MODEL).json()
    missing = native.keys() - translated.keys()
    assert not missing, f"members that only native answers have: {missing}"
    assert shape(translated["usage"]) == shape(native["usage"])
    assert shape(translated["output"][-1]).keys() == shape(native["output"][-1]).keys()
    assert (translated["object"], translated["status"], translated["error"]) == ("response", "completed", None)
    assert translated["store"] is False, "nothing is kept that could be continued"


def test_the_order_of_events(envoy, mocks):
    response = envoy.respond(MODEL, stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response)
    names = [event["type"] for event in found]
    assert list(dict.fromkeys(names)) == TEXT_EVENTS
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    lines = [line[7:] for line in response.text.splitlines() if line.startswith("event: ")]
    assert lines == names and "[DONE]" not in response.text and "chat.completion" not in response.text
    ids = {event["response"]["id"] for event in found if "response" in event}
    assert len(ids) == 1 and ids.pop().startswith("resp_" + mark("oss", MODEL))
    items = {event["item"]["id"] for event in found if "item" in event} | {event["item_id"] for event in found if "item_id" in event}
    assert len(items) == 1 and mark("oss", MODEL) in items.pop()


def test_a_native_stream_has_the_same_events(latest, mocks):
    shapes = lambda model: {event["type"]: set(event) - {"obfuscation"} for event in events(latest.respond(model, stream=True))}
    assert shapes(MODEL) == shapes("gpt-4.1-mini")


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_with_tools(latest, mocks, stream):
    ask = lambda **more: latest.respond(MODEL, tools=[TOOL], stream=stream, **more)
    read = lambda response: events(response)[-1]["response"] if stream else response.json()
    first = read(ask(input=[{"role": "user", "content": "Where is it?"}], tool_choice="required"))
    [call] = first["output"]
    assert (call["type"], call["name"]) == ("function_call", "get_order")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"state":"shipped"}'}
    second = read(ask(input=[{"role": "user", "content": "Where is it?"}, call, result]))
    assert second["output"][-1]["content"][0]["text"]
    user, said, told = json.loads(mocks["oss"].requests()[-1]["body"])["messages"]
    assert said["tool_calls"] == [{"id": call["call_id"], "type": "function", "function": {
        "name": call["name"], "arguments": call["arguments"]}}]
    assert told == {"role": "tool", "tool_call_id": call["call_id"], "content": '{"state":"shipped"}'}


def test_the_request_that_the_provider_gets(own, mocks):
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}
    turns = [{"role": "user", "content": [{"type": "input_text", "text": "caf\u00e9 \U0001f600 \\"}, image]}]
    # gpt-oss-120b sees no pictures.
    response = own.respond("second", input=turns, instructions="Be brief.", max_output_tokens=99,
                              temperature=0.5, parallel_tool_calls=False, tools=[TOOL], stream=True)
    assert response.status_code == 200, response.text
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("oss", "/v1/chat/completions")
    body = json.loads(request["body"])
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "caf\u00e9 \U0001f600 \\"},
                                     {"type": "image_url", "image_url": {"url": image["image_url"], "detail": "low"}}]},
    ]
    assert body["model"] == "openai/gpt-oss-120b" and 99 in [body.get("max_tokens"), body.get("max_completion_tokens")]
    assert body["temperature"] == 0.5 and body["tools"][0]["function"]["name"] == TOOL["name"]
    assert not {"input", "instructions", "max_output_tokens"} & body.keys()


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_obfuscation": False}}], ids=str)
def test_usage_and_cost(latest, mocks, options):
    names = ["model_router_tokens_total", "model_router_cost_microdollars_total", "model_router_usage_missing_total"]
    count = lambda: [latest.metric(name, model=MODEL) for name in names]
    before = count()
    response = latest.respond(MODEL, stream=True, **options)
    assert response.status_code == 200, response.text
    usage = events(response)[-1]["response"]["usage"]
    assert body_at(mocks, "oss")["stream_options"] == {"include_usage": True}
    tokens, cost, missing = (now - old for now, old in zip(count(), before))
    details = usage["output_tokens_details"]["reasoning_tokens"] + usage["input_tokens_details"]["cached_tokens"]
    assert tokens == usage["input_tokens"] + usage["output_tokens"] + details
    assert cost > 0 and not missing


def test_events_come_as_the_provider_makes_them(own, slow_mock, mocks):
    body = {"model": "claude-sonnet-4-5", "input": "Say hello.", "stream": True}
    began, times = time.monotonic(), []
    with httpx.stream("POST", f"{own.url}/v1/responses", json=body, headers={"x-team": "all"}) as response:
        assert response.status_code == 200
        for line in response.iter_lines():
            if '"response.output_text.delta"' in line and line.startswith("data:"):
                times.append(time.monotonic() - began)
    assert len(times) > 5
    assert times[0] < times[-1] / 2, "the first event does not wait for the last"
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert max(gaps) < (times[-1] - times[0]) / 2, "events come one by one"


@pytest.mark.parametrize("fault", [
    {"fault": "stream_error", "after": 3},
    {"fault": "malformed", "after": 3},
    {"fault": "truncated", "after": 3},
    {"fault": "ends_early", "after": 3},
], ids=lambda fault: fault["fault"])
def test_a_break_in_the_middle_is_told(envoy, mocks, fault):
    mocks["oss"].fault(**fault)
    text = b""
    try:
        body = {"model": MODEL, "input": "x", "stream": True}
        with httpx.stream("POST", f"{envoy.url}/v1/responses", json=body) as response:
            assert response.status_code == 200
            for chunk in response.iter_raw():
                text += chunk
    except httpx.RemoteProtocolError:
        assert fault["fault"] == "truncated", "only a connection that broke may break"
        return
    last = json.loads(text.decode().rstrip().rpartition("data: ")[2])
    assert last["type"] in ["response.failed", "error"]
    if last["type"] == "response.failed":
        assert last["response"]["status"] == "failed" and last["response"]["error"]["message"]
    assert b"response.completed" not in text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_errors_of_the_provider(latest, mocks, status, stream):
    mocks["oss"].fault("status", status=status)
    response = latest.respond(MODEL, stream=stream)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    is_openai_error(response)
    assert ("retry-after" in response.headers) == (status == 429)


@pytest.mark.parametrize("sent", [
    {"background": True}, {"store": True}, {"previous_response_id": "resp_1"}, {"prompt": {"id": "pmpt_1"}}, {"tools": [{"type": "web_search"}]},
    {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file_1"}]}]},
], ids=lambda sent: next(iter(sent)))
def test_what_cannot_be_translated_is_refused(latest, mocks, sent):
    response = latest.respond(MODEL, **sent)
    assert response.status_code == 400 and is_openai_error(response)["code"]
    assert not asked(mocks)


def test_what_cannot_be_translated_goes_to_others(latest, mocks):
    response = latest.respond("model-router-cost", tools=[{"type": "web_search"}])
    assert response.status_code == 200, response.text
    assert {provider for provider, _ in asked(mocks)} <= {"openai", "azure", "xai"}


@pytest.mark.parametrize("sent, param", [
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments"),
    ({"tools": [{"type": "web_search"}]}, "tools[0]"),
    ({"background": True}, "background"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_the_error_names_what_cannot_be_translated(latest, mocks, sent, param):
    response = latest.respond(MODEL, **sent)
    error = is_openai_error(response)
    assert response.status_code == 400 and param in f"{error['param']} {error['message']}"


def test_names_of_members_do_not_break_headers(envoy, mocks):
    odd = {"a\r\nx-evil: 1": 1, "b,c": 2, "é": 3, "x" * 5000: 4, "": 5}
    response = envoy.respond(MODEL, **odd)
    assert response.status_code == 200 and "x-evil" not in response.headers
    assert set(response.headers["x-model-router-dropped"]) <= set("abcdefghijklmnopqrstuvwxyz_.,")
    assert not odd.keys() & body_at(mocks, "oss").keys()


def test_memory_is_constant(latest, mocks):
    stream = lambda count: [latest.respond(MODEL, stream=True) for _ in range(count)]
    memory = lambda: latest.metric("model_router_memory_bytes")
    stream(40)
    before = memory()
    assert before > 0
    assert all(response.status_code == 200 for response in stream(200))
    assert memory() == before
