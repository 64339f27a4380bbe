"""Ten thousand random requests with random faults: every attempt is eligible and clean, every answer is one.

A provider sees its own key, its own name of an eligible model, and parameters that this model takes. It never sees what a
client sent to authenticate itself, a header that is internal, or anything that is another provider's.
"""

import http.client
import json
import random
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml
from conftest import PORTS, ROOT, Envoy, Mock
from random_requests import CREDENTIALS, INJECTED, NO_FAULT, ROUTERS, SLOW_KINDS, TAG, faults, request
from wire import policy_in

SEED = 20260707
PARTS, PER_PART = 10, 1000
# A mock keeps its last 100 requests, and no model of the demo has more than three slots at one provider.
KEPT, BATCH = 100, 33
CLIENTS = 16
TIMEOUT = 30

POLICY = policy_in(yaml.safe_load((ROOT / "envoy/envoy.yaml").read_text()))
CATALOG = json.loads((ROOT / "src/catalog/catalog.json").read_text())
POOLS = {router["name"]: router["subset"] for router in POLICY["routers"]}
# (provider, its name for the model) of each model.
SERVED = {model["name"]: {(place["provider"], place.get("deployment", model["name"])) for place in model["served_by"]}
          for model in POLICY["models"]}
MODEL_OF = {place: model for model, places in SERVED.items() for place in places}

KEYS = {
    "openai": ("authorization", "Bearer demo-key-of-openai"), "azure": ("api-key", "demo-key-of-azure"),
    "anthropic": ("x-api-key", "demo-key-of-anthropic"), "xai": ("authorization", "Bearer demo-key-of-xai"),
    "oss": ("authorization", "Bearer demo-key-of-oss"),
}
# All that reaches a provider beside its key. The first four are the client's, the rest Envoy's and the filter's.
HEADERS = {"host", "accept", "user-agent", "content-type", "content-length", "x-request-id", "x-forwarded-for", "x-forwarded-proto"}
ANTHROPICS = {"anthropic-version", "anthropic-beta"}
AZURE = "/openai/deployments/{}/{}?api-version=2025-04-01-preview"
ENDPOINTS = {"chat": "chat/completions", "responses": "responses", "messages": "messages", "embeddings": "embeddings", "completions": "completions"}


def pool_of(sent):
    """The models that may answer a request."""
    models = POOLS.get(sent.asked, [sent.asked])
    if narrowed := sent.body.get("routing_config"):
        models = [model for model in models if model in narrowed["models"]]
    return set(models)


def rules_of(name):
    """What a rule set of the catalog says, and those that it extends."""
    rules = CATALOG["rules"][name]
    more = rules_of(rules["extends"]) if "extends" in rules else {}
    return {key: rules.get(key, []) + more.get(key, []) for key in ("drop", "drop_when_reasoning", "rename")}


FACTS = {facts["name"]: facts | {"rules": rules_of(facts["parameters"])} for facts in CATALOG["models"] if facts["name"] in SERVED}
NAMES_IN_RESPONSES = {"reasoning_effort": "reasoning.effort", "verbosity": "text.verbosity"}


def refused(model, wire, body):
    """The parameters in a body that the catalog says the model refuses."""
    facts, rules = FACTS[model], FACTS[model]["rules"]
    drop = rules["drop"] + [old for old, _ in rules["rename"]]
    effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort") or (facts["reasoning"] or {}).get("default", "none")
    if effort != "none":
        drop += rules["drop_when_reasoning"]
    found = set(body)
    found |= {f"{outer}.{inner}" for outer in ("reasoning", "text") for inner in body.get(outer) or {}}
    for message in body.get("messages", []):
        found |= {f"messages.{name}" for name in message}
    for tool in body.get("tools", []):
        found |= {f"tools.function.{name}" for name in tool.get("function", {})}
    if '"cache_control"' in json.dumps(body):
        found.add("cache_control")
    names = {NAMES_IN_RESPONSES.get(name, name) if wire == "responses" else name for name in drop}
    return found & names


