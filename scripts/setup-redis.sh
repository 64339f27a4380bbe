#!/usr/bin/env bash
# Puts Redis, in which a fleet of Envoys counts in the tests, at .tools/redis/redis-server. It comes out of Debian's packages,
# unpacked and not installed: that takes no root, and starts no service. Where there is no apt-get, the one on the PATH will do.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

dir=$TOOLS/redis
works() { "$1/redis-server" --version >/dev/null 2>&1; }
works "$dir" && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/redis" "$work/root" "$work/lists/partial" "$work/cache/archives/partial"
if command -v apt-get >/dev/null; then
  say "downloading Debian's redis-server (about 2 MB)"
  cd "$work"
  # What the program needs that not every machine has.
  packages=(redis-server redis-tools liblzf1 libjemalloc2 libatomic1)
  # apt-get checks the packages against the signed lists. Where the machine has none or old ones, it gets some of our own.
  # As root it would download as another user, who cannot write here.
  own=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  quiet=(-qq -o APT::Sandbox::User=root)
  {
    timeout 300 apt-get "${quiet[@]}" download "${packages[@]}" ||
      { timeout 300 apt-get "${quiet[@]}" "${own[@]}" update && timeout 300 apt-get "${quiet[@]}" "${own[@]}" download "${packages[@]}"; }
  } >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    die "apt-get could not download: ${packages[*]}"
  }
  for package in ./*.deb; do dpkg-deb -x "$package" root; done
  mkdir "$work/redis/lib"
  find root -name 'lib*.so.*' -exec cp -P {} "$work/redis/lib" \;
  cp -L root/usr/bin/redis-server "$work/redis/redis"
  cat >"$work/redis/redis-server" <<'RUN'
#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$here/lib exec "$here/redis" "$@"
RUN
  chmod +x "$work/redis/redis-server"
else
  found=$(command -v redis-server) || die "no redis-server on the PATH, and no apt-get to download it: install Redis"
  ln -s "$found" "$work/redis/redis-server"
fi
# Before the move, so that a half-working program is never left behind.
works "$work/redis" || die "Redis does not run on this machine"
rm -rf "$dir"
mkdir -p "$TOOLS"
mv "$work/redis" "$dir"
say "$("$dir/redis-server" --version | cut -d ' ' -f 1-3): .tools/redis"
