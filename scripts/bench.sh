#!/usr/bin/env bash
# The measurements: the pure core natively, then Envoy with the filter against bare Envoy and others. Prints Markdown;
# BENCHMARKS.md says how to read it. `make bench` builds the filter and the mock provider first, then calls this.
#   bench.sh             all but the soak
#   bench.sh --quick     a smoke run of two minutes, the soak included, whose numbers mean little
#   bench.sh --soak      REQUESTS requests of all kinds, for MINUTES at most: does memory stay, is each answered?
# ENVOY: the Envoy to measure (the Makefile sets it and the others).
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

what=all
quick=()
case "${1:-}" in
--quick) quick=(--quick) ;;
--soak) what=soak ;;
'') ;;
*) die "usage: bench.sh [--quick | --soak]" ;;
esac
# Absolute, because cargo starts a benchmark in its package's directory.
ENVOY=$(realpath -- "${ENVOY:?ENVOY must name an Envoy binary}")
export ENVOY
needed=("$ENVOY" target/release/model-router target/model_router.wasm)
[ "$what" = soak ] || needed+=(target/empty.wasm .tools/litellm/bin/litellm)
for file in "${needed[@]}"; do
  [ -e "$file" ] || die "$file is missing: use 'make bench' or 'make soak'"
done
command -v taskset >/dev/null || die "taskset (Debian's util-linux) is missing"
[ "$(nproc)" -ge 2 ] || die "two cores are needed: one for Envoy, one for everything else"

# Each in a directory of its own: they, and what `make cli` builds, are different builds of a library with one file name.
core=(env CARGO_TARGET_DIR="$ROOT/target/bench/core" cargo bench --locked --quiet -p model-router --bench core)
# What only makes load builds faster without link-time optimisation, and is as good. Benchmarks always unwind, so the
# program beside them must do so too.
side_by_side=(env CARGO_TARGET_DIR="$ROOT/target/bench/envoy" CARGO_PROFILE_RELEASE_PANIC=unwind
  CARGO_PROFILE_BENCH_LTO=off CARGO_PROFILE_BENCH_CODEGEN_UNITS=16
  cargo bench --locked --quiet -p model-router-cli --bench envoy)
say "building the benchmarks"
"${side_by_side[@]}" --no-run
if [ "$what" = soak ]; then
  exec "${side_by_side[@]}" -- soak --requests "${REQUESTS:?}" --minutes "${MINUTES:?}"
fi
"${core[@]}" --no-run

printf '\n## The pure core, natively\n\n| benchmark | time | throughput |\n|---|---|---|\n'
# Criterion prints a name, a line of times (lowest, best guess, highest) and perhaps one of throughputs; then, where it
# has run before, changes in per cent, which say nothing on machines this noisy. Targets follow as they do below.
"${core[@]}" -- --noplot "${quick[@]}" 2>/dev/null | awk '
  function flush() { if (name != "") printf "| %s | %s | %s |\n", name, time, rate; name = time = rate = "" }
  function target(what, one, limit, than, other,  ratio) {
    if (!(one in took) || !(other in took)) { print "no " one " or no " other >"/dev/stderr"; exit 1 }
    ratio = took[one] / took[other]
    printf "| %s: at most %s times what %s | %.2f | %s |\n", what, limit, than, ratio, ratio <= limit ? "met" : "**missed**"
  }
  BEGIN { unit["ns"] = 1; unit["µs"] = 1e3; unit["ms"] = 1e6; unit["s"] = 1e9 }
  /%/ { next }
  /^[a-z_]+\// { held = $1 }
  /time:/ { flush(); name = held; sub(/.*\[/, ""); time = $3 " " $4; took[name] = $3 * unit[$4] }
  /thrpt:/ { sub(/.*\[/, ""); rate = $3 " " $4 }
  END {
    flush()
    print "\n### Targets of the core\n\n| target | measured | |\n|---|---|---|"
    target("A Chat request of 64 kB, translated for Claude", "whole_way/translated/64kB",
      3, "rewriting it takes", "whole_way/rewritten/64kB")
    stream = "stream/event_by_event/"
    per_token = " takes per token"
    target("A stream of Claude for a Chat client", stream "messages_to_chat",
      2, "passing a Chat stream" per_token, stream "passed")
    target("The same", stream "messages_to_chat", 2, "passing it" per_token, stream "messages_passed")
    target("A stream of Claude for a Responses client", stream "messages_to_responses",
      2, "passing a Responses stream" per_token, stream "responses_marked")
    target("The same", stream "messages_to_responses", 2, "passing it" per_token, stream "messages_passed")
    target("A Chat stream for a Responses client", stream "translated", 2, "passing it" per_token, stream "passed")
  }'

"${side_by_side[@]}" -- "${quick[@]}"
