"""Claude behind Chat Completions and Responses: what Anthropic is asked, what the client is answered, and failures.

The provider `anthropic` speaks the Messages API and nothing else, and judges each request as strictly as the real one.
"""

import json

import httpx
import pytest
from wire import DOORS, TOOL, asked, body_at, events, is_openai_error

MODEL = "claude-sonnet-4-5"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
CHAT_TOOL = {"type": "function", "function": {"name": "get_order", "description": "Where it is.", "parameters": TOOL["parameters"]}}
OTHER_TOOL = {"type": "function", "function": {"name": "get_time"}}
TOOLS = [CHAT_TOOL, OTHER_TOOL]
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}


def said(content):
    return [{"role": "user", "content": content}]


def whole(response, stream):
    """The message of a chat completion, streamed or not, and its finish_reason."""
    assert response.status_code == 200, response.text
    if not stream:
        choice = response.json()["choices"][0]
        return choice["message"], choice["finish_reason"]
    message, reason = {"role": "assistant", "content": None}, None
    for chunk in events(response):
        for choice in chunk["choices"]:
            reason = choice["finish_reason"] or reason
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    calls = message.setdefault(name, [])
                    for call in value:
                        if call["index"] == len(calls):
                            calls.append({"id": call["id"], "type": "function", "function": {"name": call["function"]["name"], "arguments": ""}})
                        calls[call["index"]]["function"]["arguments"] += call["function"].get("arguments", "")
                elif name == "thinking_blocks":
                    message.setdefault(name, []).extend(value)
                elif name != "role" and value is not None:
                    message[name] = (message.get(name) or "") + value
    return message, reason


def test_what_the_provider_gets(envoy, mocks):
    response = envoy.chat(MODEL, headers={"authorization": "Bearer mine", "api-key": "mine", "x-api-key": "mine"})
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"] and response.json()["object"] == "chat.completion"
    assert response.headers["x-model-router-model"] == MODEL and "x-model-router-dropped" not in response.headers
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("anthropic", "/v1/messages")
    headers = request["headers"]
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("demo-key-of-anthropic", "2023-06-01")
    assert not {"authorization", "api-key"} & headers.keys() and "mine" not in headers.values()
    assert int(headers["content-length"]) == len(request["body"].encode())
    assert headers["content-type"] == "application/json"
    body = json.loads(request["body"])
    assert body["model"] == "claude-sonnet-4-5-20250929" and body["max_tokens"] > 0
    assert body["messages"] == said([{"type": "text", "text": "Say hello."}])


IMAGE_BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
FILE_BLOCK = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
RULES = [
    # What is sent, what the provider gets of it, and what is told to be dropped.
    ({"max_tokens": 99, "stop": ["END"], "temperature": 0.5}, {"max_tokens": 99, "stop_sequences": ["END"], "temperature": 0.5}, None),
    ({"max_completion_tokens": 99}, {"max_tokens": 99}, None),
    ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, "top_p"),
    ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}, None),
    ({"user": "me@example.org"}, {}, "user"),
    ({"seed": 1, "logit_bias": {"50": 5}}, {}, "seed,logit_bias"),
    ({"tools": TOOLS, "tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}, None),
    ({"tools": TOOLS, "tool_choice": "none"}, {"tool_choice": {"type": "none"}}, None),
    ({"tools": TOOLS, "tool_choice": "required"}, {"tool_choice": {"type": "any"}}, None),
    ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "get_time"}}}, {"tool_choice": {"type": "tool", "name": "get_time"}}, None),
    ({"tools": TOOLS, "parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, None),
    ({"reasoning_effort": "high", "max_tokens": 8000}, {}, None),
]


@pytest.mark.parametrize("sent, got, dropped", RULES, ids=lambda value: json.dumps(value)[:60])
def test_parameters(latest, mocks, sent, got, dropped):
    response = latest.chat(MODEL, **sent)
    assert response.status_code == 200, response.text
    said_dropped = response.headers.get("x-model-router-dropped")
    assert sorted((said_dropped or "").split(",")) == sorted((dropped or "").split(","))
    body = body_at(mocks, "anthropic")
    assert body.items() >= got.items(), body
    assert not {"user", "stop", "seed", "logit_bias", "top_p", "reasoning_effort", "parallel_tool_calls"} & body.keys()
    if "tools" in sent:
        assert body["tools"][0] == {"name": "get_order", "description": "Where it is.", "input_schema": TOOL["parameters"]}
        assert body["tools"][1]["input_schema"]["type"] == "object"
    if "reasoning_effort" in sent:
        assert body["thinking"]["type"] == "enabled" and 1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"]


def test_instructions_pictures_and_files(latest, mocks):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "caf\u00e9 \U0001f600 \\"},
                *said([{"type": "text", "text": "What is it?"}, PICTURE, FILE])]
    response = latest.chat(MODEL, messages=messages)
    assert response.status_code == 200, response.text
    body = body_at(mocks, "anthropic")
    assert [block["text"] for block in body["system"]] == ["Be brief.", "caf\u00e9 \U0001f600 \\"]
    [turn] = body["messages"]
    text, image, document = turn["content"]
    assert text == {"type": "text", "text": "What is it?"} and image == IMAGE_BLOCK
    assert document.items() >= FILE_BLOCK.items()


