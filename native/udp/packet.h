/*
 * IPv4 packets as they lie in memory: reading a header, taking one from its TTL, and the ICMP answer to a packet that
 * nobody is there for. Addresses and ports are in host order, wherever they are numbers.
 */
#ifndef LODEN_UDP_PACKET_H
#define LODEN_UDP_PACKET_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum protocol { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* Where the fields are in an IPv4 header (RFC 791). */
enum ipv4_field {
  IPV4_TOS = 1,
  IPV4_LENGTH = 2,
  IPV4_ID = 4,
  IPV4_FRAGMENT = 6,
  IPV4_TTL = 8,
  IPV4_PROTOCOL = 9,
  IPV4_CHECKSUM = 10,
  IPV4_SOURCE = 12,
  IPV4_DESTINATION = 16,
  IPV4_HEADER = 20, /* its length without options */
};
/* Of the field IPV4_FRAGMENT. */
enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, FRAGMENT_OFFSET = 0x1fff };

/* TCP (RFC 9293) and UDP (RFC 768), from the start of their headers. */
enum tcp_field {
  TCP_SEQUENCE = 4,
  TCP_ACKNOWLEDGED = 8,
  TCP_DATA_OFFSET = 12,
  TCP_FLAGS = 13,
  TCP_WINDOW = 14,
  TCP_CHECKSUM = 16,
  TCP_URGENT = 18,
  TCP_HEADER = 20,
};
enum tcp_flag { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_ACK = 0x10, TCP_CWR = 0x80 };
enum udp_field { UDP_LENGTH = 4, UDP_CHECKSUM = 6, UDP_HEADER = 8 };

static inline uint16_t read16(const uint8_t *from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return be16toh(value);
}

static inline uint32_t read32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return be32toh(value);
}

static inline void write16(uint8_t *to, uint16_t value) {
  value = htobe16(value);
  memcpy(to, &value, sizeof value);
}

static inline void write32(uint8_t *to, uint32_t value) {
  value = htobe32(value);
  memcpy(to, &value, sizeof value);
}

struct packet {
  uint8_t *bytes;
  uint32_t room;        /* bytes that arrived: `length`, and what a sender may have put after it */
  uint32_t length;      /* as the header says */
  uint8_t header_length; /* of the IP header */
  uint8_t protocol;
  bool fragment; /* the first, or a later one */
  uint32_t source, destination;
};

enum packet_kind { PACKET_FINE, PACKET_NOT_IPV4, PACKET_MALFORMED };

/* Fills `packet` in when it is fine; then the whole header, and all of `length`, lie within `room`. */
enum packet_kind packet_read(struct packet *packet, uint8_t *bytes, size_t room);

/* Takes one from the TTL and mends the checksum by that much, so a wrong one stays wrong; false when none is left. */
bool packet_age(struct packet *packet);

/* The largest answer: an IP and an ICMP header, then the largest IP header and eight bytes more. */
#define UNREACHABLE_ROOM (20 + 8 + 60 + 8)

/*
 * Writes ICMP "network unreachable" from address `from` to the packet's sender. Returns its length; 0 when none may be
 * sent (RFC 1812, 4.3.2.7): to ICMP, and to a fragment other than the first.
 */
size_t packet_unreachable(const struct packet *packet, uint32_t from, uint8_t answer[UNREACHABLE_ROOM]);

#endif
