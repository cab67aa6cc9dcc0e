#!/usr/bin/env bash
# Fetches the Docker engines that the tests run, and makes the image that they run in them. Nothing is installed:
#
#   /var/cache/loden-engines/20.10/{bin,lib}   dockerd, containerd, runc, the docker client … of Debian 12
#                            26/{bin,lib}      of Debian 13, with Debian 12's runc and client: newer ones need a newer libc
#                            28/{bin,lib}      of sid, likewise
#                            image.tar         a root file system: busybox, curl, ping, iperf3
#
# Does only what is missing. What cannot be had costs a line on stderr, and the tests that need it skip by name, so
# this never fails. LODEN_ENGINES names another folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/path.sh"

CACHE=${LODEN_ENGINES:-/var/cache/loden-engines}
# The engine, and the suite that has it. Suites move on; what is fetched once stays.
declare -A SUITES=([20.10]=bookworm [26]=trixie [28]=sid)

say() { printf '[engines] %s\n' "$*" >&2; }
give_up() {
  say "$*; tests on real Docker engines that are not there will be skipped"
  exit 0
}

missing() {
  local engine
  for engine in "${!SUITES[@]}"; do
    [[ -e $CACHE/$engine/bin ]] || printf '%s\n' "$engine"
  done
}

# Debian's mirror, as this machine's own sources name it: what stands before /dists/ in the addresses that apt would read.
mirror() {
  local codename
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/$codename/main/binary-.*|\1|p" | head -n 1
}

# apt with sources and lists of its own, so that this machine's stay as they are.
apt() {
  apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$work/lists" \
    -o "Dir::Cache=$work/cache" -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any "$@" </dev/null >>"$work/log" 2>&1
}

read_sources() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed='' suite
  mirror=$(mirror)
  [[ -n $mirror ]] || give_up 'no Debian mirror among the apt sources of this machine'
  [[ ! -e $keyring ]] || signed="[signed-by=$keyring] "
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  for suite in "$@"; do
    printf 'deb %s%s %s main\n' "$signed" "$mirror" "$suite"
  done >"$work/sources.list"
  apt update || give_up "apt-get update failed: $(tail -n 1 "$work/log")"
}

# unpack FOLDER PACKAGE/SUITE…
unpack() {
  local folder=$1 package
  shift
  mkdir -p "$folder/debs"
  (cd "$folder/debs" && apt download "$@") || return
  for package in "$folder"/debs/*.deb; do
    dpkg -x "$package" "$folder" || return
  done
}

PROGRAMS=(dockerd docker docker-proxy containerd containerd-shim-runc-v2 runc)

# gather FROM TO: the programs of an unpacked folder into bin, its libraries into lib, over what is there.
gather() {
  local program
  mkdir -p "$2/bin" "$2/lib"
  for program in "${PROGRAMS[@]}"; do
    find "$1" -type f -path "*bin/$program" -exec cp -t "$2/bin" {} +
  done
  find "$1" \( -type f -o -type l \) -path '*/lib/*-linux-gnu*' -name '*.so.*' -exec cp -P -t "$2/lib" {} +
}

fetch_engine() {
  local engine=$1 suite=${SUITES[$1]} made="$work/made-$1" version
  say "fetching Docker $engine from Debian $suite"
  if ! unpack "$work/$engine" "docker.io/$suite" "containerd/$suite"; then
    say "cannot fetch it: $(tail -n 1 "$work/log")"
    return
  fi
  gather "$work/base" "$made"
  gather "$work/$engine" "$made"
  version=$(dpkg-deb -f "$work/$engine"/debs/docker.io_*.deb Version)
  [[ $version == "$engine".* ]] || say "Debian $suite has moved on: the engine called $engine is $version"
  mv "$made" "$CACHE/$engine"
}

# A root file system without a registry: busybox, and what it lacks (a wget that works) from here.
make_image() {
  local root=$work/image program path library
  say 'making the image for containers'
  mkdir -p "$root"/{bin,etc,tmp,root,www,proc,sys,dev,usr/bin}
  cp "$work/base/bin/busybox" "$root/bin/"
  for program in $("$root/bin/busybox" --list); do
    [[ -e $root/bin/$program ]] || ln -s busybox "$root/bin/$program"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  for program in curl ping iperf3; do
    path=$(command -v "$program") || give_up "there is no $program on this machine for the image"
    install -D "$(readlink -f "$path")" "$root/usr/bin/$program"
    for library in $(ldd "$path" | grep -oE '/[^ ]+\.so[^ ]*'); do
      install -D "$(readlink -f "$library")" "$root$library"
    done
  done
  chmod 1777 "$root/tmp"
  tar -C "$root" -cf "$work/image.tar" .
  mv "$work/image.tar" "$CACHE/image.tar"
}

# For every engine: runc and the one client that Debian 12's libc can run, and libraries that a slim machine may lack.
BASE=(docker.io runc libseccomp2 libdevmapper1.02.1 busybox-static)

fetch() {
  local engine engines
  mapfile -t engines < <(missing)
  read_sources bookworm trixie sid
  unpack "$work/base" "${BASE[@]/%//bookworm}" || give_up "cannot fetch runc: $(tail -n 1 "$work/log")"
  [[ -e $CACHE/image.tar ]] || make_image
  for engine in "${engines[@]}"; do fetch_engine "$engine"; done
}

is_whole() { [[ -z $(missing) && -e $CACHE/image.tar ]]; }

is_whole && exit
command -v apt-get >/dev/null && command -v dpkg >/dev/null || give_up 'engines are fetched with apt-get, which is not here'
mkdir -p "$CACHE" 2>/dev/null && [[ -w $CACHE ]] || give_up "$CACHE cannot be written to"
exec {lock}>"$CACHE/.lock"
flock "$lock"
is_whole && exit
# On the same file system, so that what is done takes its name at once.
work=$(mktemp -d "$CACHE/.fetching-XXXXXX")
trap 'rm -rf "$work"' EXIT
fetch