def test_the_same_in_responses(latest, mocks):
    content = [{"type": "input_text", "text": "What is it?"},
               {"type": "input_image", "image_url": PICTURE["image_url"]["url"]},
               {"type": "input_file", "filename": "a.pdf", "file_data": FILE["file"]["file_data"]}]
    response = latest.respond(MODEL, instructions="Be brief.", input=said(content), max_output_tokens=99, tools=[TOOL],
                              parallel_tool_calls=False, metadata={"a": "b"})
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-dropped"] == "metadata"
    assert response.json()["object"] == "response" and response.json()["output"][-1]["content"][0]["text"]
    [(_, request)] = asked(mocks)
    body = json.loads(request["body"])
    assert request["path"] == "/v1/messages" and body["max_tokens"] == 99
    assert "Be brief." in json.dumps(body["system"])
    assert body["messages"][0]["content"][1] == IMAGE_BLOCK and body["messages"][0]["content"][2].items() >= FILE_BLOCK.items()
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema(latest, mocks, stream):
    form = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    message, reason = whole(latest.chat(MODEL, response_format=form, stream=stream), stream)
    assert set(json.loads(message["content"])) == {"city"} and reason == "stop"
    assert body_at(mocks, "anthropic")["output_config"]["format"]["schema"] == SCHEMA


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words, expected", [
    ("[mock:stop=refusal]", "content_filter"), ("[mock:stop=max_tokens]", "length"),
    ("[mock:stop=end_turn]", "stop"), ("[mock:stop=novelty]", "stop"),
])
def test_why_it_ends(latest, mocks, words, expected, stream):
    assert whole(latest.chat(MODEL, messages=said(words), stream=stream), stream)[1] == expected


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_with_parallel_tools(envoy, mocks, stream):
    ask = lambda messages: whole(envoy.chat(MODEL, messages=messages, tools=TOOLS, stream=stream), stream)
    question = said("[mock:call-all] Where is it?")
    message, reason = ask(question)
    assert reason == "tool_calls"
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["get_order", "get_time"]
    assert [type(json.loads(call["function"]["arguments"])) for call in message["tool_calls"]] == [dict, dict]
    ids = [call["id"] for call in message["tool_calls"]]
    message["tool_calls"][1]["function"]["arguments"] = ""
    results = [{"role": "tool", "tool_call_id": each, "content": text} for each, text in zip(ids, ["shipped", "noon"])]
    answer, reason = ask([*question, message, *results, *said("And now?")])
    assert answer["content"] and reason == "stop"
    user, assistant, told = json.loads(mocks["anthropic"].requests()[-1]["body"])["messages"]
    calls = [block for block in assistant["content"] if block["type"] == "tool_use"]
    assert [call["id"] for call in calls] == ids and calls[1]["input"] == {}
    assert [block.get("tool_use_id") for block in told["content"]] == [*ids, None]
    assert told["content"][2]["text"] == "And now?" and told["role"] == "user"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words", ["[mock:call]", "[mock:call] [mock:redacted]"])
