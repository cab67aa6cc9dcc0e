/*
 * Receives datagrams, many in one call, and many of one peer's in one buffer where the kernel joined them (UDP_GRO):
 *
 *   recvmmsg ─▶ [ d1 d2 d3 d4 ... ] 64 KB, "cut at 1472"   ─▶ d1, d2, d3, ...
 *               [ d ]                                      ─▶ d
 */
#ifndef LODEN_UDP_INBOX_H
#define LODEN_UDP_INBOX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "counters.h"

#define INBOX_BUFFERS 8
#define INBOX_ROOM 65536

union size_control {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

struct inbox {
  int socket;
  struct counters *counters;
  unsigned received; /* buffers of the last call */
  unsigned buffer;   /* that is being cut */
  size_t offset, size;
  struct mmsghdr headers[INBOX_BUFFERS];
  struct iovec parts[INBOX_BUFFERS];
  struct sockaddr_in from[INBOX_BUFFERS];
  union size_control control[INBOX_BUFFERS];
  uint8_t *room; /* INBOX_BUFFERS of INBOX_ROOM */
};

struct datagram {
  uint8_t *bytes;
  size_t length;
  uint32_t sender; /* its address */
};

bool inbox_init(struct inbox *inbox, int socket, struct counters *counters);
void inbox_free(struct inbox *inbox);

/* Receives what is there, without waiting, over what was received before. The number of buffers; -1 with errno. */
int inbox_receive(struct inbox *inbox);

/* The next of the datagrams that were received; false after the last. */
bool inbox_next(struct inbox *inbox, struct datagram *datagram);

#endif
