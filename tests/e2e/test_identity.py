"""Who is calling, by each of Envoy's ways: the right consumer, and nobody else's credentials, names or keys."""

import datetime
import json
import os
import shutil
import ssl

import httpx
import jwt
import openai
import pytest
from conftest import ROOT, VERSIONS, Envoy, wait_for
from cryptography.hazmat.primitives.asymmetric import rsa
from front import Authority
from made import made, policy
from wire import asked

HELLO = [{"role": "user", "content": "hi"}]
SEARCH, BATCH, NEXT = "example-key-of-search", "example-key-of-batch", "example-key-of-search-next"


class Running:
    """An Envoy of each version for an example, changed by `edit`."""

    def __init__(self, factory, mocks, example, edit=lambda policy, directory: None):
        self.directory, self.envoys = factory.mktemp(example), {}
        document = policy(example)
        edit(document, self.directory)
        for version in VERSIONS:
            source = made(self.directory, document)
            self.envoys[version] = Envoy(self.directory, mocks, version, source=source)

    def stop(self):
        for envoy in self.envoys.values():
            envoy.stop()


def own_keys(document, directory):
    file = directory / "keys.yaml"
    shutil.copy(ROOT / "envoy/examples/keys.yaml", file)
    document["envoy"]["identity"]["api_keys"]["file"] = str(file)


def without_nobody(document, directory):
    own_keys(document, directory)
    document["consumers"] = [it for it in document["consumers"] if it["when"] != "nobody"]