def test_thoughts_go_to_the_client_and_back(envoy, mocks, words, stream):
    sent = {"tools": [CHAT_TOOL], "reasoning_effort": "high", "stream": stream}
    question = said(words)
    message, reason = whole(envoy.chat(MODEL, messages=question, **sent), stream)
    assert reason == "tool_calls" and message["thinking_blocks"]
    if "redacted" not in words:
        assert message["reasoning_content"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "shipped"}
    again = envoy.chat(MODEL, messages=[*question, message, result], **sent)
    assert whole(again, stream)[0]["content"]
    first = json.loads(mocks["anthropic"].requests()[-1]["body"])
    block = first["messages"][1]["content"][0]
    assert block["type"] == ("redacted_thinking" if "redacted" in words else "thinking")
    assert first["thinking"]["type"] == "enabled"


def test_calls_of_another_model_are_no_obstacle_to_thinking(latest, mocks):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
    messages = [*said("x"), {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "y"}]
    response = latest.chat(MODEL, messages=messages, tools=[CHAT_TOOL], reasoning_effort="high")
    assert response.status_code == 200, response.text
    assert "thinking" not in body_at(mocks, "anthropic") and response.headers["x-model-router-dropped"] == "reasoning_effort"


@pytest.mark.parametrize("asked_for", [False, True])
def test_usage_of_streams(latest, mocks, asked_for):
    names = ["model_router_tokens_total", "model_router_cost_microdollars_total", "model_router_usage_missing_total"]
    count = lambda: [latest.metric(name, model=MODEL) for name in names]
    before = count()
    options = {"stream_options": {"include_usage": True}} if asked_for else {}
    response = latest.chat(MODEL, stream=True, **options)
    assert response.status_code == 200 and response.text.endswith("data: [DONE]\n\n")
    chunks = events(response)
    tokens, cost, missing = (now - old for now, old in zip(count(), before))
    assert tokens > 0 and cost > 0 and not missing
    assert ("prompt_tokens" in response.text) == asked_for
    if asked_for:
        usage = chunks[-1]["usage"]
        assert chunks[-1]["choices"] == [] and usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] == tokens
        assert abs(cost - usage["prompt_tokens"] * 3 - usage["completion_tokens"] * 15) <= 1
    assert len({chunk["id"] for chunk in chunks}) == 1 and {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


# Errors.


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", ["chat", "respond"])
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
def test_errors_have_the_shape_of_openai(latest, mocks, api, status, stream):
    mocks["anthropic"].fault("status", count=None, status=status)
    response = getattr(latest, api)(MODEL, stream=stream)
    # Clients of OpenAI know no 529.
    assert response.status_code == (503 if status == 529 else status)
    is_openai_error(response, '"type":"error"', "request_id")
    assert response.headers["x-model-router-attempts"] == "1"


@pytest.mark.parametrize("fault", ["stream_error", "malformed", "truncated", "ends_early"])
def test_a_stream_that_breaks(envoy, mocks, fault):
    mocks["anthropic"].fault(fault, after=3)
    count = lambda: envoy.metric("model_router_broken_streams_total")
    before, text = count(), b""
    body = {"model": MODEL, "messages": said("x"), "stream": True}
    try:
        with httpx.stream("POST", f"{envoy.url}/v1/chat/completions", json=body) as response:
            assert response.status_code == 200
            for chunk in response.iter_raw():
                text += chunk
    except httpx.RemoteProtocolError:
        assert fault == "truncated", "only a connection that broke may break"
    found = [json.loads(line[6:]) for line in text.decode().splitlines() if line.startswith("data: {")]
    assert found[0]["choices"] and not any(choice["finish_reason"] for each in found for choice in each.get("choices", []))
    if fault != "truncated":
        assert set(found[-1]["error"]) >= {"message", "type"}
        assert count() - before == 1


# Failover.


@pytest.mark.parametrize("stream", [False, True])
def test_there_and_back_in_one_request(chain, mocks, stream):
    mocks["openai"].fault("status", status=503, model="gpt-4.1-mini")
    mocks["anthropic"].fault("stream_error")
    response = chain.chat("chain", stream=stream, max_tokens=50, temperature=0.5, seed=7)
    message, _ = whole(response, stream)
    assert message["content"]
    assert (response.headers["x-model-router-model"], response.headers["x-model-router-attempts"]) == ("gpt-4.1", "3")
    first, third = (request for _, request in asked(mocks, "openai"))
    [(_, second)] = asked(mocks, "anthropic")
    for request, path, key in [(first, "/v1/chat/completions", "openai"), (second, "/v1/messages", "anthropic"), (third, "/v1/chat/completions", "openai")]:
        headers = request["headers"]
        assert request["path"] == path and int(headers["content-length"]) == len(request["body"].encode())
        name, value = ("x-api-key", "demo-key-of-anthropic") if key == "anthropic" else ("authorization", "Bearer demo-key-of-openai")
        assert headers[name] == value
        assert not any("demo-key" in each for other, each in headers.items() if other != name)
        assert ("anthropic-version" in headers) == (key == "anthropic")
    bodies = [json.loads(request["body"]) for request in [first, third]]
    assert {**bodies[0], "model": ""} == {**bodies[1], "model": ""} and bodies[0]["seed"] == 7


@pytest.mark.parametrize("stream", [False, True])
def test_in_the_middle_of_a_loop_with_tools(chain, mocks, stream):
    ask = lambda messages: chain.chat("chain", messages=messages, tools=TOOLS, stream=stream)
    turns = said("Where is it?")
    message, _ = whole(chain.chat("chain", messages=turns, tools=TOOLS, tool_choice="required", stream=stream), stream)
    calls = message["tool_calls"]
    turns += [message, *({"role": "tool", "tool_call_id": call["id"], "content": call["id"]} for call in calls)]
    mocks["openai"].fault("status", count=1, status=500)
    answer = ask([*turns, *said("[mock:call-all]")])
    assert answer.headers["x-model-router-model"] == MODEL, answer.text
    message, reason = whole(answer, stream)
    assert reason == "tool_calls"
    _, assistant, told = body_at(mocks, "anthropic")["messages"]
    assert [block["id"] for block in assistant["content"] if block["type"] == "tool_use"] == [call["id"] for call in calls]
    assert [block["tool_use_id"] for block in told["content"] if block["type"] == "tool_result"] == [call["id"] for call in calls]
    more = message["tool_calls"]
    turns += [*said("[mock:call-all]"), message, *({"role": "tool", "tool_call_id": call["id"], "content": "y"} for call in more)]
    mocks["anthropic"].fault("status", count=None, status=500)
    last = ask(turns)
    assert whole(last, stream)[0]["content"]
    sent = json.loads(mocks["openai"].requests()[-1]["body"])["messages"]
    ids = [call["id"] for each in sent for call in each.get("tool_calls", [])]
    assert ids == [call["id"] for call in [*calls, *more]] == [each["tool_call_id"] for each in sent if each["role"] == "tool"]


# Other doors.


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name, path, paths", [
    ("vertex", "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4-1%4020250805:", ["rawPredict", "streamRawPredict"]),
    ("bedrock", "/model/us.anthropic.claude-opus-4-6-v1%3A0/", ["invoke", "invoke-with-response-stream"]),
    ("foundry", "/anthropic/v1/messages", ["", ""]),
])
def test_clouds(chain, mocks, name, path, paths, stream):
    response = chain.chat(DOORS[name][0], stream=stream, messages=said("[mock:call-all]"), tools=TOOLS)
    message, reason = whole(response, stream)
    assert reason == "tool_calls" and len(message["tool_calls"]) == 2
    [(_, request)] = asked(mocks, "anthropic")
    assert request["path"] == path + paths[stream]
    body = json.loads(request["body"])
    assert ("anthropic_version" in body) == (name != "foundry") == ("anthropic-version" not in request["headers"])
    assert ("model" in body) == (name == "foundry") and int(request["headers"]["content-length"]) == len(request["body"].encode())
    assert chain.metric("model_router_usage_missing_total", model=DOORS[name][0]) == 0


