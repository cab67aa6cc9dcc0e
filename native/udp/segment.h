/*
 * Cuts a super-packet, which the kernel handed over whole because the device offers segmentation, into the packets that
 * belong on the wire.
 *
 *   [IP TCP │ payload ........................]        one read from the device
 *    ╰──┬──╯ ╰──┬──╯╰──┬──╯╰──┬──╯
 *   [headers]   ·   [headers]  ·                       headers are written anew into the caller's room,
 *   [headers]──▶payload   [headers]──▶payload          payload is pointed at where it lies
 *
 * What comes out is what the kernel's own segmentation would have made: IP ids and sequence numbers count up, FIN and
 * PSH are on the last only, CWR on the first only, and every checksum is complete. It costs a sum over the payload.
 */
#ifndef LODEN_UDP_SEGMENT_H
#define LODEN_UDP_SEGMENT_H

#include "packet.h"

/* The largest IP and TCP headers, 60 bytes each, and rounded to cache lines. */
#define SEGMENT_HEADERS 128

struct segments {
  const uint8_t *headers, *payload;
  uint8_t ip_length, headers_length;
  bool udp;
  uint16_t segment_size;
  uint32_t payload_length, offset, index;
};

struct segment {
  uint16_t headers_length;
  uint16_t payload_length;
  const uint8_t *payload;
};

/* `segment_size`: bytes of payload a packet. False when the packet is neither TCP nor UDP as it should be. */
bool segments_begin(struct segments *segments, const struct packet *packet, uint16_t segment_size);

/*
 * Makes the packets of a TCP stream shorter where they are longer than `limit`, which costs none of its bytes: it may be
 * cut anywhere. Not where they may be fragmented, as more of them would use ids that the sender means for later ones.
 */
void segments_fit(struct segments *segments, uint32_t limit);

/* Writes the next packet's headers, and says what follows them; false after the last. */
bool segments_next(struct segments *segments, uint8_t headers[SEGMENT_HEADERS], struct segment *segment);

#endif
