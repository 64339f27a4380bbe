"""The content filter: a moderation service is asked about each prompt before any provider sees it."""

import concurrent.futures
import contextlib
import copy
import http.client
import json
import time

import httpx
import openai
import pytest
import yaml
from conftest import ROOT, Envoy, Mock, explain, wait_for
from test_both import downstream_only
from wire import asked, events, policy_in

BAD = "Tell me how, flag-me:hate, and why."
GOOD = "Say hello."
SECRET = "moderation-secret"
TIMEOUT = 0.5
ALLOW = {"cluster": "moderation", "authority": "api.openai.com", "on_error": "allow", "timeout_seconds": TIMEOUT}
CHAT = "/v1/chat/completions"
AZURE = "/openai/deployments/model-router/chat/completions?api-version=2024-10-21"
# What may happen to the moderation service, and what the access log says of it then.
TROUBLE = {
    "hangs": ({"fault": "hang"}, "failed:504"),
    "resets": ({"fault": "reset"}, "failed:503"),
    "500": ({"fault": "status", "status": 500}, "failed:500"),
    "429": ({"fault": "status", "status": 429}, "failed:429"),
    "400": ({"fault": "status", "status": 400}, "failed:400"),
    "a page": ({"fault": "status", "status": 200, "body": "<html>login</html>"}, "failed:unreadable"),
    "half": ({"fault": "malformed"}, "failed:unreadable"),
    "cut off": ({"fault": "truncated"}, "failed:"),
    "nothing": ({"fault": "empty_stream"}, "failed:unreadable"),
    "no results": ({"fault": "status", "status": 200, "body": {"results": []}}, "failed:unreadable"),
    "too much": ({"fault": "status", "status": 200, "body": {"results": [], "x": "x" * 3_000_000}}, "failed:unreadable"),
}


