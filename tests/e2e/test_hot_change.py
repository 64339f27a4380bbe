"""Policies that change while requests run.

`ecds`: the route plugin comes from a file of its own (extension config discovery). Each worker takes the new plugin for
the next request, on connections that are open too; requests that run keep the plugin, and with it the policy, that they
began with. No connection is closed.

`lds`: the whole listener comes from a file. Envoy replaces its filter chains in place: connections that are open keep the
old ones, and so the old policy, and drain. That is, Envoy says `connection: close` (HTTP/1.1) or GOAWAY (HTTP/2) with one
of the next answers, and not at once to all of them, but spread over the drain time (--drain-time-s, 600 seconds);
only what still runs after that is cut. New connections have the new policy at once.

Either way the file is replaced by renaming another into its place, and a policy that is refused changes nothing.
"""

import contextlib
import copy
import http.client
import json
import os
import re
import threading
import time

import pytest
import yaml
from conftest import ROOT, VERSIONS, Envoy, Mock, wait_for
from wire import Busy, policy_in, raw

STATS = {"ecds": "extension_config_discovery.http_filter.model_router.route.", "lds": "listener_manager.lds."}
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
# What changes in the first router, and what the answer tells of it.
POLICIES = [
    ({"mode": "balanced", "subset": ["gpt-5-nano", "gpt-oss-120b"]}, ("gpt-5-nano", "balanced")),
    ({"mode": "balanced", "subset": ["gpt-oss-120b", "claude-haiku-4-5"]}, ("gpt-oss-120b", "balanced")),
    ({"mode": "quality", "subset": ["gpt-5-nano", "gpt-oss-120b"]}, ("gpt-5-nano", "quality")),
    ({"mode": "cost", "subset": ["claude-haiku-4-5", "claude-sonnet-4-5"]}, ("claude-haiku-4-5", "cost")),
]
INVALID = [
    ({"mode": "fast"}, "routers[0].mode"),
    ({"subset": ["nothing"]}, "routers[0].subset[0]"),
]
BODY = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}]}


