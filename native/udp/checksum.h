/*
 * The Internet checksum (RFC 1071), in two steps: sums of parts, as wide numbers that may be added to each other, and
 * one folding at the end. A part other than the last has an even length. Sums are of words in the machine's own order,
 * and what is folded is stored in that order too: one's complement sums do not mind.
 */
#ifndef LODEN_UDP_CHECKSUM_H
#define LODEN_UDP_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The sum of up to 64 KB. */
uint64_t checksum_add(const uint8_t *bytes, size_t length);

/* The sum over TCP's and UDP's pseudo header: the addresses in an IPv4 header, the protocol, and the length of all
 * that follows that header. */
uint64_t checksum_pseudo(const uint8_t *ip, uint8_t protocol, uint16_t length);

/* In the machine's order, not complemented: 0xffff when the checksum among what was added is right. */
uint16_t checksum_fold(uint64_t sum);

/* Stores the checksum for a sum that was taken while its field was zero. */
void checksum_write(uint8_t *field, uint64_t sum);

/* The same for UDP, where zero would mean that there is none (RFC 768). */
void checksum_write_udp(uint8_t *field, uint64_t sum);

#endif
