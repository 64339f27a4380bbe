"""A collector receives what became of each request and of each attempt; providers and outsiders learn nothing of it."""

import contextlib
import re
import secrets
import time

import httpx
import pytest
import yaml
from conftest import PER_TRY_TIMEOUT, ROOT, VERSIONS, Generated, Mock, explain, free_port, wait_for
from otlp import Collector
from wire import asked

DOCS = (ROOT / "docs/TRACING.md").read_text()
[EXAMPLE] = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)]
POLICY = yaml.safe_load((ROOT / "envoy/policy.yaml").read_text())
SECRET = "the secret word is xyzzy"
CHAT = {"model": "model-router", "messages": [{"role": "user", "content": f"Say hello. {SECRET}"}]}
HEADERS = {"traceparent", "tracestate", "baggage"}
USAGE = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"]


class Traced(Generated):
    """Sends spans at once, not every five seconds."""

    def write(self, policy):
        written = super().write(policy)
        with self.config.open("a") as file:
            file.write("layered_runtime: {layers: [{name: soon, static_layer: {tracing.opentelemetry.flush_interval_ms: 100}}]}\n")
        return written


def start(directory, version, mocks, port, parts=None, **tracing):
    """An Envoy with what the generator makes of the demo's policy, the docs' example and other `parts` of a policy."""
    providers = [provider | {"endpoint": f"http://127.0.0.1:{mocks[provider['name']].port}"} for provider in POLICY["providers"]]
    bounds = {"first_token_seconds": PER_TRY_TIMEOUT, "answer_seconds": PER_TRY_TIMEOUT}
    tracing = EXAMPLE["envoy"]["tracing"] | {"endpoint": f"http://127.0.0.1:{port}"} | tracing
    more = {"providers": providers, "cooldown": {"maximum_seconds": 0}, "timeouts": bounds, "envoy": {"tracing": tracing}}
    return Traced(directory, POLICY | more | (parts or {}), version)


@pytest.fixture(scope="module")
def collector():
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def all_traced(all_mocks, slow_mock, collector, tmp_path_factory):
    mocks = all_mocks | {"anthropic": slow_mock}
    envoys = {version: start(tmp_path_factory.mktemp("traced"), version, mocks, collector.port) for version in VERSIONS}
    yield envoys
    for envoy in envoys.values():
        envoy.stop()


@pytest.fixture
def traced(all_traced, version, mocks, slow_mock):
    slow_mock.reset()
    return all_traced[version]


@pytest.fixture
def another(all_mocks, mocks, tmp_path):
    """Starts Envoys that are traced otherwise."""
    envoys = []

    def started(version, port, **tracing):
        envoys.append(start(tmp_path, version, all_mocks, port, **tracing))
        return envoys[-1]

    yield started
    for envoy in envoys:
        envoy.stop()


@pytest.fixture
def plan():
    return [row for row in explain(CHAT)["candidates"] if row["slot"]]


class Trace:
    """Of a client; its headers."""

    def __init__(self, flags="01", **headers):
        self.trace, self.span = secrets.token_hex(16), secrets.token_hex(8)
        self.headers = {"traceparent": f"00-{self.trace}-{self.span}-{flags}", **headers}


