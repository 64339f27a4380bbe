#!/usr/bin/env python3
"""Checks the dependencies against what this project allows, from `cargo metadata` alone:

* the filter depends on the packages in FILTER and on no others, directly or through a feature;
* every package comes from one registry, none from git or a path, and has a licence that deny.toml allows.

Known vulnerabilities are the business of `cargo deny`, which has the database.
"""

import json
import re
import subprocess
import sys
import tomllib

# Packages that give a file instead of a licence's name; the file was read.
CLARIFIED = {"forust-ml": "Apache-2.0"}
FILTER = {"proxy-wasm", "serde", "serde_json", "log", "hashbrown"}


def allowed_licence(expression, allowed):
    """Whether an SPDX expression can be met with allowed licences alone. Old manifests write `/` for OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def parse_or(at):
        value, at = parse_and(at)
        while at < len(tokens) and tokens[at] == "OR":
            other, at = parse_and(at + 1)
            value = value or other
        return value, at

    def parse_and(at):
        value, at = parse_one(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = parse_one(at + 1)
            value = value and other
        return value, at

    def parse_one(at):
        if at >= len(tokens):
            raise ValueError("it ends too early")
        if tokens[at] == "(":
            value, at = parse_or(at + 1)
            if at >= len(tokens) or tokens[at] != ")":
                raise ValueError("a bracket is not closed")
            return value, at + 1
        value = tokens[at] in allowed
        at += 1
        if at < len(tokens) and tokens[at] == "WITH":  # an exception only gives more rights
            at += 2
        return value, at

    try:
        value, at = parse_or(0)
        return value and at == len(tokens)
    except ValueError:
        return False


def main():
    with open("deny.toml", "rb") as file:
        allowed = set(tomllib.load(file)["licenses"]["allow"])
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )
    members = set(metadata["workspace_members"])
    faults = []
    sources = set()
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        if package["id"] in members:
            if package["name"] == "model-router":
                direct = {d["name"] for d in package["dependencies"] if d["kind"] is None}
                faults += [f"the filter may not depend on {extra}" for extra in sorted(direct - FILTER)]
            continue
        sources.add(package["source"] or "a path")
        licence = package["license"] or CLARIFIED.get(package["name"])
        if not licence or not allowed_licence(licence, allowed):
            faults.append(f"{name} has the licence {licence}, which deny.toml does not allow")
    if len(sources) > 1 or not all(source.startswith("registry+") for source in sources):
        faults.append(f"packages come from more than the public registry: {', '.join(sorted(sources))}")
    for fault in faults:
        print(f"audit: {fault}", file=sys.stderr)
    if faults:
        return 1
    print(f"audit: {len(metadata['packages']) - len(members)} packages: sources and licences are as allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
