/* The device's part: what the path writes is cut up as the kernel would, and must be what was on the wire. */
#include "state.h"
#include "udp/checksum.h"
#include "udp/segment.h"

/* Flows that may be told apart; others of the same addresses and protocol are one. */
static size_t flow_bytes(const uint8_t *packet, size_t length) {
  return packet[0] == 0x45 && length >= 24 && (read16(packet + IPV4_FRAGMENT) & 0x3fff) == 0 ? 12 : 8;
}

static bool is_same_flow(const struct bytes *a, const uint8_t *b, size_t length) {
  size_t compared = flow_bytes(b, length);
  return flow_bytes(a->at, a->length) == compared && a->at[IPV4_PROTOCOL] == b[IPV4_PROTOCOL] &&
         memcmp(a->at + IPV4_SOURCE, b + IPV4_SOURCE, compared) == 0;
}

static void arrive(const uint8_t *packet, size_t length) {
  for (unsigned i = expected.first; i < expected.count; i++) {
    struct bytes *one = &expected.item[i];
    if (!one->at || !is_same_flow(one, packet, length)) continue;
    CHECK(one->length == length && memcmp(one->at, packet, length) == 0);
    free(one->at);
    one->at = NULL;
    return;
  }
  CHECK(!"a packet that nobody sent");
}

/* Cuts as the kernel does; its checks are those of virtio_net_hdr_to_skb(). */
static void take_super_packet(uint8_t *bytes, size_t length, const struct virtio_net_hdr *how) {
  struct packet packet;
  struct segments segments;
  struct segment segment;
  uint8_t whole[1 << 16];
  unsigned count = 0;
  CHECK(packet_read(&packet, bytes, length) == PACKET_FINE && packet.length == length);
  CHECK(how->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && how->csum_start == packet.header_length);
  CHECK(how->gso_type == (packet.protocol == PROTOCOL_TCP ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP_L4));
  CHECK(how->hdr_len < length && how->gso_size > 0 && length - how->hdr_len > how->gso_size);
  CHECK(segments_begin(&segments, &packet, how->gso_size));
  while (segments_next(&segments, whole, &segment)) {
    CHECK(segment.headers_length == how->hdr_len);
    memcpy(whole + segment.headers_length, segment.payload, segment.payload_length);
    arrive(whole, (size_t)segment.headers_length + segment.payload_length);
    count++;
  }
  CHECK(count > 1 && count <= MERGE_PACKETS);
}

void write_to_device(void *to, struct iovec *parts, int count) {
  static uint8_t whole[1 << 17];
  struct virtio_net_hdr how;
  size_t length = 0;
  (void)to;
  CHECK(count >= 2 && count <= 1 + MERGE_PACKETS && parts[0].iov_len == sizeof how);
  memcpy(&how, parts[0].iov_base, sizeof how);
  for (int i = 1; i < count; i++) {
    memcpy(whole + length, parts[i].iov_base, parts[i].iov_len);
    length += parts[i].iov_len;
    CHECK(length <= UINT16_MAX + 1);
  }
  if (how.gso_type == VIRTIO_NET_HDR_GSO_NONE)
    arrive(whole, length);
  else
    take_super_packet(whole, length, &how);
}

void take_answer(void *to, struct iovec *parts, int count) {
  (void)to;
  CHECK(count == 2 && parts[1].iov_len <= UNREACHABLE_ROOM && parts[1].iov_len >= 48);
  CHECK(checksum_fold(checksum_add(parts[1].iov_base, 20)) == 0xffff);
  CHECK(checksum_fold(checksum_add((uint8_t *)parts[1].iov_base + 20, parts[1].iov_len - 20)) == 0xffff);
}
