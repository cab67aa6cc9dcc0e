#include "packet.h"

#include "checksum.h"

/* flannel's choice; an answer goes no further than this host and its containers. */
static const uint8_t UNREACHABLE_TTL = 8;
enum { ICMP_DESTINATION_UNREACHABLE = 3, ICMP_CHECKSUM = 2, ICMP_HEADER = 8 };

enum packet_kind packet_read(struct packet *packet, uint8_t *bytes, size_t room) {
  if (room < 1 || bytes[0] >> 4 != 4) return PACKET_NOT_IPV4;
  if (room < IPV4_HEADER) return PACKET_MALFORMED;
  uint8_t header_length = (uint8_t)((bytes[0] & 15) * 4);
  uint16_t length = read16(bytes + IPV4_LENGTH);
  if (header_length < IPV4_HEADER || length < header_length || length > room) return PACKET_MALFORMED;
  *packet = (struct packet){
      .bytes = bytes,
      .room = (uint32_t)room,
      .length = length,
      .header_length = header_length,
      .protocol = bytes[IPV4_PROTOCOL],
      .fragment = (read16(bytes + IPV4_FRAGMENT) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) != 0,
      .source = read32(bytes + IPV4_SOURCE),
      .destination = read32(bytes + IPV4_DESTINATION),
  };
  return PACKET_FINE;
}

/* RFC 1624; the TTL is the high byte of its word, so the sum's complement grows by 0x100. */
bool packet_age(struct packet *packet) {
  uint8_t *bytes = packet->bytes;
  if (bytes[IPV4_TTL] <= 1) return false;
  bytes[IPV4_TTL]--;
  uint32_t checksum = read16(bytes + IPV4_CHECKSUM) + 0x100u;
  write16(bytes + IPV4_CHECKSUM, (uint16_t)(checksum + (checksum >= 0xffff)));
  return true;
}

size_t packet_unreachable(const struct packet *packet, uint32_t from, uint8_t answer[UNREACHABLE_ROOM]) {
  if (packet->protocol == PROTOCOL_ICMP) return 0;
  if (read16(packet->bytes + IPV4_FRAGMENT) & FRAGMENT_OFFSET) return 0;
  size_t quoted = packet->header_length + 8u;
  if (quoted > packet->length) quoted = packet->length;
  size_t length = IPV4_HEADER + ICMP_HEADER + quoted;
  memset(answer, 0, IPV4_HEADER + ICMP_HEADER);
  answer[0] = 0x45; /* version 4, five words of header */
  write16(answer + IPV4_LENGTH, (uint16_t)length);
  answer[IPV4_TTL] = UNREACHABLE_TTL;
  answer[IPV4_PROTOCOL] = PROTOCOL_ICMP;
  write32(answer + IPV4_SOURCE, from);
  write32(answer + IPV4_DESTINATION, packet->source);
  checksum_write(answer + IPV4_CHECKSUM, checksum_add(answer, IPV4_HEADER));
  uint8_t *icmp = answer + IPV4_HEADER;
  icmp[0] = ICMP_DESTINATION_UNREACHABLE; /* code 0: the network */
  memcpy(icmp + ICMP_HEADER, packet->bytes, quoted);
  checksum_write(icmp + ICMP_CHECKSUM, checksum_add(icmp, ICMP_HEADER + quoted));
  return length;
}
