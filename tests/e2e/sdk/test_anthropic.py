"""The Messages API with Anthropic's SDK."""

import json
import uuid

import anthropic
import pytest

from .common import MESSAGES, PIXEL, PREVIEW

pytestmark = pytest.mark.filterwarnings("ignore:The model .* is deprecated")
ROUTER = "model-router-claude"
TOOL = {"name": "get_order_status", "description": "Where an order is.",
        "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}}
LONG = "Be kind to all who ask. " * 400
SENT = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": MESSAGES}


@pytest.fixture(params=["", "/anthropic"], ids=["v1", "anthropic"])
def base(request, envoy):
    return envoy.url + request.param


@pytest.fixture
def claude(base, mocks):
    return anthropic.Anthropic(base_url=base, api_key="client-key", max_retries=0)


def create(client, **body):
    return client.messages.create(**{**SENT, **body})


def seen(mocks):
    return mocks["anthropic"].requests()


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("model", [ROUTER, "claude-sonnet-4-5"])
def test_messages(claude, mocks, model):
    raw = claude.messages.with_raw_response.create(**{**SENT, "model": model, "system": "Be brief.", "stop_sequences": ["END"]})
    message = raw.parse()
    assert text(message) and message.stop_reason == "end_turn" and message.usage.output_tokens > 0
    [request] = seen(mocks)
    assert request["path"] == "/v1/messages" and request["headers"]["x-api-key"] == "demo-key-of-anthropic"
    assert not any("client-key" in value for value in request["headers"].values())
    assert request["headers"]["anthropic-version"] == anthropic._constants.ANTHROPIC_API_VERSION
    assert json.loads(request["body"]) == {**SENT, "model": message.model, "system": "Be brief.", "stop_sequences": ["END"]}
    assert message.model.startswith(raw.headers["x-model-router-model"]) and raw.headers["x-model-router-attempts"] == "1"
    assert raw.headers.get("x-model-router-router") == (ROUTER if model == ROUTER else None)


@pytest.mark.parametrize("model", [ROUTER, "claude-sonnet-4-5"])
def test_streaming(claude, mocks, model):
    with claude.messages.stream(**{**SENT, "model": model}) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 1 and "".join(pieces) == text(message)
    assert message.stop_reason == "end_turn" and message.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_with_tools(claude, mocks, stream):
    sent = {**SENT, "model": ROUTER, "max_tokens": 4000, "tools": [TOOL], "thinking": {"type": "enabled", "budget_tokens": 2000}}

    def ask(messages):
        if not stream:
            return claude.messages.create(**{**sent, "messages": messages})
        with claude.messages.stream(**{**sent, "messages": messages}) as streamed:
            return streamed.get_final_message()

    turns = [{"role": "user", "content": "[mock:call] Where is it?"}]
    message = ask(turns)
    assert message.stop_reason == "tool_use" and message.content[0].type == "thinking" and message.content[0].signature
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert "order_id" in call.input
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "shipped"}
    answer = ask([*turns, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}])
    assert text(answer) and answer.model == message.model


