/* What the parts of the fuzz target share. */
#ifndef LODEN_FUZZ_STATE_H
#define LODEN_FUZZ_STATE_H

#include <stdio.h>
#include <stdlib.h>

#include "udp/inbound.h"
#include "udp/inbox.h"
#include "udp/kernel-names.h"
#include "udp/outbound.h"
#include "udp/transmit.h"
#include "udp/ways.h"

#define CHECK(what)                                                                                                    \
  do {                                                                                                                 \
    if (!(what)) {                                                                                                     \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);                                        \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

#define MOST_PACKETS 4096
enum { OWN = 0xc0a80901, OTHER = 0xc0a80902 };

struct bytes {
  uint8_t *at;
  uint32_t length;
  uint32_t sender;
};

struct list {
  unsigned first, count;
  struct bytes item[MOST_PACKETS];
};

/* The input, and what is left of it; zero behind its end. */
extern const uint8_t *input;
extern size_t left;

static inline uint8_t take8(void) {
  if (left == 0) return 0;
  left--;
  return *input++;
}

static inline uint16_t take16(void) {
  uint16_t high = take8();
  return (uint16_t)(high << 8 | take8());
}

/* Each in memory of its own, so that a byte too far is noticed. */
static inline void add(struct list *list, const uint8_t *bytes, size_t length, uint32_t sender) {
  CHECK(list->count < MOST_PACKETS);
  uint8_t *copy = malloc(length ? length : 1);
  CHECK(copy);
  if (length > 0) memcpy(copy, bytes, length);
  list->item[list->count++] = (struct bytes){copy, (uint32_t)length, sender};
}

/* Which two addresses a packet is between, as a small number. */
static inline uint8_t pair_of(const uint8_t *packet) {
  return (uint8_t)((read32(packet + IPV4_SOURCE) * 31 + read32(packet + IPV4_DESTINATION)) % 251);
}

extern uint16_t last_id[256]; /* on the wire, by pair */
extern struct list wire;     /* on the way */
extern struct list expected; /* on the device, in this order within a flow */
extern struct inbound in;
extern bool joins_received; /* the kernel does */
extern int64_t now;     /* milliseconds */
extern uint32_t way_mtu; /* to every peer */
/* The last send to a peer that was refused to be cut: with what errno, and how long that counts. */
struct refusal {
  int error;
  int64_t until;
};
extern struct refusal refusals[2]; /* of OTHER and OWN */
extern struct transmitter transmitter;
extern uint64_t packets_sent, bytes_sent;

/* Sinks of the coalescer, and of answers to packets for nobody. */
void write_to_device(void *to, struct iovec *parts, int count);
void take_answer(void *to, struct iovec *parts, int count);

/* With `payload` bytes behind its headers, or as many as go. Its length. */
size_t make_packet(uint8_t *packet, size_t payload);
/* Makes it the next one of its flow; the checksums are then to be finished. */
void follow_up(uint8_t *packet, size_t length);
/* The IP header's, and those of TCP and UDP if `payload`. */
void finish_checksums(uint8_t *packet, size_t length, bool payload);

void step_peers(void);

#endif
