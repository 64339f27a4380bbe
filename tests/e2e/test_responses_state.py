"""What one provider keeps of the Responses API: how requests find it, on every replica, and who must not find it."""

import json
import uuid

import pytest
from wire import CONTROLS, asked, body_at, is_openai_error, mark, raw

PREFIXES = ["/v1", "", "/openai/v1", "/api/projects/demo/openai/v1"]
MADE = "0123456789abcdef0123456789abcdef0123456789abcdef"
HERE = mark("openai", "gpt-5-mini")
SEALED = {"store": False, "include": ["reasoning.encrypted_content"]}


def at_openai(envoy, mocks, **body):
    """The answer of the second provider of gpt-5-mini."""
    mocks["azure"].fault("status", status=503)
    response = envoy.respond("gpt-5-mini", **body)
    assert response.status_code == 200, response.text
    for mock in mocks.values():
        mock.reset()
    return response.json()


def only_openai(mocks):
    [(provider, request)] = asked(mocks)
    assert provider == "openai" and HERE[:10] not in request["body"] + request["path"], "marks come off"
    return json.loads(request["body"]) if request["body"] else None


@pytest.mark.parametrize("model", ["gpt-5-mini", "model-router"])
def test_the_previous_response_keeps_its_provider(envoy, mocks, model):
    first = at_openai(envoy, mocks)
    second = envoy.respond(model, previous_response_id=first["id"])
    assert second.status_code == 200, second.text
    assert only_openai(mocks)["previous_response_id"] == first["id"].replace(HERE, "")
    assert second.json()["previous_response_id"] == first["id"]


def test_a_keeper_that_fails_is_not_passed_over(latest, mocks):
    first = at_openai(latest, mocks)
    mocks["openai"].fault("status", count=None, status=503)
    assert latest.respond("gpt-5-mini", previous_response_id=first["id"]).status_code == 503
    assert {provider for provider, _ in asked(mocks)} == {"openai"}


def test_a_reference_to_an_item(latest, mocks):
    first = at_openai(latest, mocks)
    message = first["output"][-1]["id"]
    assert message.startswith("msg_" + HERE)
    turns = [{"type": "item_reference", "id": message}, {"role": "user", "content": "And then?"}]
    response = latest.respond("gpt-5-mini", input=turns)
    assert response.status_code == 200, response.text
    assert only_openai(mocks)["input"][0]["id"] == message.replace(HERE, "")


def test_encrypted_reasoning(latest, mocks):
    first = at_openai(latest, mocks, **SEALED)
    sealed = next(item for item in first["output"] if item["type"] == "reasoning")
    assert sealed["encrypted_content"].startswith(HERE)
    response = latest.respond("gpt-5-mini", input=[*first["output"], {"role": "user", "content": "And then?"}], **SEALED)
    assert response.status_code == 200, response.text
    assert only_openai(mocks)["input"][0]["encrypted_content"] == sealed["encrypted_content"].replace(HERE, "")


def test_items_that_are_there_in_full_go_anywhere(latest, mocks):
    first = at_openai(latest, mocks)
    turns = [first["output"][-1], {"role": "user", "content": "And then?"}]
    for model, provider in [("gpt-5-mini", "azure"), ("claude-sonnet-4-5", "anthropic")]:
        response = latest.respond(model, input=turns)
        assert response.status_code == 200, response.text
        [(_, request)] = asked(mocks, provider)
        assert HERE not in request["body"]


def test_references_to_two_providers_fit_nobody(latest, mocks):
    first = at_openai(latest, mocks)
    other = latest.respond("gpt-5-mini").json()
    mocks["azure"].reset()
    turns = [{"type": "item_reference", "id": first["output"][-1]["id"]}]
    response = latest.respond("gpt-5-mini", previous_response_id=other["id"], input=turns)
    assert response.status_code == 400 and is_openai_error(response)["param"]
    assert not asked(mocks)