def test_pictures(claude, mocks):
    data = PIXEL.partition(",")[2]
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    sent = [{"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]}]
    assert text(create(claude, model=ROUTER, messages=sent))
    assert json.loads(seen(mocks)[0]["body"])["messages"] == sent


@pytest.mark.parametrize("model", [ROUTER, "claude-sonnet-4-5"])
def test_tokens_are_counted(claude, mocks, model):
    count = claude.messages.count_tokens(model=model, messages=MESSAGES)
    assert count.input_tokens > 0
    assert seen(mocks)[0]["path"] == "/v1/messages/count_tokens"


@pytest.mark.parametrize("stream", [False, True])
def test_the_prompt_cache(claude, base, envoy, mocks, stream):
    name, cost = "model_router_tokens_total", "model_router_cost_microdollars_total"
    kinds = ["input", "cached_input", "cache_write", "output"]
    count = lambda: [envoy.metric(name, model=SENT["model"], kind=kind) for kind in kinds] + [envoy.metric(cost, model=SENT["model"])]
    system = [{"type": "text", "text": f"{base} {stream} {LONG}", "cache_control": {"type": "ephemeral"}}]

    def ask():
        before = count()
        if stream:
            with claude.messages.stream(**SENT, system=system) as streamed:
                usage = streamed.get_final_message().usage
        else:
            usage = create(claude, system=system).usage
        return usage, [now - old for now, old in zip(count(), before)]

    for written in [True, False]:
        usage, (given, cached, write, output, price) = ask()
        assert (usage.cache_creation_input_tokens > 1024, usage.cache_read_input_tokens > 1024) == (written, not written)
        assert (cached, write, output) == (usage.cache_read_input_tokens, usage.cache_creation_input_tokens, usage.output_tokens)
        assert given == usage.input_tokens + cached + write
        expected = usage.input_tokens * 3 + cached * 0.3 + write * 3.75 + output * 15
        assert abs(price - expected) <= 1
    assert json.loads(seen(mocks)[0]["body"])["system"] == system


def test_sampling_ended_with_a_version_of_the_api(claude, mocks):
    """The SDK's own version has none; the version that a client names is the one that the provider is asked in."""
    sampling = {"temperature": 0.5}
    with pytest.raises(anthropic.BadRequestError):
        create(claude, extra_body=sampling)
    assert text(create(claude, extra_body=sampling, extra_headers={"anthropic-version": "2023-06-01"}))
    assert [request["headers"]["anthropic-version"] for request in seen(mocks)] == ["2026-10-21", "2023-06-01"]


def test_betas(claude, mocks):
    claude.beta.messages.create(**SENT, betas=["context-1m-2025-08-07", "files-api-2025-04-14"])
    headers = seen(mocks)[0]["headers"]
    assert headers["anthropic-beta"].replace(" ", "") == "context-1m-2025-08-07,files-api-2025-04-14"


@pytest.mark.parametrize("body, error", [
    ({"model": "nobody"}, anthropic.NotFoundError),
    ({"model": "model-router-cost"}, anthropic.BadRequestError),
    ({"model": "gpt-5-mini"}, anthropic.BadRequestError),
    ({"messages": []}, anthropic.BadRequestError),
], ids=str)
def test_what_cannot_be_answered(claude, mocks, body, error):
    with pytest.raises(error) as caught:
        create(claude, **body)
    whole = caught.value.body
    assert whole["type"] == "error" and set(whole["error"]) >= {"type", "message"}
    assert whole["error"]["type"] == ("not_found_error" if error is anthropic.NotFoundError else "invalid_request_error")
    assert not any(mock.requests() for name, mock in mocks.items() if name != "anthropic")


@pytest.mark.parametrize("status, error", [
    (400, anthropic.BadRequestError), (401, anthropic.AuthenticationError), (403, anthropic.PermissionDeniedError),
    (429, anthropic.RateLimitError), (500, anthropic.InternalServerError), (529, anthropic.InternalServerError),
])
@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_provider(claude, mocks, status, error, stream):
    mocks["anthropic"].fault("status", count=None, status=status)
    with pytest.raises(error) as caught:
        create(claude, stream=stream)
    assert caught.value.status_code == status and caught.value.body["error"]["message"]


def test_a_stream_that_fails_in_the_middle(claude, mocks):
    mocks["anthropic"].fault("stream_error", after=3)
    with pytest.raises(anthropic.APIStatusError) as caught, claude.messages.stream(**SENT) as stream:
        list(stream)
    assert caught.value.body["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize("stream", [False, True])
def test_another_model_answers(claude, mocks, stream):
    raw = lambda: claude.messages.with_raw_response.create(**{**SENT, "model": ROUTER, "stream": stream})
    first = raw().headers["x-model-router-model"]
    mocks["anthropic"].fault("status", status=529)
    response = raw()
    assert response.headers["x-model-router-attempts"] == "2" and response.headers["x-model-router-reason"] == "failover_529"
    assert response.headers["x-model-router-model"] != first
    response.parse()


@pytest.mark.parametrize("name", ["header", "body", "text"])
def test_a_conversation_stays_with_its_model(claude, mocks, name):
    """By its id, also with the model that it came to by a failover; without one, it is known by its first message."""
    id = str(uuid.uuid4())
    affinity = {"strategy": "adaptive" if name == "text" else "sticky"} | ({"session_id": id} if name == "body" else {})
    headers = PREVIEW | ({"x-ms-session-id": id} if name == "header" else {})
    ask = lambda turns: claude.messages.with_raw_response.create(
        **{**SENT, "model": ROUTER, "messages": turns}, extra_headers=headers, extra_body={"routing_config": {"session_affinity": affinity}})
    turns = [{"role": "user", "content": f"Remember {id}."}]
    if name != "text":
        mocks["anthropic"].fault("status", status=529)
    first = ask(turns)
    assert first.headers["x-model-router-attempts"] == ("1" if name == "text" else "2")
    turns += [{"role": "assistant", "content": first.parse().content}, {"role": "user", "content": "Which was it?"}]
    second = ask(turns)
    told = second.parse().model_extra["model_selection_details"]["model_router_details"]["session_affinity"]
    source = {"header": "session_id_header", "body": "session_id_payload", "text": "fingerprint"}[name]
    # The adaptive strategy may leave a model for one that suits the later question better, and says so.
    assert (told["source"], told["decision"]) in {(source, "retain"), ("fingerprint", "switch")}
    stays = second.headers["x-model-router-model"] == first.headers["x-model-router-model"]
    assert stays == (told["decision"] == "retain")
    assert second.headers["x-model-router-attempts"] == "1"
    assert all("routing_config" not in request["body"] for request in seen(mocks))


@pytest.mark.parametrize("opted", [False, True])
def test_details_of_the_selection(claude, mocks, opted):
    headers = PREVIEW if opted else {}
    whole = create(claude, model=ROUTER, extra_headers=headers)
    details = (whole.model_extra or {}).get("model_selection_details")
    assert bool(details) == opted
    with claude.messages.with_streaming_response.create(**{**SENT, "model": ROUTER}, stream=True, extra_headers=headers) as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
    assert any("model_selection_details" in json.dumps(event) for event in events) == opted
    assert events[-1]["type"] == "message_stop"


def test_as_openai_sees_claude(envoy, mocks):
    """OpenAI's SDK: text, calls and usage of a stream, and its errors."""
    import openai

    client = openai.OpenAI(base_url=f"{envoy.url}/v1", api_key="client-key", max_retries=0)
    ask = lambda words, **more: client.chat.completions.create(
        model="claude-sonnet-4-5", messages=[{"role": "user", "content": words}], **more)
    tools = [{"type": "function", "function": {"name": name}} for name in ["one", "two"]]
    whole = ask("[mock:call-all]", tools=tools).choices[0]
    assert (whole.finish_reason, [call.function.name for call in whole.message.tool_calls]) == ("tool_calls", ["one", "two"])
    chunks = list(ask("[mock:call-all]", tools=tools, stream=True, stream_options={"include_usage": True}))
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.function.name for call in calls if call.id] == ["one", "two"] and {call.index for call in calls} == {0, 1}
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "tool_calls"
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0
    text = list(ask("Say hello.", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in text) == ask("Say hello.").choices[0].message.content
    for status, error in [(400, openai.BadRequestError), (429, openai.RateLimitError), (529, openai.InternalServerError)]:
        mocks["anthropic"].fault("status", status=status)
        with pytest.raises(error):
            ask("x")
    for fault in ["stream_error", "malformed"]:
        mocks["anthropic"].fault(fault, after=3)
        with pytest.raises(openai.APIError):
            list(ask("x", stream=True))