def with_filter(directory, port, filters=ALLOW, edit=lambda document: None):
    """A change of envoy.yaml: docs/CONTENT_FILTER.md's cluster, at the mock, and `filters` in the policy."""

    def change(text):
        document = yaml.safe_load(text)
        key = directory / "moderation-key"
        key.write_text(SECRET)
        example = (ROOT / "docs/CONTENT_FILTER.md").read_text().split("```yaml\n")[2].split("```")[0]
        [cluster] = yaml.safe_load(example)
        del cluster["transport_socket"]
        [[endpoint]] = [group["lb_endpoints"] for group in cluster["load_assignment"]["endpoints"]]
        endpoint["endpoint"]["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
        document["static_resources"]["clusters"].append(cluster)
        secret = {"name": "moderation", "generic_secret": {"secret": {"filename": str(key)}}}
        document["static_resources"]["secrets"].append(secret)
        policy_in(document)["content_filter"] = filters
        edit(document)
        return yaml.safe_dump(document, default_flow_style=False)

    return change


@pytest.fixture(scope="module")
def service():
    mock = Mock("openai")
    yield mock
    mock.kill()


@pytest.fixture(scope="module")
def envoys(all_mocks, service, tmp_path_factory):
    """An Envoy for each rule, `version` and `on_error`, made when it is asked for."""
    made = {}

    def get(version="1.40.0", on_error="allow", **more):
        key = (version, on_error, json.dumps(more))
        if key not in made:
            directory = tmp_path_factory.mktemp("filtered")
            change = with_filter(directory, service.port, {**ALLOW, "on_error": on_error, **more})
            made[key] = Envoy(directory, all_mocks, version, change)
        return made[key]

    yield get
    for envoy in made.values():
        envoy.stop()


@pytest.fixture
def moderation(service):
    service.reset()
    return service


@pytest.fixture
def filtered(envoys, moderation, mocks, version):
    return envoys(version)


def ask(envoy, prompt=GOOD, path=CHAT, **more):
    return envoy.client.post(path, json={"model": "model-router", "messages": [{"role": "user", "content": prompt}], **more})


def last_entry(envoy, agent):
    """The access log's entry of a request, which comes seconds later."""
    return wait_for(lambda: next((e for e in envoy.access_log() if e["user_agent"] == agent), None))


def verdicts(envoy):
    names = ["passed", "flagged", "failed", "skipped", "cancelled"]
    return {name: envoy.metric("model_router_content_filter_total", verdict=name) for name in names}


class Gained:
    """What verdicts came since this was made."""

    def __init__(self, envoy):
        self.envoy, self.before = envoy, verdicts(envoy)

    def __call__(self):
        return {name: count - self.before[name] for name, count in verdicts(self.envoy).items() if count != self.before[name]}


def test_it_is_asked_first_and_the_answer_is_the_same(filtered, moderation, mocks, all_envoys, version):
    gained = Gained(filtered)
    answer, without = ask(filtered), ask(all_envoys[version])
    assert answer.status_code == 200
    [call] = moderation.requests()
    assert (call["method"], call["path"]) == ("POST", "/v1/moderations")
    assert json.loads(call["body"]) == {"input": [GOOD]}
    assert call["headers"]["authorization"] == f"Bearer {SECRET}" and call["headers"]["host"] == "api.openai.com"
    sent = [(provider, request["path"], request["body"], request["headers"].get("authorization")) for provider, request in asked(mocks)]
    assert len(sent) == 2 and sent[0] == sent[1] and SECRET not in str(sent)
    said = lambda response: (response.json()["choices"], response.json()["usage"])
    assert said(answer) == said(without)
    same = [name for name in answer.headers if name.startswith("x-model-router")]
    assert len(same) >= 5 and all(answer.headers[name] == without.headers[name] for name in same)
    assert gained() == {"passed": 1}


@pytest.mark.parametrize("path", [CHAT, AZURE, "/openai/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_flagged_prompt_reaches_no_provider(filtered, mocks, path, stream):
    gained = Gained(filtered)
    rejected = filtered.metric("model_router_rejected_total", reason="content_filter")
    response = ask(filtered, BAD, path, stream=stream)
    assert response.status_code == 400 and response.headers["content-type"] == "application/json"
    assert response.headers["x-model-router-reason"] == "content_filter"
    error = response.json()["error"]
    assert (error["code"], error["param"], error["status"], error["type"]) == ("content_filter", "prompt", 400, None)
    result = error["innererror"]["content_filter_result"]
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert result["hate"] == {"filtered": True, "severity": "medium"}
    assert {name: result[name]["filtered"] for name in result} == {"hate": True, "self_harm": False, "sexual": False, "violence": False}
    assert not asked(mocks) and BAD not in response.text
    assert gained() == {"flagged": 1}
    assert filtered.metric("model_router_rejected_total", reason="content_filter") == rejected + 1


@pytest.mark.parametrize("body, path", [
    ({"input": BAD}, "/v1/responses"),
    ({"input": GOOD, "instructions": BAD, "stream": True}, "/v1/responses"),
    ({"input": [{"role": "user", "content": [{"type": "input_text", "text": BAD}]}]}, "/openai/responses?api-version=2025-04-01-preview"),
    ({"messages": [{"role": "system", "content": BAD}, {"role": "user", "content": GOOD}]}, CHAT),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": BAD}]}]}, CHAT),
    ({"model": "gpt-5-nano", "messages": [{"role": "user", "content": BAD}]}, CHAT),
    ({"model": "gpt-4.1-mini", "prompt": BAD}, "/v1/completions"),
], ids=str)
def test_every_text_in_every_api(envoys, moderation, mocks, body, path):
    response = envoys().client.post(path, json={"model": "model-router", **body})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "content_filter"), response.text
    assert not asked(mocks)


def test_messages(envoys, moderation, mocks):
    body = {"model": "model-router-claude", "max_tokens": 50, "messages": [{"role": "user", "content": BAD}]}
    response = envoys().client.post("/v1/messages", json=body, headers={"anthropic-version": "2023-06-01"})
    assert response.status_code == 400 and response.json()["type"] == "error" and not asked(mocks)
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "content_filter")


def test_streams_pass(filtered, mocks):
    response = ask(filtered, stream=True)
    assert response.status_code == 200 and response.text.endswith("data: [DONE]\n\n")
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events(response) if event["choices"])


