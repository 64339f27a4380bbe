#!/usr/bin/env bash
# Chooses the toolchain that builds the filter, says which and why, and keeps the choice in .tools/wasm-toolchain:
#   rustup   the usual toolchain, which has the wasm32 target or can download it
#   debian   Debian's own Rust, which comes with the sources of the standard library and builds it
# WASM_TOOLCHAIN=rustup|debian forces one; WASM_TOOLCHAIN=auto chooses afresh.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/wasm-toolchain.sh"
cd "$ROOT"

choice_file=$TOOLS/wasm-toolchain
why=

keep() {
  mkdir -p "$TOOLS"
  echo "$1" >"$choice_file"
  say "wasm toolchain: $1 ($why)"
  exit 0
}

download() {
  local log=$TOOLS/rustup-target-add.log
  mkdir -p "$TOOLS"
  command -v rustup >/dev/null || {
    why="no rustup here"
    return 1
  }
  say "rustup target add $WASM_TARGET"
  if timeout "${RUSTUP_TIMEOUT:-60}" rustup target add "$WASM_TARGET" >"$log" 2>&1 </dev/null && rustup_ready; then
    return 0
  fi
  why="rustup could not download the target: $(grep -m 1 '^error' "$log" || echo 'it took too long')"
  return 1
}

wanted=${WASM_TOOLCHAIN:-}
cached=$(cat "$choice_file" 2>/dev/null || true)
# A choice stands as long as it works, and nothing is printed then.
if [ -n "$cached" ] && [ "${wanted:-$cached}" = "$cached" ] && "${cached}_ready" 2>/dev/null; then
  exit 0
fi

case ${wanted:-auto} in
auto | rustup | debian) ;;
*) die "WASM_TOOLCHAIN=$wanted: must be auto, rustup or debian" ;;
esac

if [ "$wanted" = debian ]; then
  why="as WASM_TOOLCHAIN asks"
elif rustup_ready; then
  why="its $WASM_TARGET target is installed"
  keep rustup
elif download; then
  why="its $WASM_TARGET target was downloaded"
  keep rustup
elif [ "$wanted" = rustup ]; then
  die "$why"
fi

if ! debian_ready; then
  say "falling back on Debian's Rust: $why"
  apt_install "${DEBIAN_PACKAGES[@]}" || die "no toolchain for $WASM_TARGET: neither rustup's target nor Debian's Rust"
  debian_ready || die "Debian's Rust is installed but of no use: $debian_lacks"
fi
why="$why; $($DEBIAN_RUSTC --version | cut -d ' ' -f 1,2) builds its own standard library"
keep debian
