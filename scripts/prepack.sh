#!/usr/bin/env bash
# Makes what `npm pack` packs: dist/, and the addon for each processor that the package is for.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"

# Node's name of a processor, and the compiler's.
declare -A TRIPLETS=([x64]=x86_64-linux-gnu [arm64]=aarch64-linux-gnu)

compiler_for() {
  if [[ $1 == "$(node -p process.arch)" ]]; then
    echo cc
  else
    echo "${TRIPLETS[$1]}-gcc"
  fi
}

for arch in "${!TRIPLETS[@]}"; do
  compiler=$(compiler_for "$arch")
  if ! echo '#include <pthread.h>' | "$compiler" -E - >/dev/null 2>&1; then
    printf '[prepack] error: no compiler for %s; on Debian: apt-get install gcc-%s libc6-dev-%s-cross\n' \
      "$arch" "${TRIPLETS[$arch]//_/-}" "${arch/x64/amd64}" >&2
    exit 1
  fi
done

bash scripts/build.sh
for arch in "${!TRIPLETS[@]}"; do
  make --silent -C native ARCH="$arch" CC="$(compiler_for "$arch")"
done