def test_failover_goes_on_as_ever(filtered, moderation, mocks):
    for mock in mocks.values():
        mock.fault("status", count=1, status=503)
    response = ask(filtered)
    assert response.status_code == 200 and int(response.headers["x-model-router-attempts"]) > 1
    assert len(moderation.requests()) == 1


@pytest.mark.parametrize("make", [
    lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0),
    lambda url: openai.AzureOpenAI(azure_endpoint=url, api_key="k", api_version="2025-03-01-preview", max_retries=0),
], ids=["openai", "azure"])
def test_sdks_know_the_error(envoys, moderation, mocks, make):
    client = make(envoys().url)
    calls = [
        lambda: client.chat.completions.create(model="model-router", messages=[{"role": "user", "content": BAD}]),
        lambda: client.chat.completions.create(model="model-router", messages=[{"role": "user", "content": BAD}], stream=True),
        lambda: client.responses.create(model="model-router", input=BAD),
    ]
    for call in calls:
        with pytest.raises(openai.BadRequestError) as raised:
            call()
        error = raised.value
        assert (error.code, error.param, error.status_code) == ("content_filter", "prompt", 400)
        assert error.body["innererror"]["content_filter_result"]["hate"]["filtered"]
    assert not asked(mocks)


@pytest.mark.parametrize("on_error", ["allow", "reject"])
def test_without_a_verdict(envoys, moderation, mocks, version, on_error):
    envoy = envoys(version, on_error)
    agents = {}
    for trouble, (fault, _) in TROUBLE.items():
        moderation.fault(**fault)
        gained, agents[trouble], began = Gained(envoy), f"{trouble}-{time.monotonic_ns()}", time.monotonic()
        body = {"model": "model-router", "messages": [{"role": "user", "content": BAD}]}
        response = envoy.client.post(CHAT, json=body, headers={"user-agent": agents[trouble]})
        assert time.monotonic() - began < 4 * TIMEOUT + 1
        assert gained() == {"failed": 1}, trouble
        if on_error == "allow":
            assert response.status_code == 200, trouble
        else:
            assert (response.status_code, response.json()["error"]["code"]) == (503, "content_filter_unavailable")
        # The next prompt is checked as ever.
        assert ask(envoy, BAD).status_code == 400
    assert len(asked(mocks)) == (len(TROUBLE) if on_error == "allow" else 0)
    for trouble, (_, said) in TROUBLE.items():
        assert last_entry(envoy, agents[trouble])["model_router.content_filter"].startswith(said), trouble


@pytest.mark.parametrize("where", ["refuses", "no cluster", "no hosts", "no room"])
@pytest.mark.parametrize("on_error, status", [("allow", 200), ("reject", 503)])
def test_nobody_is_there(all_mocks, mocks, tmp_path, version, where, on_error, status):
    def edit(document):
        clusters = document["static_resources"]["clusters"]
        if where == "no cluster":
            clusters.pop()
        elif where == "no hosts":
            clusters[-1]["load_assignment"]["endpoints"] = []
        elif where == "no room":
            clusters[-1]["circuit_breakers"] = {"thresholds": [{"max_requests": 0, "max_pending_requests": 0, "max_connections": 0}]}

    envoy = Envoy(tmp_path, all_mocks, version, with_filter(tmp_path, 1, {**ALLOW, "on_error": on_error}, edit))
    with contextlib.closing(envoy.client), contextlib.ExitStack() as stack:
        stack.callback(envoy.stop)
        assert [ask(envoy).status_code for _ in range(5)] == [status] * 5
        assert verdicts(envoy)["failed"] == 5 and len(asked(mocks)) == (5 if status == 200 else 0)
        log = envoy.log.read_text()
        assert "content_filter.cluster: whether there is a cluster `moderation`" in log
        assert ("no call to the cluster `moderation` can be made" in log) == (where != "refuses")


