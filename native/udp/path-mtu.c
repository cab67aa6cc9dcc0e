#include "path-mtu.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* From the same address, as it may decide about the route; from another port. */
static bool bind_beside(int fd, int socket) {
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  if (getsockname(socket, (struct sockaddr *)&own, &length) != 0) return false;
  own.sin_port = 0;
  return bind(fd, (struct sockaddr *)&own, sizeof own) == 0;
}

/* Only a connected socket tells. Connecting sends nothing. */
uint32_t path_mtu(int sending, uint32_t address) {
  const struct sockaddr_in peer = {
      .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(address)};
  int mtu = 0;
  socklen_t length = sizeof mtu;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  bool fine = bind_beside(fd, sending) && connect(fd, (const struct sockaddr *)&peer, sizeof peer) == 0 &&
              getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &length) == 0;
  close(fd);
  return fine && mtu > 0 ? (uint32_t)mtu : 0;
}
