"""What `model-router costs` adds up from Envoy's access log is what Prometheus counted, to the millionth of a dollar."""

import csv
import subprocess
from collections import Counter
from decimal import Decimal

import pytest
from conftest import CLI, Envoy
from wire import OWN


@pytest.fixture(scope="module")
def run(all_mocks, tmp_path_factory):
    """The metrics of some requests, and the log that they left."""
    for mock in all_mocks.values():
        mock.reset()
    envoy = Envoy(tmp_path_factory.mktemp("costs"), all_mocks, change=OWN)
    team = {"x-team": "all"}
    for size in range(8):
        text = "Prove that there are infinitely many primes. " * size
        envoy.chat(headers=team, messages=[{"role": "user", "content": text}])
        envoy.chat(headers={"x-team": "small"}, stream=True, messages=[{"role": "user", "content": text}])
    for _ in range(2):
        # The second comes from the provider's cache.
        envoy.chat("gpt-4.1-mini", headers=team, messages=[{"role": "user", "content": "Count to ten. " * 800}])
    envoy.respond(headers=team)
    all_mocks["openai"].fault("status", count=1, status=429)
    envoy.chat("mixed", headers=team)
    # What has no cost: a failure, a background response, and what reaches no model.
    for mock in all_mocks.values():
        mock.fault("status", count=None, status=500)
    envoy.chat(headers=team)
    for mock in all_mocks.values():
        mock.reset()
    envoy.respond(headers=team, background=True, store=True)
    envoy.chat("no-such-model", headers=team)
    envoy.client.get("/v1/models", headers=team)
    metrics = envoy.metrics()
    envoy.stop()
    return metrics, envoy.log


@pytest.fixture(scope="module")
def rows(run, tmp_path_factory):
    """The command reads what Envoy wrote, its own messages included."""
    sheet = tmp_path_factory.mktemp("sheet") / "costs.csv"
    result = subprocess.run([CLI, "costs", "--csv", sheet], input=run[1].read_bytes(), capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    with sheet.open() as file:
        return list(csv.DictReader(file)), result.stdout.decode()


def counted(metrics, name, *labels):
    """A metric, summed by these labels."""
    sums = Counter()
    for (known, has), value in metrics.items():
        if known == name and value:
            sums[tuple(dict(has).get(label, "") for label in labels)] += int(value)
    return sums


def added(rows, column, *names):
    sums = Counter()
    for row in rows:
        if amount := int(Decimal(row[column]) * (1_000_000 if column.endswith("_usd") else 1)):
            sums[tuple(row[name].replace("direct", "") if name == "router" else row[name] for name in names)] += amount
    return sums


def test_money_is_what_prometheus_counted(run, rows):
    costs = added(rows[0], "cost_usd", "router", "model")
    assert len({router for router, _ in costs}) == 3 and len(costs) > 3
    assert costs == counted(run[0], "model_router_cost_microdollars_total", "router", "model")


def test_savings_are_what_prometheus_counted(run, rows):
    baselines = counted(run[0], "model_router_baseline_cost_microdollars_total", "router")
    assert baselines and added(rows[0], "baseline_usd", "router") == baselines
    spent = counted(run[0], "model_router_cost_microdollars_total", "router")
    savings = {router: baseline - spent[router] for router, baseline in baselines.items()}
    assert added(rows[0], "savings_usd", "router") == savings


def test_tokens_are_what_prometheus_counted(run, rows):
    tokens = counted(run[0], "model_router_tokens_total", "model", "kind")
    for kind, column in [("input", "input_tokens"), ("cached_input", "cached_input_tokens"), ("output", "output_tokens")]:
        found = {model: value for (model, known), value in tokens.items() if known == kind}
        assert found and {model: value for (model,), value in added(rows[0], column, "model").items()} == found


def test_every_request_is_counted_or_said_not_to_be(run, rows):
    total = lambda column: sum(int(row[column]) for row in rows[0])
    assert total("requests") == sum(counted(run[0], "model_router_requests_total").values())
    assert [total(column) for column in ["failed", "no_usage", "no_price", "kept"]] == [1, 1, 0, 0]
    assert {row["consumer"] for row in rows[0]} == {"all", "small"}
    assert "1 failed or were left by their clients; 1 were answered without usage" in rows[1]
    assert "2 entries are no requests to a model" in rows[1]
