# What run, test and bench share: where things are, Debian packages, builds. Sourced, not run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SERVICES=(storage sensor-processor localization mapper api-gateway rs485-bridge)  # in the order of their start

# Packages by purpose. Everything the suite needs to be built and run:
PACKAGES_RUN=(build-essential meson ninja-build pkg-config python3 curl libzmq3-dev libmsgpack-dev libjansson-dev
  libmodbus-dev libmicrohttpd-dev libgnutls28-dev libwslay-dev libssl-dev libcrypt-dev libsqlite3-dev libpq-dev libpng-dev zlib1g-dev libzstd-dev
  libsuitesparse-dev)
# What the tests need beyond that:
PACKAGES_TEST=(libcriterion-dev gcovr clang-14 libclang-rt-14-dev clang-tidy-14 clang-format-14 universal-ctags
  python3-websockets python3-pymodbus python3-serial python3-serial-asyncio python3-msgpack python3-yaml python3-zmq python3-jsonschema python3-jwt python3-cryptography jq python3-scipy docker-compose chromium sqlite3 postgresql-15 strace slowhttptest)
# What the benches need beyond the first list: clients, databases to look into, peers.
PACKAGES_BENCH=(python3-websockets python3-zmq python3-msgpack python3-numpy sqlite3 postgresql-15 python3-sqlalchemy python3-aiosqlite libcriterion-dev
  wrk nginx-light python3-fastapi python3-uvicorn python3-uvloop python3-httptools python3-jwt)
PROGRAMS_BENCH=(node:nodejs npm:npm)
# Programs that may stand here from elsewhere: command:package
PROGRAMS_TEST=(kubectl:kubernetes-client promtool:prometheus node:nodejs npm:npm)

say() { printf '%s\n' "$*"; }
die() {
  printf 'gantry: %s\n' "$*" >&2
  exit 1
}

# Installs what is missing of the named Debian packages; says how when it may not.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "these Debian packages are missing, and neither root nor password-less sudo is at hand:
  apt-get install --no-install-recommends ${missing[*]}
Have them installed (as root), then start again."
    as_root=(sudo)
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  # A machine that has just booted may be updating itself: wait for its lock instead of giving up.
  local log options=(-y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  log=$(mktemp)
  { "${as_root[@]}" apt-get "${options[@]}" update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${options[@]}" install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install ${missing[*]}; its last words stand above."
  }
  rm -f "$log"
}

# packages_of COMMAND:PACKAGE ...: prints the packages whose command is missing.
packages_of() {
  local pair
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || printf '%s ' "${pair##*:}"; done
}

# build_in FOLDER [meson options]: configures once, then builds (only TARGETS where set); prints only what went wrong.
build_in() {
  local folder=$ROOT/build/$1
  shift
  mkdir -p "$folder"
  if [ ! -f "$folder/build.ninja" ]; then
    meson setup "$folder" "$ROOT" "$@" >"$folder/setup.log" 2>&1 || {
      cat "$folder/setup.log" >&2
      die "meson could not configure $folder"
    }
  fi
  # shellcheck disable=SC2086
  ninja -C "$folder" ${TARGETS:-} >"$folder/build.log" 2>&1 || {
    grep -E -A 12 'error|FAILED' "$folder/build.log" | head -n 60 >&2
    die "the build failed; all of it is in $folder/build.log"
  }
}

# The programs that run: optimised, without tests.
build_suite() { build_in run --buildtype=release -Dtests=false; }