@pytest.mark.parametrize("form", [lambda id: id, lambda id: {"id": id}], ids=["text", "object"])
def test_a_conversation(latest, mocks, form):
    made = latest.client.post("/v1/conversations", json={"metadata": {"a": "b"}})
    assert made.status_code == 200, made.text
    [(keeper, _)] = asked(mocks)
    name = made.json()["id"]
    assert name.startswith("conv_mr")
    mocks[keeper].reset()
    response = latest.respond("model-router", conversation=form(name))
    assert response.status_code == 200, response.text
    seen = body_at(mocks, keeper)["conversation"]
    assert "mr" not in (seen["id"] if isinstance(seen, dict) else seen)
    told = response.json()["conversation"]
    assert (told["id"] if isinstance(told, dict) else told) == name
    read = latest.client.get(f"/v1/conversations/{name}")
    assert (read.status_code, read.json()["id"]) == (200, name)
    assert latest.client.delete(f"/v1/conversations/{name}").json()["id"] == name
    assert latest.client.get(f"/v1/conversations/{name}").status_code == 404


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_is_kept_can_be_read_and_deleted(envoy, mocks, prefix):
    first = at_openai(envoy, mocks)
    url = f"{prefix}/responses/{first['id']}"
    read = envoy.client.get(url, params={"include": "x"})
    assert read.json() == first
    assert read.headers["x-model-router-model"] == "gpt-5-mini"
    [(_, request)] = asked(mocks)
    assert request["path"] == f"/v1/responses/{first['id'].replace(HERE, '')}?include=x"
    items = envoy.client.get(f"{url}/input_items", params={"limit": 1}).json()
    assert items["data"][0]["role"] == "user" and HERE in items["first_id"]
    gone = envoy.client.delete(url)
    assert gone.json() == {"id": first["id"], "object": "response", "deleted": True}
    missing = envoy.client.get(url)
    assert missing.status_code == 404 and is_openai_error(missing)


def test_background_responses_can_be_cancelled(envoy, mocks):
    mocks["azure"].fault("status", status=503)
    queued = envoy.respond("gpt-5-mini", background=True).json()
    assert queued["status"] == "queued" and HERE in queued["id"]
    cancelled = envoy.client.post(f"/v1/responses/{queued['id']}/cancel")
    assert cancelled.status_code == 200, cancelled.text
    assert (cancelled.json()["id"], cancelled.json()["status"]) == (queued["id"], "cancelled")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("model", ["gpt-5-nano", "model-router"])
def test_input_tokens(latest, mocks, prefix, model):
    body = {"model": model, "input": "Say hello."}
    counted = latest.client.post(f"{prefix}/responses/input_tokens", json=body)
    assert counted.status_code == 200 and counted.json()["input_tokens"] > 0
    [(provider, request)] = asked(mocks)
    assert (provider, request["path"]) == ("openai", "/v1/responses/input_tokens")


def test_input_tokens_of_a_model_that_cannot_count(latest, mocks):
    response = latest.client.post("/v1/responses/input_tokens", json={"model": "gpt-oss-120b", "input": "x"})
    assert response.status_code == 400 and is_openai_error(response) and not asked(mocks)


@pytest.mark.parametrize("what", ["usage", "conversation"])
def test_a_count_is_no_answer(latest, mocks, what):
    missing = latest.metric("model_router_usage_missing_total")
    session = {"x-ms-session-id": str(uuid.uuid4()), **CONTROLS}
    body = {"model": "model-router", "input": "Say hello."}
    assert latest.client.post("/v1/responses/input_tokens", json=body, headers=session).status_code == 200
    if what == "usage":
        assert latest.metric("model_router_usage_missing_total") == missing
        return
    details = latest.respond(headers=session).json()["model_selection_details"]["model_router_details"]
    assert details["session_affinity"]["decision"] == "initialize"


@pytest.mark.parametrize("refers", ["previous_response_id", "item_reference", "encrypted_content"])
def test_input_tokens_of_what_a_provider_keeps(latest, mocks, refers):
    """As the SDK's `responses.input_tokens.count(previous_response_id=…)` asks."""
    first = at_openai(latest, mocks, **(SEALED if refers == "encrypted_content" else {}))
    body = {"model": "gpt-5-mini", "input": [{"role": "user", "content": "And then?"}]}
    match refers:
        case "previous_response_id":
            body[refers] = first["id"]
        case "item_reference":
            body["input"].insert(0, {"type": refers, "id": first["output"][-1]["id"]})
        case _:
            body["input"][:0] = first["output"]
    counted = latest.client.post("/v1/responses/input_tokens", json=body)
    assert counted.status_code == 200, counted.text


def test_every_replica_knows_the_way(latest, replica, mocks):
    first = at_openai(latest, mocks)
    second = replica.respond("model-router", previous_response_id=first["id"])
    assert second.status_code == 200, second.text
    assert replica.client.get(f"/v1/responses/{first['id']}").json() == first
    third = latest.respond("model-router", previous_response_id=second.json()["id"])
    assert third.status_code == 200 and {provider for provider, _ in asked(mocks)} == {"openai"}