class Issuer:
    """An identity provider's key."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwks = {"keys": [{**public, "kid": "test", "alg": "RS256", "use": "sig"}]}

    def token(self, minutes=5, **claims):
        expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        claims = {"iss": "https://login.example.com/", "aud": "model-router", "team": "search", "exp": expiry, **claims}
        return jwt.encode(claims, self.key, "RS256", {"kid": "test"})


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture(scope="module")
def with_keys(all_mocks, tmp_path_factory):
    running = Running(tmp_path_factory, all_mocks, "api-keys", own_keys)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def strict_keys(all_mocks, tmp_path_factory):
    running = Running(tmp_path_factory, all_mocks, "api-keys", without_nobody)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def with_jwt(all_mocks, tmp_path_factory, issuer):
    def edit(document, directory):
        file = directory / "jwks.json"
        file.write_text(json.dumps(issuer.jwks))
        document["envoy"]["identity"]["jwt"]["jwks"] = {"file": str(file)}

    running = Running(tmp_path_factory, all_mocks, "jwt", edit)
    yield running
    running.stop()


def sdk(envoy, key, **more):
    return openai.OpenAI(base_url=envoy.url + "/v1", api_key=key, max_retries=0, **more)


def ask(envoy, model="gpt-5-nano", path="/v1/chat/completions", **headers):
    body = {"model": model, "max_tokens": 9, "messages": HELLO}
    return envoy.client.post(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def refused(response, kind="invalid_request_error"):
    error = response.json()["error"]
    assert response.status_code == 401 and response.headers["content-type"] == "application/json"
    return error["code"] == "unauthenticated" and error["type"] == kind and error["message"]


def reached_no_provider(mocks, *secrets):
    sent = json.dumps([request for _, request in asked(mocks)])
    assert "x-consumer" not in sent.lower() and "x-model-router-nobody" not in sent
    return not any(secret in sent for secret in secrets)


def test_keys_by_the_sdk(with_keys, version, mocks):
    envoy = with_keys.envoys[version]
    for key, model, consumer in [(SEARCH, "gpt-5-mini", "search-team"), (NEXT, "gpt-5-mini", "search-team"), (BATCH, "gpt-5-nano", "batch-jobs")]:
        before = len(envoy.access_log())
        answer = sdk(envoy, key).chat.completions.create(model=model, messages=HELLO)
        assert answer.choices[0].message.content
        [entry] = wait_for(lambda: envoy.access_log()[before:])
        assert entry["model_router.consumer"] == consumer
    with pytest.raises(openai.PermissionDeniedError):
        sdk(envoy, BATCH).chat.completions.create(model="gpt-5-mini", messages=HELLO)
    with pytest.raises(openai.AuthenticationError) as wrong:
        sdk(envoy, "example-key-of-nobody").chat.completions.create(model="gpt-5-nano", messages=HELLO)
    assert wrong.value.code == "unauthenticated" and wrong.value.type == "invalid_request_error"
    assert {it.id for it in sdk(envoy, BATCH).models.list()} == {"model-router", "gpt-5-nano"}
    assert reached_no_provider(mocks, SEARCH, BATCH, NEXT)
    # Nor do the keys stand in what Envoy tells or logs.
    told = envoy.admin.get("/config_dump").text + envoy.log.read_text() + envoy.config.read_text()
    assert not any(key in told for key in [SEARCH, BATCH])


def test_keys_where_each_sdk_puts_them(with_keys, version, mocks):
    envoy = with_keys.envoys[version]
    answers = [ask(envoy, "gpt-5-mini", api_key=SEARCH), ask(envoy, "gpt-5-mini", x_api_key=SEARCH)]
    assert [it.status_code for it in answers] == [200, 200] and reached_no_provider(mocks, SEARCH)
    # The first that is there counts, so a second one does not help a wrong one.
    assert refused(ask(envoy, authorization="Bearer wrong", api_key=SEARCH))
    assert refused(ask(envoy, path="/v1/messages", x_api_key="wrong"), "authentication_error")
    assert refused(ask(envoy, path="/openai/deployments/gpt-5-nano/chat/completions", api_key="wrong"))


def test_nobody_may_use_what_the_policy_gives_to_nobody(with_keys, version, mocks):
    envoy = with_keys.envoys[version]
    assert [ask(envoy, name).status_code for name in ["gpt-5-nano", "gpt-5-mini", "model-router"]] == [200, 403, 403]
    assert [it["id"] for it in envoy.client.get("/v1/models").json()["data"]] == ["gpt-5-nano"]
    # Nobody becomes somebody by saying so.
    for forged in [{"x_consumer": "search"}, {"X_Consumer": "batch"}, {"x_model_router_nobody": SEARCH}]:
        assert ask(envoy, "gpt-5-mini", **forged).status_code == 403
    assert reached_no_provider(mocks, "search")
    wait_for(lambda: "visitors" in [it["model_router.consumer"] for it in envoy.access_log()])


def test_without_a_consumer_for_nobody_there_is_nothing(strict_keys, version, mocks):
    envoy = strict_keys.envoys[version]
    # The key of nobody leads to no consumer, and is not there unless Envoy adds it.
    assert refused(ask(envoy)) and refused(ask(envoy, x_model_router_nobody="nobody")) and refused(ask(envoy, x_consumer="search"))
    assert ask(envoy, authorization="Bearer nobody").status_code == 403
    assert ask(envoy, authorization=f"Bearer {SEARCH}").status_code == 200
    assert refused(envoy.client.get("/v1/models")) and len(asked(mocks)) == 1


def test_keys_change_while_envoy_runs(with_keys, version, mocks):
    envoy, file = with_keys.envoys[version], with_keys.directory / "keys.yaml"
    before, new = file.read_text(), "example-key-that-is-new"

    def replace(text):
        file.with_suffix(".new").write_text(text)
        os.rename(file.with_suffix(".new"), file)

    replace(before.replace(BATCH, new))
    try:
        wait_for(lambda: ask(envoy, authorization=f"Bearer {new}").status_code == 200)
        assert refused(ask(envoy, authorization=f"Bearer {BATCH}"))
    finally:
        replace(before)
        wait_for(lambda: ask(envoy, authorization=f"Bearer {BATCH}").status_code == 200)


def test_tokens(with_jwt, version, mocks, issuer):
    envoy = with_jwt.envoys[version]
    token = issuer.token()
    assert sdk(envoy, token).chat.completions.create(model="gpt-5-mini", messages=HELLO).choices
    assert ask(envoy, "gpt-5-mini", api_key=token).status_code == ask(envoy, "gpt-5-mini", x_api_key=token).status_code == 200
    batch = issuer.token(team="batch")
    assert [ask(envoy, name, authorization=f"Bearer {batch}").status_code for name in ["gpt-5-nano", "gpt-5-mini"]] == [200, 403]
    log = wait_for(lambda: len(log := envoy.access_log()) >= 4 and log)
    assert {it["model_router.consumer"] for it in log} >= {"search-team", "batch-jobs"}
    assert reached_no_provider(mocks, token, batch, token.split(".")[2])


def test_wrong_tokens(with_jwt, version, mocks, issuer):
    envoy = with_jwt.envoys[version]
    wrong = [issuer.token(minutes=-5), issuer.token(iss="https://other.example.com/"), Issuer().token(), "no-token"]
    for token in wrong:
        assert refused(ask(envoy, authorization=f"Bearer {token}"))
    other = ask(envoy, authorization=f"Bearer {issuer.token(aud='another')}")
    assert other.status_code == 403 and other.json()["error"]["code"] == "unauthenticated"
    assert refused(ask(envoy)) and refused(ask(envoy, x_consumer="search"))
    assert refused(ask(envoy, path="/v1/messages", x_api_key=wrong[0]), "authentication_error")
    # A token that is good names a team that the policy does not know, or none.
    unknown = ask(envoy, authorization=f"Bearer {issuer.token(team='other')}", x_consumer="search")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (403, "unknown_consumer")
    assert refused(ask(envoy, authorization=f"Bearer {issuer.token(team=None)}", x_consumer="search"))
    with pytest.raises(openai.AuthenticationError):
        sdk(envoy, wrong[0]).chat.completions.create(model="gpt-5-nano", messages=HELLO)
    assert asked(mocks) == []


def test_tokens_and_nobody(all_mocks, mocks, tmp_path_factory, issuer):
    def edit(document, directory):
        (directory / "jwks.json").write_text(json.dumps(issuer.jwks))
        document["envoy"]["identity"]["jwt"]["jwks"] = {"file": str(directory / "jwks.json")}
        document["consumers"].append({"name": "visitors", "when": "nobody", "models": ["gpt-5-nano"], "routers": []})

    running = Running(tmp_path_factory, all_mocks, "jwt", edit)
    try:
        for envoy in running.envoys.values():
            assert [ask(envoy, name, x_consumer="search").status_code for name in ["gpt-5-nano", "gpt-5-mini"]] == [200, 403]
            assert refused(ask(envoy, authorization=f"Bearer {issuer.token(minutes=-5)}"))
    finally:
        running.stop()


@pytest.mark.parametrize("nobody", [False, True])
def test_certificates_of_clients(all_mocks, mocks, tmp_path_factory, version, nobody):
    directory = tmp_path_factory.mktemp("certificates")
    authority, stranger = Authority(directory), Authority(tmp_path_factory.mktemp("stranger"))
    server = authority.server("localhost")

    def edit(document, _):
        document["envoy"]["listener"]["tls"] = {"certificate": str(server["certificate"]), "private_key": str(server["key"])}
        document["envoy"]["identity"]["client_certificates"]["trusted_ca"] = str(authority.file)
        if nobody:
            document["consumers"].append({"name": "visitors", "when": "nobody", "models": ["gpt-5-nano"], "routers": []})

    document = policy("client-certificates")
    edit(document, directory)
    envoy = Envoy(directory, all_mocks, version, source=made(directory, document))
    url = f"https://localhost:{envoy.port}/v1/chat/completions"

    def by(certificate, model, **headers):
        tls = ssl.create_default_context(cafile=authority.file)
        if certificate:
            tls.load_cert_chain(certificate["certificate"], certificate["key"])
        with httpx.Client(verify=tls) as client:
            return client.post(url, json={"model": model, "messages": HELLO}, headers=headers).status_code

    try:
        search, batch = [authority.client(f"spiffe://example.com/{name}") for name in ["search", "batch"]]
        assert [by(search, "gpt-5-mini"), by(batch, "gpt-5-mini"), by(batch, "gpt-5-nano")] == [200, 403, 200]
        # A certificate of a name that the policy does not know, with a forged header.
        other = authority.client("spiffe://example.com/other")
        forged = {"x-consumer": "spiffe://example.com/search"}
        assert by(other, "gpt-5-mini", **forged) == 403
        with pytest.raises(httpx.TransportError):
            by(stranger.client("spiffe://example.com/search"), "gpt-5-nano")
        if nobody:
            assert [by(None, name, **forged) for name in ["gpt-5-nano", "gpt-5-mini"]] == [200, 403]
        else:
            with pytest.raises(httpx.TransportError):
                by(None, "gpt-5-nano")
        assert reached_no_provider(mocks, "spiffe")
    finally:
        envoy.stop()
