#include "inbound.h"

#include "admit.h"

void inbound_add(struct inbound *in, uint8_t *bytes, size_t length, uint32_t sender) {
  struct packet packet;
  enum packet_kind kind = packet_read(&packet, bytes, length);
  if (kind != PACKET_FINE) {
    count(in->counters, kind == PACKET_NOT_IPV4 ? DROPPED_NOT_IPV4 : DROPPED_MALFORMED, 1);
    return;
  }
  enum admission admission = admit(in->peers, &packet, sender, in->accept_any);
  if (admission != ADMITTED) {
    count(in->counters, admission == UNKNOWN_SENDER ? DROPPED_UNKNOWN_SENDER : DROPPED_WRONG_SOURCE, 1);
    return;
  }
  if (!packet_age(&packet)) {
    count(in->counters, DROPPED_TTL, 1);
    return;
  }
  count(in->counters, RECEIVED_PACKETS, 1);
  count(in->counters, RECEIVED_BYTES, packet.room);
  coalesce_add(&in->coalescer, &packet);
}

void inbound_flush(struct inbound *in) {
  coalesce_flush(&in->coalescer);
}
