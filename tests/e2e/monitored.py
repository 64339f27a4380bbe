"""What the tests of dashboards and alerts look at: a real Prometheus that scrapes a real Envoy under load.

The load makes everything that a panel can show: several routers, modes and consumers, conversations, streams, cached prompts,
and every kind of trouble.
"""

import itertools
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from conftest import ROOT, free_port, wait_for
from wire import CONTROLS

TOOLS = ROOT / ".tools/prometheus"
SOURCES = ROOT / "envoy/prometheus"
TEAMS = ["search", "support"]
CHAT = "/v1/chat/completions"
LONG = "Be kind. " * 1500
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
NO_USAGE = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}


def teams(policy):
    """Gives the policy consumers."""
    policy["consumers"] = [{"name": team, "when": {"header": "x-team", "equals": team}} for team in TEAMS]


class Prometheus:
    """Prometheus with envoy/prometheus/prometheus.yaml, but for the address of Envoy and shorter intervals."""

    def __init__(self, directory, envoy):
        config = (SOURCES / "prometheus.yaml").read_text()
        for old, new in {"envoy:9901": f"127.0.0.1:{envoy.admin_port}", "_interval: 15s": "_interval: 1s", "_interval: 5s": "_interval: 1s"}.items():
            assert old in config
            config = config.replace(old, new)
        (directory / "prometheus.yaml").write_text(config)
        shutil.copy(SOURCES / "alerts.yaml", directory)
        port = free_port()
        command = [
            TOOLS / "prometheus", f"--config.file={directory}/prometheus.yaml", f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        ]
        self.process = subprocess.Popen(command, cwd=directory)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30)
        wait_for(lambda: self.client.get("/status/runtimeinfo").status_code == 200)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path, **arguments):
        answer = self.client.get(path, params=arguments).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """The samples of an expression now: [(labels, value)]."""
        data = self.get("/query", query=expression)
        samples = [({}, data["result"][1])] if data["resultType"] == "scalar" else [(one["metric"], one["value"][1]) for one in data["result"]]
        return [(labels, float(value)) for labels, value in samples]


def user(text):
    return {"role": "user", "content": text}


def requests(number):
    """What one client asks in its round: (path, body, headers)."""
    chat = lambda model, text="Say hello.", **more: (CHAT, {"model": model, "messages": [user(text)], **more}, {})
    yield chat("model-router")
    yield chat("model-router", stream=True)
    yield chat("model-router-quality", "Prove that there are infinitely many primes.", stream=True)
    yield chat("model-router-cost", LONG)
    yield chat("model-router-cost", LONG)
    yield "/v1/responses", {"model": "auto", "input": "Say hello."}, {}
    # A conversation, which the trouble drives from its model now and then.
    for text in ["Say hello.", "Go on.", "And then?"]:
        yield CHAT, {"model": "model-router", "messages": [user(text)]}, {"x-ms-session-id": f"session-{number}"}
    yield chat("gpt-5-mini")
    # Its provider is gone, its streams break off, its answers say nothing of usage.
    yield chat("grok-4-fast-reasoning")
    yield chat("gpt-oss-120b", stream=True)
    yield chat("gpt-4.1-mini")
    # What the router refuses itself.
    yield chat("nobody")
    chosen = {"routing_config": {"models": ["gpt-oss-120b"]}}
    yield CHAT, {"model": "model-router", "messages": [{"role": "user", "content": [IMAGE]}], **chosen}, CONTROLS


class Load:
    """Clients that ask and providers that fail, until the block is left."""

    def __init__(self, envoy, mocks):
        self.envoy, self.mocks = envoy, mocks
        self.over = threading.Event()
        self.pool = ThreadPoolExecutor()

    def __enter__(self):
        self.mocks["xai"].kill()
        self.running = [self.pool.submit(self.ask, team) for team in TEAMS] + [self.pool.submit(self.trouble)]
        return self

    def __exit__(self, *_):
        self.over.set()
        for each in self.running:
            each.result(60)
        self.pool.shutdown()

    def ask(self, team):
        with httpx.Client(base_url=self.envoy.url, timeout=30) as client:
            for number in itertools.count():
                for path, body, headers in requests(f"{team}-{number}"):
                    client.post(path, json=body, headers={**headers, "x-team": team})
                    if self.over.is_set():
                        return

    def trouble(self):
        openai, azure, oss = (self.mocks[name] for name in ["openai", "azure", "oss"])
        oss.fault("ends_early", count=None, after=3, model="openai/gpt-oss-120b")
        openai.fault("status", count=None, status=200, body=NO_USAGE, model="gpt-4.1-mini")
        passing = [
            lambda: openai.fault("status", status=429, model="gpt-5-nano"), lambda: azure.fault("status", status=503),
            lambda: openai.fault("hang", model="gpt-5-nano"),
        ]
        for fails in itertools.cycle(passing):
            fails()
            if self.over.wait(0.5):
                return
