"""The alert rules by Prometheus's own tool; test_dashboards.py has them evaluated on what a real Envoy says."""

import subprocess

import pytest
import yaml
from monitored import SOURCES, TOOLS


@pytest.mark.parametrize("command", ["check config prometheus.yaml", "check rules --lint=all --lint-fatal alerts.yaml", "test rules alerts_test.yaml"])
def test_promtool_finds_nothing(command):
    result = subprocess.run([TOOLS / "promtool", *command.split()], cwd=SOURCES, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_each_alert_is_seen_to_fire():
    [group] = yaml.safe_load((SOURCES / "alerts.yaml").read_text())["groups"]
    tests = yaml.safe_load((SOURCES / "alerts_test.yaml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in group["rules"]}
    for fires in [True, False]:
        assert {case["alertname"] for case in cases if ("exp_alerts" in case) == fires} == names