def wire_at(provider, sent):
    """The API in which a provider is asked."""
    if provider == "anthropic":
        return "messages"
    return "chat" if provider == "oss" else sent.api


def check_attempt(provider, record, sent):
    """What one provider has seen of a request. Returns the place that was tried."""
    text, headers, path = json.dumps(record), record["headers"], record["path"]
    body = json.loads(record["body"])
    wire = wire_at(provider, sent)

    name, key = KEYS[provider]
    assert headers[name] == key and text.count("demo-key-of-") == 1
    assert not ({credential.lower() for credential in CREDENTIALS} - {name}) & headers.keys()
    assert "secret-" not in text, "what only the router and its Envoy may know"
    assert not [header for header in headers if header.startswith(("x-model-router-", "x-envoy-"))]
    assert headers.keys() <= HEADERS | {name} | (ANTHROPICS if provider == "anthropic" else set())
    assert not [header for header, value in headers.items() if not isinstance(value, str)], "none comes twice"

    assert int(headers["content-length"]) == len(record["body"].encode())
    assert headers["content-type"] == "application/json"
    assert "routing_config" not in body and not [router for router in ROUTERS if router in path]

    endpoint = ENDPOINTS[wire]
    named = path.split("/")[3] if provider == "azure" and wire != "responses" else body["model"]
    place = (provider, body.get("model", named))
    assert place == (provider, named)
    model = MODEL_OF[place]
    assert model in pool_of(sent), "an attempt outside of the pool"
    if provider != "azure":
        assert path == f"/v1/{endpoint}"
    elif wire == "responses":
        assert path == "/openai/responses?api-version=2025-04-01-preview"
    else:
        assert path == AZURE.format(named, endpoint)
    if provider == "anthropic":
        assert headers["anthropic-version"] == "2023-06-01"
    if wire in ("chat", "responses"):
        assert not refused(model, wire, body)
    if sent.api == "messages":
        assert provider == "anthropic", "nobody else speaks this API"
    if '"image_url"' in sent.text.decode():
        assert FACTS[model]["capabilities"]["images"], "it cannot see"
    return place


# What tells that an answer is whole.
LAST_EVENT = {
    "chat": lambda last: last == "[DONE]",
    "responses": lambda last: json.loads(last)["type"] in ("response.completed", "response.incomplete"),
    "messages": lambda last: json.loads(last)["type"] == "message_stop",
}
WHOLE = {
    "chat": lambda answer: answer["object"] == "chat.completion" and answer["choices"][0]["message"],
    "responses": lambda answer: answer["object"] == "response" and answer["output"],
    "messages": lambda answer: answer["type"] == "message" and answer["content"],
    "embeddings": lambda answer: answer["object"] == "list" and answer["data"][0]["embedding"],
    "completions": lambda answer: answer["object"] == "text_completion" and answer["choices"],
}


def is_error(api, error):
    """An error in the shape of the API that was called."""
    if api == "messages":
        return error["type"] == "error" and error["error"]["type"] and error["error"]["message"]
    return error["error"]["message"] and error["error"].keys() >= {"message", "code"}


def check_answer(answer, sent, tried, kinds):
    """What the client has got, after attempts at the places in `tried` where faults of these `kinds` were. Returns what it is."""
    assert b"demo-key-of-" not in answer.body
    headers, text = answer.headers, answer.body.decode()
    if tried:
        assert int(headers["x-model-router-attempts"]) == len(tried)
        assert headers["x-model-router-model"] in {MODEL_OF[place] for place in tried}
    if answer.status != 200:
        assert not answer.broken and headers["content-type"] == "application/json"
        assert is_error(sent.api, json.loads(text))
        if not tried:
            # The two models that it allows may both be unfit.
            assert headers["x-model-router-reason"] == json.loads(text)["error"]["code"] == "no_eligible_model"
            assert "routing_config" in sent.body
            return "refused"
        # A provider's own 4xx would say that an attempt was not fit for it.
        assert INJECTED in text or answer.status == 429 or answer.status >= 500, text
        return "error"
    assert tried
    if not sent.stream:
        assert not answer.broken and headers["content-type"] == "application/json" and WHOLE[sent.api](json.loads(text)), text
        return "whole"
    assert headers["content-type"].startswith("text/event-stream")
    if answer.broken:
        assert "truncated" in kinds, "no provider has cut its stream"
        return "cut"
    *frames, rest = text.split("\n\n")
    assert rest == "" and frames, text[-300:]
    last = frames[-1].split("data: ", 1)[1]
    if LAST_EVENT[sent.api](last):
        return "stream"
    assert kinds & {"stream_error", "malformed", "truncated", "ends_early"}, text[-300:]
    error = json.loads(last)
    if sent.api == "responses":
        assert error["type"] in ("error", "response.failed")
    else:
        assert is_error(sent.api, error)
    return "stream with error"


