"""Random requests as clients may send them, and random faults for the mocks. The same seed gives the same ones.

Each request is one that some model of its pool takes as it is meant; what single models refuse of it is the router's
business. A tag in the prompt tells a request's attempts from others', and is in each secret that the client sends.
"""

import json
import re
from dataclasses import dataclass, field

from wire import CONTROLS

TAG = re.compile(r"rq\d{6}x")
INJECTED = "injected by the test"
ROUTERS = ["model-router", "auto", "model-router-quality", "model-router-cost", "model-router-claude"]
CHAT_MODELS = ["gpt-5-nano", "gpt-5-mini", "gpt-5.4", "gpt-4.1-mini", "claude-sonnet-4-5", "claude-haiku-4-5",
               "grok-4-fast-reasoning", "gpt-oss-120b"]
CLAUDE = ["model-router-claude", "model-router", "claude-sonnet-4-5", "claude-haiku-4-5"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkM9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh"]
OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
WORDS = "Prove that the sum of two even numbers is even, write it in Python \U0001f600, and say caf\u00e9 \\ \" \u2028 twice.".split()


@dataclass
class Sent:
    """A request."""

    tag: str
    api: str
    path: str
    body: dict
    headers: list = field(default_factory=list)
    stream: bool = False
    chunked: bool = False
    text: bytes = b""

    @property
    def asked(self):
        """The name that decides: the one in the path beats the body's."""
        name = re.match(r"/openai/deployments/([^/]+)/", self.path)
        return (name[1] if name else self.body["model"]).removeprefix("model_router/")


def some(random, choices, most):
    """At most this many of the members."""
    names = random.sample(sorted(choices), random.randint(0, min(most, len(choices))))
    return {name: choices[name] for name in names}


def prompt(random, tag):
    return f"{tag} " + " ".join(random.choices(WORDS, k=random.choice([1, 5, 40])))


def tools_of(random, api):
    function = {"name": "get_weather", "description": "The weather.", **random.choice([{}, {"parameters": OBJECT}])}
    match api:
        case "chat":
            tool = {"type": "function", "function": function | random.choice([{}, {"strict": False}])}
            return {"tools": [tool], "tool_choice": random.choice(["auto", "none"])}
        case "responses":
            return {"tools": [{"type": "function", "strict": False, "parameters": OBJECT, **function}]}
        case "messages":
            schema = function.pop("parameters", OBJECT)
            return {"tools": [function | {"input_schema": schema}], "tool_choice": {"type": "auto"}}


def chat(random, tag):
    model = random.choice(ROUTERS + ["model_router/model-router"] + CHAT_MODELS)
    said = prompt(random, tag)
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    text = {"type": "text", "text": said} | random.choice([{}, {"cache_control": {"type": "ephemeral"}}])
    has_picture = model != "gpt-oss-120b" and random.random() < 0.1
    content = [text, picture] if has_picture else random.choice([said, [text]])
    user = {"role": "user", "content": content} | random.choice([{}, {}, {"name": "anna"}])
    before = random.choice([[], [], [{"role": "system", "content": "Be brief."}], [{"role": "developer", "content": "Be brief."}]])
    thought = random.choice([{}, {"reasoning_content": "They greet."}])
    after = random.choice([[], [{"role": "assistant", "content": "Hello.", **thought}, {"role": "user", "content": "Go on."}]])
    schema = {"type": "json_schema", "json_schema": {"name": "place", "schema": OBJECT}}
    more = some(random, {
        "temperature": random.choice([0, 0.5, 1]), "top_p": random.choice([0.5, 1]), "presence_penalty": 0.5, "frequency_penalty": -0.5,
        "logprobs": True, "logit_bias": {"50": 5}, "stop": random.choice(["END", ["END", "STOP"]]), "seed": 7, "n": random.choice([1, 2]),
        "user": "u-1", random.choice(["max_tokens", "max_completion_tokens"]): 2048, "reasoning_effort": random.choice(EFFORTS),
        "verbosity": random.choice(["low", "medium", "high"]), "metadata": {"a": "b"}, "store": False, "service_tier": "auto",
        "prompt_cache_key": "k", "safety_identifier": "s", "modalities": ["text"], "response_format": random.choice([{"type": "text"}, schema]),
    }, 6)
    if "logprobs" in more:
        more |= random.choice([{}, {"top_logprobs": 2}])
    path = random.choice(["/v1/chat/completions", "/v1/chat/completions", "/openai/v1/chat/completions", "/chat/completions",
                          "/models/chat/completions", "/api/projects/p/openai/v1/chat/completions",
                          f"/openai/deployments/{model}/chat/completions?api-version=2024-10-21"])
    path = path if "model_router/" not in model else "/v1/chat/completions"
    stream = {"stream_options": {"include_usage": random.choice([True, False])}} if random.random() < 0.5 else {}
    return path, {"model": model, "messages": [*before, user, *after], **more}, stream


def responses(random, tag):
    said = prompt(random, tag)
    message = {"role": "user", "content": [{"type": "input_text", "text": said}]}
    form = {"type": "json_schema", "name": "place", "schema": OBJECT, "strict": True}
    more = some(random, {
        "instructions": "Be brief.", "temperature": random.choice([0, 0.5, 1]), "top_p": random.choice([0.5, 1]), "max_output_tokens": 2048,
        "reasoning": random.choice([{"effort": random.choice(EFFORTS)}, {"effort": "low", "summary": "auto"}]),
        "text": random.choice([{"verbosity": "low"}, {"format": form}]), "metadata": {"a": "b"}, "store": random.choice([True, False]),
        "truncation": "disabled", "include": ["message.input_image.image_url"], "parallel_tool_calls": True, "user": "u-1", "top_logprobs": 2,
        "service_tier": "auto", "max_tool_calls": 2, "prompt_cache_key": "k", "safety_identifier": "s",
    }, 6)
    model = random.choice(ROUTERS + CHAT_MODELS)
    if model in CLAUDE[2:] + ["model-router-claude", "gpt-oss-120b"]:
        # Nothing is kept by those that only know another API.
        more.pop("store", None)
    path = random.choice(["/v1/responses", "/openai/v1/responses", "/openai/responses?api-version=2025-04-01-preview", "/responses"])
    return path, {"model": model, "input": random.choice([said, [message]]), **more}, {}


def messages(random, tag):
    said = prompt(random, tag)
    more = some(random, {
        "system": "Be brief.", "temperature": random.choice([0, 0.5, 1]), "top_p": 0.9, "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
        "service_tier": "auto", "top_k": 5,
    }, 4)
    if not more.keys() & {"temperature", "top_p", "top_k"}:
        more |= random.choice([{}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}])
    content = random.choice([said, [{"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}]])
    body = {"model": random.choice(CLAUDE), "max_tokens": 2048, "messages": [{"role": "user", "content": content}], **more}
    return random.choice(["/v1/messages", "/anthropic/v1/messages"]), body, {}


def embeddings(random, tag):
    more = some(random, {"dimensions": 8, "encoding_format": "float", "user": "u-1"}, 3)
    body = {"model": "text-embedding-3-small", "input": random.choice([tag, [tag, "hello"]]), **more}
    deployment = f"/openai/deployments/{body['model']}/embeddings?api-version=2024-10-21"
    return random.choice(["/v1/embeddings", "/openai/v1/embeddings", deployment]), body, None


def completions(random, tag):
    return "/v1/completions", {"model": "gpt-4.1-mini", "prompt": tag, **some(random, {"max_tokens": 64, "user": "u-1"}, 2)}, None


APIS = {"chat": chat, "responses": responses, "messages": messages, "embeddings": embeddings, "completions": completions}
WEIGHTS = [45, 25, 18, 9, 3]
# What a client may send of its own, or forge. `{}` becomes a secret.
CREDENTIALS = {
    "authorization": "Bearer {}", "api-key": "{}", "x-api-key": "{}", "Ocp-Apim-Subscription-Key": "{}", "proxy-authorization": "Basic {}",
    "cookie": "session={}", "OpenAI-Organization": "org-{}", "openai-project": "proj_{}",
}
INTERNAL = {
    "x-model-router-model": "{}", "X-Model-Router-Attempts": "{}", "x-model-router-anything": "{}", "x-envoy-retry-on": "{}",
    "x-envoy-max-retries": "9", "x-envoy-attempt-count": "3", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-original-path": "/{}",
    "X-Envoy-Upstream-Alt-Stat-Name": "{}", "x-envoy-decorator-operation": "{}", "x-envoy-external-address": "{}",
    "x-envoy-expected-rq-timeout-ms": "1", "x-envoy-internal": "true", "x-envoy-hedge-on-per-try-timeout": "true",
    "x-ms-session-id": "session-{}", "accept-encoding": "gzip",
}
HARMLESS = {"anthropic-beta": "test-beta-2025-01-01", "anthropic-version": "2023-06-01", "accept": "*/*", "user-agent": "client/1"}


def headers(random, tag, api):
    names = [*some(random, CREDENTIALS, 4).items(), *some(random, INTERNAL, 4).items(), *some(random, HARMLESS, 4).items()]
    # Some come twice.
    names += random.sample(names, min(len(names), random.randint(0, 1)))
    found = [(name, value.format(f"secret-{tag}")) for name, value in names]
    if api == "messages" and not any(name == "anthropic-version" for name, _ in found):
        found.append(("anthropic-version", "2023-06-01"))
    random.shuffle(found)
    # A header may stand only once where HTTP takes no list.
    once = {"user-agent", "x-ms-session-id", "anthropic-version"}
    seen = set()
    return [(name, value) for name, value in found if name not in once or not (name in seen or seen.add(name))]


def request(random, number, pools):
    """Request `number`. `pools` maps routers to their models, to narrow one now and then."""
    tag = f"rq{number:06d}x"
    [api] = random.choices(list(APIS), WEIGHTS)
    path, body, stream = APIS[api](random, tag)
    sent = Sent(tag, api, path, body, headers(random, tag, api))
    if api in ("chat", "responses", "messages") and random.random() < 0.2:
        body |= tools_of(random, api)
    if stream is not None and random.random() < 0.5:
        sent.stream, body["stream"] = True, True
        body |= stream
    pool = pools.get(body["model"])
    if api in ("chat", "responses") and pool and sent.asked == body["model"] and random.random() < 0.15:
        sent.headers += CONTROLS.items()
        body["routing_config"] = {"mode": random.choice(["quality", "cost"]), "models": random.sample(pool, 2)}
    if api == "chat" and "/deployments/" in path and random.random() < 0.5:
        del body["model"]
    if random.random() < 0.1:
        sent.path += f"{'&' if '?' in path else '?'}key=secret-{tag}"
    members = list(body.items())
    random.shuffle(members)
    text = json.dumps(dict(members), indent=random.choice([None, None, 2]), ensure_ascii=random.choice([True, False]))
    sent.text, sent.chunked = text.encode(), random.random() < 0.2
    return sent


def error_of(provider):
    """An error in the provider's own shape."""
    match provider:
        case "anthropic":
            return {"type": "error", "error": {"type": "api_error", "message": INJECTED}}
        case "azure":
            return {"error": {"code": "Failed", "message": INJECTED}}
        case _:
            return {"error": {"message": INJECTED, "type": "server_error", "param": None, "code": None}}


NO_FAULT = {"fault": "slow_first_token", "ms": 0}
KINDS = ["status", "status", "status", "reset", "malformed", "stream_error", "empty_stream", "ends_early"]
# The mock takes its time for the last one.
SLOW_KINDS = [*KINDS, "truncated", "truncated"]


def fault(random, provider, kinds):
    kind = random.choice(kinds)
    if kind == "status":
        return {"fault": kind, "status": random.choice([408, 409, 429, 500, 503, random.randint(400, 599)]), "body": error_of(provider)}
    places = kind in ("malformed", "stream_error", "truncated", "ends_early")
    return {"fault": kind} | ({"after": random.randint(0, 4)} if places and random.random() < 0.5 else {})


def faults(random, providers, count):
    """One for each of the next requests at each provider; how many fail differs much."""
    kinds = random.choice([KINDS, KINDS, KINDS, SLOW_KINDS])
    rates = {provider: random.choice([0, 0.3, 0.7, 1]) for provider in providers}
    one = lambda provider: fault(random, provider, kinds) if random.random() < rates[provider] else NO_FAULT
    return {provider: [{**one(provider), "count": 1} for _ in range(count)] for provider in providers}