@pytest.mark.parametrize("name", ["vertex", "bedrock", "foundry"])
@pytest.mark.parametrize("stream", [False, True])
def test_clouds_behind_messages(chain, mocks, name, stream):
    body = {"model": DOORS[name][0], "max_tokens": 64, "messages": said("Say hello."), "stream": stream}
    response = chain.client.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01"})
    assert response.status_code == 200, response.text
    if stream:
        assert response.headers["content-type"].startswith("text/event-stream")
        found = events(response)
        assert (found[0]["type"], found[-1]["type"]) == ("message_start", "message_stop")
        assert [line[7:] for line in response.text.splitlines() if line.startswith("event: ")] == [each["type"] for each in found]
    else:
        assert response.json()["type"] == "message" and response.json()["content"][0]["text"]


@pytest.mark.parametrize("name", ["vertex", "bedrock", "foundry"])
@pytest.mark.parametrize("betas", ["", "files-api-2025-04-14,context-1m-2025-08-07"])
def test_betas(chain, mocks, name, betas):
    body = {"model": DOORS[name][0], "max_tokens": 64, "messages": said("Say hello.")}
    response = chain.client.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01", "anthropic-beta": betas})
    assert response.status_code == 200, response.text
    [(_, request)] = asked(mocks)
    assert request["headers"].get("anthropic-beta", "") == ("" if name == "bedrock" else betas)
    assert json.loads(request["body"]).get("anthropic_beta") == (["context-1m-2025-08-07"] if name == "bedrock" and betas else None)
    assert response.headers.get("x-model-router-dropped") == ("anthropic-beta" if name == "bedrock" and betas else None)


