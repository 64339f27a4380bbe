"""Real Envoy with envoy/envoy.yaml, and mock providers: one process each, as `make run` starts them.

Ports are replaced by free ones, so that tests run beside a running `make run`. Nothing else of envoy.yaml changes but
for the per-try timeout, which no test should wait two minutes for.
"""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml
from wire import CHAINED, OWN, Script

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "target/release/model-router"
PORTS = {"openai": 9101, "azure": 9102, "anthropic": 9103, "xai": 9104, "oss": 9105}
PER_TRY_TIMEOUT = 2
# The supported versions, or the one that was named.
VERSIONS = ["named"] if os.environ.get("ENVOY") else ["1.40.0", "1.39.3"]


def envoy_binary(version):
    """The Envoy under test: $ENVOY, or the one that the set-up has put into .tools."""
    return os.environ.get("ENVOY") or str(ROOT / f".tools/envoy-{version}/envoy")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(check, seconds=20):
    """Polls until `check` gives something true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if result := check():
                return result
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


class Mock:
    """A mock provider in a process of its own."""

    def __init__(self, name, rate=0, options=()):
        self.name, self.rate, self.options = name, rate, options
        self.port = free_port()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}")
        self.start()

    def start(self):
        kind = {"azure": ",azure", "anthropic": ",messages-only", "oss": ",chat-only"}.get(self.name, "")
        spec = f"{self.name}=127.0.0.1:{self.port}{kind},token-rate={self.rate}"
        self.process = subprocess.Popen([CLI, "mock-provider", "--provider", spec, *self.options], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.client.get("/_mock/requests").status_code == 200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def requests(self):
        return self.client.get("/_mock/requests").json()

    def fault(self, fault, count=1, **more):
        self.client.post("/_mock/faults", json={"fault": fault, "count": count, **more}).raise_for_status()

    def reset(self):
        if self.process.poll() is not None:
            self.start()
        self.client.delete("/_mock/requests")
        self.client.delete("/_mock/faults")


class Envoy:
    """A running Envoy with envoy/envoy.yaml, or another `source` for the same ports, its ports replaced. What one test does to a
    model does not concern the next: models do not rest after they failed, unless `cooldown` says so."""

    def __init__(self, directory, mocks, version="1.40.0", change=lambda text: text, cooldown="{maximum_seconds: 0}",
                 workers=2, source=ROOT / "envoy/envoy.yaml"):
        self.port, self.admin_port = free_port(), free_port()
        ports = {10000: self.port, 10443: self.port, 9901: self.admin_port}
        ports |= {PORTS[name]: mock.port for name, mock in mocks.items()}
        text = source.read_text()
        text = re.sub(r"port_value: (\d+)", lambda port: f"port_value: {ports.get(int(port[1]), port[1])}", text)
        text = text.replace("per_try_timeout: 120s", f"per_try_timeout: {PER_TRY_TIMEOUT}s")
        text = re.sub(r"\n( +)routers:\n", rf"\n\1cooldown: {cooldown}\n\1routers:\n", text, count=1)
        self.config = directory / f"envoy-{version}.yaml"
        self.config.write_text(change(text))
        self._start(directory, version, workers)

    def _start(self, directory, version, workers, environment=None):
        self.log = directory / f"envoy-{version}.log"
        command = [envoy_binary(version), "-c", self.config, "--concurrency", str(workers), "--disable-hot-restart"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=30)
        self.admin = httpx.Client(base_url=f"http://127.0.0.1:{self.admin_port}")
        wait_for(lambda: self.process.poll() is not None or self.admin.get("/ready").text == "LIVE\n")
        assert self.process.poll() is None, self.log.read_text()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def chat(self, model="model-router", path="/v1/chat/completions", headers=None, **more):
        body = {"model": model, "messages": [{"role": "user", "content": "Say hello."}], **more}
        return self.client.post(path, json=body, headers=headers)

    def respond(self, model="model-router", path="/v1/responses", headers=None, **more):
        return self.client.post(path, json={"model": model, "input": "Say hello.", **more}, headers=headers)

    def metrics(self):
        """Counters and gauges of the filter: {(name, frozenset of labels): value}."""
        found = {}
        for line in self.admin.get("/stats/prometheus").text.splitlines():
            if line.startswith("model_router_") and (parts := re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)):
                labels = frozenset(re.findall(r'(\w+)="([^"]*)"', parts[2] or ""))
                found[parts[1], labels] = float(parts[3])
        return found

    def metric(self, name, **labels):
        """The sum of a metric over all series that have these labels."""
        wanted = set(labels.items())
        return sum(value for (known, has), value in self.metrics().items() if known == name and wanted <= has)

    def access_log(self):
        """Entries so far; Envoy writes them with some delay."""
        # The last line may be half written.
        return [json.loads(line) for line in self.log.read_text().split("\n")[:-1] if line.startswith("{")]


class Generated(Envoy):
    """A running Envoy with what `model-router envoy` makes of a policy, in one file or in a folder that it watches. The policy
    may change: `write` it again."""

    def __init__(self, directory, policy, version="1.40.0", xds=False, workers=2, environment=None):
        self.port, self.admin_port = free_port(), free_port()
        self.policy_file, self.folder = directory / "policy.yaml", directory / "xds" if xds else None
        self.config = (self.folder or directory) / "envoy.yaml"
        written = self.write(policy)
        assert written.returncode == 0, written.stderr
        self._start(directory, version, workers, os.environ | (environment or {}))

    def write(self, policy):
        """What the generator says to a policy; its listeners are those of this Envoy."""
        settings = policy.get("envoy", {})
        listener = {**settings.get("listener", {}), "port": self.port}
        policy = {**policy, "envoy": {**settings, "listener": listener, "admin": {"port": self.admin_port}}}
        self.policy_file.write_text(yaml.safe_dump(policy))
        return generate("--policy", self.policy_file, *(["--xds", self.folder] if self.folder else ["--output", self.config]))


def generate(*arguments):
    """A run of `model-router envoy`."""
    return subprocess.run([CLI, "envoy", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def all_mocks():
    mocks = {name: Mock(name) for name in PORTS}
    yield mocks
    for mock in mocks.values():
        mock.kill()


@pytest.fixture(scope="session")
def all_envoys(all_mocks, tmp_path_factory):
    envoys = {version: Envoy(tmp_path_factory.mktemp("envoy"), all_mocks, version) for version in VERSIONS}
    yield envoys
    for envoy in envoys.values():
        envoy.stop()


@pytest.fixture(scope="session")
def latest(all_envoys):
    """The newest Envoy, for what does not depend on its version."""
    return next(iter(all_envoys.values()))


@pytest.fixture(scope="session")
def replica(all_mocks, tmp_path_factory):
    """Another process with the same configuration and providers; it shares no memory with the others."""
    envoy = Envoy(tmp_path_factory.mktemp("replica"), all_mocks)
    yield envoy
    envoy.stop()


@pytest.fixture(scope="session")
def slow_mock():
    """Takes the place of `anthropic` in `own`, and takes its time for each token."""
    mock = Mock("anthropic", rate=50)
    yield mock
    mock.kill()


@pytest.fixture(scope="session")
def script():
    """Takes the place of `xai` in `own`: answers what a test tells it to."""
    provider = Script()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def own_envoy(all_mocks, slow_mock, script, tmp_path_factory):
    mocks = all_mocks | {"anthropic": slow_mock, "xai": script}
    envoy = Envoy(tmp_path_factory.mktemp("own"), mocks, change=OWN)
    envoy.client.headers["x-team"] = "all"
    yield envoy
    envoy.stop()


@pytest.fixture
def own(own_envoy, slow_mock, script, mocks):
    """An Envoy with the policy of wire.py: consumers, and routers whose order of models is fixed."""
    slow_mock.reset()
    script.reset()
    return own_envoy


@pytest.fixture(scope="session")
def chain_envoy(all_mocks, tmp_path_factory):
    envoy = Envoy(tmp_path_factory.mktemp("chain"), all_mocks, change=CHAINED)
    yield envoy
    envoy.stop()


@pytest.fixture
def chain(chain_envoy, mocks):
    """An Envoy with the policy of wire.py that has Claude among models of OpenAI, and wherever it is served."""
    return chain_envoy


def pytest_generate_tests(metafunc):
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("version", VERSIONS)


@pytest.fixture
def envoy(all_envoys, version):
    return all_envoys[version]


@pytest.fixture
def mocks(all_mocks):
    for mock in all_mocks.values():
        mock.reset()
    return all_mocks


def explain(body, *arguments, policy=ROOT / "envoy/envoy.yaml"):
    """The plan that the command-line companion makes of a request: what the filter must do too."""
    command = [CLI, "explain", "--format", "json", "--policy", policy, *arguments]
    result = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, check=False)
    return json.loads(result.stdout)


@pytest.fixture
def plan():
    """Providers and models of the demo router's plan, in order."""
    body = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}]}
    return [row for row in explain(body)["candidates"] if row["slot"]]
