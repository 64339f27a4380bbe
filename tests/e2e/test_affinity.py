"""Conversations stay on their model: by id, by token, by what was said before; and never against the policy."""

import uuid

import pytest
from wire import CONTROLS, asked

EASY = "Say hello."
HARD = "Design a lock-free queue in C++, with all of its code, and prove it linearizable."
CHEAP, STRONG = "gpt-5-nano", "gpt-5.4"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def turns(*texts):
    return [{"role": "user" if index % 2 == 0 else "assistant", "content": text} for index, text in enumerate(texts)]


class Answer:
    def __init__(self, response):
        assert response.status_code == 200, response.text
        self.model = response.headers["x-model-router-model"]
        self.reason = response.headers["x-model-router-reason"]
        self.token = response.headers.get("x-model-router-session")
        details = response.json().get("model_selection_details", {}).get("model_router_details", {})
        self.affinity = details.get("session_affinity", {})
        self.decision, self.source = self.affinity.get("decision"), self.affinity.get("source")


def ask(envoy, question=EASY, strategy=None, id=None, header=None, headers=None, **config):
    """One turn. `id` stands in the body, `header` in a header."""
    session = {"strategy": strategy, "session_id": id}
    messages = question if isinstance(question, list) else turns(question)
    body = {"model": "model-router", "messages": messages, "routing_config": {"session_affinity": session, **config}}
    headers = {**CONTROLS, **(headers or {}), **({} if header is None else {"x-ms-session-id": header})}
    encoded = [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in headers.items()]
    return Answer(envoy.client.post("/v1/chat/completions", json=body, headers=encoded))


@pytest.fixture
def id():
    return str(uuid.uuid4())


@pytest.mark.parametrize(
    "strategy, models, decisions",
    [
        ("adaptive", [CHEAP, CHEAP, STRONG, STRONG, CHEAP], ["initialize", "retain", "switch", "retain", "switch"]),
        ("sticky", [CHEAP] * 5, ["initialize"] + ["retain"] * 4),
        ("none", [CHEAP, CHEAP, STRONG, STRONG, CHEAP], [None] * 5),
    ],
)
def test_strategies(envoy, mocks, id, strategy, models, decisions):
    count = lambda: {each: envoy.metric("model_router_affinity_total", decision=each) for each in ["initialize", "retain", "switch"]}
    before = count()
    answers = [ask(envoy, question, strategy, id) for question in [EASY, EASY, HARD, HARD, EASY]]
    assert [answer.model for answer in answers] == models
    assert [answer.decision for answer in answers] == decisions
    source = None if strategy == "none" else "session_id_payload"
    assert {answer.source for answer in answers} == {source} and answers[0].affinity["strategy"] == strategy
    assert {name: now - before[name] for name, now in count().items()} == {name: decisions.count(name) for name in before}


def test_adaptive_is_what_is_done_unasked(latest, mocks, id):
    """Without the header that opts in, too: the session's id has a header of its own."""
    post = lambda text: Answer(latest.client.post("/v1/chat/completions", headers={"x-ms-session-id": id},
                                                  json={"model": "model-router", "messages": turns(text)}))
    switches = latest.metric("model_router_affinity_total", decision="switch")
    answers = [post(text) for text in [EASY, EASY, HARD]]
    assert all(answer.token.startswith("session_mr") and not answer.affinity for answer in answers)
    assert [answer.model for answer in answers] == [CHEAP, CHEAP, STRONG]
    assert latest.metric("model_router_affinity_total", decision="switch") - switches == 1


def test_a_long_conversation_stays_where_it_is_cached(latest, mocks, id):
    """On a model that is dearer by its price, but cheaper for what it has read before."""
    begin = turns("Read this: " + "word " * 3_000)
    assert ask(latest, begin, "adaptive", id, models=["claude-sonnet-4-5"]).decision == "initialize"
    then = [*begin, *turns("", "Done.", "Thanks.")[1:]]
    both = [STRONG, "claude-sonnet-4-5"]
    kept, free = (ask(latest, then, strategy, id, models=both) for strategy in ["adaptive", "none"])
    assert (kept.model, kept.decision, kept.reason) == ("claude-sonnet-4-5", "retain", "affinity")
    assert free.model == STRONG


