#!/usr/bin/env bash
# Runs each fuzz target for SECONDS_EACH seconds, one after the other; what they find worth keeping goes to
# target/fuzz/corpus/. Arguments: names of targets, or none for all. A crash ends it and names the file that shows it.
# With --keep first: runs none, but adds the best of what was found to the committed corpus.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

CARGO_FUZZ_VERSION=0.13.2
SECONDS_EACH=${SECONDS_EACH:-60}
# Inputs in the committed corpus of a target.
MOST_KEPT=48
# Code with other flags goes elsewhere, or each build would undo the other's.
export CARGO_TARGET_DIR=$ROOT/target/fuzz
# The sanitizers are unstable flags of any Rust.
export RUSTC_BOOTSTRAP=1
export PATH=$TOOLS/bin:$PATH

command -v c++ >/dev/null || apt_install g++
if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $CARGO_FUZZ_VERSION" ]; then
  say "installing cargo-fuzz $CARGO_FUZZ_VERSION into .tools"
  cargo install --quiet --locked --root "$TOOLS" "cargo-fuzz@$CARGO_FUZZ_VERSION"
fi

keep=
if [ "${1:-}" = --keep ]; then
  keep=yes
  shift
fi
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
for target in "${targets[@]}"; do
  # New inputs go to the first folder; those of the second are committed.
  found=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$found"
  if [ "$keep" ]; then
    merged=$CARGO_TARGET_DIR/merged
    rm -rf "$merged"
    mkdir -p "$merged/$target"
    cargo fuzz run "$target" "$merged/$target" "fuzz/corpus/$target" "$found" -- -merge=1 -set_cover_merge=1 \
      -use_counters=0 -merge_control_file="$merged/control" -rss_limit_mb=2048 >"$merged/log" 2>&1
    python3 scripts/fuzz_keep.py "$merged/control" "fuzz/corpus/$target" "$MOST_KEPT"
    continue
  fi
  say "$target, $SECONDS_EACH s"
  cargo fuzz run "$target" "$found" "fuzz/corpus/$target" -- -dict=fuzz/words.dict -max_total_time="$SECONDS_EACH" \
    -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