def send(envoy, collector, path="/v1/chat/completions", headers=None, **body):
    """(the response, the request's span, those of the attempts)."""
    client = Trace(**(headers or {}))
    said = {} if "input" in body else {"messages": CHAT["messages"]}
    response = envoy.client.post(path, json={"model": "model-router", **said, **body}, headers=client.headers)
    request, attempts = collector.of(client.trace)
    assert request.parent == client.span
    return response, request, attempts


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_and_its_decision(traced, mocks, collector, stream):
    response, request, [attempt] = send(traced, collector, stream=stream)
    headers = {name: response.headers[f"x-model-router-{name}"] for name in ("model", "router", "mode", "reason", "attempts")}
    assert (request.name, request.service, request["http.status_code"]) == ("chat model-router", "model-router", "200")
    assert {name: request[f"model_router.{name}"] for name in headers} == headers
    assert request["gen_ai.operation.name"] == attempt["gen_ai.operation.name"] == "chat"
    assert request["gen_ai.request.model"] == "model-router"
    assert request["model_router.plan"].startswith(f"{headers['model']}@{request['gen_ai.provider.name']}:")
    assert request["model_router.task"] and float(request["model_router.difficulty"])
    assert int(request[USAGE[0]]) > 0 and int(request[USAGE[1]]) > 0 and float(request["model_router.cost_usd"]) > 0
    assert request["gen_ai.response.model"] == attempt["gen_ai.response.model"]
    assert request["url.path"] == "/v1/chat/completions"
    assert (attempt.name, attempt["gen_ai.request.model"]) == (f"chat {headers['model']}", headers["model"])
    [(provider, _)] = asked(mocks)
    assert attempt["gen_ai.provider.name"] == request["gen_ai.provider.name"] == provider
    assert request["error.type"] is None and attempt["error.type"] is None
    assert request.began <= attempt.began <= attempt.ended <= request.ended


FAULTS = [
    ({"fault": "status", "status": 503}, "503", "ERROR"),
    ({"fault": "status", "status": 429}, "429", "ERROR"),
    # What has no status Envoy does not call an error; `error.type` does.
    ({"fault": "reset"}, "no_response", "UNSET"),
    ({"fault": "hang"}, "no_response", "UNSET"),
    ({"fault": "stream_error"}, "error_in_200", "ERROR"),
]


@pytest.mark.parametrize("fault, error, status", FAULTS, ids=lambda value: value if isinstance(value, str) else value["fault"])
def test_each_attempt_of_a_failover(traced, mocks, plan, collector, fault, error, status):
    mocks[plan[0]["provider"]].fault(**fault)
    response, request, attempts = send(traced, collector, stream=True)
    assert response.status_code == 200
    first, second = attempts
    models = [plan[0]["model"], response.headers["x-model-router-model"]]
    assert [span.name for span in attempts] == [f"chat {model}" for model in models]
    assert [span["gen_ai.request.model"] for span in attempts] == models
    assert [span["gen_ai.provider.name"] for span in attempts] == [row["provider"] for row in plan[:2]]
    assert [span["error.type"] for span in attempts] == [error, None]
    assert (first.status, second.status, request.status) == (status, "UNSET", "UNSET")
    assert first.ended <= second.began
    assert request["model_router.reason"] == f"failover_{error}" and request["model_router.attempts"] == "2"
    assert request["model_router.trace"] == f"{models[0]}={error},{models[1]}=200"
    assert request["error.type"] is None and request["gen_ai.provider.name"] == plan[1]["provider"]
    assert first["gen_ai.response.model"] is None


def test_a_killed_provider(traced, mocks, plan, collector):
    mocks[plan[0]["provider"]].kill()
    _, request, attempts = send(traced, collector)
    assert [span["error.type"] for span in attempts] == ["no_response", None] and request["error.type"] is None


def test_tokens_are_counted_once(traced, mocks, plan, collector):
    mocks[plan[0]["provider"]].fault("status", status=503)
    response, request, attempts = send(traced, collector)
    usage = response.json()["usage"]
    assert [int(request[name]) for name in USAGE] == [usage["prompt_tokens"], usage["completion_tokens"]]
    of_attempts = {name for span in attempts for name in span.attributes}
    assert not [name for name in of_attempts if name.startswith(("gen_ai.usage.", "model_router."))]


def test_all_fail(traced, mocks, plan, collector):
    for mock in mocks.values():
        mock.fault("status", count=None, status=500)
    response, request, attempts = send(traced, collector)
    assert response.status_code == 500 and len(attempts) == len(plan)
    assert {span["error.type"] for span in [request, *attempts]} == {"500"}
    assert request.status == "ERROR" and request["model_router.cost_usd"] is None


