"""When every model is rate-limited, the client is told to wait as long as the first to be free again says."""

import openai
import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential

from .common import KEY, MESSAGES, rate_limit, requests, wait


def limit(mocks, plan, shortest, rounds=None):
    """Each provider says another time to wait."""
    providers = list(dict.fromkeys(row["provider"] for row in plan))
    for index, name in enumerate(providers):
        slots = [row for row in plan if row["provider"] == name]
        wait_ms = shortest if index == len(providers) // 2 else shortest + 60_000 + index
        rate_limit({name: mocks[name]}, slots, rounds, **{"retry-after-ms": str(wait_ms)})


@pytest.mark.parametrize("milliseconds, seconds", [(40, "1"), (2500, "3")])
def test_the_shortest_wait(client, mocks, plan, milliseconds, seconds):
    limit(mocks, plan, milliseconds)
    with pytest.raises(openai.RateLimitError) as caught:
        wait(client.chat.completions.create(model="model-router", messages=MESSAGES))
    headers = caught.value.response.headers
    assert headers["retry-after-ms"] == str(milliseconds)
    assert headers["retry-after"] == seconds
    assert headers["x-should-retry"] == "true"


def test_the_client_waits_only_as_long(connect, mocks, plan):
    limit(mocks, plan, 40, rounds=1)
    answer = wait(connect(max_retries=1).chat.completions.create(model="model-router", messages=MESSAGES))
    assert answer.choices[0].message.content
    assert len(requests(mocks)) == len(plan) + 1


def test_seconds_count_too(client, mocks, plan):
    rate_limit(mocks, plan, **{"retry-after": "7", "retry-after-ms": None})
    with pytest.raises(openai.RateLimitError) as caught:
        wait(client.chat.completions.create(model="model-router", messages=MESSAGES))
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_client_that_reads_only_seconds(envoy, mocks, plan):
    """azure-core repeats a POST that was refused with 429 only if `retry-after` is there: the provider had none."""
    rate_limit(mocks, plan, rounds=1)
    with ChatCompletionsClient(endpoint=envoy.url, credential=AzureKeyCredential(KEY), retry_total=1) as client:
        assert client.complete(messages=MESSAGES, model="model-router").choices[0].message.content
