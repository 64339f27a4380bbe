"""HTTP/1.1 and HTTP/2 on both sides, TLS to providers, one worker and four."""

import concurrent.futures
import json

import httpx
import pytest
import yaml
from conftest import VERSIONS, Envoy
from front import Authority, Front
from wire import ALL_CAPABILITIES, FACTS, asked, policy_in

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MESSAGES = [{"role": "user", "content": "Say hello."}]
# The providers in the order in which they take each other's place; how each is reached, by which protocol, what it must
# prove to be, and what it serves.
REACHED = {
    "openai": ({"explicit_http_config": {"http2_protocol_options": {}}}, "HTTP/2", "api.openai.com", "gpt-4.1-mini"),
    "azure": ({"explicit_http_config": {"http_protocol_options": {}}}, "HTTP/1.1", "my-resource.openai.azure.com", "my-gpt-5-mini"),
    "anthropic": ({"explicit_http_config": {"http2_protocol_options": {}}}, "HTTP/2", None, "claude-sonnet-4-5-20250929"),
    "oss": ({"auto_config": {}}, "HTTP/2", "oss.example", "openai/gpt-oss-120b"),
    "xai": ({"explicit_http_config": {"http_protocol_options": {}}}, "HTTP/1.1", None, "grok-4-fast-reasoning"),
}
ALPN = {"openai": ["h2"], "azure": [], "oss": ["h2", "http/1.1"]}
# Clusters whose server proves another name than it should, and one that no trusted authority vouches for.
IMPOSTORS = {"misnamed": "misnamed.example", "unknown": "unknown.example"}


def tls(name, authority):
    """As envoy.yaml says how."""
    trusted = {"trusted_ca": {"filename": str(authority)}}
    return {"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": name, "auto_sni_san_validation": True, "common_tls_context": {"validation_context": trusted}}}


def reach(front, authority, stranger):
    """A change of envoy.yaml: each provider behind the front, and a model that each serves first and the next instead."""

    def port(cluster, number):
        [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"]["port_value"] = number

    def options(cluster):
        return cluster["typed_extension_protocol_options"][OPTIONS]

    def secured(cluster, name, trusted):
        port(cluster, front.tls_port)
        cluster["transport_socket"] = tls(name, trusted)

    def change(text):
        document = yaml.safe_load(text)
        static = document["static_resources"]
        policy = policy_in(document)
        clusters = {cluster["name"]: cluster for cluster in static["clusters"]}
        for name, cluster in clusters.items():
            how, protocol, proved, _ = REACHED[name]
            del options(cluster)["explicit_http_config"]
            options(cluster).update(how)
            if proved:
                secured(cluster, proved, authority.file)
            elif protocol == "HTTP/2":
                port(cluster, front.plain_port)
        [manager] = static["listeners"][0]["filter_chains"][0]["filters"]
        [route] = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
        matcher = route["route"]["inline_cluster_specifier_plugin"]["extension"]["typed_config"]["cluster_matcher"]
        clusters_of = matcher["matcher_tree"]["exact_match_map"]["map"]
        for name, host in IMPOSTORS.items():
            clusters_of[name] = json.loads(json.dumps(clusters_of["azure"]).replace("azure", name))
            cluster = json.loads(json.dumps(clusters["azure"])) | {"name": name}
            secured(cluster, host, stranger.file if name == "unknown" else authority.file)
            static["clusters"].append(cluster)
            policy["providers"].append({"name": name, "cluster": name, "dialect": "openai", "authority": host})
        deployed = {name: model for name, (_, _, _, model) in REACHED.items()}
        order = list(REACHED)
        pairs = [(first, order[(order.index(first) + 1) % len(order)]) for first in order] + [(name, "azure") for name in IMPOSTORS]
        for first, second in pairs:
            served = [{"provider": name, "deployment": deployed.get(name, name)} for name in (first, second)]
            policy["models"].append({"name": f"at-{first}", "served_by": served, "abilities": 50, "capabilities": ALL_CAPABILITIES, **FACTS})
        return yaml.safe_dump(document, default_flow_style=False)

    return change


@pytest.fixture(scope="module", params=[1, 4], ids=["1 worker", "4 workers"])
def workers(request):
    return request.param


@pytest.fixture(scope="module", params=VERSIONS)
def envoy(request, workers, all_mocks, tmp_path_factory):
    directory = tmp_path_factory.mktemp("protocols")
    authority, stranger = Authority(directory), Authority(tmp_path_factory.mktemp("stranger"))
    names = {proved: (name, proved, ALPN[name]) for name, (_, _, proved, _) in REACHED.items() if proved}
    names |= {"misnamed.example": ("xai", "somebody.example", []), "unknown.example": ("xai", "unknown.example", [])}
    front = Front(directory, request.param, all_mocks, authority, names, plain="anthropic")
    envoy = Envoy(directory, all_mocks, request.param, reach(front, authority, stranger), workers=workers)
    yield envoy
    envoy.stop()
    front.stop()


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def client(request, envoy):
    """Speaks one protocol, HTTP/2 without asking whether the server does."""
    both = {"http1": request.param == "HTTP/1.1", "http2": request.param == "HTTP/2"}
    with httpx.Client(base_url=envoy.url, timeout=30, **both) as client:
        client.protocol = request.param
        yield client


def chat(client, model, **more):
    response = client.post("/v1/chat/completions", json={"model": model, "messages": MESSAGES, **more})
    assert response.http_version == client.protocol
    return response


def is_answer(response, stream=False):
    assert response.status_code == 200, response.text
    if stream:
        assert response.text.endswith("data: [DONE]\n\n") and '"error"' not in response.text
    else:
        assert response.json()["choices"][0]["message"]["content"]


def seen(mocks, provider):
    """The only request that has reached any mock: it came as it should, and its length is told."""
    [(name, request)] = asked(mocks)
    headers = request["headers"]
    assert name == provider
    _, protocol, proved, _ = REACHED[provider]
    if proved or protocol == "HTTP/2":
        assert (headers["x-seen-protocol"], headers.get("x-seen-name")) == (protocol, proved), headers
    assert headers["content-length"] == str(len(request["body"].encode())) and "transfer-encoding" not in headers
    return json.loads(request["body"])


@pytest.mark.parametrize("provider", REACHED)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer(envoy, client, mocks, provider, stream):
    response = chat(client, f"at-{provider}", stream=stream)
    is_answer(response, stream)
    assert response.headers["x-model-router-attempts"] == "1"
    assert seen(mocks, provider)["model"] == REACHED[provider][3]


@pytest.mark.parametrize("provider", REACHED)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [{"fault": "status", "status": 503}, {"fault": "reset"}, {"fault": "stream_error"}], ids=lambda fault: fault["fault"])
def test_a_failover(envoy, client, mocks, provider, stream, fault):
    order = list(REACHED)
    second = order[(order.index(provider) + 1) % len(order)]
    mocks[provider].fault(**fault)
    response = chat(client, f"at-{provider}", stream=stream)
    is_answer(response, stream)
    assert response.headers["x-model-router-attempts"] == "2"
    assert response.headers["x-model-router-reason"].startswith("failover_")
    mocks[provider].reset()
    seen(mocks, second)


