"""Chaos: requests at a fixed rate while providers flap, hang, reset, refuse, corrupt and break off.

`make chaos` runs it (MINUTES=30, RATE=20) and prints Markdown: what became of the requests, the share that failover saved for
each fault, the latency that it took, and the memory of the filter. Fails when a request hangs past its timeout, or ends in
what is neither a whole answer nor a well-formed error. No test: pytest does not collect it.
"""

import argparse
import asyncio
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict

import httpx
from conftest import PORTS, Envoy, Mock

SEED = 11
TIMEOUT = 20
TIMEOUTS = "{first_token_seconds: 1, answer_seconds: 2, total_seconds: 10}"
FAULTS = [
    {"fault": "status", "status": 500}, {"fault": "status", "status": 503}, {"fault": "status", "status": 429},
    {"fault": "status", "status": 529}, {"fault": "reset"}, {"fault": "hang"}, {"fault": "slow_first_token", "ms": 3000},
    {"fault": "stream_error"}, {"fault": "malformed"}, {"fault": "empty_stream"}, {"fault": "truncated", "after": 0},
    {"fault": "stream_error", "after": 3}, {"fault": "ends_early", "after": 3},
]
APIS = [
    ("/v1/chat/completions", lambda words: {"model": "model-router", "messages": [{"role": "user", "content": words}]}),
    ("/v1/responses", lambda words: {"model": "model-router", "input": words}),
    ("/v1/messages", lambda words: {"model": "model-router", "max_tokens": 64, "messages": [{"role": "user", "content": words}]}),
]
ENDS = {"/v1/chat/completions": "[DONE]", "/v1/responses": "response.completed", "/v1/messages": "message_stop"}


class Outcomes:
    def __init__(self):
        self.kinds, self.wrong, self.latencies = Counter(), [], defaultdict(list)

    def note(self, path, kind, seconds, attempts):
        self.kinds[kind, path] += 1
        if kind == "whole":
            self.latencies[attempts].append(seconds)


async def ask(client, outcomes, rng):
    path, body = rng.choice(APIS)
    body, stream = body(rng.choice(["Say hello.", "Prove it. " * 60])), rng.random() < 0.5
    began = time.monotonic()
    try:
        async with client.stream("POST", path, json={**body, "stream": stream}) as response:
            text = (await response.aread()).decode()
    except httpx.ReadTimeout:
        return outcomes.wrong.append("hung past its timeout")
    except httpx.RemoteProtocolError:
        # Envoy has passed on that a provider has cut the connection in mid-answer.
        return outcomes.note(path, "cut", 0, 0)
    attempts = int(response.headers.get("x-model-router-attempts", 0))
    kind = kind_of(path, response, text)
    if kind is None:
        outcomes.wrong.append(f"{response.status_code} {text[:300]}")
    outcomes.note(path, kind or "wrong", time.monotonic() - began, attempts)


def kind_of(path, response, text):
    """What came: `None` where it is neither whole nor a well-formed error."""
    try:
        if response.headers["content-type"].startswith("application/json"):
            value = json.loads(text)
            if response.status_code == 200:
                return "whole" if "error" not in value or value["error"] is None else None
            return "error" if value["error"]["message"] else None
        *events, rest = text.split("\n\n")
        last = events[-1].split("data: ", 1)[1]
        if rest:
            return None
        if ENDS[path] in last:
            return "whole"
        value = json.loads(last)
        return "stream with error" if "error" in last and (value.get("error") or value.get("message") or value["response"]["error"]) else None
    except (ValueError, KeyError, IndexError, TypeError):
        return None


async def trouble(mocks, rng):
    """Another provider gets other faults every half second; now and then one is gone until its turn comes again."""
    while True:
        mock = rng.choice(list(mocks.values()))
        if mock.process.poll() is not None:
            await asyncio.to_thread(mock.start)
        elif rng.random() < 0.03:
            mock.kill()
        else:
            mock.client.delete("/_mock/faults")
            mock.client.delete("/_mock/requests")
            for _ in range(rng.randint(0, 3)):
                mock.fault(**{**rng.choice(FAULTS), "count": rng.randint(1, 20)})
        await asyncio.sleep(0.5)


