"""What a request may ask of its router (`routing_config`, behind a header), and what the answer tells of it."""

import uuid

import openai
import pytest

from .common import MESSAGES, PREVIEW, PROMPT, items, requests, wait

HARD = [{"role": "user", "content": "Design a lock-free queue in C++, with all its code, and prove it linearizable."}]


def chat(client, config, headers=PREVIEW, **body):
    body = {"model": "model-router", "messages": MESSAGES, "extra_headers": headers, **body}
    return wait(client.chat.completions.create(extra_body={"routing_config": config}, **body))


def respond(client, config, headers=PREVIEW, **body):
    body = {"model": "model-router", "input": PROMPT, "extra_headers": headers, **body}
    return wait(client.responses.create(extra_body={"routing_config": config}, **body))


def details(answer):
    return answer.model_extra["model_selection_details"]["model_router_details"]


def affinity(answer):
    return details(answer)["session_affinity"]


def session(strategy="sticky"):
    return {"session_affinity": {"strategy": strategy, "session_id": str(uuid.uuid4())}}


# One of each: the body's fields are the same whoever sends them.
pytestmark = pytest.mark.parametrize("connect", ["openai", "azure", "project-async"], indirect=True)


@pytest.fixture(params=[chat, respond], ids=["chat", "responses"])
def ask(request):
    return request.param


@pytest.mark.parametrize("mode", ["quality", "balanced", "cost"])
def test_a_mode(client, ask, mode):
    answer = ask(client, {"mode": mode})
    assert details(answer)["mode"] == mode


def test_modes_choose_different_models(client, mocks):
    quality, cost = (chat(client, {"mode": mode}, messages=HARD).model for mode in ["quality", "cost"])
    assert quality != cost


@pytest.mark.parametrize("model", ["gpt-5-nano", "gpt-5.4"])
def test_a_narrower_choice_of_models(client, ask, mocks, model):
    answer = ask(client, {"models": [model]})
    [trace] = details(answer)["routing_trace"]
    assert [attempt["model"] for attempt in trace["attempts"]] == [model]
    assert answer.model.startswith(model)


def test_only_models_that_take_every_parameter(client, mocks):
    chat(client, {"require_parameters": True}, temperature=0.2, stop="x")
    [(_, body)] = requests(mocks)
    assert body["temperature"] == 0.2 and body["stop"] == "x"


def test_the_trace_tells_of_failovers(client, ask, mocks, plan):
    mocks[plan[0]["provider"]].fault("status", count=None, status=503)
    [trace] = details(ask(client, {}))["routing_trace"]
    statuses = [int(attempt["result"]["status"]) for attempt in trace["attempts"]]
    assert statuses[0] == 503 and statuses[-1] == 200
    assert trace["latency_ms"] >= 0


def test_details_in_a_stream_of_chunks(client, mocks):
    chunks = items(chat(client, {"mode": "quality"}, stream=True))
    [told] = [chunk for chunk in chunks if "model_selection_details" in (chunk.model_extra or {})][:1]
    assert details(told)["mode"] == "quality"


def test_details_in_a_stream_of_events(client, mocks):
    *_, last = items(respond(client, {"mode": "quality"}, stream=True))
    assert details(last.response)["mode"] == "quality"


def test_without_the_header_nothing_is_read(client, ask, mocks):
    answer = ask(client, {"mode": "no such mode"}, headers=None)
    assert "model_selection_details" not in (answer.model_extra or {})


@pytest.mark.parametrize("headers", [None, PREVIEW])
def test_no_provider_sees_it(client, ask, mocks, headers):
    ask(client, {"mode": "quality"}, headers=headers)
    [(provider, body)] = requests(mocks)
    assert "routing_config" not in body
    assert "foundry-features" not in mocks[provider].requests()[0]["headers"]


@pytest.mark.parametrize(
    "config, param",
    [
        ({"mode": "fast"}, "routing_config.mode"),
        ({"mode": 3}, "routing_config.mode"),
        ({"models": "gpt-5-nano"}, "routing_config.models"),
        ({"require_parameters": "perhaps"}, "routing_config.require_parameters"),
        ({"session_affinity": {"strategy": "glue"}}, "routing_config.session_affinity.strategy"),
        ("cost", "routing_config"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_any_provider_is_called(client, ask, mocks, config, param):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, config)
    assert caught.value.param == param
    assert not requests(mocks)


def test_a_session_stays_on_its_model(client, ask, mocks):
    config = session()
    first, second = ask(client, config), ask(client, config)
    assert affinity(first)["decision"] == "initialize"
    told = {"strategy": "sticky", "source": "session_id_payload", "decision": "retain"}
    assert affinity(second).items() >= told.items()
    assert first.model == second.model


def test_a_sticky_session_stays_when_the_questions_get_easier(client, ask, mocks):
    config = session()
    first = ask(client, {**config, "models": ["gpt-5.4"]})
    assert ask(client, config).model == first.model
    assert ask(client, {}).model != first.model


def test_a_session_by_header(client, ask, mocks):
    headers = {**PREVIEW, "x-ms-session-id": str(uuid.uuid4())}
    config = {"session_affinity": {"strategy": "sticky"}}
    answers = [ask(client, config, headers=headers) for _ in range(2)]
    assert [affinity(answer)["source"] for answer in answers] == ["session_id_header"] * 2
    assert affinity(answers[1])["decision"] == "retain"


def test_no_affinity(client, ask, mocks):
    told = affinity(ask(client, session("none")))
    assert told["strategy"] == "none" and not {"source", "decision"} & told.keys()


def test_the_previous_answer_is_a_session(client, mocks):
    first = respond(client, {})
    second = respond(client, {}, previous_response_id=first.id)
    assert affinity(second)["source"] == "previous_response_id" and second.model == first.model


def test_auto_is_a_router(client, ask, mocks):
    answer = ask(client, {}, model="auto")
    assert details(answer)["routing_trace"] and answer.model != "auto"
