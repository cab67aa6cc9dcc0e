#include "outbound.h"

#include "checksum.h"
#include "kernel-names.h"

void outbound_flush(struct outbound *o) {
  if (o->outbox.count > 0) o->send(o->to, &o->outbox);
  outbox_empty(&o->outbox);
  o->headers_used = 0;
}

/* Before a packet, since what the outbox points at must stay until it is sent. */
static void make_room(struct outbound *o) {
  if (o->headers_used == OUTBOUND_HEADERS || o->outbox.count == OUTBOX_MESSAGES) outbound_flush(o);
}

static void add_to_outbox(struct outbound *o, const struct outgoing *packet) {
  if (packet->length <= LARGEST_PAYLOAD)
    outbox_add(&o->outbox, packet);
  else
    count(o->counters, DROPPED_TOO_BIG, 1);
}

static void add_segment(struct outbound *o, const struct packet *packet, uint32_t peer, const struct segment *segment) {
  const struct outgoing outgoing = {
      .peer = peer,
      .source = packet->source,
      .destination = packet->destination,
      .length = (uint32_t)segment->headers_length + segment->payload_length,
      .parts = 2,
      .part = {{o->headers[o->headers_used++], segment->headers_length},
               {(uint8_t *)segment->payload, segment->payload_length}},
  };
  add_to_outbox(o, &outgoing);
}

/* The kernel hands over no other kind, as no other was offered to it. */
static bool is_cuttable(const struct packet *packet, const struct virtio_net_hdr *how) {
  uint8_t kind = how->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
  return (kind == VIRTIO_NET_HDR_GSO_TCPV4 && packet->protocol == PROTOCOL_TCP) ||
         (kind == VIRTIO_NET_HDR_GSO_UDP_L4 && packet->protocol == PROTOCOL_UDP);
}

static void add_segments(struct outbound *o, const struct packet *packet, uint32_t peer,
                         const struct virtio_net_hdr *how) {
  struct segments segments;
  struct segment segment;
  if (!is_cuttable(packet, how) || !segments_begin(&segments, packet, how->gso_size)) {
    count(o->counters, DROPPED_MALFORMED, 1);
    return;
  }
  segments_fit(&segments, ways_limit(o->ways, peer));
  for (make_room(o); segments_next(&segments, o->headers[o->headers_used], &segment); make_room(o))
    add_segment(o, packet, peer, &segment);
}

/* The sum over what is to be covered already has the pseudo header's in it. */
static bool complete_checksum(const struct packet *packet, const struct virtio_net_hdr *how) {
  if (how->csum_start + how->csum_offset + 2u > packet->room) return false;
  uint8_t *start = packet->bytes + how->csum_start;
  uint64_t sum = checksum_add(start, packet->room - how->csum_start);
  if (packet->protocol == PROTOCOL_UDP)
    checksum_write_udp(start + how->csum_offset, sum);
  else
    checksum_write(start + how->csum_offset, sum);
  return true;
}

static void add_packet(struct outbound *o, const struct packet *packet, uint32_t peer, const struct virtio_net_hdr *how) {
  if (how->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && !complete_checksum(packet, how)) {
    count(o->counters, DROPPED_MALFORMED, 1);
    return;
  }
  make_room(o);
  const struct outgoing outgoing = {
      .peer = peer,
      .source = packet->source,
      .destination = packet->destination,
      .length = packet->room,
      .parts = 1,
      .part = {{packet->bytes, packet->room}},
  };
  add_to_outbox(o, &outgoing);
}

static void answer_unreachable(struct outbound *o, const struct packet *packet) {
  struct virtio_net_hdr nothing = {0};
  uint8_t answer[UNREACHABLE_ROOM];
  count(o->counters, DROPPED_NO_ROUTE, 1);
  size_t length = packet_unreachable(packet, o->tunnel_address, answer);
  struct iovec parts[2] = {{&nothing, sizeof nothing}, {answer, length}};
  if (length > 0) o->back.write(o->back.to, parts, 2);
}

void outbound_add(struct outbound *o, uint8_t *frame, size_t length) {
  struct virtio_net_hdr how;
  struct packet packet;
  if (length < sizeof how) return;
  memcpy(&how, frame, sizeof how);
  enum packet_kind kind = packet_read(&packet, frame + sizeof how, length - sizeof how);
  if (kind != PACKET_FINE) {
    count(o->counters, kind == PACKET_NOT_IPV4 ? DROPPED_NOT_IPV4 : DROPPED_MALFORMED, 1);
    return;
  }
  uint32_t peer = peers_find(o->peers, packet.destination);
  if (peer == 0) {
    answer_unreachable(o, &packet);
  } else if (!packet_age(&packet)) {
    count(o->counters, DROPPED_TTL, 1);
  } else if (how.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
    add_packet(o, &packet, peer, &how);
  } else {
    add_segments(o, &packet, peer, &how);
  }
}
