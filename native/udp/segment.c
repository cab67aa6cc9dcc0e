#include "segment.h"

#include "checksum.h"

bool segments_begin(struct segments *segments, const struct packet *packet, uint16_t segment_size) {
  const uint8_t *transport = packet->bytes + packet->header_length;
  uint32_t room = packet->length - packet->header_length;
  uint32_t transport_length = UDP_HEADER;
  bool udp = packet->protocol == PROTOCOL_UDP;
  if (packet->fragment || segment_size == 0 || (!udp && packet->protocol != PROTOCOL_TCP)) return false;
  if (room < (udp ? UDP_HEADER : TCP_HEADER)) return false;
  if (!udp) transport_length = (transport[TCP_DATA_OFFSET] >> 4) * 4u;
  if ((!udp && transport_length < TCP_HEADER) || transport_length > room) return false;
  *segments = (struct segments){
      .headers = packet->bytes,
      .payload = transport + transport_length,
      .ip_length = packet->header_length,
      .headers_length = (uint8_t)(packet->header_length + transport_length),
      .udp = udp,
      .segment_size = segment_size,
      .payload_length = room - transport_length,
  };
  return segments->payload_length > 0;
}

void segments_fit(struct segments *s, uint32_t limit) {
  bool stream = !s->udp && read16(s->headers + IPV4_FRAGMENT) & DONT_FRAGMENT;
  if (!stream || limit <= s->headers_length || limit >= (uint32_t)s->headers_length + s->segment_size) return;
  s->segment_size = (uint16_t)(limit - s->headers_length);
}

static void write_ip(const struct segments *s, uint8_t *ip, uint32_t length) {
  write16(ip + IPV4_LENGTH, (uint16_t)length);
  write16(ip + IPV4_ID, (uint16_t)(read16(s->headers + IPV4_ID) + s->index));
  write16(ip + IPV4_CHECKSUM, 0);
  checksum_write(ip + IPV4_CHECKSUM, checksum_add(ip, s->ip_length));
}

/* The sum over all that a TCP or UDP checksum covers, while its field is zero. */
static uint64_t add_transport(const struct segments *s, const uint8_t *headers, const struct segment *segment) {
  uint32_t transport_length = s->headers_length - s->ip_length;
  uint64_t sum = checksum_pseudo(headers, headers[IPV4_PROTOCOL], (uint16_t)(transport_length + segment->payload_length));
  sum += checksum_add(headers + s->ip_length, transport_length);
  return sum + checksum_add(segment->payload, segment->payload_length);
}

static void write_tcp(const struct segments *s, uint8_t *headers, const struct segment *segment) {
  uint8_t *tcp = headers + s->ip_length;
  bool last = s->offset + segment->payload_length == s->payload_length;
  write32(tcp + TCP_SEQUENCE, read32(tcp + TCP_SEQUENCE) + s->offset);
  if (!last) tcp[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
  if (s->index > 0) tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
  write16(tcp + TCP_CHECKSUM, 0);
  checksum_write(tcp + TCP_CHECKSUM, add_transport(s, headers, segment));
}

static void write_udp(const struct segments *s, uint8_t *headers, const struct segment *segment) {
  uint8_t *udp = headers + s->ip_length;
  write16(udp + UDP_LENGTH, (uint16_t)(UDP_HEADER + segment->payload_length));
  write16(udp + UDP_CHECKSUM, 0);
  checksum_write_udp(udp + UDP_CHECKSUM, add_transport(s, headers, segment));
}

bool segments_next(struct segments *s, uint8_t headers[SEGMENT_HEADERS], struct segment *segment) {
  uint32_t left = s->payload_length - s->offset;
  if (left == 0) return false;
  segment->headers_length = s->headers_length;
  segment->payload_length = (uint16_t)(left < s->segment_size ? left : s->segment_size);
  segment->payload = s->payload + s->offset;
  memcpy(headers, s->headers, s->headers_length);
  write_ip(s, headers, s->headers_length + segment->payload_length);
  if (s->udp)
    write_udp(s, headers, segment);
  else
    write_tcp(s, headers, segment);
  s->offset += segment->payload_length;
  s->index++;
  return true;
}