class Changing:
    """An Envoy that watches a file for its policy."""

    def __init__(self, way, version, directory, mocks):
        self.way, self.file = way, directory / "watched.yaml"
        self.envoy = Envoy(directory, mocks, version, self._watch)
        wait_for(lambda: self.told() == POLICIES[0][1])

    def _watch(self, text):
        document = yaml.safe_load(text)
        document["node"] = {"id": "test", "cluster": "test"}
        source = {"path_config_source": {"path": str(self.file)}}
        [listener] = document["static_resources"]["listeners"]
        [manager] = listener["filter_chains"][0]["filters"]
        plugin = manager["typed_config"]["http_filters"][0]
        self.policy = policy_in(document)
        if self.way == "lds":
            del document["static_resources"]["listeners"]
            document["dynamic_resources"] = {"lds_config": source}
            self.resource = {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", **listener}
        else:
            self.resource = {
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": plugin["name"], "typed_config": plugin.pop("typed_config"),
            }
            plugin["config_discovery"] = {"config_source": source, "type_urls": [WASM]}
        self.change(POLICIES[0][0])
        return yaml.safe_dump(document)

    def change(self, router):
        """Replaces the file by one with a policy whose first router is like this."""
        self.policy["routers"][0].update(copy.deepcopy(router))
        new = self.file.with_suffix(".new")
        new.write_text(yaml.safe_dump({"resources": [self.resource]}))
        os.replace(new, self.file)

    def changed(self, router, expected):
        """Changes the policy, and waits until every worker has it: when that began, and when it was."""
        began = time.monotonic()
        self.change(router)
        wait_for(lambda: all(self.told() == expected for _ in range(20)))
        return began, time.monotonic()

    def told(self):
        """Model and mode that a client gets that comes now."""
        _, _, answer = raw(self.envoy, "POST", "/model-router/explain", {"content-type": "application/json"}, json.dumps(BODY))
        explained = json.loads(answer)
        return explained["model"], explained["mode"]

    def stat(self, name):
        found = self.envoy.admin.get("/stats", params={"filter": f"^{STATS[self.way]}{name}$", "format": "json"}).json()
        return sum(stat["value"] for stat in found["stats"])


def said(headers):
    return headers["x-model-router-model"], headers["x-model-router-mode"]


class Load(Busy):
    """Clients that ask again and again, half of them for streams, five times on each connection if Envoy leaves it open.
    Nothing is ever tried again."""

    def __init__(self, envoy, clients=12):
        self.envoy, self.seen = envoy, []
        super().__init__([number % 2 == 0] for number in range(clients))

    def ask(self, stream):
        connection = None
        while not self.over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.envoy.port, timeout=20)
                opened, left = time.monotonic(), 5
            left -= 1
            if not self.asked(connection, opened, stream) or left == 0:
                connection.close()
                connection = None
            time.sleep(0.01)

    def asked(self, connection, opened, stream, meanwhile=lambda: None):
        """One request, noted; `meanwhile` is done once an answer has begun. Whether the connection may go on."""
        one = {"opened": opened, "began": time.monotonic(), "problem": None}
        goes_on = False
        try:
            body = json.dumps({**BODY, "stream": stream})
            connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
            response = connection.getresponse()
            one["said"] = response.status == 200 and said(response.headers)
            meanwhile()
            text = response.read().decode()
            whole = text.endswith("data: [DONE]\n\n") if stream else "choices" in json.loads(text)
            if response.status != 200 or not whole or '"error"' in text:
                one["problem"] = f"{response.status} {text}"
            goes_on = not response.will_close
        except (OSError, http.client.HTTPException, ValueError) as error:
            one["problem"] = repr(error)
        self.seen.append(one)
        return goes_on

    @contextlib.contextmanager
    def stream(self):
        """A stream that is under way while the block runs."""
        under_way, over = threading.Event(), threading.Event()
        connection = http.client.HTTPConnection("127.0.0.1", self.envoy.port, timeout=20)
        meanwhile = lambda: (under_way.set(), over.wait(20))
        thread = threading.Thread(target=self.asked, args=(connection, time.monotonic(), True, meanwhile))
        thread.start()
        assert under_way.wait(20)
        yield
        over.set()
        thread.join(20)
        connection.close()


@pytest.fixture(scope="module")
def slow_mocks(all_mocks):
    """Answers take a third of a second, so that some are under way at each change."""
    slow = {name: Mock(name, rate=100) for name in ("openai", "anthropic", "oss")}
    yield all_mocks | slow
    for mock in slow.values():
        mock.kill()


@pytest.fixture(scope="module", params=VERSIONS)
def of_version(request):
    return request.param


@pytest.fixture(scope="module", params=["ecds", "lds"])
def started(request, of_version, slow_mocks, tmp_path_factory):
    changing = Changing(request.param, of_version, tmp_path_factory.mktemp("changing"), slow_mocks)
    yield changing
    changing.envoy.stop()


@pytest.fixture
def changing(started):
    """With the first policy."""
    started.changed(*POLICIES[0])
    return started


def test_policies_change_under_load(changing):
    """No request is lost or cut; each follows one policy from beginning to end, and the new one as soon as it is there."""
    changes = [(0, 0, POLICIES[0][1])]
    before = changing.envoy.metric("model_router_requests_total")
    taken, refused = changing.stat("update_success"), changing.stat("update_rejected")
    with Load(changing.envoy) as load:
        for router, expected in POLICIES[1:] + POLICIES[:3]:
            time.sleep(0.5)
            with load.stream():
                changes.append((*changing.changed(router, expected), expected))
        time.sleep(0.5)
    assert [one["problem"] for one in load.seen if one["problem"]] == []
    assert {one["said"] for one in load.seen} <= {expected for _, expected in POLICIES}
    new = "began" if changing.way == "ecds" else "opened"
    ends = [began for began, _, _ in changes[1:]] + [time.monotonic()]
    for (_, since, expected), until in zip(changes, ends):
        assert {one["said"] for one in load.seen if since < one[new] and one["began"] < until} <= {expected}
    # None is lost from the accounts either, and every change was taken.
    wait_for(lambda: changing.envoy.metric("model_router_requests_total") - before == len(load.seen))
    assert changing.stat("update_success") - taken == len(changes) - 1
    assert changing.stat("update_rejected") == refused
    print(changing.way, len(load.seen), "requests,", len(changes) - 1, "changes", [round(b - a, 2) for a, b, _ in changes[1:]])


