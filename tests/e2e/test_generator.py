"""`model-router envoy`: a real Envoy takes what it writes, and does what the policy says."""

import random
import subprocess

import httpx
import pytest
import yaml
from conftest import ROOT, Generated, envoy_binary, generate, wait_for
from front import Authority, Front

BODY = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}]}
HOSTED = ["openai", "anthropic", "xai", "deepseek", "mistral", "groq", "openrouter"]
# These have no address of their own.
PLACED = ["azure_openai", "foundry", "foundry_anthropic", "vllm"]
MODELS = ["gpt-5-nano", "gpt-5-mini", "gpt-5.4", "gpt-4.1", "claude-sonnet-4-5", "claude-haiku-4-5", "grok-4", "gpt-oss-120b"]


def policy(mocks, key, **more):
    """Two models at two providers, in plain HTTP."""
    keys = {"file": str(key)}
    return {
        "routers": [{"name": "model-router", "mode": "quality", "subset": ["gpt-5-mini", "gpt-oss-120b"]}],
        "models": [
            {"name": "gpt-5-mini", "served_by": [{"provider": "openai"}], "abilities": 90},
            {"name": "gpt-oss-120b", "served_by": [{"provider": "oss"}], "abilities": 40},
        ],
        "providers": [
            {"name": "openai", "preset": "openai", "endpoint": f"http://127.0.0.1:{mocks['openai'].port}", "credential": keys},
            {"name": "oss", "preset": "vllm", "endpoint": f"http://127.0.0.1:{mocks['oss'].port}"},
        ],
        "cooldown": {"maximum_seconds": 0},
        **more,
    }


@pytest.fixture
def key(tmp_path):
    key = tmp_path / "key"
    key.write_text("first-key")
    return key


@pytest.fixture
def running():
    """Starts Envoys, and stops them at the end."""
    started = []

    def start(*arguments, **options):
        started.append(Generated(*arguments, **options))
        return started[-1]

    yield start
    for envoy in started:
        envoy.stop()


def seen_key(mock):
    return mock.requests()[-1]["headers"].get("authorization")


def test_a_configuration_in_one_file_routes_and_fails_over(version, mocks, key, tmp_path, running):
    envoy = running(tmp_path, policy(mocks, key), version)
    answer = envoy.chat()
    assert (answer.status_code, answer.headers["x-model-router-model"]) == (200, "gpt-5-mini")
    assert seen_key(mocks["openai"]) == "Bearer first-key"
    mocks["openai"].fault("status", status=503)
    answer = envoy.chat()
    assert (answer.headers["x-model-router-model"], answer.headers["x-model-router-attempts"]) == ("gpt-oss-120b", "2")
    assert seen_key(mocks["oss"]) is None


def test_a_key_from_the_environment(version, mocks, key, tmp_path, running):
    document = policy(mocks, key)
    document["providers"][0]["credential"] = {"environment": "TEST_PROVIDER_KEY"}
    envoy = running(tmp_path, document, version, environment={"TEST_PROVIDER_KEY": "key-of-environment"})
    assert envoy.chat().status_code == 200
    assert seen_key(mocks["openai"]) == "Bearer key-of-environment"


def test_watched_files_bring_models_providers_and_keys(version, mocks, key, tmp_path, running):
    document = policy(mocks, key)
    envoy = running(tmp_path, document, version, xds=True)

    def ask():
        # Open connections stay with the old listener until Envoy drains them.
        return httpx.post(f"{envoy.url}/v1/chat/completions", json=BODY)

    assert ask().headers["x-model-router-model"] == "gpt-5-mini"

    # Another provider, and a model there.
    document["providers"].append({"name": "xai", "preset": "xai", "endpoint": f"http://127.0.0.1:{mocks['xai'].port}",
                                  "credential": {"file": str(key)}})
    document["models"].append({"name": "grok-4", "served_by": [{"provider": "xai"}], "abilities": 95})
    document["routers"][0]["subset"] = ["grok-4", "gpt-oss-120b"]
    assert envoy.write(document).returncode == 0
    wait_for(lambda: ask().headers.get("x-model-router-model") == "grok-4")
    assert seen_key(mocks["xai"]) == "Bearer first-key"

    # A wrong policy does not get as far as Envoy.
    before = {file.name: file.read_bytes() for file in envoy.folder.iterdir()}
    wrong = envoy.write({**document, "routers": [{"name": "model-router", "mode": "fast"}]})
    assert wrong.returncode != 0
    assert "routers[0].mode" in wrong.stderr
    assert before == {file.name: file.read_bytes() for file in envoy.folder.iterdir()}

    # Another key, in the same file.
    fresh = tmp_path / "fresh"
    fresh.write_text("fresh-key")
    fresh.rename(key)
    wait_for(lambda: ask().status_code == 200 and seen_key(mocks["xai"]) == "Bearer fresh-key")

    # Another key, in another file.
    second = tmp_path / "second"
    second.write_text("second-key")
    document["providers"][2]["credential"] = {"file": str(second)}
    assert envoy.write(document).returncode == 0
    wait_for(lambda: ask().status_code == 200 and seen_key(mocks["xai"]) == "Bearer second-key")


