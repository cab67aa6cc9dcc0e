# Sourced by the other scripts: the repository's root as the working directory, and a PATH with the system's own tools.
#
# npm puts node_modules/.bin first in PATH, where a dependency has a program called `nft` that would hide nftables;
# and a root shell that came from plain `su` has no sbin in it.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

clean_path() {
  local entry cleaned=
  local IFS=:
  for entry in $PATH; do
    [[ $entry == */node_modules/.bin ]] || cleaned+=${cleaned:+:}$entry
  done
  printf '%s' "$cleaned:/usr/local/sbin:/usr/sbin:/sbin"
}
PATH=$(clean_path)
export PATH
