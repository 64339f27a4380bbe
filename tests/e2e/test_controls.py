"""`routing_config`: what a request may ask of its router, what it may not, and what it is told of the decision."""

import json

import pytest
from wire import CONTROLS, asked, events, is_openai_error

HARD = "Design a lock-free queue in C++, with all of its code, and prove it linearizable."
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
api = pytest.mark.parametrize("api", PATHS)


def send(envoy, api, config, headers=CONTROLS, text="Say hello.", model="model-router", **more):
    what = {"messages": [{"role": "user", "content": text}]} if api == "chat" else {"input": text}
    body = {"model": model, "routing_config": config, **what, **more}
    return envoy.client.post(PATHS[api], json=body, headers=headers)


def details(answer):
    return answer["model_selection_details"]["model_router_details"]


INVALID = [
    (True, "routing_config"),
    (5, "routing_config"),
    ("cost", "routing_config"),
    ([], "routing_config"),
    ({"mode": "fast"}, "routing_config.mode"),
    ({"mode": 1}, "routing_config.mode"),
    ({"mode": ["cost"]}, "routing_config.mode"),
    ({"mode": ""}, "routing_config.mode"),
    ({"models": "gpt-5-nano"}, "routing_config.models"),
    ({"models": []}, "routing_config.models"),
    ({"models": {}}, "routing_config.models"),
    ({"models": ["gpt-5-nano", 1]}, "routing_config.models[1]"),
    ({"models": ["gpt-5-nano", "gpt-99"]}, "routing_config.models[1]"),
    ({"models": ["gpt-4.1-mini"]}, "routing_config.models[0]"),
    ({"models": ["model-router"]}, "routing_config.models[0]"),
    ({"require_parameters": 1}, "routing_config.require_parameters"),
    ({"require_parameters": "maybe"}, "routing_config.require_parameters"),
    ({"session_affinity": "sticky"}, "routing_config.session_affinity"),
    ({"session_affinity": []}, "routing_config.session_affinity"),
    ({"session_affinity": {"strategy": "glue"}}, "routing_config.session_affinity.strategy"),
    ({"session_affinity": {"mode": 1}}, "routing_config.session_affinity.mode"),
    ({"session_affinity": {"session_id": 1}}, "routing_config.session_affinity.session_id"),
    ({"session_affinity": {"session_id": ["x"]}}, "routing_config.session_affinity.session_id"),
    ({"session_affinity": {"id": "x"}}, "routing_config.session_affinity.id"),
    ({"modes": "cost"}, "routing_config.modes"),
    ({"Mode": "cost"}, "routing_config.Mode"),
]


