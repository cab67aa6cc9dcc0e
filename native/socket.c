/* Opens netlink sockets, with the options that all of ours want. */
#include "loden.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

/* Names of linux/socket.h that <sys/socket.h> may lack. */
#ifndef SO_SNDBUFFORCE
#define SO_SNDBUFFORCE 32
#endif
#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE 33
#endif
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* Bytes. Ten thousand failures in one batch, or a burst of events, fit. */
static const int BUFFER_SIZE = 8 << 20;
static void set_buffer(int fd, int forced, int plain) {
  if (setsockopt(fd, SOL_SOCKET, forced, &BUFFER_SIZE, sizeof BUFFER_SIZE) != 0)
    setsockopt(fd, SOL_SOCKET, plain, &BUFFER_SIZE, sizeof BUFFER_SIZE); /* as much as the host's limit allows */
}

int open_netlink(int protocol, uint32_t groups) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  const int on = 1;
  /* Older kernels lack some of these; then errors have no text, or a dump says more than was asked for. */
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}
