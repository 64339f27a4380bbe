#!/usr/bin/env bash
# Puts Prometheus and promtool, which the tests query and check with, into .tools/prometheus. They come out of Debian's
# package `prometheus`, unpacked and not installed: that takes no root, and starts no service. Where there is no apt-get,
# those on the PATH will do.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

dir=$TOOLS/prometheus
# works DIR: do both run from there?
works() { "$1/prometheus" --version >/dev/null 2>&1 && "$1/promtool" --version >/dev/null 2>&1; }
works "$dir" && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/lists/partial" "$work/cache/archives/partial"
if command -v apt-get >/dev/null; then
  say "downloading Debian's prometheus (about 20 MB)"
  cd "$work"
  # apt-get checks the package against the signed lists. Where the machine has none or old ones, it gets some of our own.
  # As root it would download as another user, who cannot write here.
  own=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  quiet=(-qq -o APT::Sandbox::User=root)
  {
    timeout 300 apt-get "${quiet[@]}" download prometheus ||
      { timeout 300 apt-get "${quiet[@]}" "${own[@]}" update && timeout 300 apt-get "${quiet[@]}" "${own[@]}" download prometheus; }
  } >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    die "apt-get could not download the package prometheus"
  }
  dpkg-deb --fsys-tarfile ./prometheus_*.deb | tar -x -C "$work" ./usr/bin/prometheus ./usr/bin/promtool
  mv "$work"/usr/bin/* "$work/bin"
else
  for program in prometheus promtool; do
    found=$(command -v "$program") || die "no $program on the PATH, and no apt-get to download it: install Prometheus"
    ln -s "$found" "$work/bin"
  done
fi
# Before the move, so that a half-working program is never left behind.
works "$work/bin" || die "Prometheus does not run on this machine"
rm -rf "$dir"
mkdir -p "$TOOLS"
mv "$work/bin" "$dir"
say "$("$dir/prometheus" --version 2>&1 | head -n 1 | cut -d ' ' -f 1-3): .tools/prometheus"