CALLS = {
    "responses": ("/v1/responses", {"input": SECRET}, "chat model-router"),
    "translated": ("/v1/responses", {"model": "gpt-oss-120b", "input": SECRET}, "chat gpt-oss-120b"),
    "messages": ("/v1/messages", {"model": "claude-haiku-4-5", "max_tokens": 9}, "chat claude-haiku-4-5"),
    "embeddings": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": SECRET}, "embeddings text-embedding-3-small"),
    "in azure's form": ("/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21&key=xyzzy", {}, "chat gpt-5-mini"),
}


@pytest.mark.parametrize("call", CALLS)
def test_other_apis(traced, collector, call):
    path, body, name = CALLS[call]
    response, request, [attempt] = send(traced, collector, path, **body)
    assert response.status_code == 200, response.text
    operation, model = name.split(" ")
    assert request.name == name and attempt.name == f"{operation} {response.headers['x-model-router-model']}"
    assert request["gen_ai.operation.name"] == operation and request["gen_ai.request.model"] == model
    assert request["url.path"] == path.split("?")[0] and request["gen_ai.response.model"] and int(request[USAGE[0]]) > 0


def test_a_refused_request(traced, mocks, collector):
    response, request, attempts = send(traced, collector, "/v1/chat/completions?key=xyzzy", messages=[])
    assert response.status_code == 400 and attempts == []
    assert (request.name, request["http.status_code"]) == ("chat", "400")
    assert request["model_router.reason"] == response.headers["x-model-router-reason"]
    assert request["gen_ai.request.model"] is None and "xyzzy" not in request.text


def test_an_explanation(traced, collector):
    response, request, attempts = send(traced, collector, "/model-router/explain")
    assert response.status_code == 200 and attempts == [] and request.name == "ingress"
    assert request["url.path"] == "/model-router/explain" and not [name for name in request.attributes if name.startswith("gen_ai.")]


def test_the_access_log_names_the_trace(traced, collector):
    _, request, _ = send(traced, collector)
    [entry] = wait_for(lambda: [entry for entry in traced.access_log() if entry["trace_id"] == request.trace], 30)
    assert entry["model_router.model"] == request["model_router.model"] and entry["gen_ai.operation.name"] == "chat"


def test_a_client_that_leaves(traced, collector):
    client = Trace()
    body = CHAT | {"model": "claude-sonnet-4-5", "stream": True}
    with traced.client.stream("POST", "/v1/chat/completions", json=body, headers=client.headers) as response:
        next(response.iter_raw())
    request, [attempt] = collector.of(client.trace)
    assert (request.name, attempt.name) == ("chat claude-sonnet-4-5",) * 2
    assert "DC" in request["response_flags"] and request["model_router.model"] == "claude-sonnet-4-5"


@pytest.mark.parametrize("fault", ["truncated", "ends_early"])
def test_a_stream_that_breaks(traced, mocks, plan, collector, fault):
    mocks[plan[0]["provider"]].fault(fault)
    client = Trace()
    with contextlib.suppress(httpx.TransportError):
        traced.client.post("/v1/chat/completions", json=CHAT | {"stream": True}, headers=client.headers)
    request, [attempt] = collector.of(client.trace)
    assert request["http.status_code"] == "200" and request["error.type"] == attempt["error.type"] == "malformed"


def test_providers_learn_nothing_of_it(traced, mocks, plan, collector):
    mocks[plan[0]["provider"]].fault("status", status=503)
    send(traced, collector, headers={"tracestate": "a=b", "baggage": "user=someone"})
    assert len(seen := asked(mocks)) == 2
    assert not [request for _, request in seen if request["headers"].keys() & HEADERS]
    traced.chat()
    assert not asked(mocks)[-1][1]["headers"].keys() & HEADERS


def test_providers_take_part_if_wanted(another, version, mocks, plan, collector):
    envoy = another(version, collector.port, propagate=True)
    mocks[plan[0]["provider"]].fault("status", status=503)
    _, request, attempts = send(envoy, collector, headers={"tracestate": "a=b", "baggage": "user=someone"})
    sent = {provider: request["headers"] for provider, request in asked(mocks)}
    for row, attempt in zip(plan, attempts, strict=False):
        headers = sent[row["provider"]]
        assert headers["traceparent"] == f"00-{request.trace}-{attempt.id}-01" and "baggage" not in headers


