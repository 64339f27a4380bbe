"""The Responses API on the wire: bytes, state that lives at one provider, and failover that nobody sees."""

import json

import pytest
from wire import asked, body_at, events, is_openai_error, mark

PATHS = ["/v1", "", "/openai/v1", "/api/projects/demo/openai/v1"]
CREATED = {"type": "response.created", "sequence_number": 0, "response": {
    "id": "resp_1", "object": "response", "status": "in_progress", "model": "scripted", "output": [], "usage": None}}
ERROR = {"type": "error", "sequence_number": 1, "code": "server_error", "message": "Broken.", "param": None}
FAILED = {"type": "response.failed", "sequence_number": 1, "response": {
    **CREATED["response"], "status": "failed", "error": {"code": "server_error", "message": "Broken."}}}
STREAM_FAULTS = {
    "an error behind response.created": [CREATED, ERROR],
    "response.failed": [CREATED, FAILED],
    "response.failed at once": [FAILED],
    "an enveloped error": [b'data: {"error": {"code": "server_error", "message": "Broken."}}\n\n'],
    "broken JSON": [CREATED, b'event: response.output_text.delta\ndata: {"type":"response.out\n\n'],
    "no event": [b": a comment\n\n"],
    "nothing": [b""],
    "only response.created": [CREATED],
}


@pytest.mark.parametrize("path", [*(f"{prefix}/responses" for prefix in PATHS), "/openai/responses?api-version=2025-04-01-preview"])
def test_every_path_of_the_api(latest, mocks, path):
    response = latest.respond("gpt-5-nano", path=path)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["object"] == "response" and body["status"] == "completed"
    assert body["id"].startswith("resp_" + mark("openai", "gpt-5-nano"))
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("openai", "/v1/responses")


def test_azure_is_asked_on_its_own_path(latest, mocks):
    response = latest.respond("gpt-5-mini")
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("azure", "/openai/responses?api-version=2025-04-01-preview")
    assert json.loads(request["body"])["model"] == "my-gpt-5-mini"
    assert response.json()["id"].startswith("resp_" + mark("azure", "gpt-5-mini"))


