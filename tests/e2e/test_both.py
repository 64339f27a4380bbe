"""The smaller deployment: one plugin, `both`, downstream; Envoy chooses the cluster, and the key, by a header."""

import json
import os

import pytest
import yaml
from conftest import VERSIONS, Envoy, wait_for
from wire import events

HEADER = "x-model-router-cluster"
KEYS = {"openai": ("authorization", "Bearer %ENVIRONMENT(TEST_OPENAI_KEY)%"),
        "anthropic": ("x-api-key", "%ENVIRONMENT(TEST_ANTHROPIC_KEY)%")}


def route(cluster=None):
    """A route by the header: for one cluster, with its key, or for all the others."""
    rule = {"match": {"prefix": "/"}, "request_headers_to_remove": [HEADER],
            "route": {"cluster_header": HEADER, "timeout": "600s", "retry_policy": {"retry_on": "5xx,reset", "num_retries": 1}}}
    if cluster in KEYS:
        name, value = KEYS[cluster]
        rule["match"]["headers"] = [{"name": HEADER, "string_match": {"exact": cluster}}]
        rule["request_headers_to_add"] = [{"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    return rule


def downstream_only(text):
    document = yaml.safe_load(text)
    [manager] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    manager["typed_config"]["http_filters"][0]["typed_config"]["config"]["root_id"] = "both"
    [host] = manager["typed_config"]["route_config"]["virtual_hosts"]
    host["routes"] = [route(name) for name in [*KEYS, None]]
    for cluster in document["static_resources"]["clusters"]:
        [options] = cluster["typed_extension_protocol_options"].values()
        del options["http_filters"]
    return yaml.safe_dump(document, default_flow_style=False)


@pytest.fixture(scope="module")
def both_envoys(all_mocks, tmp_path_factory):
    os.environ |= {"TEST_OPENAI_KEY": "key-of-openai", "TEST_ANTHROPIC_KEY": "key-of-anthropic"}
    envoys = {}
    for version in VERSIONS:
        directory = tmp_path_factory.mktemp("both")
        envoys[version] = Envoy(directory, all_mocks, version, change=downstream_only, cooldown="{initial_seconds: 30}")
    yield envoys
    for envoy in envoys.values():
        envoy.stop()


@pytest.fixture
def both(both_envoys, version, mocks):
    return both_envoys[version]


def one_request(mock):
    [request] = mock.requests()
    return request


@pytest.mark.parametrize("stream", [False, True])
def test_chat_is_rewritten_and_accounted_for(both, mocks, stream):
    before = both.metric("model_router_tokens_total", model="gpt-4.1-mini", kind="output")
    spent = both.metric("model_router_cost_microdollars_total", model="gpt-4.1-mini")
    forged = {HEADER: "anthropic", "authorization": "Bearer client", "accept-encoding": "gzip"}
    response = both.chat("gpt-4.1-mini", stream=stream, headers=forged, routing_config={})
    assert response.status_code == 200, response.text
    assert response.headers["x-model-router-model"] == "gpt-4.1-mini" and response.headers["x-model-router-attempts"] == "1"
    assert ("data: [DONE]" in response.text and '"usage":{' not in response.text) if stream else response.json()["usage"]
    request = one_request(mocks["openai"])
    assert request["headers"]["authorization"] == "Bearer key-of-openai"
    assert not [name for name in request["headers"] if name.startswith("x-model-router")] and "accept-encoding" not in request["headers"]
    assert "routing_config" not in request["body"] and json.loads(request["body"])["model"] == "gpt-4.1-mini"
    assert not mocks["anthropic"].requests()
    assert both.metric("model_router_tokens_total", model="gpt-4.1-mini", kind="output") > before
    assert both.metric("model_router_cost_microdollars_total", model="gpt-4.1-mini") > spent


@pytest.mark.parametrize("stream", [False, True])
def test_claude_is_translated_and_gets_its_key(both, mocks, stream):
    response = both.chat("claude-sonnet-4-5", stream=stream)
    assert response.status_code == 200, response.text
    if stream:
        assert events(response)[0]["object"] == "chat.completion.chunk"
    else:
        assert response.json()["choices"][0]["message"]["content"]
    request = one_request(mocks["anthropic"])
    assert request["headers"]["x-api-key"] == "key-of-anthropic" and request["path"] == "/v1/messages"


def test_a_router_chooses_and_tells_what_it_chose(both, mocks):
    response = both.chat()
    assert response.headers["x-model-router-router"] == "model-router"
    entry = lambda: [found for found in both.access_log() if found["model_router.router"] == "model-router"]
    found = wait_for(entry, 30)[0]
    assert found["model_router.model"] == response.headers["x-model-router-model"]
    assert int(found["gen_ai.usage.output_tokens"]) > 0 and float(found["model_router.cost_usd"]) > 0
    assert "," not in found["model_router.plan"], "one slot is all that there is"


def test_what_a_provider_keeps_is_fetched_where_it_is(both, mocks):
    made = both.respond("gpt-4.1-mini").json()
    assert made["id"].startswith("resp_mr")
    assert both.client.get(f"/v1/responses/{made['id']}").json()["id"] == made["id"]
    assert both.client.request("DELETE", f"/v1/responses/{made['id']}").status_code == 200


def test_a_retry_is_of_the_same_model_with_the_same_body(both, mocks):
    mocks["openai"].fault("status", status=503, count=1)
    response = both.chat("gpt-4.1-mini", max_tokens=20)
    assert response.status_code == 200 and response.headers["x-model-router-attempts"] == "1"
    first, second = mocks["openai"].requests()
    assert first["body"] == second["body"] and first["path"] == second["path"]
    assert second["headers"]["authorization"] == "Bearer key-of-openai"


def test_a_failed_model_rests_and_the_next_request_goes_elsewhere(both, mocks):
    first = both.chat()
    broken = first.headers["x-model-router-model"]
    for mock in mocks.values():
        mock.fault("status", status=503, count=2)
    failed = both.chat()
    assert failed.status_code == 503 and failed.headers["x-model-router-model"] == broken
    for mock in mocks.values():
        mock.reset()
    after = both.chat()
    assert after.status_code == 200 and after.headers["x-model-router-model"] != broken
    assert both.metric("model_router_attempts_total", model=broken, result="503") >= 1


@pytest.mark.parametrize("fault, status, result", [
    ({"fault": "status", "status": 400}, 400, "400"), ({"fault": "stream_error"}, None, "error_in_200"),
    ({"fault": "malformed"}, 502, "malformed"), ({"fault": "reset"}, 503, "no_response")])
def test_a_providers_failure_is_an_error_of_the_api(both, mocks, fault, status, result):
    model = "gpt-oss-120b"
    before = both.metric("model_router_attempts_total", model=model, result=result)
    mocks["oss"].fault(count=None, **fault)
    response = both.chat(model, stream=fault["fault"] == "stream_error")
    assert response.status_code == (status or response.status_code) >= 400
    assert response.json()["error"]["message"]
    wait_for(lambda: both.metric("model_router_attempts_total", model=model, result=result) == before + 1)


def test_what_is_answered_here_reaches_nobody(both, mocks):
    assert both.client.get("/v1/models").json()["data"]
    assert both.chat("nobody").status_code == 404
    plan = both.client.post("/model-router/explain", json={"model": "model-router", "messages": [{"role": "user", "content": "hi"}]})
    assert [row["slot"] for row in plan.json()["candidates"] if row["slot"]] == [1]
    assert not any(mock.requests() for mock in mocks.values())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_held_is_envoys_error_and_the_next_is_served(all_mocks, script, version, stream, tmp_path):
    """Envoy's buffers, which meshes keep small, bound what can be held: here an answer, or the first event of a stream."""
    small = lambda text: downstream_only(text).replace("per_connection_buffer_limit_bytes: 16777216", "per_connection_buffer_limit_bytes: 32768")
    script.reset()
    envoy = Envoy(tmp_path, all_mocks | {"xai": script}, version, change=small)
    try:
        answer = {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "a" * 300_000}}],
                  "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        text = json.dumps(answer).encode()
        script.says(b"data: " + text if stream else text, content_type="text/event-stream" if stream else "application/json")
        response = envoy.chat("grok-4-fast-reasoning", stream=stream)
        # Envoy tells the client itself, past its filters.
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        assert envoy.chat("gpt-4.1-mini", stream=stream).status_code == 200
    finally:
        envoy.stop()
