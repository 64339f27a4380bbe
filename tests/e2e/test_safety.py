"""Bad input gets a clear error and reaches no provider; nothing internal and no foreign key leaves the router."""

import pytest
import yaml
from conftest import ROOT, Envoy
from wire import OWN, asked, policy_in

USER = '{"role":"user","content":"x"}'
BAD_BODIES = {
    "empty": b"",
    "white space": b"  \n ",
    "truncated": b'{"model":"model-router","messages":[{"role"',
    "not json": b"hello",
    "an array": b"[]",
    "invalid UTF-8": b'{"model":"model-router","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "lone surrogate": b'{"model":"model-router","messages":[{"role":"user","content":"\\ud800"}]}',
    "100,000 levels": b'{"model":"model-router","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "duplicate key": f'{{"model":"model-router","model":"gpt-5.4","messages":[{USER}]}}'.encode(),
    "escaped duplicate": f'{{"model":"model-router","m\\u006fdel":"gpt-5.4","messages":[{USER}]}}'.encode(),
    "no messages": b'{"model":"model-router"}',
    "empty messages": b'{"model":"model-router","messages":[]}',
    "messages a string": b'{"model":"model-router","messages":"hi"}',
    "content a number": b'{"model":"model-router","messages":[{"role":"user","content":7}]}',
    "stream a string": f'{{"model":"model-router","stream":"yes","messages":[{USER}]}}'.encode(),
    "temperature a string": f'{{"model":"gpt-5.4","temperature":"hot","messages":[{USER}]}}'.encode(),
    "model a number": f'{{"model":5,"messages":[{USER}]}}'.encode(),
    "no model": f'{{"messages":[{USER}]}}'.encode(),
    "NUL": b"\0" * 100,
}
JSON = {"content-type": "application/json"}


def is_openai_error(response):
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"] and error["code"]
    return error


def untouched(mocks):
    return all(mock.requests() == [] for mock in mocks.values())


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_bodies(envoy, mocks, name):
    response = envoy.client.post("/v1/chat/completions", content=BAD_BODIES[name], headers=JSON)
    assert response.status_code == 400
    is_openai_error(response)
    assert response.headers["content-type"] == "application/json"
    assert untouched(mocks)
    assert envoy.chat().status_code == 200


def test_bad_bodies_in_chunks(envoy, mocks):
    pieces = iter([b'{"model":"model-rou', b'ter","messages":[', b"]}", b""])
    response = envoy.client.post("/v1/chat/completions", content=pieces, headers=JSON)
    assert (response.status_code, is_openai_error(response)["param"]) == (400, "messages")


def test_unknown_models(envoy, mocks):
    response = envoy.chat(model="gpt-99")
    assert (response.status_code, is_openai_error(response)["code"]) == (404, "model_not_found")
    azure = envoy.chat(path="/openai/deployments/nobody/chat/completions?api-version=2024-10-21")
    assert (azure.status_code, azure.json()["error"]["code"]) == (404, "DeploymentNotFound")
    assert untouched(mocks)


def test_unknown_paths_methods_and_types(envoy, mocks):
    assert is_openai_error(envoy.client.get("/v1/nothing"))["code"] == "unknown_path"
    assert envoy.client.get("/v1/nothing").status_code == 404
    assert envoy.client.get("/v1/chat/completions").status_code == 405
    for headers in [{"content-type": "text/plain"}, JSON | {"content-encoding": "gzip"}]:
        response = envoy.client.post("/v1/chat/completions", content=b"{}", headers=headers)
        assert response.status_code == 415
        is_openai_error(response)
    assert untouched(mocks)


def test_the_body_limit(envoy, mocks):
    fits = b'{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"'
    end = b'"}]}'
    filler = b"a" * (16 * 2**20 - len(fits) - len(end))
    response = envoy.client.post("/v1/chat/completions", content=fits + filler + end, headers=JSON)
    assert response.status_code == 200
    mocks["openai"].reset()
    response = envoy.client.post("/v1/chat/completions", content=fits + filler + b"a" + end, headers=JSON)
    assert (response.status_code, is_openai_error(response)["code"]) == (413, "request_too_large")
    assert untouched(mocks)
    assert envoy.chat().status_code == 200


def test_too_long_for_every_model(envoy, mocks):
    response = envoy.chat(model="model-router-cost", max_tokens=4_000_000_000)
    assert (response.status_code, is_openai_error(response)["code"]) == (400, "context_length_exceeded")
    assert untouched(mocks)


FORGED = {
    "x-model-router-model": "forged",
    "x-model-router-anything": "forged",
    "x-envoy-retry-on": "5xx",
    "x-envoy-max-retries": "9",
    "x-envoy-attempt-count": "3",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "authorization": "Bearer client-secret",
    "api-key": "client-secret",
    "x-api-key": "client-secret",
    "x-goog-user-project": "forged",
    "x-goog-api-key": "client-secret",
    "x-amz-security-token": "client-secret",
    "x-amzn-bedrock-service-tier": "forged",
    "x-amzn-bedrock-performanceconfig-latency": "forged",
}


@pytest.mark.parametrize("model", ["model-router", "gpt-5-mini", "gpt-4.1-mini", "claude-sonnet-4-5"])
def test_nothing_internal_and_no_client_key_leaves(envoy, mocks, model):
    for mock in mocks.values():
        mock.fault("status", count=1, status=503)
    response = envoy.chat(model=model, headers=FORGED)
    assert response.headers["x-model-router-model"] != "forged"
    seen = [request["headers"] for mock in mocks.values() for request in mock.requests()]
    assert seen
    for headers in seen:
        text = str(headers)
        assert "client-secret" not in text and "forged" not in text
        assert not [name for name in headers if name.startswith(("x-model-router-", "x-envoy-", "x-goog-", "x-amz"))]
        assert "accept-encoding" not in headers


