"""docker-compose.yaml without containers: the same commands, files and health check, run as they stand."""

import os
import shutil
import socket
import subprocess

import httpx
import pytest
import yaml
from conftest import CLI, ROOT, envoy_binary, wait_for
from monitored import TOOLS

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PROVIDERS = {name: service for name, service in SERVICES.items() if service.get("image") == "model-router-cli"}
PORTS = [9901, 10000, 10001, 9101, 9102, 9103, 9104, 9105, 9090]


def taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_services_fit_together():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(SERVICES) == {"envoy", *PROVIDERS, "prometheus", "grafana", "redis", "ratelimit"}
    for service in SERVICES.values():
        assert ":" in service["image"] if "build" not in service else f"AS {service['build']['target']}" in dockerfile
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for source, target in mounts(service):
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], target
    for service in PROVIDERS.values():
        assert service["network_mode"] == "service:envoy"


def test_grafana_finds_what_is_mounted():
    grafana = SERVICES["grafana"]
    places = {target: ROOT / source for source, target in mounts(grafana)}
    [provider] = yaml.safe_load((places["/etc/grafana/provisioning/dashboards"] / "model-router.yaml").read_text())["providers"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.startswith(provider["options"]["path"] + "/")
    assert (places[provider["options"]["path"]] / home.split("/")[-1]).exists()
    [source] = yaml.safe_load((places["/etc/grafana/provisioning/datasources"] / "prometheus.yaml").read_text())["datasources"]
    # Prometheus by its service's name, at the port that it listens on.
    assert source["url"] == "http://prometheus:9090" and "127.0.0.1:9090:9090" in SERVICES["prometheus"]["ports"]
    # Nobody can log in, so nobody needs a password.
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert grafana["environment"]["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def mounts(service):
    return [volume.split(":")[:2] for volume in service.get("volumes", [])]


def prometheus(directory):
    """The service's command, with paths and the name of the service `envoy` as they are without containers."""
    service = SERVICES["prometheus"]
    places = {}
    for source, target in mounts(service):
        places[target] = directory / target.strip("/").replace("/", "-")
        if source.startswith("."):
            shutil.copytree(ROOT / source, places[target])
    config = places["/etc/prometheus"] / "prometheus.yaml"
    text = config.read_text()
    assert text.count('"envoy:9901"') == 1
    config.write_text(text.replace("envoy:9901", "127.0.0.1:9901"))
    command = service["command"]
    for target, place in places.items():
        command = [argument.replace(f"={target}", f"={place}") for argument in command]
    return subprocess.Popen([TOOLS / "prometheus", *command, "--web.listen-address=127.0.0.1:9090"], stderr=subprocess.DEVNULL)


@pytest.fixture
def running(tmp_path):
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
    processes.append(prometheus(tmp_path))
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
    scraped = lambda: httpx.get("http://127.0.0.1:9090/api/v1/query", params={"query": "sum(model_router_requests_total)"}).json()["data"]["result"]
    # Its interval is five seconds.
    wait_for(lambda: [sample["value"][1] for sample in scraped()] == ["2"], 30)
    running[-2].terminate()
    running[-2].wait()
    assert not healthy()
