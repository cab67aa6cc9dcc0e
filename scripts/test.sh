#!/usr/bin/env bash
# Lint, then the Docker engines that are not there yet, then AVA: `npm test -- --match '*lease*'` passes its arguments
# on. Types are not checked here once more; the build that setup.sh made or found did that. The last line is always
# `N passed, N failed, N skipped`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"

if ! lint=$(node node_modules/@biomejs/biome/bin/biome check --colors=off . 2>&1); then
  printf '%s\n' "$lint" >&2
  printf '\nThe linter found faults; `npm run format` mends what it can. No test was run.\n0 passed, 1 failed, 0 skipped\n'
  exit 1
fi
bash scripts/engines.sh
exec node --enable-source-maps dist/test/report/run.js "$@"
