/*
 * What a thread counts. Each has its own, in cache lines of their own; anybody may read them at any time, and gets each
 * number whole. Only the thread itself writes, so counting is a plain addition.
 */
#ifndef LODEN_UDP_COUNTERS_H
#define LODEN_UDP_COUNTERS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/* "Sent" is from containers to peers, "received" the other way; bytes are of inner packets. */
#define COUNTERS(_)                                                                                                    \
  _(SENT_PACKETS, "sent_packets")                                                                                      \
  _(SENT_BYTES, "sent_bytes")                                                                                          \
  _(RECEIVED_PACKETS, "received_packets")                                                                              \
  _(RECEIVED_BYTES, "received_bytes")                                                                                  \
  _(GSO_SENDS, "gso_sends")               /* sends that the kernel cut into datagrams */                               \
  _(GSO_PACKETS, "gso_packets")           /* packets in them */                                                        \
  _(GSO_REFUSALS, "gso_refusals")         /* sends that the way to a peer did not take to be cut */                    \
  _(GRO_RECEIVES, "gro_receives")         /* receives of datagrams that the kernel had joined */                       \
  _(GRO_PACKETS, "gro_packets")           /* packets in them */                                                        \
  _(MERGED_WRITES, "merged_writes")       /* super-packets written to the device */                                    \
  _(MERGED_PACKETS, "merged_packets")     /* packets in them */                                                        \
  _(DROPPED_NO_ROUTE, "dropped_no_route") /* for no peer's subnet */                                                   \
  _(DROPPED_TTL, "dropped_ttl")                                                                                        \
  _(DROPPED_NOT_IPV4, "dropped_not_ipv4")                                                                              \
  _(DROPPED_MALFORMED, "dropped_malformed")                                                                            \
  _(DROPPED_TOO_BIG, "dropped_too_big")               /* for one UDP datagram */                                       \
  _(DROPPED_UNKNOWN_SENDER, "dropped_unknown_sender") /* from no peer's public address */                              \
  _(DROPPED_WRONG_SOURCE, "dropped_wrong_source")     /* inner source neither that peer's address nor its subnet's */  \
  _(BAD_CHECKSUMS, "bad_checksums")                   /* of inner packets; they were passed on as they came */         \
  _(SEND_ERRORS, "send_errors")                       /* packets that the socket refused */                            \
  _(RECEIVE_ERRORS, "receive_errors")                                                                                  \
  _(DEVICE_ERRORS, "device_errors") /* writes that the device refused; it may be down */

enum counter {
#define COUNTER(name, text) name,
  COUNTERS(COUNTER)
#undef COUNTER
      COUNTER_COUNT
};

struct counters {
  alignas(64) _Atomic uint64_t value[COUNTER_COUNT];
};

static inline void count(struct counters *counters, enum counter which, uint64_t by) {
  uint64_t value = atomic_load_explicit(&counters->value[which], memory_order_relaxed);
  atomic_store_explicit(&counters->value[which], value + by, memory_order_relaxed);
}

static inline uint64_t counted(const struct counters *counters, enum counter which) {
  return atomic_load_explicit(&((struct counters *)counters)->value[which], memory_order_relaxed);
}

#endif
