#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "features.h"
#include "kernel-names.h"

static const short PLAIN = IFF_TUN | IFF_NO_PI;

static int open_tun(const char *name, short flags) {
  struct ifreq request = {.ifr_flags = flags};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* A TAP device has the same driver, but says so. */
static bool is_tun(const char *name) {
  struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
  struct ifreq request = {.ifr_data = (void *)&info};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  bool known = ioctl(fd, SIOCETHTOOL, &request) == 0;
  close(fd);
  return known && strcmp(info.driver, "tun") == 0 && strcmp(info.bus_info, "tun") == 0;
}

bool tun_create(const char *name, struct problem *problem) {
  if (if_nametoindex(name) != 0) return is_tun(name) || fail_with(problem, EEXIST, "device %s", name);
  int fd = open_tun(name, PLAIN | IFF_VNET_HDR | IFF_MULTI_QUEUE);
  if (fd < 0) return fail_with(problem, errno, "make device %s over /dev/net/tun", name);
  int error = ioctl(fd, TUNSETPERSIST, 1) == 0 ? 0 : errno;
  close(fd);
  return error == 0 || fail_with(problem, error, "make device %s persist", name);
}

/* Whether a device has several queues was settled when it was made; the header is up to who attaches first. */
static bool open_queue(struct tun *tun, const char *name, unsigned *features) {
  static const short WAYS[] = {IFF_VNET_HDR | IFF_MULTI_QUEUE, IFF_VNET_HDR, IFF_MULTI_QUEUE, 0};
  for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
    tun->fd = open_tun(name, PLAIN | WAYS[i]);
    if (tun->fd < 0 && errno == EINVAL) continue;
    tun->bare = !(WAYS[i] & IFF_VNET_HDR);
    if (!(WAYS[i] & IFF_MULTI_QUEUE)) *features &= ~(unsigned)FEATURE_MULTI_QUEUE;
    return tun->fd >= 0;
  }
  return false;
}

/* What the kernel may leave undone in packets that it hands to us. It is a trait of the device, and outlasts us. */
static void offer_offloads(const struct tun *tun, unsigned *features) {
  const unsigned tso = TUN_F_CSUM | TUN_F_TSO4, uso = TUN_F_USO4 | TUN_F_USO6; /* the kernel takes both or none */
  if (tun->bare || !(*features & FEATURE_TSO)) *features &= ~(unsigned)(FEATURE_TSO | FEATURE_USO);
  if (*features & FEATURE_USO) {
    if (ioctl(tun->fd, TUNSETOFFLOAD, tso | uso) == 0) return;
    *features &= ~(unsigned)FEATURE_USO;
  }
  if (*features & FEATURE_TSO) {
    if (ioctl(tun->fd, TUNSETOFFLOAD, tso) == 0) return;
    *features &= ~(unsigned)FEATURE_TSO;
  }
  ioctl(tun->fd, TUNSETOFFLOAD, 0);
}

bool tun_attach(struct tun *tun, const char *name, unsigned *features, struct problem *problem) {
  const int header = sizeof(struct virtio_net_hdr);
  tun->gone = 0;
  tun->index = if_nametoindex(name);
  if (tun->index == 0) return fail_with(problem, ENODEV, "device %s", name);
  if (!open_queue(tun, name, features)) return fail_with(problem, errno, "attach to device %s", name);
  /* Where there is none any more, TUNSETIFF has made one, which would vanish with us. */
  if (!tun_is_attached(name, tun->index)) {
    close(tun->fd);
    return fail_with(problem, ENODEV, "device %s", name);
  }
  if (!tun->bare && ioctl(tun->fd, TUNSETVNETHDRSZ, &header) != 0) {
    fail_with(problem, errno, "frame format of device %s", name);
    close(tun->fd);
    return false;
  }
  offer_offloads(tun, features);
  return true;
}

bool tun_is_attached(const char *name, unsigned index) {
  return if_nametoindex(name) == index;
}

/* EBADFD: the device was removed. Anything else passes, or is about one packet only. */
static void note_error(struct tun *tun, int error) {
  if (error == EBADFD || error == EBADF)
    tun->gone = error;
  else
    count(tun->counters, DEVICE_ERRORS, 1);
}

size_t tun_read(struct tun *tun, uint8_t *frame, size_t room) {
  size_t absent = tun->bare ? sizeof(struct virtio_net_hdr) : 0;
  memset(frame, 0, absent);
  for (;;) {
    ssize_t got = read(tun->fd, frame + absent, room - absent);
    if (got > 0) return absent + (size_t)got;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) note_error(tun, errno);
    return 0;
  }
}

void tun_write(struct tun *tun, struct iovec *parts, int count) {
  if (tun->bare) {
    parts[0].iov_base = (uint8_t *)parts[0].iov_base + sizeof(struct virtio_net_hdr);
    parts[0].iov_len -= sizeof(struct virtio_net_hdr);
  }
  while (writev(tun->fd, parts, count) < 0) {
    if (errno == EINTR) continue;
    note_error(tun, errno);
    return;
  }
}
