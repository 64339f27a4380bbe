#!/usr/bin/env bash
# Puts programs that the tests start at .tools/NAME/PROGRAM. They come out of Debian's packages, unpacked and not installed:
# that takes no root, and starts no service. Where there is no apt-get, those on the PATH will do.
#
# setup-debian.sh NAME PACKAGE NEEDED PROGRAM…: NEEDED is a pattern of the names, in any Debian, of those packages that PACKAGE
# depends on and not every machine has; none if empty.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
. "$(dirname "$0")/common.sh"

name=$1 package=$2 needed=$3
shift 3
dir=$TOOLS/$name

# works DIR: do all of them run from there?
works() {
  local program
  for program in "${programs[@]}"; do "$1/$program" --version >/dev/null 2>&1 || return 1; done
}
programs=("$@")
works "$dir" && exit 0

# download APT-OPTION…
download() {
  local packages=("$package") options=(-o APT::Sandbox::User=root "$@")
  local only=(--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
  if [ -n "$needed" ]; then
    mapfile -O 1 -t packages < <(apt-cache "${options[@]}" depends --recurse "${only[@]}" "$package" | grep -xE "$needed" | sort -u)
  fi
  timeout 300 apt-get -qq "${options[@]}" download "${packages[@]}"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/made/lib" "$work/root" "$work/lists/partial" "$work/cache/archives/partial"
if command -v apt-get >/dev/null; then
  say "downloading Debian's $package"
  cd "$work"
  # apt-get checks packages against the signed lists. Where the machine has none or old ones, it gets some of our own. As root
  # it would download as another user, who cannot write here.
  own=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  { download || { timeout 300 apt-get -qq "${own[@]}" update && download "${own[@]}"; }; } >"$work/log" 2>&1 || {
    tail -n 15 "$work/log" >&2
    die "apt-get could not download $package"
  }
  for archive in ./*.deb; do dpkg-deb -x "$archive" root; done
  find root -name 'lib*.so.*' -exec cp -P {} "$work/made/lib" \;
  for program in "${programs[@]}"; do
    cp -L "root/usr/bin/$program" "$work/made/lib/$program"
    # shellcheck disable=SC2016 # for the shell that runs it
    printf '#!/bin/sh\nlib=$(dirname "$0")/lib\nLD_LIBRARY_PATH=$lib exec "$lib/%s" "$@"\n' "$program" >"$work/made/$program"
    chmod +x "$work/made/$program"
  done
else
  for program in "${programs[@]}"; do
    found=$(command -v "$program") || die "no $program on the PATH, and no apt-get to download it: install $package"
    ln -s "$found" "$work/made/$program"
  done
fi
# Before the move, so that a half-working program is never left behind.
works "$work/made" || die "${programs[*]} of Debian's $package does not run on this machine"
rm -rf "$dir"
mkdir -p "$TOOLS"
mv "$work/made" "$dir"
say "$package: .tools/$name"
