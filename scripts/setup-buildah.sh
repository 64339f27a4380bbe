#!/usr/bin/env bash
# Puts Buildah, which builds the image of the filter in the tests, at .tools/buildah/buildah. It comes out of Debian's
# packages, unpacked and not installed: that takes no root, and starts no service. Where there is no apt-get, the one on the
# PATH will do.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

dir=$TOOLS/buildah
works() { "$1/buildah" --version >/dev/null 2>&1; }
works "$dir" && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/buildah" "$work/root" "$work/lists/partial" "$work/cache/archives/partial"
# libraries APT-OPTION…: what the program needs that not every machine has, by the names that this Debian gives them.
libraries() {
  apt-cache "$@" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances buildah |
    grep -E '^lib(gpgme|gpg-error|assuan|subid|seccomp|devmapper)[0-9.]*(t64)?$' | sort -u
}
download() { # APT-OPTION…
  local packages
  mapfile -t packages < <(libraries "$@")
  timeout 300 apt-get -qq -o APT::Sandbox::User=root "$@" download buildah "${packages[@]}"
}
if command -v apt-get >/dev/null; then
  say "downloading Debian's buildah (about 7 MB)"
  cd "$work"
  # apt-get checks the packages against the signed lists. Where the machine has none or old ones, it gets some of our own.
  # As root it would download as another user, who cannot write here.
  own=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  { download || { timeout 300 apt-get -qq "${own[@]}" update && download "${own[@]}"; }; } >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    die "apt-get could not download buildah and its libraries"
  }
  for package in ./*.deb; do dpkg-deb -x "$package" root; done
  mkdir "$work/buildah/lib"
  find root -name 'lib*.so.*' -exec cp -P {} "$work/buildah/lib" \;
  cp root/usr/bin/buildah "$work/buildah/program"
  cat >"$work/buildah/buildah" <<'RUN'
#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$here/lib exec "$here/program" "$@"
RUN
  chmod +x "$work/buildah/buildah"
else
  found=$(command -v buildah) || die "no buildah on the PATH, and no apt-get to download it: install Buildah"
  ln -s "$found" "$work/buildah/buildah"
fi
# Before the move, so that a half-working program is never left behind.
works "$work/buildah" || die "Buildah does not run on this machine"
rm -rf "$dir"
mkdir -p "$TOOLS"
mv "$work/buildah" "$dir"
say "$("$dir/buildah" --version): .tools/buildah"
