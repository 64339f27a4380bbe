"""Every panel, variable and alert on what a real Prometheus has scraped of a real Envoy under load."""

import itertools
import json
import re

import pytest
import yaml
from conftest import PORTS, ROOT, Envoy, Mock, wait_for
from monitored import SOURCES, Load, Prometheus, teams
from wire import changed

GRAFANA = ROOT / "envoy/grafana"
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}
PANELS = [(name, panel) for name, board in DASHBOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{name}: {panel['title']} {target['refId']}")
    for name, panel in PANELS for target in panel["targets"]
]
VARIABLES = [
    pytest.param(variable, id=f"{name}: {variable['name']}")
    for name, board in DASHBOARDS.items() for variable in board["templating"]["list"] if variable["type"] == "query"
]
[GROUP] = yaml.safe_load((SOURCES / "alerts.yaml").read_text())["groups"]
# Grafana's names of the units that are used here.
UNITS = {"reqps", "cpm", "percentunit", "ms", "µs", "bytes", "currencyUSD", "short"}
OPTIONS = {"stat": {"reduceOptions", "graphMode", "colorMode"}, "bargauge": {"reduceOptions", "orientation", "displayMode"}, "timeseries": {"legend", "tooltip"}}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """Prometheus while the load goes on."""
    mocks = {name: Mock(name, rate=300, options=["--latency", "5"]) for name in PORTS}
    directory = tmp_path_factory.mktemp("monitored")
    envoy = Envoy(directory, mocks, change=changed(teams), cooldown="{maximum_seconds: 1}")
    server = Prometheus(directory, envoy)
    with Load(envoy, mocks):
        yield server
    server.stop()
    envoy.stop()
    for mock in mocks.values():
        mock.kill()


def filled_in(expression):
    """As Grafana sends it, with nothing chosen and a range of half a minute."""
    expression = expression.replace("$__rate_interval", "10s").replace("$__range", "30s")
    expression = re.sub(r"\$(router|model)\b", ".*", expression)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("expression", QUERIES)
def test_every_query_finds_something(prometheus, expression):
    expression = filled_in(expression)
    # NaN is greater than nothing.
    wait_for(lambda: any(value > 0 for _, value in prometheus.query(expression)), 60)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_has_values(prometheus, variable):
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
    assert label == variable["name"]
    values = lambda: prometheus.get(f"/label/{label}/values", **{"match[]": metric})
    found = wait_for(lambda: len(values()) > 2 and values())
    # What is chosen narrows the queries down.
    [(_, chosen)] = prometheus.query(f'count(count by ({label}) ({metric}{{{label}=~"({found[0]}|{found[1]})"}}))')
    assert chosen == 2


def test_legends_name_labels_that_the_series_have(prometheus):
    for _, panel in PANELS:
        for target in panel["targets"]:
            if names := set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))):
                found = wait_for(lambda: prometheus.query(filled_in(target["expr"])), 60)
                assert any(names <= set(labels) for labels, _ in found), panel["title"]


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_alerts_ask_for_what_there_is(prometheus, rule):
    prometheus.query(rule["expr"])
    expression = re.sub(r"\[\w+\]", "[10s]", re.sub(r"offset \w+", "offset 1s", rule["expr"]))
    # Without its limits each alert but the first finds something.
    expression = re.sub(r"> (?:0\.\d+|1)$", "", expression, flags=re.M).replace("> 3 *", "> 0 *").replace("== 0", "== 1")
    wait_for(lambda: any(value > 0 for _, value in prometheus.query(expression)), 60)


def test_prometheus_has_taken_the_alerts(prometheus):
    groups = wait_for(lambda: prometheus.get("/rules")["groups"])
    assert [rule["name"] for rule in groups[0]["rules"]] == [rule["alert"] for rule in GROUP["rules"]]
    wait_for(lambda: all(rule["health"] == "ok" for group in prometheus.get("/rules")["groups"] for rule in group["rules"]))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_are_well_formed(name):
    board = DASHBOARDS[name]
    panels = board["panels"]
    assert board["uid"] == f"model-router-{name}"
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"], (one, other)
    assert all(0 <= grid["x"] and grid["x"] + grid["w"] <= 24 for grid in (panel["gridPos"] for panel in panels))


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=[f"{name}: {panel['title']}" for name, panel in PANELS])
def test_a_panel_says_what_it_shows(panel):
    assert set(panel) - {"description"} == {"id", "type", "title", "gridPos", "datasource", "fieldConfig", "options", "targets"}
    assert set(panel["options"]) == OPTIONS[panel["type"]]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])])
    # Grafana sends an expression over $__range for each point of a graph, unless it is told that one is enough.
    for target in panel["targets"]:
        assert ("$__range" in target["expr"]) == target.get("instant", False) != target.get("range", True)


def test_dashboards_find_their_data_source():
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())
    [source] = provisioned["datasources"]
    for board in DASHBOARDS.values():
        first, *others = board["templating"]["list"]
        assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", source["type"])
        wanted = {"type": source["type"], "uid": "${datasource}"}
        assert all(variable["datasource"] == wanted for variable in others)
    assert all(panel["datasource"] == wanted for _, panel in PANELS) and source["isDefault"]
    scraping = yaml.safe_load((SOURCES / "prometheus.yaml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraping["scrape_interval"]
    # Links between the dashboards.
    uids = {board["uid"] for board in DASHBOARDS.values()}
    assert {link["url"].removeprefix("/d/") for board in DASHBOARDS.values() for link in board["links"]} == uids
