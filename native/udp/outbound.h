/*
 * From containers to peers: what becomes of one frame that was read from the device.
 *
 *   frame ─▶ [how it is to be finished][packet] ─▶ peer? ─▶ TTL ─▶ cut, or checksum completed ─▶ outbox ─▶ send
 *                                                   └ no: "network unreachable" back to the device
 */
#ifndef LODEN_UDP_OUTBOUND_H
#define LODEN_UDP_OUTBOUND_H

#include "counters.h"
#include "outbox.h"
#include "packet.h"
#include "peers.h"
#include "segment.h"
#include "sink.h"
#include "ways.h"

/* Packets cut from super-packets that may wait in the outbox. */
#define OUTBOUND_HEADERS 512

struct outbound {
  const struct peers *peers;
  uint32_t tunnel_address; /* source of ICMP errors */
  struct counters *counters;
  struct ways *ways;
  struct sink back; /* to the device */
  void (*send)(void *to, const struct outbox *outbox);
  void *to;
  struct outbox outbox;
  unsigned headers_used;
  uint8_t headers[OUTBOUND_HEADERS][SEGMENT_HEADERS];
};

/* Takes a frame whose bytes stay until the next flush, and may be written to. It begins with virtio_net_hdr. */
void outbound_add(struct outbound *outbound, uint8_t *frame, size_t length);
/* Sends all that waits. */
void outbound_flush(struct outbound *outbound);

#endif
