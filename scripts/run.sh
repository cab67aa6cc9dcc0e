#!/usr/bin/env bash
# Runs a built program of this repository: scripts/run.sh dist/cmd/loden.js lab demo
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"
exec node --enable-source-maps "$@"
