#!/usr/bin/env bash
# Makes a clean clone ready: Debian packages, node_modules, dist/ and the native addon. Every npm script that runs
# something calls it first, so it does only what is missing, and says nothing when that is nothing.
#
# With the word `test` it also installs what only tests want.
#
# Safe to run twice at once: the second run waits, and then finds the work done.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"
source scripts/debian.sh

say() { printf '[setup] %s\n' "$*" >&2; }
fail() {
  printf '[setup] error: %s\n' "$@" >&2
  exit 1
}

check_node() {
  local version
  version=$(node --version 2>/dev/null) || fail 'Node is not installed; loden needs Node 20.19 or later: https://nodejs.org'
  local major=${version#v} minor
  minor=${major#*.}
  major=${major%%.*}
  minor=${minor%%.*}
  ((major > 20 || (major == 20 && minor >= 19))) || fail "this is Node $version; loden needs Node 20.19 or later: https://nodejs.org"
}

# npm writes node_modules/.package-lock.json as the last act of an install that succeeded. A linked node_modules is
# the business of whoever linked it.
has_modules() {
  [[ -e node_modules/.package-lock.json && -e node_modules/typescript ]] || return 1
  [[ -L node_modules || ! package-lock.json -nt node_modules/.package-lock.json ]]
}

install_modules() {
  has_modules && return
  [[ -L node_modules ]] && fail 'node_modules is a link to a folder that is not whole; run `npm ci` where it points'
  say 'installing npm packages (npm ci)'
  if [[ ! -w ${HOME:-/nonexistent} ]]; then export HOME=${TMPDIR:-/tmp}; fi
  local log
  log=$(mktemp)
  # No package we use needs its install script, and npm 11 asks before it runs any.
  if ! npm ci --include=dev --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >"$log" 2>&1; then
    head -n 20 "$log" >&2
    rm -f "$log"
    fail 'npm ci failed; what npm said is above. Is there a network, and does `npm ping` answer?'
  fi
  rm -f "$log"
}

# Directories count too: theirs is the time that changes when a file is removed.
is_built() {
  [[ -e dist/.built ]] || return 1
  local path sources=()
  for path in cmd src test bench chaos package-lock.json tsconfig.json; do
    [[ -e $path ]] && sources+=("$path")
  done
  [[ -z $(find "${sources[@]}" -newer dist/.built -print -quit) ]] && make --question -C native >/dev/null
}

build() {
  is_built && return
  say 'building (TypeScript, and the native addon)'
  bash scripts/build.sh || fail 'the build failed; what the compiler said is above'
}

[[ ${1:-} != test ]] || NEEDED+=("${NEEDED_BY_TESTS[@]}")
check_node
exec {lock}<package.json
if ! flock --nonblock "$lock"; then
  say 'another set-up of this folder is running; waiting for it'
  flock "$lock"
fi
install_debian_packages
install_modules
build
