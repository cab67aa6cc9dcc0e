# Sourced by setup.sh: installs the Debian packages whose programs are missing.

# What to look for, and the package that has it. A name with a slash is a file.
NEEDED=(
  etcd:etcd-server
  etcdctl:etcd-client
  ip:iproute2
  bridge:iproute2
  nft:nftables
  iptables:iptables
  ping:iputils-ping
  curl:curl
  iperf3:iperf3
  ethtool:ethtool
  nsenter:util-linux
  ps:procps
  openssl:openssl
  gcc:gcc
  make:make
  /usr/include/stdio.h:libc6-dev
)

# What only tests want: without it some of them are skipped.
NEEDED_BY_TESTS=(
  aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
  /usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross
  /lib/systemd/systemd:systemd
  zsh:zsh
  fish:fish
)

missing_packages() {
  local need program
  for need in "${NEEDED[@]}"; do
    program=${need%%:*}
    [[ -e $program ]] || command -v "$program" >/dev/null || printf '%s\n' "${need#*:}"
  done | sort -u
}

# dpkg's post-install scripts ask this file whether they may start a service; Debian's etcd-server would start one.
# One that is there already (as in containers) stays as it is.
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# made by the set-up of loden, process'

guard_services() {
  if [[ -e $POLICY ]]; then
    local owner
    owner=$(sed -n "s|^$POLICY_MARK ||p" "$POLICY")
    # Ours, from a run that was killed: without its process it goes. Another's stays.
    [[ -n $owner && ! -e /proc/$owner ]] || return 0
  fi
  trap unguard_services EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  printf '#!/bin/sh\n%s %s\nexit 101\n' "$POLICY_MARK" "$$" >"$POLICY"
  chmod 755 "$POLICY"
}

unguard_services() {
  trap - EXIT INT TERM HUP
  if grep -qsx "$POLICY_MARK $$" "$POLICY"; then rm -f "$POLICY"; fi
}

apt() {
  local log
  log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get $1 failed; what it said is above. Is there a network, and does Debian's mirror answer?" \
      "What is missing: $(missing_packages | paste -sd ' ')"
  fi
  rm -f "$log"
}

install_debian_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || fail "missing on this machine: what Debian has in the packages ${missing[*]}" \
    'There is no apt-get here; install their like with your own package manager, and run this again.'
  ((EUID == 0)) || fail "missing Debian packages; as root: apt-get install ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  guard_services
  # Without the option an update that fetched nothing is a success.
  apt update -o APT::Update::Error-Mode=any
  apt install --no-install-recommends --yes "${missing[@]}"
  # The lab starts its own etcd; the package's service would else start at the next boot.
  if [[ " ${missing[*]} " == *' etcd-server '* ]] && command -v systemctl >/dev/null; then
    systemctl disable --quiet etcd 2>/dev/null || true
  fi
  unguard_services
}