def test_a_stream_outlives_several_policies(changing):
    """Its model is in none of the later ones."""
    with changing.envoy.client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as response:
        assert said(response.headers) == POLICIES[0][1]
        pieces = response.iter_text()
        text = next(pieces)
        for router, expected in [POLICIES[1], POLICIES[3], POLICIES[1]]:
            changing.changed(router, expected)
        assert "[DONE]" not in text
        text += "".join(pieces)
    assert text.endswith("data: [DONE]\n\n") and '"error"' not in text


def test_a_wrong_policy_is_refused_under_load(changing):
    """The log says what is wrong with it, nothing changes, and a right one is taken afterwards."""
    with Load(changing.envoy) as load:
        for router, path in INVALID:
            right, refused = copy.deepcopy(changing.policy["routers"][0]), changing.stat("update_rejected")
            changing.change(router)
            wait_for(lambda: changing.stat("update_rejected") == refused + 1)
            wait_for(lambda: f"model_router: {path}" in changing.envoy.log.read_text())
            assert all(changing.told() == POLICIES[0][1] for _ in range(20))
            changing.policy["routers"][0] = right
        time.sleep(0.5)
    assert [one["problem"] for one in load.seen if one["problem"]] == []
    assert {one["said"] for one in load.seen} == {POLICIES[0][1]}
    changing.changed(*POLICIES[1])


@pytest.mark.parametrize("started", ["ecds"], indirect=True)
def test_many_changes_cost_no_memory(changing):
    """What old policies took is given back. (A listener keeps its old ones for the drain time.)"""

    def memory_after(changes):
        for number in range(changes):
            changing.change(POLICIES[number % 2][0])
            wait_for(lambda: changing.told() == POLICIES[number % 2][1])
        for _ in range(5):
            changing.envoy.chat()
        return changing.envoy.metric("model_router_memory_bytes", plugin="route")

    after_few = memory_after(10)
    assert memory_after(30) <= 1.1 * after_few


@pytest.mark.parametrize("config_map", [False, True])
def test_as_the_document_says(version, all_mocks, tmp_path, config_map):
    """docs/CHANGE.md, with a file that is renamed and with a folder such as Kubernetes mounts. A policy that is wrong at start
    is no policy."""
    page = (ROOT / "docs/CHANGE.md").read_text().split("## Judge a change")[0]
    node, plugin, resource = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    folder = tmp_path / "policy"
    folder.mkdir()
    file = folder / "route.yaml"

    def place(mode):
        told = resource.replace("mode: balanced", f"mode: {mode}")
        new = folder / f"new-{mode}"
        if config_map:
            new.mkdir()
            (new / file.name).write_text(told)
            (folder / "..new").symlink_to(new.name)
            os.replace(folder / "..new", folder / "..data")
            if not file.is_symlink():
                file.symlink_to(f"..data/{file.name}")
        else:
            new.write_text(told)
            os.replace(new, file)

    def change(text):
        document = yaml.safe_load(text) | yaml.safe_load(node)
        [discovered] = yaml.safe_load(plugin)
        source = discovered["config_discovery"]["config_source"]["path_config_source"]
        source |= {"path": str(file)} | ({"watched_directory": {"path": str(folder)}} if config_map else {})
        filters = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
        assert filters[0]["name"] == discovered["name"]
        filters[0] = discovered
        return yaml.safe_dump(document, default_flow_style=False)

    place("fast")
    envoy = Envoy(tmp_path, all_mocks, version, change)
    try:
        assert envoy.chat().status_code == 500
        for mode in ["balanced", "quality"]:
            place(mode)
            wait_for(lambda: envoy.chat().headers.get("x-model-router-mode") == mode)
    finally:
        envoy.stop()
