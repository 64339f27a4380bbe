"""Envoy's configuration, made of a policy of envoy/examples that a test has changed."""

import yaml
from conftest import ROOT, generate


def policy(example):
    return yaml.safe_load((ROOT / f"envoy/examples/{example}.yaml").read_text())


def made(directory, policy, option="--output", name="made.yaml"):
    """The file that the companion writes for a policy."""
    source, file = directory / "policy.yaml", directory / name
    source.write_text(yaml.safe_dump(policy, sort_keys=False))
    output = generate("--policy", source, option, file)
    assert output.returncode == 0, output.stderr
    return file