class Answer:
    """Of a request: whole, or `broken` off."""

    def __init__(self, response):
        self.status, self.headers = response.status, {name.lower(): value for name, value in response.getheaders()}
        try:
            self.body, self.broken = response.read(), False
        except (http.client.IncompleteRead, ConnectionError) as error:
            self.body, self.broken = getattr(error, "partial", b""), True


class Client(threading.local):
    """One connection for each thread. Says nothing that a request does not say."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def send(self, sent, path=None):
        connection = self.connection
        connection.putrequest("POST", path or sent.path, skip_accept_encoding=True)
        connection.putheader("content-type", "application/json")
        for name, value in sent.headers:
            connection.putheader(name, value)
        if sent.chunked:
            half = len(sent.text) // 2
            connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(iter([sent.text[:half], sent.text[half:]]), encode_chunked=True)
        else:
            connection.putheader("content-length", str(len(sent.text)))
            connection.endheaders(sent.text)
        answer = Answer(connection.getresponse())
        if answer.broken:
            connection.close()
        return answer


@pytest.fixture(scope="module")
def strict_mocks():
    """Mocks that know what is behind the deployments at Azure, and so refuse what these models refuse."""
    behind = [f"--served-as={place}={model}" for (provider, place), model in MODEL_OF.items() if provider == "azure"]
    mocks = {name: Mock(name, options=behind if name == "azure" else ()) for name in PORTS}
    yield mocks
    for mock in mocks.values():
        mock.kill()


@pytest.fixture(scope="module")
def one_envoy(strict_mocks, tmp_path_factory):
    envoy = Envoy(tmp_path_factory.mktemp("clean"), strict_mocks)
    yield envoy
    envoy.stop()


@pytest.fixture(scope="module")
def send(one_envoy):
    with ThreadPoolExecutor(CLIENTS) as pool:
        client = Client(one_envoy.port)
        yield lambda requests, path=None: list(pool.map(lambda sent: client.send(sent, path), requests))


def explained(requests, send):
    """The places of the plan that the filter explains, in order, of some requests; by tag."""
    # There a header tells Messages from other APIs, and only the body names the model.
    version = lambda sent: any(name == "anthropic-version" for name, _ in sent.headers)
    may = lambda sent: sent.api in ("chat", "responses", "messages") and version(sent) == (sent.api == "messages")
    asked = [sent for sent in requests[::3] if may(sent) and sent.body.get("model", "").removeprefix("model_router/") == sent.asked]
    plans = {}
    for sent, answer in zip(asked, send(asked, "/model-router/explain")):
        told = json.loads(answer.body)
        assert answer.status == 200 and ("candidates" in told or "routing_config" in sent.body), (sent, told)
        rows = sorted((row for row in told.get("candidates", []) if row["slot"]), key=lambda row: row["slot"])
        plans[sent.tag] = [place for row in rows for place in SERVED[row["model"]] if place[0] == row["provider"]]
    return plans


def run_batch(numbers, random_of_part, send, mocks):
    """(requests, their plans, answers, {provider: records}, {provider: faults that happened})."""
    planned = faults(random_of_part, mocks, KEPT)
    for name, mock in mocks.items():
        mock.client.delete("/_mock/requests")
        mock.client.delete("/_mock/faults")
        mock.client.post("/_mock/faults", json=planned[name]).raise_for_status()
    requests = [request(random_of_part, number, POOLS) for number in numbers]
    plans = explained(requests, send)
    answers = send(requests)
    records = {name: mock.requests() for name, mock in mocks.items()}
    happened = {}
    for name, mock in mocks.items():
        left = len(mock.client.get("/_mock/faults").json())
        happened[name] = planned[name][: KEPT - left]
        assert len(records[name]) == len(happened[name]) < KEPT, "each attempt was recorded"
    return requests, plans, answers, records, happened


@pytest.mark.parametrize("part", range(PARTS))
def test_every_attempt_is_eligible_and_clean(strict_mocks, send, part):
    random_of_part = random.Random(SEED + part)
    counts, wrong = Counter(), []
    first, last = part * PER_PART, (part + 1) * PER_PART
    for start in range(first, last, BATCH):
        numbers = range(start, min(start + BATCH, last))
        requests, plans, answers, records, happened = run_batch(numbers, random_of_part, send, strict_mocks)
        by_tag = {sent.tag: sent for sent in requests}
        tried = {tag: [] for tag in by_tag}
        for provider, seen in records.items():
            counts[f"attempts at {provider}"] += len(seen)
            counts.update(f"fault {fault['fault']}" for fault in happened[provider] if fault["fault"] != NO_FAULT["fault"])
            for record in seen:
                [tag] = set(TAG.findall(record["body"]))
                with noted(wrong, by_tag[tag], provider, record):
                    tried[tag].append(check_attempt(provider, record, by_tag[tag]))
        for sent, answer in zip(requests, answers):
            places = tried[sent.tag]
            kinds = {fault["fault"] for provider, _ in places for fault in happened[provider]}
            with noted(wrong, sent, places, answer.status, answer.headers, answer.body):
                assert len(places) == len(set(places)), "a place was tried twice"
                if (plan := plans.get(sent.tag)) is not None:
                    assert set(places) == set(plan[: len(places)]), f"not as planned: {plan}"
                    counts["attempts as explained"] += len(places)
                outcome = check_answer(answer, sent, places, kinds)
                counts.update([f"requests {sent.api}", f"answers {outcome}"])
    summary = json.dumps(dict(sorted(counts.items())))
    print(summary)
    assert not wrong, f"{len(wrong)} of {summary}, the first of them:\n{wrong[0]}"
    assert counts["answers refused"] < PER_PART / 100, f"nearly each request has a model: {summary}"
    assert all(counts[f"fault {kind}"] for kind in SLOW_KINDS), summary


@contextmanager
def noted(wrong, *about):
    """Puts what is wrong with a request among the rest."""
    try:
        yield
    except (AssertionError, LookupError, ValueError):
        wrong.append(f"{traceback.format_exc(limit=-1)}{about}")


def test_envoy_has_lived_through_it(one_envoy):
    log = one_envoy.log.read_text()
    assert one_envoy.process.poll() is None and one_envoy.admin.get("/ready").status_code == 200
    assert not [line for line in log.splitlines() if "[critical]" in line or "[error]" in line]
    assert "secret-" not in log and "demo-key-of-" not in log


# What only some models take inside of a parameter, or beside those of their API.
CORNERS = [
    ("gpt-5-nano", {"input": "x", "include": ["message.output_text.logprobs"]}),
    ("gpt-4.1-mini", {"input": "x", "include": ["reasoning.encrypted_content"]}),
    ("gpt-5-nano", {"messages": [{"role": "user", "content": "x"}], "thinking": {"type": "disabled"}}),
]


@pytest.mark.parametrize("model, body", CORNERS, ids=lambda value: next(reversed(value)) if isinstance(value, dict) else value)
def test_corners_of_parameters(one_envoy, strict_mocks, model, body):
    strict_mocks["openai"].reset()
    path = "/v1/responses" if "input" in body else "/v1/chat/completions"
    assert one_envoy.client.post(path, json={"model": model, **body}).status_code == 200
