#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "features.h"
#include "kernel-names.h"

/* Bytes: a tenth of a second at a Gbit/s, while a thread waits for its core. */
static const int BUFFER_SIZE = 16 << 20;
static const int ON = 1;

static void set_buffer(int fd, int forced, int plain) {
  if (setsockopt(fd, SOL_SOCKET, forced, &BUFFER_SIZE, sizeof BUFFER_SIZE) != 0)
    setsockopt(fd, SOL_SOCKET, plain, &BUFFER_SIZE, sizeof BUFFER_SIZE); /* as much as the host's limit allows */
}

/* Drops from `features` what this kernel does not know. */
static void set_features(int fd, unsigned *features) {
  const int off = 0;
  if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &off, sizeof off) != 0) *features &= ~(unsigned)FEATURE_GSO;
  if (*features & FEATURE_GRO && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &ON, sizeof ON) != 0)
    *features &= ~(unsigned)FEATURE_GRO;
}

/*
 * The first socket is bound alone, so that a port which anybody else holds is an error, even a process like us. Then it
 * lets the others share.
 */
static int open_socket(unsigned number, const struct sockaddr_in *name, unsigned *features) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  set_features(fd, features);
  bool fine = number == 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &ON, sizeof ON) == 0;
  fine = fine && bind(fd, (const struct sockaddr *)name, sizeof *name) == 0;
  fine = fine && (number > 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &ON, sizeof ON) == 0);
  if (fine) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

bool sockets_open(int *sockets, unsigned count, uint32_t address, uint16_t port, unsigned *features,
                  struct problem *problem) {
  const struct sockaddr_in name = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  for (unsigned i = 0; i < count; i++) {
    sockets[i] = open_socket(i, &name, features);
    if (sockets[i] >= 0) continue;
    int error = errno;
    char text[INET_ADDRSTRLEN] = "";
    while (i > 0) close(sockets[--i]);
    inet_ntop(AF_INET, &name.sin_addr, text, sizeof text);
    return fail_with(problem, error, "socket on %s:%u/udp", text, port);
  }
  return true;
}
