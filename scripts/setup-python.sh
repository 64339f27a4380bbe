#!/usr/bin/env bash
# Makes .venv with what the end-to-end tests import, at the versions that tests/e2e/requirements.txt pins.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

requirements=tests/e2e/requirements.txt
stamp=.venv/requirements.sha256
sum=$(sha256sum <"$requirements")
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi

make_venv .venv
say "installing the tests' Python packages into .venv"
# Everything is in the list, so nothing else may come in.
.venv/bin/python -m pip install --quiet --no-deps --requirement "$requirements"
# And nothing may be missing, but for this: the LiteLLM that the product is to be tested with asks for a certifi that is
# newer than the newest there is. certifi only lists the authorities that TLS trusts, and the tests speak plain HTTP.
# Once certifi 2026.10.19 can be had, pin it and remove this. Any other finding fails, also this one at other versions.
known="litellm 1.109.1 has requirement certifi>=2026.10.19, but you have certifi 2026.10.18."
if ! findings=$(.venv/bin/python -m pip check) && [ "$findings" != "$known" ]; then
  die "the packages in $requirements do not fit together: $(grep -vxF "$known" <<<"$findings" | head -n 3)"
fi
echo "$sum" >"$stamp"
