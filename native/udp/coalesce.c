#include "coalesce.h"

#include "checksum.h"
#include "kernel-names.h"

/* What decides whether a packet may be joined to others, besides its flow. */
struct candidate {
  uint32_t headers_length, payload_length, sequence;
  bool last; /* its sender pushed here: nothing is joined after it */
};

static const uint8_t *transport_of(const struct packet *packet) {
  return packet->bytes + packet->header_length;
}

/* Right, and in the form that the kernel writes: 0xffff also sums up, but comes back as zero. */
static bool is_canonical(uint64_t sum, const uint8_t *field, bool udp) {
  return checksum_fold(sum) == 0xffff && (udp || read16(field) != 0xffff);
}

static bool has_right_checksums(const struct packet *packet) {
  const uint8_t *transport = transport_of(packet);
  bool udp = packet->protocol == PROTOCOL_UDP;
  uint32_t length = packet->length - packet->header_length;
  uint64_t sum = checksum_pseudo(packet->bytes, packet->protocol, (uint16_t)length);
  return is_canonical(checksum_add(packet->bytes, packet->header_length), packet->bytes + IPV4_CHECKSUM, false) &&
         is_canonical(sum + checksum_add(transport, length), transport + (udp ? UDP_CHECKSUM : TCP_CHECKSUM), udp);
}

