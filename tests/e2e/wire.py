"""What the wire-level suites share: events, marks, a policy of their own, and a provider that says what it is told to.

Nothing here knows an SDK.
"""

import http.client
import http.server
import json
import threading

import yaml

CONTROLS = {"Foundry-Features": "ModelRouterControls=V1Preview"}
TOOL = {"type": "function", "name": "get_order", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}
# What `own` has besides the demo's: a router whose models come in this order, each at another provider.
FACTS = {"price": {"input": 1, "output": 2}, "context": {"input": 100_000, "output": 10_000}}
ALL_CAPABILITIES = {"images": True, "tools": True, "json_schema": True}
MIXED = [("first", "xai", 90), ("second", "oss", 70), ("third", "openai", 50)]
DEPLOYMENTS = {"xai": "scripted", "oss": "openai/gpt-oss-120b", "openai": "gpt-4.1-mini"}


class Busy:
    """Threads that each `ask` in their way, until the block is left."""

    def __init__(self, ways):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=way) for way in ways]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


def _add_own(policy):
    names = [name for name, _, _ in MIXED]
    policy["routers"].append({"name": "mixed", "mode": "quality", "subset": names})
    policy["models"] += [
        {"name": name, "served_by": [{"provider": provider, "deployment": DEPLOYMENTS[provider]}],
         "abilities": ability, "capabilities": ALL_CAPABILITIES, **FACTS}
        for name, provider, ability in MIXED
    ]
    consumer = lambda name, **rights: {"name": name, "when": {"header": "x-team", "equals": name}, **rights}
    policy["consumers"] = [
        consumer("all"),
        consumer("small", routers=["model-router"], models=["gpt-5-nano", "gpt-oss-120b"]),
        consumer("plain", routers=["model-router"], models=["gpt-oss-120b"]),
        consumer("azure", routers=["model-router"], models=["gpt-5-mini"]),
    ]


def policy_in(document):
    [manager] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    return manager["typed_config"]["http_filters"][0]["typed_config"]["config"]["configuration"]["value"]


def changed(edit):
    """A change of envoy.yaml that lets `edit` change its policy."""

    def change(text):
        document = yaml.safe_load(text)
        edit(policy_in(document))
        return yaml.safe_dump(document, default_flow_style=False)

    return change


OWN = changed(_add_own)

# What `chain` has besides the demo's: Claude between two models of OpenAI, and Claude wherever else it is served, each
# at the same mock.
CHAIN = [("gpt-4.1-mini", 90), ("claude-sonnet-4-5", 70), ("gpt-4.1", 50)]
DOORS = {
    "vertex": ("claude-opus-4-1", "claude-opus-4-1@20250805", {"dialect": "vertex_anthropic", "path": "/v1/projects/p/locations/l"}),
    "bedrock": ("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1:0", {"dialect": "bedrock_anthropic", "betas": ["context-1m-2025-08-07"]}),
    "foundry": ("claude-opus-4-7", "claude-opus-4-7", {"dialect": "anthropic", "path": "/anthropic/v1"}),
    "cached": ("claude-opus-5", "claude-opus-5", {"dialect": "anthropic", "prompt_caching": True}),
}


def _add_chain(policy):
    policy["routers"].append({"name": "chain", "mode": "quality", "subset": [name for name, _ in CHAIN]})
    policy["models"].append({"name": "gpt-4.1", "served_by": [{"provider": "openai"}]})
    abilities = dict(CHAIN)
    for model in policy["models"]:
        if model["name"] in abilities:
            model["abilities"] = abilities[model["name"]]
    for name, (model, deployment, provider) in DOORS.items():
        policy["providers"].append({"name": name, "cluster": "anthropic", **provider})
        served = [{"provider": name, "deployment": deployment}]
        policy["models"].append({"name": model, "served_by": served})


CHAINED = changed(_add_chain)


class Script:
    """A provider that gives each request the same answer, piece by piece, and remembers what it was asked."""

    def __init__(self):
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                script.seen.append({"path": self.path, "headers": dict(self.headers), "body": body.decode()})
                self.send_response(script.status)
                for name, value in script.headers.items():
                    self.send_header(name, value)
                # Whoever does something then has not said everything.
                self.send_header("content-length", str(sum(map(len, script.pieces)) + bool(script.then)))
                self.end_headers()
                for piece in script.pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                if script.then:
                    script.then(self.connection)
                    self.close_connection = True

            do_GET = do_DELETE = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.reset()

    def reset(self):
        self.seen = []
        self.says(b"", status=503)

    def says(self, *pieces, status=200, then=None, **headers):
        self.status, self.pieces, self.then = status, pieces, then
        self.headers = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}

    def streams(self, *events, then=None):
        """Events of the Responses API; what is no object goes as it is."""
        text = lambda event: event if isinstance(event, bytes) else f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        self.says(*map(text, events), then=then, content_type="text/event-stream")

    def requests(self):
        return list(self.seen)

    def stop(self):
        self.server.shutdown()


def events(response):
    """The JSON of a stream's events, without `[DONE]`."""
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def asked(mocks, *providers):
    """(provider, request) of all that reached the providers, or these of them."""
    return [(name, request) for name in providers or mocks for request in mocks[name].requests()]


def body_at(mocks, provider):
    """The body of the only request that reached a provider."""
    [(_, request)] = asked(mocks, provider)
    return json.loads(request["body"])


def raw(envoy, method, path, headers=None, body=None):
    """A request whose path nobody tidies up: (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", envoy.port, timeout=30)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return answer


def _hash(name):
    wide = 0xCBF29CE484222325
    for byte in name.encode():
        wide = (wide ^ byte) * 0x100000001B3 % 2**64
    return (wide ^ wide >> 32) % 2**32


def mark(provider, model):
    """What ids bear that a model has made at a provider."""
    return f"mr{_hash(provider):08x}{_hash(model):08x}_"


def is_openai_error(response, *without):
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"] and error["type"]
    assert not any(text in response.text for text in without)
    return error
