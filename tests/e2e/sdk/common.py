"""What the suites of all SDKs share: the requests they send, and what they want of the mock providers.

Nothing here knows an SDK but `wait` and `items`, which let one test drive a client and its async twin.
"""

import asyncio
import collections
import inspect
import json

KEY = "client-key"
PROMPT = "Say hello."
MESSAGES = [{"role": "user", "content": PROMPT}]
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PARAMETERS = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
TOOL = {
    "type": "function",
    "function": {"name": "get_order_status", "description": "Where an order is.", "parameters": PARAMETERS},
}
PICTURE = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is in this picture?"},
            {"type": "image_url", "image_url": {"url": PIXEL}},
        ],
    }
]
PREVIEW = {"Foundry-Features": "ModelRouterControls=V1Preview"}
# What answers are signed with; the mock of Azure signs with the name of the deployment.
SEEING = ("gpt-5-nano", "gpt-5-mini", "gpt-5.4", "claude-sonnet-4-5", "my-gpt-5")
SERVED = (*SEEING, "openai/gpt-oss-120b")

_loop = asyncio.new_event_loop()


def wait(value):
    """The value, or what it becomes when it is awaitable."""
    return _loop.run_until_complete(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value):
    return await value


def items(stream, asynchronous=None):
    """Everything that a stream gives; LiteLLM's are of both kinds and have to be told which one to be."""
    if asynchronous is None:
        asynchronous = hasattr(stream, "__aiter__")
    return wait(_collected(stream)) if asynchronous else list(stream)


async def _collected(stream):
    return [item async for item in stream]


def text(chunks):
    """The text of the chunks of a chat completion."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def requests(mocks):
    """(provider, body) of every model request that reached a provider."""
    return [(name, json.loads(each["body"])) for name, mock in mocks.items() for each in mock.requests()]


def tool_results(mocks):
    """What the providers were told that tools have answered."""
    messages = [message for _, body in requests(mocks) for message in body["messages"]]
    return [message["content"] for message in messages if message["role"] == "tool"]


def hang(mocks):
    for mock in mocks.values():
        mock.fault("hang", count=None)


def rate_limit(mocks, plan, rounds=None, **headers):
    """Every model answers 429: to so many rounds of the whole plan, or for ever."""
    slots = collections.Counter(row["provider"] for row in plan)
    headers = headers or {"retry-after-ms": "20"}
    for name, mock in mocks.items():
        if rounds is None or slots[name]:
            count = None if rounds is None else rounds * slots[name]
            mock.fault("status", count=count, status=429, headers={"retry-after": None, **headers})


class Credential:
    """A token credential of azure-core without any identity behind it."""

    def get_token(self, *scopes, **options):
        from azure.core.credentials import AccessToken

        return AccessToken("client-token", 4102444800)

    def get_token_info(self, *scopes, **options):
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo("client-token", 4102444800)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


class AsyncCredential(Credential):
    async def get_token(self, *scopes, **options):
        return super().get_token(*scopes, **options)

    async def get_token_info(self, *scopes, **options):
        return super().get_token_info(*scopes, **options)

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass
