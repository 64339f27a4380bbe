"""Envoy takes what is made of each policy of envoy/examples."""

import subprocess

import pytest
from conftest import ROOT, envoy_binary
from front import Authority
from made import made, policy

# keys.yaml is no policy.
EXAMPLES = sorted(path.stem for path in (ROOT / "envoy/examples").glob("*.yaml") if path.stem != "keys")


@pytest.mark.parametrize("example", [*EXAMPLES, "jwt of a URL"])
def test_envoy_takes_it(version, tmp_path, example):
    document = policy(example.split()[0])
    if example == "client-certificates":
        authority = Authority(tmp_path)
        files = {name: str(file) for name, file in authority.server("localhost").items()}
        document["envoy"]["listener"]["tls"] = {"certificate": files["certificate"], "private_key": files["key"]}
        document["envoy"]["identity"]["client_certificates"]["trusted_ca"] = str(authority.file)
    if example == "jwt of a URL":
        document["envoy"]["identity"]["jwt"]["jwks"] = {"url": "https://login.example.com/.well-known/jwks.json"}
    command = [envoy_binary(version), "--mode", "validate", "-c", made(tmp_path, document)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stderr
