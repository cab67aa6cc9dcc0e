#include "claim.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int claim_device(const char *name, struct problem *problem) {
  struct sockaddr_un address = {.sun_family = AF_UNIX}; /* a path that begins with zero is abstract */
  int named = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "loden-udp/%s", name);
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)named);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0) return fd;
  fail_with(problem, errno == EADDRINUSE ? EBUSY : errno, "claim of device %s", name);
  if (fd >= 0) close(fd);
  return -1;
}