def test_the_id_in_the_body_beats_the_one_in_the_header(latest, mocks, id):
    other = str(uuid.uuid4())
    assert ask(latest, strategy="sticky", id=id, models=[STRONG]).model == STRONG
    assert ask(latest, strategy="sticky", header=other, models=["gpt-5-mini"]).model == "gpt-5-mini"
    both = ask(latest, strategy="sticky", id=id, header=other)
    assert (both.model, both.source, both.decision) == (STRONG, "session_id_payload", "retain")
    alone = ask(latest, strategy="sticky", header=other)
    assert (alone.model, alone.source) == ("gpt-5-mini", "session_id_header")


INVALID = {"empty": "", "blank": "  ", "tabs": "\u00a0\u2003 ", "257": "x" * 257, "257 emoji": "😀" * 257}


@pytest.mark.parametrize("invalid", INVALID.values(), ids=INVALID)
def test_an_invalid_id_is_as_good_as_none(envoy, mocks, id, invalid):
    both = ask(envoy, strategy="sticky", id=invalid, header=id)
    assert (both.source, both.decision) == ("session_id_header", "initialize")
    neither = ask(envoy, strategy="sticky", id=invalid, header=invalid.strip())
    assert (neither.source, neither.decision, neither.token) == ("not_available", None, None)
    assert ask(envoy, strategy="adaptive", id=invalid).source == "fingerprint"


ODD = {"one": "0", "256": "x" * 256, "256 emoji": "😀" * 256, "controls": "\u0000\u0007\n\u202e", "quotes": '"\\{}', "our own": "session_mr"}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_ids_are_ids(latest, mocks, odd, id):
    odd = odd if len(odd) > 200 else odd + id
    first, second = (ask(latest, strategy="sticky", id=odd, models=models) for models in [[STRONG], None])
    assert (first.decision, second.decision, second.model) == ("initialize", "retain", STRONG) or len(odd) == 256
    assert second.source == "session_id_payload" and second.model == STRONG


@pytest.mark.parametrize("odd", ["😀" * 256, "\u202eabc", "é"], ids=["emoji", "direction", "accent"])
def test_odd_ids_in_the_header(latest, mocks, odd):
    first, second = (ask(latest, strategy="sticky", header=odd, models=models) for models in [[STRONG], None])
    assert (second.source, second.model) == ("session_id_header", STRONG)


def test_bytes_in_the_header_that_are_no_text(envoy, mocks):
    assert ask(envoy, strategy="sticky", header=b"\xff\xfe").decision in [None, "initialize", "retain"]


@pytest.mark.parametrize("place", ["id", "header"])
def test_the_token_tells_another_replica(latest, replica, mocks, id, place):
    first = ask(latest, strategy="sticky", id=id, models=[STRONG])
    assert id not in first.token
    assert ask(replica, strategy="sticky", id=id).model == CHEAP, "it never heard of the id"
    there = ask(replica, strategy="sticky", **{place: first.token})
    assert there.model == CHEAP, "what a replica has seen itself is newer than the token"
    fresh = ask(latest, strategy="sticky", id=f"{id}-2", models=[STRONG])
    kept = ask(replica, strategy="sticky", **{place: fresh.token})
    assert (kept.model, kept.decision) == (STRONG, "retain")
    assert ask(replica, strategy="sticky", id=f"{id}-2").model == STRONG, "token and id name the same conversation"


TALKS = {
    "harder": (EASY, "Hello.", HARD), "easier": (HARD, "Done.", EASY), "long": (HARD, "Done.", "And in Rust?", "Done.", EASY),
}


