# Sourced by setup-wasm.sh and wasm-cargo.sh: what the two toolchains are and when each is ready.
# shellcheck shell=bash disable=SC2034 # used by those that source this

WASM_TARGET=wasm32-unknown-unknown
DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_CARGO=/usr/bin/cargo
DEBIAN_PACKAGES=(rustc-web cargo-web rust-web-src rust-web-clippy lld-19)
debian_lacks=

# Asks rustc, not rustup, so that a Rust from elsewhere that has the target will do as well.
rustup_ready() {
  local dir
  dir=$(rustc --print target-libdir --target "$WASM_TARGET" 2>/dev/null) && compgen -G "$dir/libcore-*.rlib" >/dev/null
}

# The newest of the linkers that Debian's lld packages bring.
debian_linker() {
  { compgen -G '/usr/lib/llvm-*/bin/wasm-ld' || true; } | sort -V | tail -n 1
}

debian_ready() {
  if [ ! -x "$DEBIAN_RUSTC" ] || [ ! -x "$DEBIAN_CARGO" ]; then
    debian_lacks="no $DEBIAN_RUSTC or no $DEBIAN_CARGO"
  elif [ "$("$DEBIAN_RUSTC" --print sysroot 2>/dev/null)" != /usr ]; then
    debian_lacks="$DEBIAN_RUSTC is not Debian's compiler" # Debian's rustup puts a proxy of that name there
  elif ! at_least "$("$DEBIAN_RUSTC" --version | cut -d ' ' -f 2)" "$MIN_RUST"; then
    debian_lacks="$("$DEBIAN_RUSTC" --version) is older than $MIN_RUST"
  elif [ ! -e /usr/lib/rustlib/src/rust/library/Cargo.lock ]; then
    debian_lacks="no sources of the standard library"
  elif [ -z "$(debian_linker)" ]; then
    debian_lacks="no wasm-ld"
  else
    return 0
  fi
  return 1
}
