"""A defect of the filter that ends a VM: what is lost by it, and for how long. `make test-envoy` builds the filter that
traps where a request's `x-trap` says so.

Each worker has a VM for each of the two plugins. What they share (conversations, resting models) lies outside of them.
`failure_policy: FAIL_RELOAD` makes Envoy start another VM in the place of one that has trapped, with the next request
but not within a second of the last time; until then the worker answers 503.
"""

import http.client
import json
import time

import httpx
import pytest
from conftest import ROOT, VERSIONS, Envoy, Mock, wait_for
from wire import Busy

WASM = "target/model_router-trap.wasm"
WORKERS = 4
PLUGINS = ["route", "attempt"]
RECOVERY = 2
SPARE = 25


def asks(model="model-router", **more):
    return {"model": model, "messages": [{"role": "user", "content": "Say hello."}], **more}


class Connection:
    """A client's connection, and the worker that has it."""

    def __init__(self, envoy):
        self.connection = http.client.HTTPConnection("127.0.0.1", envoy.port, timeout=20)
        before = accepted(envoy)
        self.connection.connect()
        self.worker = wait_for(lambda: next((name for name, count in accepted(envoy).items() if count > before[name]), None))
        self.connection.auto_open = False

    def send(self, body, headers=None):
        self.connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json", **(headers or {})})
        return self.connection

    def ask(self, body, headers=None):
        """Whether the answer is whole, and what it is."""
        return received(self.send(body, headers))


def received(connection):
    try:
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return False, repr(error)
    whole = text.endswith("data: [DONE]\n\n") or '"finish_reason":"stop"' in text
    return response.status == 200 and whole and '"error"' not in text, f"{response.status} {text}"


def accepted(envoy):
    """How many connections each worker has had."""
    query = {"filter": r"^listener\.127.*\.worker_\d+\.downstream_cx_total$", "format": "json"}
    return {stat["name"].split(".")[-2]: stat["value"] for stat in envoy.admin.get("/stats", params=query).json()["stats"]}


def by_worker(envoy):
    """Connections to each worker; many to the one that comes first, where a VM is to trap."""
    found = {}
    while len(found) < WORKERS or max(map(len, found.values())) < SPARE or min(map(len, found.values())) < 2:
        one = Connection(envoy)
        found.setdefault(one.worker, []).append(one)
    return sorted(found.values(), key=len, reverse=True)


class Load(Busy):
    """Asks again and again on connections to other workers, half of them for streams."""

    def __init__(self, connections):
        self.answers = []
        super().__init__((one, number % 2 == 0) for number, one in enumerate(connections))

    def ask(self, connection, stream):
        while not self.over.is_set():
            try:
                self.answers.append(connection.ask(asks(stream=stream)))
            except OSError as error:
                self.answers.append((False, repr(error)))
            time.sleep(0.02)

    def lost(self):
        return [what for whole, what in self.answers if not whole]


@pytest.fixture(scope="module")
def slow_claude(all_mocks):
    """Takes more than a second for an answer."""
    mock = Mock("anthropic", rate=25)
    yield mock
    mock.kill()


@pytest.fixture(scope="module", params=VERSIONS)
def envoy(request, all_mocks, slow_claude, tmp_path_factory):
    assert (ROOT / WASM).exists(), "`make wasm-trap` builds it"
    change = lambda text: text.replace("target/model_router.wasm", WASM)
    envoy = Envoy(
        tmp_path_factory.mktemp("traps"), all_mocks | {"anthropic": slow_claude}, request.param, change,
        cooldown="{initial_seconds: 100, maximum_seconds: 100}", workers=WORKERS,
    )
    yield envoy
    envoy.stop()


def recovered(spare):
    """Asks until an answer comes: after how many seconds, and how many were lost."""
    began, lost = time.monotonic(), 0
    while not spare.pop().ask(asks())[0]:
        lost += 1
        time.sleep(0.15)
    return time.monotonic() - began, lost


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_trap_costs_no_other_worker_a_request(envoy, mocks, plugin):
    """What the VM was at is lost, and every client can see that; nothing else is."""
    victims, *others = by_worker(envoy)
    with Load([one for worker in others for one in worker[:2]]) as load:
        time.sleep(0.3)
        stream, pending, trapping = victims.pop(), victims.pop(), victims.pop()
        stream.send(asks("claude-haiku-4-5", stream=True))
        pending.send(asks("claude-haiku-4-5"))
        time.sleep(0.5)
        before = len(load.answers)
        whole, status = trapping.ask(asks(), {"x-trap": plugin})
        seconds, lost = recovered(victims)
        assert all(victims.pop().ask(asks())[0] for _ in range(5))
        time.sleep(0.3)
        during = len(load.answers) - before
        running = [received(stream.connection), received(pending.connection)]
    print(f"{plugin}: back after {seconds:.2f} s, {lost} lost until then, {during} answers elsewhere, {running}")
    assert not whole and status.startswith("503")
    assert all(whole or what.startswith(("503", "IncompleteRead")) for whole, what in running)
    assert load.lost() == [] and during > 0
    assert seconds < RECOVERY
    assert f"wasm.model_router.{plugin}.vm_reload_success" in envoy.admin.get("/stats").text


@pytest.mark.parametrize("plugin", PLUGINS)
def test_traps_in_a_row(envoy, mocks, plugin):
    """The second is within a second of the first, so Envoy waits before it starts another VM."""
    victims, *_ = by_worker(envoy)
    for _ in range(2):
        victims.pop().ask(asks(), {"x-trap": plugin})
        seconds, lost = recovered(victims)
        print(f"{plugin}: back after {seconds:.2f} s, {lost} lost until then")
        assert seconds < RECOVERY


@pytest.mark.parametrize("plugin", PLUGINS)
def test_what_workers_share_survives(envoy, mocks, plugin):
    """The model that rests goes on resting, and the conversation stays on its model."""
    explain = lambda: httpx.post(f"{envoy.url}/model-router/explain", json=asks()).json()["candidates"]
    resting = lambda: [row["model"] for row in explain() if row.get("rests_milliseconds")]
    retained = lambda: envoy.metric("model_router_affinity_total", decision="retain")
    session = {"x-ms-session-id": f"conversation of {plugin}"}
    victims, *_ = by_worker(envoy)
    mocks["oss"].fault("status", status=503)
    victims[-1].ask(asks("gpt-oss-120b"))
    assert victims[-1].ask(asks(), session)[0]
    assert resting() == ["gpt-oss-120b"]
    victims.pop().ask(asks(), {"x-trap": plugin})
    recovered(victims)
    before = retained()
    assert victims.pop().ask(asks(), session)[0]
    wait_for(lambda: retained() == before + 1)
    assert resting() == ["gpt-oss-120b"]
