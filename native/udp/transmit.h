/*
 * Sends what is in an outbox: each message as one datagram that the kernel cuts (UDP_SEGMENT), all of them in one call.
 * Where that is refused it goes on with less, which costs calls, not packets:
 *
 *   EMSGSIZE, EINVAL   the way to this peer takes no datagram of that size: this message as single datagrams, which the
 *                      kernel fragments, and the next ones by what the way takes (ways.h)
 *   EIO                the device on this way completes no checksums, or the traffic is encrypted: the same
 *   EAGAIN             the send buffer is full: waits a moment, while what comes in is served as ever, and then drops
 */
#ifndef LODEN_UDP_TRANSMIT_H
#define LODEN_UDP_TRANSMIT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "counters.h"
#include "outbox.h"
#include "ways.h"

/* Room for one control message that holds the size to cut at. */
union segment_control {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct transmitter {
  int socket, stop_fd; /* nothing is waited for once stop_fd is readable */
  uint16_t port;       /* every peer's */
  bool gso;
  struct ways *ways;
  bool stuck; /* the last wait was in vain: until something goes again, what does not go at once is dropped */
  struct counters *counters;
  void (*meanwhile)(void *context); /* called while a full send buffer is waited for, when the socket has something */
  void *context;
  struct sockaddr_in to[OUTBOX_MESSAGES];
  union segment_control control[OUTBOX_MESSAGES];
  struct mmsghdr batch[OUTBOX_MESSAGES];
  struct mmsghdr singles[MESSAGE_PACKETS];
};

void transmit(struct transmitter *transmitter, const struct outbox *outbox);

#endif
