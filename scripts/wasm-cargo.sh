#!/usr/bin/env bash
# Runs cargo on the filter for wasm, with the toolchain that setup-wasm.sh chose:
#   wasm-cargo.sh build      → target/model_router.wasm
#   wasm-cargo.sh trap       → target/model_router-trap.wasm, which traps where a test asks for it
#   wasm-cargo.sh empty      → target/empty.wasm, two plugins that do nothing, for the benchmarks
#   wasm-cargo.sh lint       clippy, warnings are errors
# WASM_RUSTFLAGS: flags for the compiler (the Makefile sets them).
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/wasm-toolchain.sh"
cd "$ROOT"

what=(--target "$WASM_TARGET" --locked --lib)
filter=(-p model-router)
empty=(--manifest-path cli/benches/envoy/empty/Cargo.toml)
# RUSTFLAGS would replace the flags of the target, and native flags make no sense for it.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=${WASM_RUSTFLAGS:-}

toolchain=$(cat "$TOOLS/wasm-toolchain" 2>/dev/null) || die "run scripts/setup-wasm.sh first"
case $toolchain in
rustup)
  cargo=(cargo)
  clippy=(cargo clippy)
  cargo clippy --version >/dev/null 2>&1 || clippy=()
  ;;
debian)
  # Its own directory: the two compilers' versions differ, and sharing one would rebuild everything at each change.
  export CARGO_TARGET_DIR=$ROOT/target/wasm-std
  # -Zbuild-std is for nightly compilers; this lets the released one take it.
  export RUSTC_BOOTSTRAP=1 RUSTC=$DEBIAN_RUSTC CARGO=$DEBIAN_CARGO
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(debian_linker)
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
  # Or rustup's cargo, if it called us, would choose for Debian's.
  unset RUSTUP_TOOLCHAIN RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER
  what+=('-Zbuild-std=std,panic_abort')
  cargo=("$DEBIAN_CARGO")
  # Not `cargo clippy`: cargo would look for cargo-clippy on the PATH and find rustup's.
  clippy=(/usr/bin/cargo-clippy clippy)
  [ -x /usr/bin/clippy-driver ] || clippy=()
  ;;
*) die "$TOOLS/wasm-toolchain: no toolchain is called '$toolchain'" ;;
esac

# build PROFILE LIBRARY NAME FLAG…: the library's target/NAME.wasm
build() {
  local profile=$1 name=$3 built=$CARGO_TARGET_DIR/$WASM_TARGET/$1/$2.wasm
  local wasm=$ROOT/target/$name.wasm
  "${cargo[@]}" build --profile "$profile" "${what[@]}" "${@:4}"
  if ! cmp -s "$built" "$wasm"; then
    # In one step, since a running Envoy may be reading it.
    cp "$built" "$wasm.new"
    mv "$wasm.new" "$wasm"
  fi
  say "target/$name.wasm: $(($(wc -c <"$wasm") / 1024)) KiB ($toolchain)"
}

case ${1:-} in
build) build release model_router model_router "${filter[@]}" ;;
trap) build trap model_router model_router-trap "${filter[@]}" --features trap ;;
empty) build release empty empty "${empty[@]}" ;;
lint)
  if [ ${#clippy[@]} -gt 0 ]; then
    "${clippy[@]}" "${what[@]}" "${filter[@]}" -- -D warnings
    "${clippy[@]}" "${what[@]}" "${empty[@]}" -- -D warnings
  else
    say "no clippy beside the $toolchain toolchain: the compiler's warnings only"
    "${cargo[@]}" rustc --profile check "${what[@]}" "${filter[@]}" -- -D warnings
    "${cargo[@]}" rustc --profile check "${what[@]}" "${empty[@]}" -- -D warnings
  fi
  ;;
*) die "usage: wasm-cargo.sh build|trap|empty|lint" ;;
esac
