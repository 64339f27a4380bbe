"""Requests at random to Claude: what it is asked and what clients are answered, by the types that the SDKs publish."""

import functools
import json
import random
import re

import pydantic
import pydantic_core
import pytest
from anthropic.types import message_create_params as claude_params
from openai.types import chat, responses
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as response_params
from wire import body_at

from . import at_random
from .published import validator

MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-7", "claude-opus-5"]
# Requests to each of them.
SEEDS = {"chat": 75, "responses": 25}
# Parameters that Messages lacks, and the values that ask for nothing.
UNKNOWN = {
    "seed": [], "n": [1], "logit_bias": [{}], "presence_penalty": [0], "frequency_penalty": [0], "logprobs": [False], "verbosity": [],
    "prediction": [], "prompt_cache_key": [], "metadata": [{}], "service_tier": ["auto", "default"], "truncation": ["disabled"], "max_tool_calls": [],
    "include": [[]], "top_logprobs": [0],
}
PUBLISHED = {
    "claude": [claude_params.MessageCreateParamsNonStreaming, claude_params.MessageCreateParamsStreaming],
    "chat": [chat_params.CompletionCreateParamsNonStreaming, chat_params.CompletionCreateParamsStreaming],
    "responses": [response_params.ResponseCreateParamsNonStreaming, response_params.ResponseCreateParamsStreaming],
}
MADE = {"chat": (at_random.chat, at_random.CHAT_REFUSED), "responses": (at_random.response, at_random.RESPONSE_REFUSED)}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
# Parameters of the version 2023-06-01, which the SDK's own version has no more.
SAMPLING = {"temperature", "top_p"}
# What stands before a conversation that the assistant begins.
BEGINNING = "Begin the conversation."
PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
EVENT = pydantic.TypeAdapter(responses.ResponseStreamEvent)


@functools.cache
def published(name, stream):
    return validator(PUBLISHED[name][stream])


def check(name, body):
    text = body if isinstance(body, str) else json.dumps(body)
    published(name, bool(json.loads(text).get("stream"))).validate_json(text, strict=True)


def make(api, model, seed):
    """A request, how it is written, and the field that it is refused for, if it is."""
    rng = random.Random(f"{api} {model} {seed}")
    generate, refused = MADE[api]
    body, field = generate(rng, model), None
    if seed % 12 == 11:
        field, change = rng.choice(refused)
        change(body)
    return body, json.dumps(body, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (" , ", " : ")])), field


def events(response):
    """The JSON of a stream's events, which may have the line breaks of Unicode in them."""
    data = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def visible(texts):
    return [text for text in texts if text.strip()]


