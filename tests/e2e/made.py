"""Envoy's configuration, made of a policy of envoy/examples that a test has changed."""

import subprocess

import yaml
from conftest import CLI, ROOT


def policy(example):
    return yaml.safe_load((ROOT / f"envoy/examples/{example}.yaml").read_text())


def made(directory, policy, *arguments):
    """What the companion writes for a policy; with `--rate-limits`, into that file."""
    file = directory / "policy.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    command = [CLI, "envoy", "--policy", file, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
