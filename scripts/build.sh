#!/usr/bin/env bash
# Compiles everything into dist/, from nothing, so that no output of a removed source stays behind.
# The stamp dist/.built carries the time at which the build began: a file saved meanwhile is newer than it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"

rm -rf dist
mkdir dist
touch dist/.begun
node node_modules/typescript/bin/tsc
[[ ! -e native/Makefile ]] || make --silent -C native
for program in dist/cmd/lodend.js dist/cmd/loden.js; do
  [[ ! -e $program ]] || chmod +x "$program"
done
mv dist/.begun dist/.built
