"""What a content filter costs in latency: the same requests with and without one, in turns, on one connection each.

    .venv/bin/python tests/e2e/content_filter_cost.py [REQUESTS]

Both Envoys have the same providers, which answer at once. The moderation service answers at once, and then after 50 ms.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from conftest import PORTS, Envoy, Mock
from test_content_filter import ALLOW, with_filter

PROMPT = "Say hello to all of them, please. " * 60
ROUNDS = 10


def round_trips(envoy, count):
    body = {"model": "model-router", "messages": [{"role": "user", "content": PROMPT}]}
    took = []
    for _ in range(count):
        began = time.perf_counter()
        assert envoy.client.post("/v1/chat/completions", json=body).status_code == 200
        took.append(1000 * (time.perf_counter() - began))
    return took


def main(requests):
    mocks = {name: Mock(name) for name in PORTS}
    services = {"at once": Mock("openai"), "after 50 ms": Mock("openai", options=["--latency", "50"])}
    directory = Path(tempfile.mkdtemp())
    envoys = {}
    try:
        envoys["none"] = Envoy(directory, mocks, workers=1)
        for name, service in services.items():
            folder = directory / name
            folder.mkdir()
            envoys[name] = Envoy(folder, mocks, workers=1, change=with_filter(folder, service.port, {**ALLOW, "timeout_seconds": 10}))
        took = {name: [] for name in envoys}
        for turn in range(ROUNDS):
            for name in sorted(envoys, reverse=turn % 2):
                # The first few of each turn warm up what the others have cooled down.
                round_trips(envoys[name], 5)
                took[name].append(statistics.median(round_trips(envoys[name], requests // ROUNDS)))
        for name in envoys:
            added = [mine - none for mine, none in zip(took[name], took["none"])]
            print(f"{name}: p50 {statistics.median(took[name]):.2f} ms, added {statistics.median(added):.2f} ({min(added):.2f} to {max(added):.2f})")
        for name in services:
            passed = envoys[name].metric("model_router_content_filter_total", verdict="passed")
            assert passed == requests // ROUNDS * ROUNDS + 5 * ROUNDS, passed
    finally:
        for envoy in envoys.values():
            envoy.stop()
        for mock in [*mocks.values(), *services.values()]:
            mock.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 2000)