def test_only_these_routers(envoys, moderation, mocks):
    envoy = envoys(routers=["auto"])
    status = {model: ask(envoy, BAD, model=model).status_code for model in ["auto", "model-router", "gpt-5-nano"]}
    assert status == {"auto": 400, "model-router": 200, "gpt-5-nano": 200}
    assert len(moderation.requests()) == 1


def test_what_is_not_asked_about(envoys, moderation, mocks):
    """Pictures, what makes nothing of a prompt, and explanations."""
    envoy = envoys()
    gained = Gained(envoy)
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]}]
    assert ask(envoy, messages=picture).status_code == 200
    assert gained() == {"skipped": 1}
    for api in ["embeddings", "moderations"]:
        assert envoy.client.post(f"/v1/{api}", json={"model": "text-embedding-3-small", "input": BAD}).status_code == 200
    explained = envoy.client.post("/model-router/explain", json={"model": "model-router", "messages": [{"role": "user", "content": BAD}]})
    assert explained.status_code == 200 and explained.json()["content_filter"] is True
    # The embeddings' provider is another mock.
    assert not moderation.requests() and gained() == {"skipped": 1}


def test_the_companion_explains_it_too(tmp_path):
    document = yaml.safe_load((ROOT / "envoy/envoy.yaml").read_text())
    body = {"model": "model-router", "messages": [{"role": "user", "content": BAD}]}
    assert explain(body)["content_filter"] is False
    policy_in(document)["content_filter"] = ALLOW
    (tmp_path / "envoy.yaml").write_text(yaml.safe_dump(document))
    assert explain(body, policy=tmp_path / "envoy.yaml")["content_filter"] is True


def test_long_conversations(envoys, moderation, mocks):
    """The latest is asked about; where that must not be, nothing goes on."""
    turns = [{"role": role, "content": f"{index} {'word ' * 400}"} for index in range(50) for role in ["user", "assistant"]]
    last = [{"role": "user", "content": BAD}]
    assert ask(envoys(), messages=turns + last).status_code == 400
    [call] = moderation.requests()
    assert len(call["body"]) < 140_000 and len(json.loads(call["body"])["input"]) < 20
    assert ask(envoys(), messages=last + turns).status_code == 200
    strict = envoys(on_error="reject")
    for messages in [turns + last, last + turns]:
        response = ask(strict, messages=messages)
        assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
    assert len(asked(mocks)) == 1


def test_clients_leave_while_they_wait(envoys, moderation, mocks, version):
    """Nothing stays of them, and their requests go nowhere."""
    envoy = envoys(version)
    gained = Gained(envoy)
    moderation.fault("slow_first_token", count=None, ms=200)
    body = json.dumps({"model": "model-router", "messages": [{"role": "user", "content": GOOD}]})
    for _ in range(40):
        connection = http.client.HTTPConnection("127.0.0.1", envoy.port, timeout=20)
        connection.request("POST", CHAT, body, {"content-type": "application/json"})
        time.sleep(0.01)
        connection.close()
    wait_for(lambda: gained() == {"cancelled": 40})
    time.sleep(0.4)
    assert not asked(mocks) and gained() == {"cancelled": 40}
    moderation.reset()
    assert ask(envoy).status_code == 200 and ask(envoy, BAD).status_code == 400
    assert "panicked" not in envoy.log.read_text()


def test_many_at_once_get_their_own_verdict(filtered, moderation, mocks):
    moderation.fault("slow_first_token", count=None, ms=20)

    def one(index):
        bad = index % 3 == 0
        response = ask(filtered, f"{index} {BAD if bad else GOOD}", stream=index % 2 == 0)
        return response.status_code == (400 if bad else 200)

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert all(pool.map(one, range(300)))
    assert not any("flag-me" in request["body"] for _, request in asked(mocks))


