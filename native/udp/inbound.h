/*
 * From peers to containers: what becomes of one datagram.
 *
 *   datagram ─▶ IPv4? ─▶ admitted? ─▶ TTL ─▶ coalescer ─▶ device
 */
#ifndef LODEN_UDP_INBOUND_H
#define LODEN_UDP_INBOUND_H

#include "coalesce.h"
#include "counters.h"
#include "peers.h"

struct inbound {
  const struct peers *peers;
  bool accept_any;
  struct counters *counters;
  struct coalescer coalescer;
};

/* Takes a datagram whose bytes stay until the next flush, and may be written to. */
void inbound_add(struct inbound *inbound, uint8_t *bytes, size_t length, uint32_t sender);
/* Hands on all that is still held. */
void inbound_flush(struct inbound *inbound);

#endif