async def watch(envoy, memory):
    while True:
        status = pathlib.Path(f"/proc/{envoy.process.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
        memory.append((time.monotonic(), resident, envoy.metric("model_router_memory_bytes") / 2**20))
        await asyncio.sleep(30)


async def run(envoy, mocks, seconds, rate):
    rng, outcomes, memory = random.Random(SEED), Outcomes(), []
    background = [asyncio.create_task(trouble(mocks, rng)), asyncio.create_task(watch(envoy, memory))]
    limits = httpx.Limits(max_connections=1000)
    async with httpx.AsyncClient(base_url=envoy.url, timeout=TIMEOUT, limits=limits) as client:
        running, began = set(), time.monotonic()
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
            task = asyncio.create_task(ask(client, outcomes, rng))
            running.add(task)
            task.add_done_callback(running.discard)
            for task in background:
                if task.done():
                    task.result()
        await asyncio.gather(*running)
    for task in background:
        task.cancel()
    return outcomes, memory


def report(outcomes, memory, log, seconds, rate):
    total = sum(outcomes.kinds.values())
    print(f"{total} requests in {seconds / 60:g} minutes at {rate:g} a second. Messages have one provider, the others four.\n")
    print(f"| what came | {' | '.join(ENDS)} |\n|---|---|---|---|")
    for kind in sorted({kind for kind, _ in outcomes.kinds}, key=lambda kind: -outcomes.kinds[kind, "/v1/chat/completions"]):
        shares = [f"{outcomes.kinds[kind, path] / sum(n for (_, at), n in outcomes.kinds.items() if at == path):.2%}" for path in ENDS]
        print(f"| {kind} | {' | '.join(shares)} |")
    first = defaultdict(Counter)
    for entry in log:
        trace = entry.get("model_router.trace")
        if trace and "=" in trace.split(",")[0]:
            first[trace.split(",")[0].split("=")[1]][entry["status"] == 200] += 1
    print("\n| how the first attempt ended | requests | saved by failover |\n|---|---|---|")
    for result, counts in sorted(first.items(), key=lambda item: -sum(item[1].values())):
        print(f"| {result} | {sum(counts.values())} | {counts[True] / sum(counts.values()):.1%} |")
    print("\n| whole answers after | requests | p50 ms | p99 ms | worst ms |\n|---|---|---|---|---|")
    for attempts, taken in sorted(outcomes.latencies.items()):
        taken.sort()
        at = lambda share: 1000 * taken[min(len(taken) - 1, int(share * len(taken)))]
        print(f"| {attempts} attempts | {len(taken)} | {1000 * statistics.median(taken):.0f} | {at(0.99):.0f} | {1000 * taken[-1]:.0f} |")
    print("\n| minute | resident, MiB | linear memory of all VMs, MiB |\n|---|---|---|")
    for moment, resident, linear in memory[:: max(1, len(memory) // 12)]:
        print(f"| {(moment - memory[0][0]) / 60:.1f} | {resident:.1f} | {linear:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20)
    args = parser.parse_args()
    mocks = {name: Mock(name) for name in PORTS}
    change = lambda text: text.replace("                    routers:\n", f"                    timeouts: {TIMEOUTS}\n                    routers:\n", 1)
    with tempfile.TemporaryDirectory() as directory:
        envoy = Envoy(pathlib.Path(directory), mocks, change=change, cooldown="{}")
        try:
            outcomes, memory = asyncio.run(run(envoy, mocks, args.minutes * 60, args.rate))
            time.sleep(1)
            report(outcomes, memory, envoy.access_log(), args.minutes * 60, args.rate)
        finally:
            envoy.stop()
            for mock in mocks.values():
                mock.kill()
    if outcomes.wrong:
        sys.exit(f"{len(outcomes.wrong)} requests ended badly, among them:\n" + "\n".join(outcomes.wrong[:5]))


if __name__ == "__main__":
    main()