def test_the_client_decides_what_is_recorded(another, version, collector):
    none = another(version, collector.port, sample_percent=0)
    before = len(collector.spans)
    for headers in [{}, Trace("00").headers, {"x-client-trace-id": "mine"}, {"x-envoy-force-trace": "1"}]:
        assert none.chat(headers=headers).status_code == 200
    send(none, collector)
    assert len(collector.spans) - before == 2, "nothing but the last"
    stats = none.admin.get("/stats?filter=tracing.opentelemetry.spans_sent").text
    assert stats.strip().endswith(": 2")


def test_a_client_that_is_not_recorded(traced, collector):
    untraced, before = Trace("00"), len(collector.spans)
    assert traced.chat(headers=untraced.headers).status_code == 200
    send(traced, collector)
    assert not [span for span in collector.spans[before:] if span.trace == untraced.trace]


@pytest.mark.parametrize("collector_is", ["down", "silent"])
def test_a_collector_that_fails_harms_no_request(another, version, collector_is):
    silent = Collector(answers=False) if collector_is == "silent" else None
    envoy = another(version, silent.port if silent else free_port())
    envoy.chat()
    began = time.monotonic()
    for number in range(100):
        assert envoy.chat(stream=number % 2 == 0).status_code == 200
    assert time.monotonic() - began < 10
    # The collector's second is over by now, or nobody has listened.
    time.sleep(1.5)
    assert envoy.chat().status_code == 200 and envoy.admin.get("/ready").text == "LIVE\n"
    told = "upstream_rq_timeout" if silent else "upstream_cx_connect_fail"
    assert f"{told}: 0" not in envoy.admin.get(f"/stats?filter=model_router.collector.{told}$").text
    if silent:
        assert silent.spans
        silent.stop()


def test_the_collector_is_asked_as_opentelemetry_says(traced, collector):
    send(traced, collector)
    assert set(collector.requests) == {("/v1/traces", "application/x-protobuf")}


ENVOYS = {
    "canceled", "component", "downstream_cluster", "error", "error.reason", "guid:x-client-trace-id", "guid:x-request-id", "http.method", "http.protocol",
    "http.status_code", "http.url", "node_id", "peer.address", "request_size", "response_flags", "response_size", "retry.count",
    "upstream_address", "upstream_cluster", "upstream_cluster.name", "user_agent", "zone",
}


def test_attributes_are_those_of_the_docs(traced, mocks, plan, collector):
    """Over all that was received, here and before: each attribute is documented, and nothing that was said is there."""
    mocks[plan[0]["provider"]].fault("status", status=503)
    send(traced, collector)
    send(traced, collector, model="gpt-5-nano", temperature=0.5)
    table = DOCS.split("## What is in a span")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    [manager] = yaml.safe_load(traced.config.read_text())["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    configured = {tag["tag"] for tag in manager["typed_config"]["tracing"]["custom_tags"]}
    assert configured == documented
    received = {name for span in collector.spans for name in span.attributes}
    assert received <= documented | ENVOYS
    assert {"model_router.baseline_cost_usd", "model_router.dropped", "model_router.affinity", "model_router.trace", "error.type"} <= received
    assert not [text for span in collector.spans for text in [SECRET, "xyzzy", "demo-key", "mock provider"] if text in span.text]


def test_a_moderation_service_learns_nothing_of_it(version, mocks, collector, tmp_path):
    service = Mock("openai")
    parts = {"content_filter": {"endpoint": f"http://127.0.0.1:{service.port}", "on_error": "reject"}}
    envoy = start(tmp_path, version, mocks, collector.port, parts)
    try:
        response, request, _ = send(envoy, collector)
        assert response.status_code == 200 and request["http.status_code"] == "200"
        [call] = service.requests()
        assert call["path"] == "/v1/moderations" and not HEADERS & set(call["headers"])
        assert not any(name.startswith("x-b3") for name in call["headers"])
    finally:
        envoy.stop()
        service.kill()