def test_ids_of_nobody(latest, mocks):
    response = latest.client.get(f"/v1/responses/resp_{MADE}")
    assert (response.status_code, is_openai_error(response)["code"]) == (404, "not_found")
    response = latest.respond("model-router", previous_response_id=f"resp_{MADE}")
    error = is_openai_error(response)
    assert (response.status_code, error["code"]) == (400, "previous_response_not_found")
    assert error["param"] == "previous_response_id"
    assert not asked(mocks)


FORGED = {
    "a provider of no model of the consumer": ("small", mark("azure", "gpt-5-nano")),
    "a denied model at a denied provider": ("small", mark("azure", "gpt-5-mini")),
    "a provider that keeps nothing": ("small", mark("oss", "gpt-oss-120b")),
    "an unknown provider": ("small", mark("nobody", "gpt-5-nano")),
    "zeros": ("small", "mr" + 16 * "0" + "_"),
    "only providers that keep nothing": ("plain", mark("openai", "gpt-oss-120b")),
    "no consumer": ("stranger", mark("openai", "gpt-5-nano")),
}


@pytest.mark.parametrize("case", FORGED)
@pytest.mark.parametrize("how", ["GET", "DELETE", "cancel", "input_items", "previous", "conversation", "reference", "sealed"])
def test_a_forged_mark_reaches_nobody(own, mocks, script, case, how):
    team, forged = FORGED[case]
    headers, name = {"x-team": team}, f"resp_{forged}{MADE}"
    user = {"role": "user", "content": "x"}
    bodies = {
        "previous": {"previous_response_id": name},
        "conversation": {"conversation": f"conv_{forged}{MADE}"},
        "reference": {"input": [user, {"type": "item_reference", "id": f"msg_{forged}{MADE}"}]},
        "sealed": {"input": [{"type": "reasoning", "summary": [], "encrypted_content": f"{forged}gAAAAABx"}, user]},
    }
    if how in bodies:
        response = own.respond(headers=headers, **bodies[how])
        assert response.status_code in [400, 403, 404], response.text
    else:
        method = {"cancel": "POST", "input_items": "GET"}.get(how, how)
        rest = f"/{how}" if how.islower() else ""
        response = own.client.request(method, f"/v1/responses/{name}{rest}", headers=headers)
        assert response.status_code in [403, 404], response.text
    assert is_openai_error(response, "azure", "gpt-5-mini", "openai")
    assert not asked(mocks) and not script.requests()


def test_a_forged_model_is_not_run(own, mocks):
    """At a provider that the consumer may use, under a model that it may not."""
    name = own.respond("gpt-5.4").json()["id"]
    mocks["openai"].reset()
    own.respond(headers={"x-team": "small"}, previous_response_id=name)
    assert {json.loads(request["body"])["model"] for _, request in asked(mocks)} <= {"gpt-5-nano"}
    response = own.respond("gpt-5.4", headers={"x-team": "small"}, previous_response_id=name)
    assert response.status_code in [403, 404]


TRICKS = [
    "..%2f..%2fv1%2fmodels", "..", "../../admin", f"resp_{HERE}/../../../v1/files", f"resp_{HERE}1/../2", f"resp_{HERE}%2e%2e%2f1",
    f"resp_{HERE}1%2fcancel", f"resp_{HERE}1/unknown", f"resp_{HERE}1//cancel", f"resp_{HERE}1;x=1", f"resp_{HERE}\\..\\1",
    f"resp_{HERE}1/input_items/..", "%00", "resp_mr", f"{HERE}..", f"resp_{HERE}1/cancel/", "/",
]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("path", TRICKS)
def test_paths_that_lead_astray(envoy, mocks, path, method):
    status, headers, body = raw(envoy, method, f"/v1/responses/{path}")
    assert status in [400, 404, 405], body
    assert json.loads(body)["error"]["message"] and headers["content-type"] == "application/json"
    assert not asked(mocks)


@pytest.mark.parametrize("length", [5_000, 70_000])
def test_long_ids(envoy, mocks, length):
    status, _, body = raw(envoy, "GET", f"/v1/responses/resp_{HERE}{'a' * length}")
    assert status in [400, 404, 414, 431], body
    response = envoy.respond(previous_response_id=f"resp_{HERE}{'a' * length}")
    assert response.status_code in [400, 404] and is_openai_error(response)
    assert envoy.respond("gpt-5-nano").status_code == 200