@pytest.mark.parametrize("provider", REACHED)
@pytest.mark.parametrize("length", [100, 3_000_000], ids=["short", "3 MB"])
@pytest.mark.parametrize("told", [True, False], ids=["length", "chunks"])
def test_how_a_body_is_sent(envoy, client, mocks, provider, length, told):
    """Whatever the client says of the body's length, the provider is told that of what it gets."""
    text = "word " * (length // 5)
    body = json.dumps({"model": f"at-{provider}", "messages": [{"role": "user", "content": text}]}).encode()
    pieces = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    headers = {"content-type": "application/json"}
    response = client.post("/v1/chat/completions", content=body if told else pieces, headers=headers)
    is_answer(response)
    assert text in str(seen(mocks, provider)["messages"])


def test_the_body_limit(envoy, client, mocks):
    """Nothing stands still where more is held than a window of HTTP/2 has room for."""
    start, end = b'{"model":"at-openai","messages":[{"role":"user","content":"', b'"}]}'
    headers = {"content-type": "application/json"}
    for length, status in [(16 * 2**20, 200), (16 * 2**20 + 1, 413)]:
        body = start + b"a" * (length - len(start) - len(end)) + end
        response = client.post("/v1/chat/completions", content=body, headers=headers)
        assert response.status_code == status, response.text


@pytest.mark.parametrize("name", IMPOSTORS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_cannot_prove_its_name(envoy, client, mocks, name, stream):
    """It sees nothing of the request, which goes to the next provider."""
    response = chat(client, f"at-{name}", stream=stream)
    is_answer(response, stream)
    told = {key: response.headers[f"x-model-router-{key}"] for key in ("attempts", "reason")}
    assert told == {"attempts": "2", "reason": "failover_no_response"}
    seen(mocks, "azure")


@pytest.mark.parametrize("host", ["router.example", "misnamed.example", "localhost:8080"])
def test_the_clients_host_does_not_count(envoy, client, mocks, host):
    """What a client calls this Envoy is neither asked of providers nor what they must prove."""
    body = {"model": "at-openai", "messages": MESSAGES}
    response = client.post("/v1/chat/completions", json=body, headers={"host": host})
    is_answer(response)
    assert response.headers["x-model-router-attempts"] == "1"
    seen(mocks, "openai")


def test_every_worker_serves(envoy, client, mocks, workers):
    """Many at a time, until each worker has had a connection of its own."""

    def served():
        stats = envoy.admin.get("/stats?filter=listener.127.0.0.1_.*worker_.*downstream_cx_total&format=json").json()
        return sum(stat["value"] > 0 for stat in stats["stats"])

    def converse(number):
        provider, stream = list(REACHED)[number % len(REACHED)], number % 2 == 0
        both = {"http1": client.protocol == "HTTP/1.1", "http2": client.protocol == "HTTP/2"}
        with httpx.Client(base_url=envoy.url, timeout=30, **both) as own:
            own.protocol = client.protocol
            response = chat(own, f"at-{provider}", stream=stream)
        is_answer(response, stream)
        return response.headers["x-model-router-attempts"]

    for _ in range(20):
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            assert set(pool.map(converse, range(20))) == {"1"}
        if served() == workers:
            break
    assert served() == workers
