"""Who leaves in the middle: a client, or a provider. Nothing goes on for nobody, and everything is accounted for."""

import contextlib
import http.client
import json
import socket
import struct
import threading
import time

import h2.connection
import h2.events
import pytest
from conftest import wait_for
from h2.errors import ErrorCodes
from wire import asked

CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
ACTIVE = r"^(http\.ingress\.downstream_rq_active|cluster\..*\.upstream_rq_active)$"


class Waiting:
    """Notes when Envoy closes the connection of each answer that says no more."""

    def __init__(self):
        self.seen = threading.Semaphore(0)

    def __call__(self, connection):
        connection.settimeout(20)
        # With something of the answer unread, the kernel resets the connection that Envoy closes.
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        self.seen.release()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ask(envoy, model, stream=True):
    """A client's connection with its request on it."""
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port, timeout=20)
    body = {"model": model, "stream": stream, "max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json", "x-team": "all"})
    return connection


def leave_in_stream(envoy, model):
    with contextlib.closing(ask(envoy, model)) as connection, connection.getresponse() as response:
        assert response.status == 200 and response.read(1)


class Counters:
    """What became of requests for a model since this was made."""

    def __init__(self, envoy, model):
        self.envoy, self.model = envoy, model
        self.before = self.now()

    def now(self):
        count = lambda name, **labels: self.envoy.metric(f"model_router_{name}", model=self.model, **labels)
        outcomes = {outcome: count("requests_total", outcome=outcome) for outcome in ["ok", "cancelled", "error"]}
        results = {f"attempt_{result}": count("attempts_total", result=result) for result in ["200", "cancelled", "no_response"]}
        counters = {name: count(f"{name}_total") for name in ["broken_streams", "usage_missing", "cooldowns"]}
        return {**outcomes, **results, **counters, "input": count("tokens_total", kind="input")}

    def became(self, **expected):
        """Waits for exactly these."""

        def gained():
            return {name: value - self.before[name] for name, value in self.now().items() if value != self.before[name]}

        try:
            wait_for(lambda: gained() == expected, 5)
        except AssertionError:
            assert gained() == expected


def active(envoy):
    stats = envoy.admin.get("/stats", params={"filter": ACTIVE, "format": "json"}).json()["stats"]
    assert len(stats) >= 5
    return sum(stat["value"] for stat in stats)


def test_a_client_leaves_in_a_stream(own, script):
    """The provider is told at once; it has not said yet what the stream took."""
    left = Waiting()
    script.streams(CHUNK, CHUNK, then=left)
    counters = Counters(own, "first")
    leave_in_stream(own, "first")
    assert left.seen.acquire(timeout=1)
    counters.became(cancelled=1, attempt_200=1, usage_missing=1)
    wait_for(lambda: active(own) == 0)


@pytest.mark.parametrize("code", [ErrorCodes.CANCEL, ErrorCodes.PROTOCOL_ERROR])
def test_a_client_resets_its_stream(own, script, code):
    """On a connection of HTTP/2, which stays."""
    left = Waiting()
    script.streams(CHUNK, CHUNK, then=left)
    counters = Counters(own, "first")
    head = {":method": "POST", ":scheme": "http", ":authority": "router", ":path": "/v1/chat/completions"}
    body = {"model": "first", "stream": True, "messages": [{"role": "user", "content": "Say hello."}]}
    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.send_headers(1, [*head.items(), ("content-type", "application/json"), ("x-team", "all")])
    client.send_data(1, json.dumps(body).encode(), end_stream=True)
    with socket.create_connection(("127.0.0.1", own.port), timeout=20) as connection:
        connection.sendall(client.data_to_send())
        while not any(isinstance(event, h2.events.DataReceived) for event in client.receive_data(connection.recv(65536))):
            pass
        client.reset_stream(1, code)
        connection.sendall(client.data_to_send())
        assert left.seen.acquire(timeout=1)
        counters.became(cancelled=1, attempt_200=1, usage_missing=1)


def test_what_was_said_until_then_is_counted(own):
    """Claude says at the beginning what the prompt took."""
    counters = Counters(own, "claude-haiku-4-5")
    leave_in_stream(own, "claude-haiku-4-5")
    prompt = wait_for(lambda: counters.now()["input"] - counters.before["input"])
    counters.became(cancelled=1, attempt_200=1, input=prompt)


@pytest.mark.parametrize("says", [(), (b": wait\n\n",)], ids=["nothing", "no event"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_leaves_before_the_answer(own, mocks, script, says, stream):
    """Nobody is to blame, no other model is tried, and nothing was answered that could be accounted for."""
    left = Waiting()
    script.says(*says, then=left, content_type="text/event-stream" if stream else "application/json")
    counters = Counters(own, "first")
    with contextlib.closing(ask(own, "mixed", stream)):
        wait_for(lambda: script.seen)
        time.sleep(0.1)
    assert left.seen.acquire(timeout=1)
    counters.became(cancelled=1, attempt_cancelled=1)
    assert len(script.seen) == 1 and asked(mocks) == []
    wait_for(lambda: active(own) == 0)


def test_many_clients_leave(own, script):
    """Nothing of them stays, in Envoy or in the filter, and the next is served."""
    script.streams(CHUNK, CHUNK, then=Waiting())

    def memory_after(clients):
        for number in range(clients):
            leave_in_stream(own, "first") if number % 3 else ask(own, "first").close()
        wait_for(lambda: active(own) == 0)
        return own.metric("model_router_memory_bytes")

    after_few = memory_after(60)
    assert memory_after(300) <= 1.05 * after_few
    script.streams(CHUNK, DONE)
    assert own.chat("first", stream=True).text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("last, broken", [(CHUNK, {"broken_streams": 1}), (CHUNK[:50], {"broken_streams": 1}), (DONE, {})])
def test_a_provider_resets_its_connection(own, script, last, broken):
    """Envoy resets the client's stream as well, so that the client cannot be told why. The operator can."""
    script.streams(CHUNK, last, then=reset)
    counters = Counters(own, "first")
    with contextlib.closing(ask(own, "first")) as connection, pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse().read()
    counters.became(ok=1, attempt_200=1, usage_missing=1, **broken)


@pytest.mark.parametrize("fault", ["truncated", "ends_early"])
def test_a_broken_stream_is_counted_once(envoy, mocks, fault):
    """Cut in the middle of an event, without and with a proper end of the HTTP message."""
    mocks["openai"].fault(fault, after=3)
    counters = Counters(envoy, "gpt-4.1-mini")
    with contextlib.closing(ask(envoy, "gpt-4.1-mini")) as connection:
        try:
            connection.getresponse().read()
        except http.client.IncompleteRead:
            assert fault == "truncated"
    counters.became(ok=1, attempt_200=1, usage_missing=1, broken_streams=1)
