/*
 * The table of peers that counts now, exchanged while packets flow.
 *
 *   setPeers ──▶ current ◀── a thread takes it for one round of packets, and names it in its slot
 *                   └─ the one before waits until no slot names it, and is freed
 *
 * A thread pays two stores a round, and never waits; these are hazard pointers. Only one thread publishes.
 */
#ifndef LODEN_UDP_ROSTER_H
#define LODEN_UDP_ROSTER_H

#include <stdalign.h>
#include <stdatomic.h>

#include "peers.h"

#define ROSTER_READERS 64

struct roster_slot {
  alignas(64) _Atomic(struct peers *) in_use; /* a cache line of its own */
};

struct retired {
  struct retired *next;
  struct peers *peers;
};

struct roster {
  _Atomic(struct peers *) current;
  struct retired *retired;
  struct roster_slot readers[ROSTER_READERS];
};

/* Begins without peers; false without memory. */
bool roster_init(struct roster *roster);
/* When no thread reads any more. */
void roster_free(struct roster *roster);

/* Takes `peers` over; false, and then they are still the caller's, without memory. */
bool roster_publish(struct roster *roster, struct peers *peers);

/* The table, which stays until the same reader takes the next or leaves. */
const struct peers *roster_enter(struct roster *roster, unsigned reader);
void roster_leave(struct roster *roster, unsigned reader);

#endif