def test_only_what_must_change_changes(envoy, mocks):
    first = envoy.respond("gpt-5-nano").json()["id"]
    plain = first.replace(mark("openai", "gpt-5-nano"), "")
    sent = (
        '\n{ "input" : [ {"role":"user","content":"caf\\u00e9 \\ud83d\\ude00  é\\n\\/"} ],\t"temperature" :0.2,'
        ' "reasoning":{ "effort":"xhigh" , "summary" : "auto"},"previous_response_id" : "%s","top_p":1.0e0 ,'
        '"model" : "GPT-5-Nano", "metadata": {"a" : "b"} }\r\n'
    )
    expected = (
        '\n{ "input" : [ {"role":"user","content":"caf\\u00e9 \\ud83d\\ude00  é\\n\\/"} ],'
        ' "reasoning":{ "summary" : "auto"},"previous_response_id" : "%s" ,'
        '"model" : "gpt-5-nano", "metadata": {"a" : "b"} }\r\n'
    )
    response = envoy.client.post("/v1/responses", content=(sent % first).encode(), headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    request = mocks["openai"].requests()[-1]
    assert request["body"] == expected % plain
    assert set(response.headers["x-model-router-dropped"].split(",")) == {"temperature", "top_p", "reasoning.effort"}
    assert response.json()["previous_response_id"] == first


@pytest.mark.parametrize("stream", [False, True])
def test_headers_and_accounts(latest, mocks, stream):
    labels = {"model": "gpt-4.1-mini"}
    kinds = ["input", "output"]
    tokens = lambda: [latest.metric("model_router_tokens_total", kind=kind, **labels) for kind in kinds]
    before, cost = tokens(), latest.metric("model_router_cost_microdollars_total", **labels)
    response = latest.respond("gpt-4.1-mini", stream=stream)
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini"
    assert response.headers["x-model-router-mode"] == "direct" and "x-model-router-router" not in response.headers
    assert response.headers["x-model-router-attempts"] == "1"
    whole = events(response)[-1]["response"] if stream else response.json()
    usage = whole["usage"]
    assert [now - old for now, old in zip(tokens(), before)] == [usage["input_tokens"], usage["output_tokens"]]
    expected = usage["input_tokens"] * 0.4 + usage["output_tokens"] * 1.6
    assert abs(latest.metric("model_router_cost_microdollars_total", **labels) - cost - expected) <= 1


def test_a_native_stream_bears_marks_and_nothing_else_new(latest, mocks):
    body = {"model": "gpt-4.1-mini", "input": "Say hello.", "stream": True}
    direct = events(mocks["openai"].client.post("/v1/responses", json=body))
    routed = events(latest.respond(**body))
    made = mark("openai", "gpt-4.1-mini")
    shape = lambda found: [(event["type"], sorted(event)) for event in found]
    assert shape(routed) == shape(direct)
    ids = [event["response"]["id"] for event in routed if "response" in event]
    ids += [event[key] for event in routed for key in ["item_id"] if key in event]
    ids += [event["item"]["id"] for event in routed if "item" in event]
    assert ids and all(made in each for each in ids)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault, reason",
    [
        ({"fault": "status", "status": 503}, "503"),
        ({"fault": "status", "status": 429}, "429"),
        ({"fault": "reset"}, "no_response"),
        ({"fault": "stream_error"}, "error_in_200"),
        ({"fault": "stream_error", "as": "failed"}, "error_in_200"),
        ({"fault": "malformed"}, "malformed"),
        ({"fault": "empty_stream"}, "empty"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_failover(latest, mocks, fault, reason, stream):
    """Azure serves gpt-5-mini first, OpenAI second."""
    mocks["azure"].fault(**fault)
    response = latest.respond("gpt-5-mini", stream=stream)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-attempts"] == "2"
    assert response.headers["x-model-router-reason"].startswith(f"failover_{reason}")
    whole = events(response)[-1]["response"] if stream else response.json()
    assert whole["id"].startswith("resp_" + mark("openai", "gpt-5-mini")) and whole["status"] == "completed"
    assert mark("azure", "gpt-5-mini") not in response.text and '"error"' not in response.text.replace('"error":null', "")


@pytest.mark.parametrize("name", STREAM_FAULTS)
def test_a_stream_that_begins_badly(own, mocks, script, name):
    """Native, then Chat Completions: the client sees one sound stream, that of the second model."""
    script.streams(*STREAM_FAULTS[name])
    response = own.respond("mixed", stream=True)
    assert response.status_code == 200, response.text
    assert len(script.requests()) == 1
    assert response.headers["x-model-router-model"] == "second"
    found = events(response)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [event["type"] for event in found].count("response.created") == 1
    assert found[-1]["response"]["id"].startswith("resp_" + mark("oss", "second"))
    assert "scripted" not in response.text and "Broken" not in response.text


@pytest.mark.parametrize("stream", [False, True])
def test_failover_between_native_and_translated_and_back(own, mocks, script, stream):
    script.says(b"{}", status=500)
    mocks["oss"].fault("status", status=429)
    response = own.respond("mixed", stream=stream, instructions="Be brief.", max_output_tokens=64)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "third"
    assert response.headers["x-model-router-attempts"] == "3"
    native, again = json.loads(script.requests()[0]["body"]), body_at(mocks, "openai")
    assert {**native, "model": ""} == {**again, "model": ""} and native["instructions"] == "Be brief."
    assert (native["model"], again["model"]) == ("scripted", "gpt-4.1-mini")
    [(_, translated)] = asked(mocks, "oss")
    assert translated["path"].endswith("/chat/completions")
    assert json.loads(translated["body"])["messages"][0] == {"role": "system", "content": "Be brief."}
    whole = events(response)[-1]["response"] if stream else response.json()
    assert whole["id"].startswith("resp_" + mark("openai", "third"))


@pytest.mark.parametrize(
    "model, sent, dropped, kept",
    [
        ("gpt-5-nano", {"temperature": 0.2, "top_p": 0.5, "max_output_tokens": 50}, "temperature,top_p", {"max_output_tokens": 50}),
        ("gpt-5-nano", {"reasoning": {"effort": "none", "summary": "auto"}}, "reasoning.effort", {"reasoning": {"summary": "auto"}}),
        ("gpt-5-nano", {"reasoning": {"effort": "minimal"}}, None, {"reasoning": {"effort": "minimal"}}),
        ("gpt-5-nano", {"top_logprobs": 2}, "top_logprobs", {}),
        ("gpt-5.4", {"reasoning": {"effort": "high"}, "temperature": 0.2}, "temperature", {"reasoning": {"effort": "high"}}),
        ("gpt-5.4", {"reasoning": {"effort": "none"}, "temperature": 0.2}, None, {"reasoning": {"effort": "none"}, "temperature": 0.2}),
        ("gpt-5.4", {"temperature": 0.2, "text": {"verbosity": "low"}}, None, {"temperature": 0.2, "text": {"verbosity": "low"}}),
        ("gpt-4.1-mini", {"reasoning": {"effort": "low"}, "temperature": 0.2}, "reasoning", {"temperature": 0.2}),
        ("gpt-4.1-mini", {"text": {"verbosity": "low", "format": {"type": "text"}}}, "text.verbosity", {"text": {"format": {"type": "text"}}}),
        ("claude-sonnet-4-5", {"metadata": {"a": "b"}, "truncation": "auto"}, "metadata,truncation", {}),
    ],
    ids=str,
)
def test_parameters(latest, mocks, model, sent, dropped, kept):
    response = latest.respond(model, **sent)
    assert response.status_code == 200, response.text
    assert response.headers.get("x-model-router-dropped") == dropped
    [(provider, _)] = asked(mocks)
    body = body_at(mocks, provider)
    assert body.items() >= kept.items()
    assert not {name for name in sent if name not in kept} & body.keys()


@pytest.mark.parametrize("model, reason", [("gpt-5.4", None), ("gpt-oss-120b", "no_eligible_model")])
def test_items_that_only_the_api_itself_knows(latest, mocks, model, reason):
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
    response = latest.respond(model, input=[{"role": "user", "content": "x"}, item])
    if reason:
        assert (response.status_code, is_openai_error(response)["code"]) == (400, reason)
        assert not asked(mocks)
    else:
        assert response.status_code == 200, response.text
        assert body_at(mocks, "openai")["input"][1] == item


def test_items_that_nobody_knows_go_to_who_speaks_the_api(latest, mocks):
    """The provider judges them; the router passes on what it says."""
    body = {"input": [{"role": "user", "content": "x"}, {"type": "telepathy", "id": "tp_1", "thought": [1, {"x": "y"}]}]}
    response = latest.respond("model-router", **body)
    [(provider, request)] = asked(mocks)
    assert provider in ["openai", "azure"] and json.loads(request["body"])["input"] == body["input"]
    assert response.status_code == 400 and response.json()["error"]["message"]
