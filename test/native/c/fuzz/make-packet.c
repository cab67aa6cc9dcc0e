/* Packets that are right in all that the input does not say otherwise: random bytes alone would seldom get far. */
#include "state.h"
#include "udp/checksum.h"

static const uint32_t ADDRESSES[] = {0x0a090107, 0x0a090207, 0x0a090208, 0x0a094d01, 0x08080808};

static uint32_t take_address(void) {
  uint8_t choice = take8();
  return ADDRESSES[choice < 200 ? choice % 2 : choice % 5];
}

static void write_ip(uint8_t *packet, size_t header_length, size_t length, uint8_t protocol, uint8_t how) {
  memset(packet, 1, header_length);
  packet[0] = (uint8_t)(0x40 | header_length / 4);
  packet[IPV4_TOS] = 0;
  write16(packet + IPV4_LENGTH, (uint16_t)length);
  write16(packet + IPV4_ID, take16());
  write16(packet + IPV4_FRAGMENT, how & 32 ? take16() : DONT_FRAGMENT);
  packet[IPV4_TTL] = how & 64 ? take8() % 16 : 64;
  packet[IPV4_PROTOCOL] = protocol;
  write32(packet + IPV4_SOURCE, take_address());
  write32(packet + IPV4_DESTINATION, take_address());
}

size_t make_packet(uint8_t *packet, size_t payload) {
  uint8_t how = take8();
  uint8_t protocol = how & 1 ? PROTOCOL_TCP : how & 2 ? PROTOCOL_UDP : take8();
  size_t options = how & 4 && how & 16 ? take8() % 11 * 4 : 0, tcp_options = how & 8 ? take8() % 11 * 4 : 0;
  size_t ip = IPV4_HEADER + options;
  size_t transport = protocol == PROTOCOL_TCP ? TCP_HEADER + tcp_options : protocol == PROTOCOL_UDP ? UDP_HEADER : 0;
  size_t length = ip + transport + payload < UINT16_MAX ? ip + transport + payload : UINT16_MAX;
  uint8_t *header = packet + ip, salt = take8();
  write_ip(packet, ip, length, protocol, how);
  memset(header, 1, transport);
  for (size_t i = ip + transport; i < length; i++) packet[i] = (uint8_t)(i * 7 + salt);
  if (protocol == PROTOCOL_UDP) {
    write16(header + UDP_LENGTH, (uint16_t)(UDP_HEADER + payload));
    write16(header + UDP_CHECKSUM, 0);
  }
  if (protocol != PROTOCOL_TCP) return length;
  header[TCP_DATA_OFFSET] = (uint8_t)(transport / 4 << 4);
  header[TCP_FLAGS] = how & 128 ? take8() : TCP_ACK;
  write32(header + TCP_SEQUENCE, UINT32_MAX - take16());
  return length;
}

void follow_up(uint8_t *packet, size_t length) {
  uint8_t *header = packet + (packet[0] & 15) * 4;
  write16(packet + IPV4_ID, (uint16_t)(read16(packet + IPV4_ID) + 1));
  if (packet[IPV4_PROTOCOL] != PROTOCOL_TCP) return;
  size_t headers = (size_t)(header - packet) + (header[TCP_DATA_OFFSET] >> 4) * 4u;
  write32(header + TCP_SEQUENCE, read32(header + TCP_SEQUENCE) + (uint32_t)(length - headers));
}

void finish_checksums(uint8_t *packet, size_t length, bool payload) {
  size_t ip = (packet[0] & 15) * 4u;
  bool udp = packet[IPV4_PROTOCOL] == PROTOCOL_UDP;
  write16(packet + IPV4_CHECKSUM, 0);
  checksum_write(packet + IPV4_CHECKSUM, checksum_add(packet, ip));
  if (!payload || (!udp && packet[IPV4_PROTOCOL] != PROTOCOL_TCP)) return;
  uint8_t *field = packet + ip + (udp ? UDP_CHECKSUM : TCP_CHECKSUM);
  write16(field, 0);
  uint64_t sum = checksum_pseudo(packet, packet[IPV4_PROTOCOL], (uint16_t)(length - ip));
  checksum_write_udp(field, sum + checksum_add(packet + ip, length - ip)); /* for TCP: zero's other form, also right */
}