def gist_of_openai(body):
    """Instructions, texts, calls, results and media of a Chat or Responses request."""
    system, said, calls, results, media = [], [], [], [], []
    items = body.get("messages") or body["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    words = lambda part: part.get("text", part.get("refusal", ""))
    texts = lambda parts: [parts] if isinstance(parts, str) else [words(part) for part in parts or []]
    for item in items:
        content, role = item.get("content"), item.get("role", item.get("type"))
        if role in ["tool", "function_call_output"]:
            results.append((item.get("tool_call_id") or item["call_id"], "".join(texts(content or item.get("output")))))
        elif role in ["system", "developer"]:
            system += texts(content)
        elif role == "function_call":
            calls.append((item["call_id"], item["name"], item["arguments"]))
        elif role in ["user", "assistant"]:
            said += texts(content) + texts(item.get("refusal", []))
            for part in content if isinstance(content, list) else []:
                url = part.get("image_url") or part.get("file") or part.get("file_data")
                media += [url if isinstance(url, str) else url.get("url") or url["file_data"]] if url else []
            calls += [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in item.get("tool_calls", [])]
    calls = [(id, name, json.loads(text.strip() or "{}")) for id, name, text in calls]
    media = [url.rpartition(";base64,")[2] for url in media]
    return visible([body.get("instructions") or "", *system]), visible(said), calls, results, media


def gist_of_claude(body):
    blocks = [block for turn in body["messages"] if turn["content"] != BEGINNING for block in turn["content"]]
    of = lambda *kinds: [block for block in blocks if block["type"] in kinds]
    calls = [(block["id"], block["name"], block["input"]) for block in of("tool_use")]
    results = [(block["tool_use_id"], block["content"]) for block in of("tool_result")]
    media = [block["source"].get("data") or block["source"]["url"] for block in of("image", "document")]
    return [block["text"] for block in body.get("system", [])], [block["text"] for block in of("text")], calls, results, media


def with_ids_numbered(gist):
    system, said, calls, results, media = gist
    ids = [id for id, *_ in calls]
    return system, said, [(index, *call[1:]) for index, call in enumerate(calls)], [(ids.index(id), text) for id, text in results], media


def check_dropped(body, response):
    dropped = set(filter(None, response.headers.get("x-model-router-dropped", "").split(",")))
    assert {name.split(".")[0] for name in dropped} <= body.keys()
    assert dropped >= {name for name, defaults in UNKNOWN.items() if name in body and body[name] not in defaults}
    if "@" in body.get("user", ""):
        assert "user" in dropped


def check_chat(body, response):
    if not body.get("stream"):
        answer = chat.ChatCompletion.model_validate_json(response.content, strict=True)
        [choice] = answer.choices
        calls, reason = [call.function.arguments for call in choice.message.tool_calls or []], choice.finish_reason
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    else:
        assert response.text.endswith("data: [DONE]\n\n") and response.text.count("[DONE]") == 1
        chunks = [chat.ChatCompletionChunk.model_validate_json(json.dumps(event), strict=True) for event in events(response)]
        choices = [choice for chunk in chunks for choice in chunk.choices]
        [reason] = [choice.finish_reason for choice in choices if choice.finish_reason]
        joined = {}
        for call in (call for choice in choices for call in choice.delta.tool_calls or []):
            joined[call.index] = joined.get(call.index, "") + (call.function.arguments or "")
        calls = list(joined.values())
        assert list(joined) == list(range(len(calls)))
        assert bool(chunks[-1].usage) == bool(body.get("stream_options", {}).get("include_usage"))
    if reason != "length":
        assert all(type(json.loads(call)) is dict for call in calls)


def check_responses(body, response):
    if not body.get("stream"):
        answer = responses.Response.model_validate_json(response.content, strict=True)
    else:
        found = [EVENT.validate_python(event, strict=True) for event in events(response)]
        assert [event.sequence_number for event in found] == list(range(len(found)))
        assert (found[0].type, found[-1].type) in {("response.created", "response.completed"), ("response.created", "response.incomplete")}
        answer = found[-1].response
        joined = lambda kind: "".join(event.delta for event in found if event.type == f"response.{kind}.delta")
        assert joined("output_text") == answer.output_text
        assert joined("function_call_arguments") == "".join(item.arguments for item in answer.output if item.type == "function_call")
    if answer.status == "completed":
        assert all(type(json.loads(item.arguments)) is dict for item in answer.output if item.type == "function_call")


USER = {"role": "user", "content": "x"}
CLAUDE = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [USER]}
CHAT = {"model": "gpt-5-mini", "messages": [USER]}


@pytest.mark.parametrize("name, body", [
    ("claude", CLAUDE | {"seed": 1}),
    ("claude", CLAUDE | {"max_tokens": "9"}),
    ("claude", CLAUDE | {"tool_choice": {"type": "any", "parallel": True}}),
    ("claude", CLAUDE | {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "extra": 1}]}]}),
    ("claude", CLAUDE | {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": ""}}]}]}),
    ("claude", CLAUDE | {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": "{}"}]}]}),
    ("chat", CHAT | {"top_k": 1}),
    ("chat", CHAT | {"messages": [USER | {"content": [{"type": "input_text", "text": "x"}]}]}),
    ("responses", {"model": "gpt-5-mini", "input": [USER | {"content": [{"type": "text", "text": "x"}]}]}),
], ids=str)
def test_the_published_types_refuse(name, body):
    check(name, CLAUDE if name == "claude" else CHAT if name == "chat" else {"model": "gpt-5-mini", "input": [USER]})
    with pytest.raises(pydantic_core.ValidationError):
        check(name, body)


def test_nearly_all_requests_can_be_answered():
    fields = [make(api, model, seed)[2] for api, count in SEEDS.items() for model in MODELS for seed in range(count)]
    assert fields.count(None) > 0.9 * len(fields)


def ask(api, model, seed, chain, mocks):
    body, text, field = make(api, model, seed)
    check(api, text)
    response = chain.client.post(PATHS[api], content=text, headers={"content-type": "application/json"})
    if field:
        assert response.status_code == 400, response.text
        assert re.match(rf"{field}\b", response.json()["error"]["param"]), response.text
        assert not mocks["anthropic"].requests()
        return
    assert response.status_code == 200, response.text
    sent = body_at(mocks, "anthropic")
    check("claude", {name: value for name, value in sent.items() if name not in SAMPLING})
    assert all(0 <= sent.get(name, 0) <= 1 for name in SAMPLING) and not SAMPLING <= sent.keys()
    wanted, got = gist_of_openai(body), gist_of_claude(sent)
    assert with_ids_numbered(got) == with_ids_numbered(wanted)
    assert all(id == other for (id, *_), (other, *_) in zip(wanted[2], got[2]) if PLAIN.fullmatch(id))
    check_dropped(body, response)
    (check_chat if api == "chat" else check_responses)(body, response)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(SEEDS["chat"]))
def test_chat_completions(chain, mocks, model, seed):
    ask("chat", model, seed, chain, mocks)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(SEEDS["responses"]))
def test_responses(chain, mocks, model, seed):
    ask("responses", model, seed, chain, mocks)