static bool read_tcp(const struct packet *packet, struct candidate *candidate) {
  const uint8_t *tcp = transport_of(packet);
  uint32_t room = packet->length - packet->header_length;
  if (room < TCP_HEADER) return false;
  uint32_t length = (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
  if (length < TCP_HEADER || length >= room) return false;
  if ((tcp[TCP_DATA_OFFSET] & 15) != 0 || (tcp[TCP_FLAGS] & ~TCP_PSH) != TCP_ACK) return false;
  candidate->headers_length = packet->header_length + length;
  candidate->payload_length = room - length;
  candidate->sequence = read32(tcp + TCP_SEQUENCE);
  candidate->last = (tcp[TCP_FLAGS] & TCP_PSH) != 0;
  return true;
}

static bool read_udp(const struct packet *packet, struct candidate *candidate) {
  const uint8_t *udp = transport_of(packet);
  uint32_t room = packet->length - packet->header_length;
  if (room <= UDP_HEADER || read16(udp + UDP_LENGTH) != room || read16(udp + UDP_CHECKSUM) == 0) return false;
  candidate->headers_length = packet->header_length + UDP_HEADER;
  candidate->payload_length = room - UDP_HEADER;
  candidate->sequence = 0;
  candidate->last = false;
  return true;
}

static bool read_candidate(struct coalescer *c, const struct packet *packet, struct candidate *candidate) {
  const uint16_t fragment = read16(packet->bytes + IPV4_FRAGMENT);
  if (packet->header_length != IPV4_HEADER || packet->room != packet->length) return false;
  if ((fragment & ~DONT_FRAGMENT) != 0) return false;
  bool readable = (packet->protocol == PROTOCOL_TCP && c->tcp && read_tcp(packet, candidate)) ||
                  (packet->protocol == PROTOCOL_UDP && c->udp && read_udp(packet, candidate));
  if (!readable) return false;
  if (has_right_checksums(packet)) return true;
  count(c->counters, BAD_CHECKSUMS, 1);
  return false;
}

/* Addresses and ports lie side by side; without ports, as in a fragment, all flows between the two are meant. */
static bool is_same_flow(const struct packet *a, const struct packet *b) {
  bool ports = b->header_length == IPV4_HEADER && !b->fragment && b->length >= IPV4_HEADER + 4;
  return a->protocol == b->protocol && memcmp(a->bytes + IPV4_SOURCE, b->bytes + IPV4_SOURCE, ports ? 12 : 8) == 0;
}

/* The headers, but for what the kernel writes anew into each packet that it cuts. */
static bool has_same_headers(const struct merge *merge, const struct packet *packet, uint32_t headers_length) {
  const uint8_t *a = merge->first.bytes, *b = packet->bytes;
  if (merge->headers_length != headers_length) return false;
  if (a[IPV4_TOS] != b[IPV4_TOS] || a[IPV4_TTL] != b[IPV4_TTL] || a[IPV4_FRAGMENT] != b[IPV4_FRAGMENT]) return false;
  if (packet->protocol == PROTOCOL_UDP) return true;
  a += IPV4_HEADER;
  b += IPV4_HEADER;
  return memcmp(a + TCP_ACKNOWLEDGED, b + TCP_ACKNOWLEDGED, 4) == 0 && memcmp(a + TCP_WINDOW, b + TCP_WINDOW, 2) == 0 &&
         memcmp(a + TCP_URGENT, b + TCP_URGENT, headers_length - IPV4_HEADER - TCP_URGENT) == 0;
}

static bool may_follow(const struct merge *merge, const struct packet *packet, const struct candidate *candidate) {
  return candidate->payload_length <= merge->segment_size && merge->packets < MERGE_PACKETS &&
         merge->headers_length + merge->payload_length + candidate->payload_length <= UINT16_MAX &&
         candidate->sequence == merge->next_sequence && read16(packet->bytes + IPV4_ID) == merge->next_id &&
         has_same_headers(merge, packet, candidate->headers_length);
}

/* Makes the first packet's headers those of the whole. The kernel adds the payload to the checksum that we begin. */
static void write_headers(struct merge *merge, bool pushed) {
  uint8_t *ip = merge->first.bytes, *transport = ip + IPV4_HEADER;
  bool udp = merge->first.protocol == PROTOCOL_UDP;
  uint32_t length = merge->headers_length + merge->payload_length;
  uint8_t *checksum = transport + (udp ? UDP_CHECKSUM : TCP_CHECKSUM);
  write16(ip + IPV4_LENGTH, (uint16_t)length);
  write16(ip + IPV4_CHECKSUM, 0);
  checksum_write(ip + IPV4_CHECKSUM, checksum_add(ip, IPV4_HEADER));
  if (udp) write16(transport + UDP_LENGTH, (uint16_t)(length - IPV4_HEADER));
  if (!udp && pushed) transport[TCP_FLAGS] |= TCP_PSH;
  uint16_t begun = checksum_fold(checksum_pseudo(ip, merge->first.protocol, (uint16_t)(length - IPV4_HEADER)));
  memcpy(checksum, &begun, sizeof begun);
  merge->how_to_cut = (struct virtio_net_hdr){
      .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
      .gso_type = udp ? VIRTIO_NET_HDR_GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_TCPV4,
      .hdr_len = (uint16_t)merge->headers_length,
      .gso_size = (uint16_t)merge->segment_size,
      .csum_start = IPV4_HEADER,
      .csum_offset = udp ? UDP_CHECKSUM : TCP_CHECKSUM,
  };
}

static void hand_on(struct coalescer *c, struct merge *merge, bool pushed) {
  memset(&merge->how_to_cut, 0, sizeof merge->how_to_cut);
  if (merge->packets > 1) {
    write_headers(merge, pushed);
    count(c->counters, MERGED_WRITES, 1);
    count(c->counters, MERGED_PACKETS, merge->packets);
  }
  merge->parts[0] = (struct iovec){&merge->how_to_cut, sizeof merge->how_to_cut};
  merge->parts[1] = (struct iovec){merge->first.bytes, merge->first.length};
  c->sink.write(c->sink.to, merge->parts, 1 + (int)merge->packets);
  merge->packets = 0;
}

static void pass_on(struct coalescer *c, const struct packet *packet) {
  struct virtio_net_hdr nothing = {0};
  struct iovec parts[2] = {{&nothing, sizeof nothing}, {packet->bytes, packet->room}};
  c->sink.write(c->sink.to, parts, 2);
}

static void append(struct merge *merge, const struct packet *packet, const struct candidate *candidate) {
  merge->parts[1 + merge->packets] = (struct iovec){packet->bytes + candidate->headers_length, candidate->payload_length};
  merge->packets++;
  merge->payload_length += candidate->payload_length;
  merge->next_sequence += packet->protocol == PROTOCOL_TCP ? candidate->payload_length : 0;
  merge->next_id++;
}

static struct merge *begin(struct coalescer *c, const struct packet *packet, const struct candidate *candidate) {
  struct merge *merge = NULL;
  for (unsigned i = 0; i < OPEN_MERGES && !merge; i++)
    if (c->merges[i].packets == 0) merge = &c->merges[i];
  if (!merge) {
    merge = &c->merges[c->next++ % OPEN_MERGES];
    hand_on(c, merge, false);
  }
  merge->first = *packet;
  merge->headers_length = candidate->headers_length;
  merge->segment_size = candidate->payload_length;
  merge->payload_length = 0;
  merge->next_sequence = candidate->sequence;
  merge->next_id = read16(packet->bytes + IPV4_ID);
  append(merge, packet, candidate);
  return merge;
}

void coalesce_add(struct coalescer *c, const struct packet *packet) {
  struct candidate candidate = {0};
  bool joins = read_candidate(c, packet, &candidate);
  struct merge *merge = NULL;
  for (unsigned i = 0; i < OPEN_MERGES; i++) {
    struct merge *open = &c->merges[i];
    if (open->packets == 0 || !is_same_flow(&open->first, packet)) continue;
    if (joins && may_follow(open, packet, &candidate))
      merge = open;
    else
      hand_on(c, open, false);
  }
  if (!joins) {
    pass_on(c, packet);
    return;
  }
  if (merge)
    append(merge, packet, &candidate);
  else
    merge = begin(c, packet, &candidate);
  if (candidate.last || candidate.payload_length < merge->segment_size) hand_on(c, merge, candidate.last);
}

void coalesce_flush(struct coalescer *c) {
  for (unsigned i = 0; i < OPEN_MERGES; i++)
    if (c->merges[i].packets > 0) hand_on(c, &c->merges[i], false);
}