@pytest.mark.parametrize("name", ["bedrock", "vertex"])
@pytest.mark.parametrize("fault", [{"fault": "status", "status": 429}, {"fault": "stream_error"}, {"fault": "stream_error", "after": 3}], ids=str)
def test_clouds_fail(chain, mocks, name, fault):
    mocks["anthropic"].fault(count=None, **fault)
    response = chain.chat(DOORS[name][0], stream=True)
    if "after" in fault:
        assert response.status_code == 200 and set(events(response)[-1]["error"]) >= {"message", "type"}
    else:
        assert response.status_code in [429, 529, 503]
        is_openai_error(response)


@pytest.mark.parametrize("stream", [False, True])
def test_prompt_caching(chain, mocks, stream):
    messages = [{"role": "system", "content": f"Rules {stream}. " + "Be kind to all who ask. " * 400}, *said("Say hello.")]
    ask = lambda: chain.chat(DOORS["cached"][0], messages=messages, stream=stream, stream_options={"include_usage": True} if stream else None)
    usage = lambda response: events(response)[-1]["usage"] if stream else response.json()["usage"]
    counted = lambda: chain.metric("model_router_tokens_total", model=DOORS["cached"][0], kind="cached_input")
    before = counted()
    details = [usage(ask())["prompt_tokens_details"]["cached_tokens"] for _ in range(2)]
    assert details[0] == 0 and details[1] > 1024
    assert counted() - before == details[1]
    assert body_of_last(mocks)["system"][-1]["cache_control"] == {"type": "ephemeral"}
    short = chain.chat(DOORS["cached"][0])
    assert short.status_code == 200 and "cache_control" not in json.dumps(body_of_last(mocks))


def body_of_last(mocks):
    return json.loads(mocks["anthropic"].requests()[-1]["body"])
