/*
 * Packets that wait to be sent, gathered into messages that the kernel takes in one go and cuts again (UDP_SEGMENT):
 * up to 64 packets for one peer, all of one size, but that the last may be shorter.
 *
 *   packets, in order of arrival:  a1 b1 a2 b2 a3 c1 ...        (a, b, c: peers, or sizes)
 *   messages:                      [a1 a2 a3] [b1 b2] [c1]
 *
 * This is where packets per second come from: a trip down the network stack costs the same for one packet as for 64. A
 * packet joins an earlier message past others', but never past one between the same two inner addresses, which so keep
 * their order. Nothing is copied; what is pointed at must stay until the messages are sent.
 */
#ifndef LODEN_UDP_OUTBOX_H
#define LODEN_UDP_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define OUTBOX_MESSAGES 64
/* The kernel's limit, until it was raised to 128. */
#define MESSAGE_PACKETS 64
/* 65,535 - 20 IP - 8 UDP: payload of one datagram, and of all that one send is cut into. */
#define LARGEST_PAYLOAD 65507

/* Headers, and payload that may lie elsewhere. */
#define PACKET_PARTS 2

struct outgoing {
  uint32_t peer;                /* the public address it goes to */
  uint32_t source, destination; /* inner addresses */
  uint32_t length;              /* at most LARGEST_PAYLOAD */
  unsigned parts;
  struct iovec part[PACKET_PARTS];
};

struct message {
  uint32_t peer;
  uint32_t size; /* of each packet, but that the last may be shorter */
  uint32_t bytes;
  bool full; /* nothing can follow a shorter one */
  unsigned packets, parts;
  struct iovec part[MESSAGE_PACKETS * PACKET_PARTS];
};

struct outbox {
  unsigned count;
  /* By hash: the message that took the last packet between two addresses, or of one peer and size; 1 is the first, 0
   * none. Two that share a slot are taken for one another where that only costs a better grouping. */
  uint8_t last_of_pair[256], last_of_shape[256];
  struct message message[OUTBOX_MESSAGES];
};

void outbox_empty(struct outbox *outbox);

/* False when there is no room: send all, empty it, and add again. */
bool outbox_add(struct outbox *outbox, const struct outgoing *packet);

#endif
