/*
 * Joins packets of one flow into a super-packet that the kernel takes whole, and would cut into exactly these again.
 *
 *   [IP TCP │ 1]  [IP TCP │ 2]  [IP TCP │ 3]       as received
 *    ╰────┬────╯         ╰┬╯           ╰┬╯
 *   [how to cut][IP TCP │ 1][2][3]                 one write; the parts stay where they were received
 *
 * Whatever that cutting would not bring back byte for byte is passed on as it came: a packet with IP options, of a
 * fragmented one, with an id or a sequence number out of turn, other TCP flags than ACK, and first of all one with a
 * wrong checksum: joined, it would get a right one, and corruption on the way would be repaired into bad data. So every
 * checksum is verified before, at the cost of a sum over the payload. Packets of one flow keep their order.
 */
#ifndef LODEN_UDP_COALESCE_H
#define LODEN_UDP_COALESCE_H

#include "counters.h"
#include "packet.h"
#include "sink.h"

#define OPEN_MERGES 8
#define MERGE_PACKETS 64

struct merge {
  struct packet first;
  unsigned packets; /* 0: free */
  uint32_t headers_length, segment_size, payload_length;
  uint32_t next_sequence;
  uint16_t next_id;
  struct virtio_net_hdr how_to_cut;
  struct iovec parts[1 + MERGE_PACKETS]; /* how to cut it; the first packet, whole; the others' payloads */
};

struct coalescer {
  struct sink sink;
  bool tcp, udp; /* what the device takes as super-packets */
  struct counters *counters;
  unsigned next; /* to give way to a new flow */
  struct merge merges[OPEN_MERGES];
};

/* Takes a packet whose bytes stay until the next flush, and may be written to. */
void coalesce_add(struct coalescer *coalescer, const struct packet *packet);
/* Hands on all that is still held. */
void coalesce_flush(struct coalescer *coalescer);

#endif
