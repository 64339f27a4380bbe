"""Bad input gets a clear error and reaches no provider; nothing internal and no foreign key leaves the router."""

import httpx
import pytest

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


def test_a_client_that_leaves_harms_nobody(envoy, mocks, plan):
    mocks[plan[0]["provider"]].fault("hang")
    with pytest.raises(httpx.TimeoutException):
        httpx.post(
            f"{envoy.url}/v1/chat/completions",
            json={"model": "model-router", "messages": [{"role": "user", "content": "x"}]},
            timeout=0.3,
        )
    assert envoy.chat().status_code == 200
