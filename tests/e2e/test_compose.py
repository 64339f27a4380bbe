"""docker-compose.yaml without containers: the same commands, files and health check, run as they stand."""

import os
import socket
import subprocess

import httpx
import pytest
import yaml
from conftest import CLI, ROOT, envoy_binary, wait_for

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PROVIDERS = {name: service for name, service in SERVICES.items() if service.get("image") == "model-router-cli"}
PORTS = [9901, 10000, 10001, 9101, 9102, 9103, 9104, 9105]


def taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_services_fit_together():
    dockerfile = (ROOT / "Dockerfile").read_text()
    for service in [SERVICES["envoy"], *PROVIDERS.values()]:
        assert f"AS {service['build']['target']}" in dockerfile
    for service in PROVIDERS.values():
        assert service["network_mode"] == "service:envoy"
    for volume in SERVICES["envoy"]["volumes"]:
        assert (ROOT / volume.split(":")[0]).exists()


@pytest.fixture
def running():
    """Every service's command with the binaries of this checkout."""
    if busy := [port for port in PORTS if taken(port)]:
        pytest.skip(f"compose needs its own ports, and these are taken: {busy}")
    processes = [subprocess.Popen([CLI, *service["command"]], stdout=subprocess.DEVNULL) for service in PROVIDERS.values()]
    # Nobody has set the variable.
    program, *arguments = [it.replace("${ENVOY_CONFIG:-envoy/envoy.yaml}", "envoy/envoy.yaml") for it in SERVICES["envoy"]["command"]]
    assert program == "envoy"
    version = "named" if os.environ.get("ENVOY") else "1.40.0"
    command = [envoy_binary(version), *arguments, "--disable-hot-restart", "--log-level", "error"]
    processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
    yield processes
    for process in processes:
        process.terminate()
        process.wait()


def test_commands_and_health_check(running):
    _, *check = SERVICES["envoy"]["healthcheck"]["test"]
    healthy = lambda: subprocess.run(check, capture_output=True, check=False, timeout=10).returncode == 0
    wait_for(healthy)
    body = {"model": "model-router", "messages": [{"role": "user", "content": "Say hello."}]}
    # 10001 is the port that compose publishes as 10000.
    for port in [10000, 10001]:
        response = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=30)
        assert response.status_code == 200, response.text
    running[-1].terminate()
    running[-1].wait()
    assert not healthy()