@api
@pytest.mark.parametrize("config, param", INVALID, ids=lambda value: json.dumps(value) if not isinstance(value, str) else "")
def test_what_is_wrong_is_refused(latest, mocks, api, config, param):
    response = send(latest, api, config)
    error = is_openai_error(response)
    assert (response.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert param in error["message"]
    assert not asked(mocks)


@api
@pytest.mark.parametrize("config", [
    None, {}, {"mode": None, "models": None, "require_parameters": None, "session_affinity": None}, {"mode": "QUALITY"},
    {"require_parameters": "True"}, {"models": ["GPT-5-NANO", "gpt-5-nano"]}, {"session_affinity": {"mode": "sticky", "session_id": None}},
], ids=json.dumps)
def test_what_is_allowed(latest, mocks, api, config):
    response = send(latest, api, config)
    assert response.status_code == 200, response.text
    [(_, request)] = asked(mocks)
    assert "routing_config" not in request["body"]


def test_a_repeated_member_is_refused(latest, mocks):
    body = '{"model":"model-router","input":"x","routing_config":{"mode":"cost"},"routing_config":{"mode":"quality"}}'
    response = latest.client.post("/v1/responses", content=body, headers={**CONTROLS, "content-type": "application/json"})
    assert response.status_code == 400 and is_openai_error(response) and not asked(mocks)


@api
@pytest.mark.parametrize("headers", [{}, {"foundry-features": "Other=V1Preview"}, {"foundry-features": "ModelRouterControls=V2"}], ids=str)
@pytest.mark.parametrize("config", [{"mode": "no such mode"}, {"models": ["gpt-5.4"]}, 5], ids=json.dumps)
def test_without_the_header_it_is_ignored_and_taken_out(latest, mocks, api, headers, config):
    response = send(latest, api, config, headers)
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "gpt-5-nano" and "model_selection_details" not in response.text
    [(_, request)] = asked(mocks)
    assert "routing_config" not in request["body"] and "foundry-features" not in request["headers"]


@pytest.mark.parametrize("value", ["A=V1Preview, ModelRouterControls=V1Preview", "ModelRouterControls=V1Preview,B=V1Preview"])
def test_among_other_features(latest, mocks, value):
    assert details(send(latest, "chat", {"mode": "cost"}, {"foundry-features": value}).json())["mode"] == "cost"


@api
@pytest.mark.parametrize("headers, status", [(CONTROLS, 400), ({}, 200)], ids=["opted in", "not"])
@pytest.mark.parametrize("model", ["gpt-5-nano", "claude-sonnet-4-5"])
def test_a_model_by_name_has_no_router(latest, mocks, api, headers, status, model):
    response = send(latest, api, {"mode": "cost"}, headers, model=model)
    assert response.status_code == status, response.text
    if status == 400:
        assert is_openai_error(response)["param"] == "routing_config"
    assert all("routing_config" not in request["body"] for _, request in asked(mocks)) and len(asked(mocks)) == (status == 200)


@api
def test_modes_change_the_choice(latest, mocks, api):
    chosen = {mode: send(latest, api, {"mode": mode}, text=HARD) for mode in ["quality", "balanced", "cost"]}
    assert all(response.headers["x-model-router-mode"] == mode for mode, response in chosen.items())
    models = {mode: response.headers["x-model-router-model"] for mode, response in chosen.items()}
    assert models["cost"] != models["quality"]


@api
def test_failover_too_stays_within_the_models(latest, mocks, api):
    mocks["openai"].fault("status", count=None, status=503)
    response = send(latest, api, {"models": ["gpt-5-nano", "claude-sonnet-4-5"]})
    assert response.headers["x-model-router-model"] == "claude-sonnet-4-5"
    assert {provider for provider, _ in asked(mocks)} == {"openai", "anthropic"}


@pytest.mark.parametrize("api, sent", [
    ("chat", {"stop": ["x"]}), ("chat", {"temperature": 0.3, "seed": 1}), ("chat", {"logit_bias": {"1": 1}}),
    ("responses", {"temperature": 0.3}), ("responses", {"metadata": {"a": "b"}}), ("responses", {"truncation": "auto"}),
], ids=str)
def test_required_parameters_arrive(latest, mocks, api, sent):
    assert send(latest, api, {}, **sent).status_code == 200
    [mock.reset() for mock in mocks.values()]
    response = send(latest, api, {"require_parameters": True}, **sent)
    assert response.status_code == 200, response.text
    assert "x-model-router-dropped" not in response.headers
    [(_, request)] = asked(mocks)
    assert json.loads(request["body"]).items() >= sent.items()


def test_parameters_that_no_model_takes(latest, mocks):
    response = send(latest, "chat", {"require_parameters": True, "models": ["gpt-5-nano"]}, stop="x")
    error = is_openai_error(response)
    assert (response.status_code, error["code"]) == (400, "no_eligible_model")
    assert "unsupported_parameters" in error["message"] and not asked(mocks)


AFFINITY = {"strategy": "adaptive", "mode": "adaptive", "source": "fingerprint", "decision": "initialize"}
REFUSED = {"model": "gpt-5-nano", "result": {"status": 503, "error": {"code": "503", "message": "The model refused."}}}


@api
@pytest.mark.parametrize("fails", [False, True])
def test_details_of_a_whole_answer(envoy, mocks, api, fails):
    mocks["openai"].fault("status", status=503) if fails else None
    response = send(envoy, api, {"mode": "balanced"})
    answered = {"model": response.headers["x-model-router-model"], "result": {"status": 200}}
    told = details(response.json())
    [trace] = told["routing_trace"]
    latency = trace.pop("latency_ms")
    assert isinstance(latency, int) and 0 <= latency < 5000
    attempts = [REFUSED, answered] if fails else [answered]
    assert told == {"mode": "balanced", "routing_trace": [{"attempts": attempts}], "session_affinity": AFFINITY}


@pytest.mark.parametrize("model", ["gpt-5-nano", "gpt-oss-120b", "gpt-5-mini"])
@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}], ids=["", "usage"])
def test_details_stand_in_one_chunk(envoy, mocks, model, options):
    response = send(envoy, "chat", {"models": [model]}, stream=True, **options)
    chunks = events(response)
    told = [chunk for chunk in chunks if "model_selection_details" in chunk]
    assert len(told) == 1 and response.text.endswith("data: [DONE]\n\n")
    assert details(told[0])["routing_trace"][0]["attempts"] == [{"model": model, "result": {"status": 200}}]


@pytest.mark.parametrize("model", ["gpt-5-nano", "gpt-oss-120b"], ids=["native", "translated"])
@pytest.mark.parametrize("fails", [False, True])
def test_details_stand_in_each_response_object(latest, mocks, model, fails):
    mocks["oss" if "oss" in model else "openai"].fault("status", status=503) if fails else None
    response = send(latest, "responses", {"models": [model, "gpt-5.4"]}, stream=True)
    found = events(response)
    objects = [event["response"] for event in found if "response" in event]
    assert len(objects) >= 3 and len({json.dumps(details(each)) for each in objects}) == 1
    assert not [event for event in found if "model_selection_details" in event]
    attempts = details(objects[0])["routing_trace"][0]["attempts"]
    assert [attempt["result"]["status"] for attempt in attempts] == ([503, 200] if fails else [200])


@api
def test_no_details_in_errors(latest, mocks, api):
    for mock in mocks.values():
        mock.fault("status", count=None, status=503)
    response = send(latest, api, {"models": ["gpt-5-nano"]})
    assert response.status_code == 503 and "error" in response.json()