def test_tls_is_verified(version, mocks, key, tmp_path, running):
    authority = Authority(tmp_path)
    names = {"api.openai.com": ("openai", "api.openai.com", ["h2", "http/1.1"]), "api.x.ai": ("xai", "other.example", [])}
    front = Front(tmp_path, version, mocks, authority, names, plain="anthropic")
    try:
        document = policy(mocks, key, envoy={"trusted_ca": str(authority.file)})
        there = f"https://127.0.0.1:{front.tls_port}"
        document["providers"][0] |= {"endpoint": there, "authority": "api.openai.com"}
        document["providers"].append({"name": "xai", "preset": "xai", "endpoint": there, "authority": "api.x.ai"})
        document["models"].append({"name": "grok-4", "served_by": [{"provider": "xai"}, {"provider": "oss"}]})
        envoy = running(tmp_path, document, version)
        assert envoy.chat().headers["x-model-router-model"] == "gpt-5-mini"
        headers = mocks["openai"].requests()[-1]["headers"]
        assert (headers["x-seen-name"], headers["x-seen-protocol"]) == ("api.openai.com", "HTTP/2")
        # Who cannot prove to be api.x.ai does not hear of the request.
        assert envoy.chat("grok-4").headers["x-model-router-attempts"] == "2"
        assert mocks["xai"].requests() == []
    finally:
        front.stop()


@pytest.mark.parametrize("xds", [False, True])
def test_a_content_filter(version, mocks, key, tmp_path, running, xds):
    moderation = mocks["xai"]
    filters = {"endpoint": f"http://127.0.0.1:{moderation.port}", "credential": {"file": str(key)}, "on_error": "reject"}
    envoy = running(tmp_path, policy(mocks, key, content_filter=filters), version, xds=xds)
    assert envoy.chat().status_code == 200
    assert moderation.requests()[-1]["path"] == "/v1/moderations" and seen_key(moderation) == "Bearer first-key"
    flagged = envoy.chat(messages=[{"role": "user", "content": "flag-me"}])
    assert (flagged.status_code, flagged.json()["error"]["code"]) == (400, "content_filter")
    assert len(mocks["openai"].requests()) == 1


def test_a_listener_with_tls(mocks, key, tmp_path, running):
    authority = Authority(tmp_path)
    files = authority.server("router.example")
    tls = {"certificate": str(files["certificate"]), "private_key": str(files["key"])}
    envoy = running(tmp_path, policy(mocks, key, envoy={"listener": {"tls": tls}}))
    curl = ["curl", "-sS", "--cacert", authority.file, "--resolve", f"router.example:{envoy.port}:127.0.0.1",
            "-o", tmp_path / "body", "-w", "%{http_code} %{http_version}", f"https://router.example:{envoy.port}/v1/models"]
    assert subprocess.check_output(curl, text=True) == "200 2"


def random_policy(random, key, environment):
    """A valid policy, of what `model-router envoy` makes something different."""
    providers = []
    for at in range(random.randint(1, 5)):
        preset = random.choice([*HOSTED, *PLACED, "ollama"])
        provider = {"name": f"{preset}-{at}", "preset": preset}
        if preset in PLACED or random.random() < 0.3:
            host = random.choice(["10.0.0.4", "llm.internal", "[fd00::1]", "x_1"])
            secure = random.random() < 0.5
            provider["endpoint"] = f"http{'s' * secure}://{host}{random.choice(['', ':8443', '/'])}"
            if secure:
                provider["authority"] = random.choice(["my.openai.azure.com", "llm.internal:8443"])
        if random.random() < 0.7:
            provider["credential"] = random.choice([{"file": str(key)}, {"environment": environment}])
        if random.random() < 0.2:
            provider["cluster"] = f"own.cluster-{at}"
        providers.append(provider)
    chosen = random.sample(MODELS, random.randint(1, 5))
    names = [provider["name"] for provider in providers]
    models = [{"name": name, "served_by": [{"provider": provider, "deployment": f"#{name}:{provider}'{{x}}"}
                                           for provider in random.sample(names, random.randint(1, len(names)))]} for name in chosen]
    made = {"models": models, "providers": providers, "max_attempts": random.randint(1, 8)}
    if random.random() < 0.8:
        made["routers"] = [{"name": "model-router", "mode": random.choice(["quality", "balanced", "cost", {"band": 0.1}]), "baseline": chosen[0]}]
    if random.random() < 0.3:
        made["consumers"] = [{"name": "batch", "when": {"header": "x-consumer", "equals": "# batch: 'a'"}, "models": chosen[:1]}]
    if random.random() < 0.5:
        made["envoy"] = {"listener": {"address": random.choice(["127.0.0.1", "::1"]), "port": 10000}, "max_body_bytes": 1 << 20}
    if random.random() < 0.3:
        tracing = {"endpoint": random.choice(["http://127.0.0.1:4318", "https://otel.example"]), "sample_percent": random.choice([0, 0.5, 100])}
        made.setdefault("envoy", {})["tracing"] = tracing | {"propagate": random.random() < 0.5}
    if random.random() < 0.3:
        made["content_filter"] = {"endpoint": random.choice(["https://api.openai.com", "http://[fd00::2]:8000"]), "on_error": "allow"}
        if random.random() < 0.5:
            made["content_filter"] |= {"credential": {"environment": environment}, "cluster": "what-judges", "authority": "m.example"}
    return made


def test_envoy_takes_what_is_made_of_random_policies(version, key, tmp_path, monkeypatch):
    monkeypatch.setenv("RANDOM_POLICY_KEY", "x")
    chance = random.Random(7)
    for at in range(12):
        document = random_policy(chance, key, "RANDOM_POLICY_KEY")
        file, made = tmp_path / f"{at}.yaml", tmp_path / f"{at}-envoy.yaml"
        # JSON is YAML too; keys in any order.
        file.write_text(yaml.safe_dump(document, default_flow_style=chance.choice([None, False, True])))
        written = generate("--policy", file, "--output", made)
        assert written.returncode == 0, written.stderr
        command = [envoy_binary(version), "--mode", "validate", "-c", made]
        judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert judged.returncode == 0, f"{file.read_text()}\n{judged.stderr[-2000:]}"
