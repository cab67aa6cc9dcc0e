# Becomes PID 1, systemd, of a machine of its own: boot.sh CGROUP FROM:TO...
#
# Its root is an overlay of this machine's, in memory, so it has the same programs and may write everywhere; the folders
# FROM appear in it as TO. It has its own processes, mounts, cgroups and name, and the network of the caller.
set -euo pipefail
cgroup=$1
shift
echo $$ >"$cgroup/cgroup.procs"
exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --propagation private bash -euo pipefail -c '
  memory=/mnt
  mount -t tmpfs -o size=1g tmpfs $memory
  mkdir $memory/{upper,work,root}
  mount -t overlay -o lowerdir=/,upperdir=$memory/upper,workdir=$memory/work overlay $memory/root
  root=$memory/root

  mount -t proc proc $root/proc
  mount -t sysfs sysfs $root/sys
  # As in a container: programs then know that there is no udev to wait for.
  mount -o remount,bind,ro $root/sys
  mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
  # PID 1 sets limits of the whole machine when it starts. The settings of the network are its own.
  mount --bind $root/proc/sys $root/proc/sys
  mount --bind $root/proc/sys/net $root/proc/sys/net
  mount -o remount,bind,ro $root/proc/sys

  mount -t tmpfs -o mode=755 tmpfs $root/run
  mount -t tmpfs tmpfs $root/tmp
  mount -t tmpfs -o mode=755 tmpfs $root/dev
  for device in null zero full random urandom tty net/tun; do
    mkdir -p $(dirname $root/dev/$device)
    touch $root/dev/$device
    mount --bind /dev/$device $root/dev/$device
  done
  mkdir $root/dev/{pts,shm}
  mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts
  ln -s pts/ptmx $root/dev/ptmx
  ln -s /proc/self/fd $root/dev/fd
  for shared in "$@"; do
    mkdir -p "$root${shared#*:}"
    mount --bind "${shared%%:*}" "$root${shared#*:}"
  done

  # Of the units only what a test puts there: nothing of this machine, and nothing that manages devices.
  rm -rf $root/etc/systemd/system/*
  for unit in systemd-udevd systemd-udev-trigger systemd-networkd systemd-resolved systemd-timesyncd systemd-sysctl \
    systemd-modules-load systemd-logind; do
    ln -s /dev/null $root/etc/systemd/system/$unit.service
  done
  ln -s /dev/null $root/etc/systemd/system/getty.target
  ln -s /lib/systemd/system/multi-user.target $root/etc/systemd/system/default.target
  echo machine >$root/etc/hostname
  : >$root/etc/fstab

  cd $root
  mkdir -p oldroot
  pivot_root . oldroot
  umount -l /oldroot
  exec env -i container=loden LODEN_TEST_RUN="${LODEN_TEST_RUN:-}" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=journal
' boot "$@"
