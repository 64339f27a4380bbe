"""The image of the filter, built from the Dockerfile's own target by Buildah, as meshes fetch it."""

import hashlib
import json
import shutil
import subprocess
import tarfile

import pytest
from conftest import ROOT

BUILDAH = ROOT / ".tools/buildah/buildah"
WASM = ROOT / "target/model_router.wasm"
# What the fetchers of Istio and Envoy Gateway take: of a manifest in OCI's or Docker's format the last layer, if it is of this
# type, and in it the file `plugin.wasm`.
FORMATS = {
    "oci": ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
    "v2s2": ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Gives the image in a format, as files: the manifest, and each layer by its digest."""
    directory = tmp_path_factory.mktemp("image")
    # In the place of the stage that builds it, which needs a Rust image.
    built = directory / "build"
    (built / "out").mkdir(parents=True)
    shutil.copy(WASM, built / "out/model_router.wasm")
    trust = directory / "policy.json"
    trust.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    storage = ["--storage-driver", "vfs", "--root", directory / "root", "--runroot", directory / "run"]

    def buildah(command, *arguments):
        # As root of a user namespace of its own, which takes no root outside, and none of what Buildah would set one up with.
        alone = ["unshare", "--user", "--map-root-user", "--mount", "env", "_CONTAINERS_USERNS_CONFIGURED=done"]
        command = [*alone, BUILDAH, *storage, command, "--signature-policy", trust, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

    buildah("build", "--isolation", "chroot", "--layers", "--target", "wasm", "--build-context", f"build={built}",
            "-f", ROOT / "Dockerfile", "-t", "localhost/model-router", built)

    def pushed(form):
        buildah("push", "--format", form, "localhost/model-router", f"dir:{directory / form}")
        return directory / form

    return pushed


@pytest.mark.parametrize("form", FORMATS)
def test_it_holds_the_filter_and_nothing_else(image, form):
    directory = image(form)
    manifest = json.loads((directory / "manifest.json").read_text())
    [layer] = manifest["layers"]
    assert (manifest["mediaType"], layer["mediaType"]) == FORMATS[form]
    path = directory / layer["digest"].removeprefix("sha256:")
    assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == layer["digest"]
    with tarfile.open(path, "r:gz") as archive:
        [file] = archive.getmembers()
        assert file.name == "plugin.wasm" and archive.extractfile(file).read() == WASM.read_bytes()