@pytest.mark.parametrize("texts", TALKS.values(), ids=TALKS)
def test_replicas_agree_on_conversations_without_ids(latest, replica, mocks, texts):
    conversation = turns(*texts)
    conversation[0]["content"] += f" ({uuid.uuid4()})"
    begun = ask(latest, conversation[:1])
    here, there = ask(latest, conversation), ask(replica, conversation)
    assert (here.source, there.source) == ("fingerprint", "fingerprint")
    assert (here.model, here.decision) == (there.model, there.decision)
    assert (here.decision == "retain") == (here.model == begun.model)


def test_conversations_are_told_apart(latest, mocks, id):
    """By system prompt, first message, router."""
    assert ask(latest, strategy="sticky", id=id, models=[STRONG]).model == STRONG
    config = {"session_affinity": {"strategy": "sticky", "session_id": id}}
    body = {"model": "auto", "messages": turns(EASY), "routing_config": config}
    other = latest.client.post("/v1/chat/completions", headers=CONTROLS, json=body)
    assert Answer(other).decision == "initialize"
    system = lambda text: [{"role": "system", "content": text + id}, *turns(EASY, "Hello.", HARD)]
    seen = [ask(latest, system(text)).decision for text in "aabb"]
    assert seen == ["switch", "retain", "switch", "retain"]


def test_consumers_do_not_share_conversations(own, mocks, id):
    assert ask(own, strategy="sticky", id=id, models=[CHEAP]).decision == "initialize"
    assert ask(own, strategy="sticky", id=id, headers={"x-team": "small"}).decision == "initialize"


PICTURE = [{"role": "user", "content": [IMAGE]}]


@pytest.mark.parametrize("question, config", [(EASY, {"models": ["gpt-5-mini"]}), (PICTURE, {})], ids=["models", "images"])
def test_the_policy_comes_first(latest, mocks, id, question, config):
    assert ask(latest, strategy="sticky", id=id, models=["gpt-oss-120b"]).model == "gpt-oss-120b"
    answer = ask(latest, question, "sticky", id, **config)
    assert answer.model != "gpt-oss-120b" and answer.decision == "switch"


def test_a_token_gives_no_model_that_the_consumer_may_not_use(own, mocks, id):
    token = ask(own, strategy="sticky", id=id, models=[STRONG]).token
    answer = ask(own, strategy="sticky", id=token, headers={"x-team": "small"})
    assert answer.model in ["gpt-5-nano", "gpt-oss-120b"]


def test_a_conversation_stays_where_failover_brought_it(envoy, mocks, id):
    mocks["openai"].fault("status", status=503)
    first = ask(envoy, strategy="sticky", id=id)
    assert first.model != CHEAP and first.reason == "failover_503"
    second = ask(envoy, strategy="sticky", id=id)
    assert (second.model, second.reason, second.decision) == (first.model, "affinity", "retain")


def test_a_failed_request_leaves_no_trace(latest, mocks, id):
    for mock in mocks.values():
        mock.fault("status", count=None, status=503)
    body = {"model": "model-router", "messages": turns(EASY), "routing_config": {"session_affinity": {"session_id": id}}}
    response = latest.client.post("/v1/chat/completions", json=body, headers=CONTROLS)
    assert response.status_code == 503 and "x-model-router-session" not in response.headers
    for mock in mocks.values():
        mock.reset()
    assert ask(latest, id=id).decision == "initialize"


def test_the_previous_response_is_a_conversation(latest, mocks):
    first = latest.respond(routing_config={"models": [STRONG]}, headers=CONTROLS).json()
    sticky = {"session_affinity": {"strategy": "sticky"}}
    second = latest.respond(previous_response_id=first["id"], routing_config=sticky, headers=CONTROLS)
    told = Answer(second)
    assert (told.model, told.source, told.decision) == (STRONG, "previous_response_id", "retain")
    assert {provider for provider, _ in asked(mocks)} == {"openai"}