@pytest.mark.parametrize("model, header", [("gpt-4.1-mini", "openai-organization"), ("claude-sonnet-4-5", "anthropic-organization-id")])
@pytest.mark.parametrize("status", [200, 400])
def test_clients_are_not_told_whose_account_pays(envoy, mocks, model, header, status):
    provider = "anthropic" if model.startswith("claude") else "openai"
    mocks[provider].fault("status", status=400) if status == 400 else None
    response = envoy.chat(model=model)
    assert response.status_code == status and header not in response.headers
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    direct = mocks[provider].client.post(path, json=body, headers={"anthropic-version": "2023-06-01"})
    assert header in direct.headers


PASSING = {"x-team": "a", "openai-beta": "b", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.mark.parametrize("model", ["gpt-4.1-mini", "claude-haiku-4-5"])
def test_other_headers_pass(envoy, mocks, model):
    """As SECURITY.md says: what the filter does not know reaches the provider."""
    assert envoy.chat(model=model, headers=PASSING).status_code == 200
    [(_, request)] = asked(mocks)
    assert request["headers"].items() >= PASSING.items()
    assert not request["headers"].keys() & {"x-forwarded-for", "x-real-ip", "forwarded"}


def test_a_query_goes_only_to_what_is_kept(envoy, mocks):
    kept = envoy.respond("gpt-4.1-mini", path="/v1/responses?key=mine").json()["id"]
    assert envoy.client.get(f"/v1/responses/{kept}?include=x").status_code == 200
    first, second = [request["path"] for _, request in asked(mocks)]
    assert first == "/v1/responses" and second.endswith("?include=x")


CONFIGURATION = yaml.safe_load((ROOT / "envoy/envoy.yaml").read_text())
RESOURCES = CONFIGURATION["static_resources"]
PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@pytest.mark.parametrize("cluster", RESOURCES["clusters"], ids=lambda cluster: cluster["name"])
def test_keys_come_from_files_behind_the_filter(cluster):
    filters = cluster["typed_extension_protocol_options"][PROTOCOL]["http_filters"]
    assert [one["name"].rsplit(".", 1)[-1] for one in filters] == ["attempt", "credential_injector", "upstream_codec"]
    injector = filters[1]["typed_config"]
    assert injector["overwrite"] and injector["credential"]["typed_config"]["credential"] == {"name": cluster["name"]}
    [secret] = [secret for secret in RESOURCES["secrets"] if secret["name"] == cluster["name"]]
    key = (ROOT / secret["generic_secret"]["secret"]["filename"]).read_text()
    assert key == f"demo-key-of-{cluster['name']}" and key not in str(CONFIGURATION)


def test_the_example_is_closed():
    assert CONFIGURATION["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    [listener] = RESOURCES["listeners"]
    assert listener["per_connection_buffer_limit_bytes"] == 16 * 2**20
    assert all(cluster["per_connection_buffer_limit_bytes"] == 16 * 2**20 for cluster in RESOURCES["clusters"])
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["use_remote_address"]
    assert manager["http_filters"][-1]["typed_config"]["suppress_envoy_headers"]
    attempts = [cluster["typed_extension_protocol_options"][PROTOCOL]["http_filters"][0] for cluster in RESOURCES["clusters"]]
    for plugin in [manager["http_filters"][0], *attempts]:
        assert plugin["typed_config"]["config"]["failure_policy"] == "FAIL_RELOAD"


def test_no_key_in_what_envoy_tells(latest, mocks):
    assert latest.chat().status_code == 200
    for path in ["/config_dump", "/stats", "/clusters"]:
        assert "demo-key-of-" not in latest.admin.get(path).text


# What SECURITY.md advises: who calls is told by Envoy alone. No provider learns of it either way.
EARLY = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
PRIVATE = {"x-team", "x-forwarded-for", "x-goog-api-key"}


def advised(early):
    def change(text):
        document = yaml.safe_load(OWN(text))
        manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        if early:
            mutation = {"@type": EARLY, "mutations": [{"remove": "x-team"}]}
            manager["early_header_mutation_extensions"] = [{"name": "edge", "typed_config": mutation}]
        return yaml.safe_dump(document, default_flow_style=False)

    return change


@pytest.mark.parametrize("early, status", [(False, 200), (True, 401)])
def test_who_calls_is_told_by_envoy(version, all_mocks, mocks, tmp_path, early, status):
    envoy = Envoy(tmp_path, all_mocks, version, change=advised(early))
    try:
        response = envoy.chat(headers={"x-team": "all", "x-goog-api-key": "client-secret"})
        assert response.status_code == status
        seen = [request["headers"] for _, request in asked(mocks)]
        assert len(seen) == (status == 200) and not any(PRIVATE & headers.keys() for headers in seen)
    finally:
        envoy.stop()


def test_a_policy_holds_no_key():
    policy = str(policy_in(CONFIGURATION))
    assert not [path.name for path in (ROOT / "envoy/credentials").iterdir() if path.is_file() and path.read_text() in policy]


class Module:
    """As much of a WebAssembly module as tells what it imports."""

    def __init__(self, data):
        self.data, self.at = data, 8

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at, value, shift = self.at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def text(self):
        length = self.number()
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def imports(self):
        while True:
            section, length = self.number(), self.number()
            if section == 2:
                break
            self.at += length
        for _ in range(self.number()):
            module, name, kind = self.text(), self.text(), self.number()
            assert kind == 0, "a function"
            self.number()
            yield module, name


def test_the_filter_can_only_ask_envoy():
    imports = list(Module((ROOT / "target/model_router.wasm").read_bytes()).imports())
    assert imports and all(module == "env" and name.startswith("proxy_") for module, name in imports)
