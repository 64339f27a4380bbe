#!/usr/bin/env bash
# What every build needs: a recent Rust, and a C compiler, which Rust links with.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

command -v cargo >/dev/null || die "no cargo on the PATH: install Rust $MIN_RUST or newer with rustup, then try again"
version=$(cd "$ROOT" && rustc --version | cut -d ' ' -f 2)
at_least "$version" "$MIN_RUST" || die "Rust $version is too old: $MIN_RUST or newer is needed (rustup update stable)"
command -v cc >/dev/null || apt_install gcc libc6-dev
