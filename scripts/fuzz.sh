#!/usr/bin/env bash
# Runs each fuzz target for SECONDS_EACH seconds, as many at once as there are cores; what they find worth keeping goes
# to target/fuzz/corpus/. Arguments: names of targets, or none for all. If any fails, so does this, and says what failed,
# which input shows it and how to repeat it.
# With --keep first: runs none, but adds the best of what was found to the committed corpus.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

SECONDS_EACH=${SECONDS_EACH:-60}
# Inputs in the committed corpus of a target.
MOST_KEPT=48
# Code with other flags goes elsewhere, or each build would undo the other's.
export CARGO_TARGET_DIR=$ROOT/target/fuzz
logs=$CARGO_TARGET_DIR/logs
mkdir -p "$logs" fuzz/artifacts

# What libFuzzer needs of the compiler: the flags that cargo-fuzz sets, without its minute of compiling. The sanitizers are
# unstable flags of any Rust. With --target, build scripts and macros do without them.
export RUSTC_BOOTSTRAP=1 ASAN_OPTIONS=detect_odr_violation=0
sancov=(level=4 inline-8bit-counters pc-table trace-compares stack-depth)
RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module ${sancov[*]/#/-Cllvm-args=-sanitizer-coverage-}"
export RUSTFLAGS="$RUSTFLAGS -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Cdebug-assertions -Ccodegen-units=1"

keep=
if [ "${1:-}" = --keep ]; then
  keep=yes
  shift
fi
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd fuzz/fuzz_targets && basename -s .rs -- *.rs)

command -v c++ >/dev/null || apt_install g++
triple=$(rustc -vV | sed -n 's/^host: //p')
say "building the fuzz targets"
cargo build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target "$triple" "${targets[@]/#/--bin=}"
bin=target/fuzz/$triple/release

# merge TARGET: the inputs of both its folders that are worth the most join the committed one.
merge() {
  local merged=$CARGO_TARGET_DIR/merged
  rm -rf "$merged"
  mkdir -p "$merged/found"
  "$bin/$1" "$merged/found" "fuzz/corpus/$1" "$CARGO_TARGET_DIR/corpus/$1" -merge=1 -set_cover_merge=1 -use_counters=0 \
    -merge_control_file="$merged/control" -rss_limit_mb=2048 >"$logs/$1" 2>&1
  python3 scripts/fuzz_keep.py "$merged/control" "fuzz/corpus/$1" "$MOST_KEPT"
}

# fuzz TARGET: leaves its log; takes the shell along. New inputs go to the first folder; those of the second are committed.
fuzz() {
  exec "$bin/$1" "$CARGO_TARGET_DIR/corpus/$1" "fuzz/corpus/$1" -dict=fuzz/words.dict -max_total_time="$SECONDS_EACH" \
    -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$1-" \
    >"$logs/$1" 2>&1 </dev/null
}

# report TARGET FAILED: says how it ended, and fails if it has found something.
report() {
  local log=$logs/$1 found
  if [ "$2" = 0 ]; then
    say "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $SECONDS_EACH s, nothing wrong"
    return
  fi
  found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  # libFuzzer's clock runs on while a machine stands still.
  if [[ $found == *-timeout-* ]] && "$bin/$1" -timeout=10 "$found" >/dev/null 2>&1; then
    warn "$1 ended early: an input took long once, and not again"
    rm "$found"
    return
  fi
  warn "$1 failed; more is in target/fuzz/logs/$1:"
  # From where it says why.
  { grep -m 1 -A 30 -E 'panicked at|ERROR: ' "$log" || tail -n 30 "$log"; } | cut -c 1-300 >&2
  if [ -n "$found" ]; then
    warn "$1 fails with $found; in base64, and to repeat it:"
    base64 "$found" >&2
    warn "    $bin/$1 $found"
  fi
  return 1
}

mkdir -p "${targets[@]/#/$CARGO_TARGET_DIR/corpus/}"
if [ "$keep" ]; then
  for target in "${targets[@]}"; do merge "$target"; done
  exit 0
fi

say "fuzzing ${targets[*]}: $SECONDS_EACH s each, $(nproc) at a time"
# One that was interrupted takes the others along.
trap 'trap - EXIT; jobs -p | xargs -r kill 2>/dev/null || true' EXIT
declare -A running=()
wrong=()
# Waits for one to end.
reap() {
  local failed=0 pid
  wait -n -p pid || failed=$?
  report "${running[$pid]}" "$failed" || wrong+=("${running[$pid]}")
  unset "running[$pid]"
}
for target in "${targets[@]}"; do
  [ "${#running[@]}" -lt "$(nproc)" ] || reap
  fuzz "$target" &
  running[$!]=$target
done
while [ "${#running[@]}" -gt 0 ]; do reap; done
[ "${#wrong[@]}" = 0 ] || die "fuzzing failed: ${wrong[*]}"
