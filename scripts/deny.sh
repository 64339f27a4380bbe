#!/usr/bin/env bash
# Checks the dependencies with cargo-deny, where there is one: bans, licences and sources by deny.toml, and known
# vulnerabilities where their database can be had.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"
export PATH=$TOOLS/bin:$PATH

if ! cargo deny --version >/dev/null 2>&1; then
  say "no cargo-deny for this machine: known vulnerabilities were not looked up"
  exit 0
fi
cargo deny --locked check bans licenses sources
if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
  cargo deny --locked check --disable-fetch advisories
else
  say "the database of known vulnerabilities cannot be reached: they were not looked up"
fi
