#!/usr/bin/env bash
# Puts LiteLLM's proxy, which `make bench` measures beside the filter, into .tools/litellm, at the versions that
# cli/benches/envoy/litellm/requirements.txt pins.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

requirements=cli/benches/envoy/litellm/requirements.txt
venv=$TOOLS/litellm
stamp=$venv/requirements.sha256
sum=$(sha256sum <"$requirements")
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && "$venv/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

make_venv "$venv"
say "installing LiteLLM's proxy into .tools/litellm (about 750 MB)"
# Everything is in the list, so nothing else may come in, and nothing may be missing.
"$venv/bin/python" -m pip install --quiet --no-deps --requirement "$requirements"
"$venv/bin/python" -m pip check --quiet || die "the packages in $requirements do not fit together"
echo "$sum" >"$stamp"