def test_two_listeners_in_one_vm(all_mocks, moderation, mocks, tmp_path, version):
    """The SDK aborts the VM if two calls have the same number: Envoy numbers those of both listeners together."""

    def edit(document):
        [listener] = document["static_resources"]["listeners"]
        other = copy.deepcopy(listener)
        other["name"], other["address"]["socket_address"]["port_value"] = "other", 0
        policy_in({"static_resources": {"listeners": [other]}})["max_attempts"] = 4
        document["static_resources"]["listeners"].append(other)

    change = with_filter(tmp_path, moderation.port, {**ALLOW, "timeout_seconds": 10}, edit)
    envoy = Envoy(tmp_path, all_mocks, version, change, workers=1)
    with contextlib.ExitStack() as stack:
        stack.callback(envoy.stop)
        statuses = envoy.admin.get("/listeners?format=json").json()["listener_statuses"]
        [port] = [s["local_address"]["socket_address"]["port_value"] for s in statuses if s["name"] == "other"]
        moderation.fault("slow_first_token", count=None, ms=100)
        urls = [f"http://127.0.0.1:{each}{CHAT}" for each in [envoy.port, port] * 40]
        body = {"model": "model-router", "messages": [{"role": "user", "content": GOOD}]}
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            assert set(pool.map(lambda url: httpx.post(url, json=body, timeout=30).status_code, urls)) == {200}
        assert verdicts(envoy)["passed"] == 80 and "panicked" not in envoy.log.read_text()


def test_where_one_plugin_does_it_all(all_mocks, moderation, mocks, tmp_path, version, monkeypatch):
    """The smaller deployment rewrites the request itself, after the verdict."""
    monkeypatch.setenv("TEST_OPENAI_KEY", "key-of-openai")
    monkeypatch.setenv("TEST_ANTHROPIC_KEY", "key-of-anthropic")
    change = with_filter(tmp_path, moderation.port)
    envoy = Envoy(tmp_path, all_mocks, version, lambda text: change(downstream_only(text)))
    with contextlib.ExitStack() as stack:
        stack.callback(envoy.stop)
        for stream in [False, True]:
            response = ask(envoy, stream=stream)
            assert response.status_code == 200 and response.headers["x-model-router-attempts"] == "1"
            sent = json.loads(asked(mocks)[-1][1]["body"])
            assert sent["model"] == response.headers["x-model-router-model"]
            assert ask(envoy, BAD, stream=stream).status_code == 400
        assert len(asked(mocks)) == 2


def test_nothing_that_was_said_is_logged(envoys, moderation, mocks):
    envoy = envoys()
    agents = {name: f"{name}-{time.monotonic_ns()}" for name in ["good", "bad"]}
    for name, prompt in [("good", "the word is xyzzy"), ("bad", "xyzzy flag-me:self-harm/intent flag-me:violence")]:
        body = {"model": "model-router", "messages": [{"role": "user", "content": prompt}]}
        envoy.client.post(CHAT, json=body, headers={"user-agent": agents[name]})
    good, bad = (last_entry(envoy, agents[name]) for name in ["good", "bad"])
    assert good["model_router.content_filter"] == "passed" and float(good["model_router.content_filter_ms"]) >= 0
    assert bad["model_router.content_filter"] == "flagged:self-harm/intent,violence"
    assert (bad["status"], bad["gen_ai.request.model"]) == (400, "model-router")
    text = envoy.log.read_text() + envoy.admin.get("/stats/prometheus").text
    assert "xyzzy" not in text and SECRET not in text
    assert envoy.metric("model_router_content_filter_milliseconds_count") > 0


def test_total_seconds_hold_for_both(all_mocks, moderation, mocks, tmp_path, version):
    """The call may take no longer than the request, and what it took is missing after it."""

    def edit(document):
        policy_in(document)["timeouts"] = {"total_seconds": 1}

    envoy = Envoy(tmp_path, all_mocks, version, with_filter(tmp_path, moderation.port, {**ALLOW, "timeout_seconds": 5}, edit))
    with contextlib.ExitStack() as stack:
        stack.callback(envoy.stop)
        moderation.fault("slow_first_token", ms=600)
        for mock in mocks.values():
            mock.fault("hang", count=None)
        for fault in [None, "hang"]:
            if fault:
                moderation.fault(fault)
            began = time.monotonic()
            assert ask(envoy).status_code == 504
            assert 0.9 < time.monotonic() - began < 1.5
