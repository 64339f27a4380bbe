#!/usr/bin/env bash
# The demo: five mock providers and Envoy with envoy/envoy.yaml, until Ctrl-C. `make run` builds first, then calls this.
# ENVOY: the Envoy to start (the Makefile sets it).
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
# envoy.yaml names the filter and the credentials relative to here.
cd "$ROOT"

envoy=${ENVOY:?ENVOY must name an Envoy binary}
router=target/release/model-router
config=envoy/envoy.yaml
logs=target/run
listener=10000
admin=9901
# One process each, so that one can be killed. The clusters in envoy.yaml have these ports.
providers=(openai=127.0.0.1:9101 'azure=127.0.0.1:9102,azure' anthropic=127.0.0.1:9103,messages-only xai=127.0.0.1:9104 oss=127.0.0.1:9105,chat-only)

for file in "$envoy" "$router" "$config" target/model_router.wasm; do
  [ -e "$file" ] || die "$file is missing: use 'make run'"
done

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

busy=()
for port in $listener $admin 9101 9102 9103 9104 9105; do
  if taken "$port"; then busy+=("$port"); fi
done
if [ ${#busy[@]} -gt 0 ]; then
  die "these ports of 127.0.0.1 are taken: ${busy[*]} (another 'make run'?); free them and try again"
fi

# What is running: name → pid. A process that has ended leaves it, so that its pid, which may belong to another
# process by then, is never killed.
declare -A pids=()

alive() { kill -0 "$1" 2>/dev/null; }

stop() {
  trap - EXIT
  trap '' INT TERM HUP
  local name deadline=$((SECONDS + 5))
  for name in "${!pids[@]}"; do kill -TERM "${pids[$name]}" 2>/dev/null || true; done
  for name in "${!pids[@]}"; do
    while alive "${pids[$name]}"; do
      if [ $SECONDS -ge $deadline ]; then
        kill -KILL "${pids[$name]}" 2>/dev/null || true
        break
      fi
      sleep 0.1
    done
  done
  # Waits for the killed, and swallows bash's lines about them.
  wait 2>/dev/null || true
}
trap stop EXIT
trap 'echo; say "stopping"; exit 0' INT TERM HUP

# start NAME COMMAND…: in the background, its output in target/run/NAME.log.
start() {
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 </dev/null &
  pids[$name]=$!
}

# fail NAME WHY: shows the end of its log and stops everything.
fail() {
  tail -n 15 "$logs/$1.log" >&2
  die "$1 $2 (the whole log: $logs/$1.log)"
}

# wait_for NAME PROBE…: until PROBE succeeds; 20 seconds at most.
wait_for() {
  local name=$1 deadline=$((SECONDS + 20))
  shift
  until "$@"; do
    alive "${pids[$name]}" || fail "$name" "ended"
    [ $SECONDS -lt $deadline ] || fail "$name" "did not get ready"
    sleep 0.1
  done
}

ready() { curl --silent --fail --max-time 2 --output /dev/null "http://127.0.0.1:$admin/ready"; }

mkdir -p "$logs"
for provider in "${providers[@]}"; do
  start "${provider%%=*}" "$router" mock-provider --provider "$provider"
done
for provider in "${providers[@]}"; do
  port=${provider##*:}
  wait_for "${provider%%=*}" taken "${port%%,*}"
done
# Without hot restart, it shares no memory with another Envoy on this machine.
start envoy "$envoy" --disable-hot-restart --config-path "$config"
wait_for envoy ready

cat <<EOF

Model Router is on http://127.0.0.1:$listener (Envoy's admin page: http://127.0.0.1:$admin).

Try:
  curl -si http://127.0.0.1:$listener/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "model-router", "messages": [{"role": "user", "content": "What is the capital of France?"}]}'

The header x-model-router-model tells which model answered. Kill its provider and ask again: another one answers.
EOF
for provider in "${providers[@]}"; do
  name=${provider%%=*}
  printf '  %-10s kill %s\n' "$name" "${pids[$name]}"
done
printf '\nLogs: %s/*.log. Ctrl-C stops everything.\n\n' "$logs"

while :; do
  # In the background, because bash runs a trap only after a command in the foreground has ended.
  sleep 0.5 &
  wait $! || true
  for name in "${!pids[@]}"; do
    alive "${pids[$name]}" && continue
    [ "$name" != envoy ] || {
      unset 'pids[envoy]'
      fail envoy "ended"
    }
    unset "pids[$name]"
    say "the provider $name is gone; the others go on"
  done
done
