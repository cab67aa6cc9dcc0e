/*
 * The packet path of one device: its threads from open to close. Each has all that it works with to itself; they share
 * the roster of peers, which they only read.
 */
#ifndef LODEN_UDP_PATH_H
#define LODEN_UDP_PATH_H

#include <net/if.h>
#include <stdint.h>

#include "counters.h"
#include "peers.h"
#include "problem.h"

struct path;

struct path_wish {
  char device[IFNAMSIZ + 1]; /* room to notice a name that is too long */
  uint32_t address; /* the sockets' */
  uint16_t port;    /* ours, and every peer's */
  uint32_t tunnel_address;
  unsigned queues; /* 0: by the number of cores */
  bool accept_any;
  unsigned without; /* features not to use */
  /* Called once at most, on a thread of the path, when it cannot go on. The others do until the path is closed. */
  void (*failed)(void *context, const struct problem *problem);
  void *context;
};

/* Threads run when it returns, without peers yet. NULL with the problem. */
struct path *path_open(const struct path_wish *wish, struct problem *problem);
/* The threads have ended when it returns. The device stays. */
void path_close(struct path *path);

unsigned path_features(const struct path *path);
unsigned path_queues(const struct path *path);

/* False once the device that the threads serve is not the one of that name: moved, renamed, or about to end them. */
bool path_is_attached(const struct path *path);

/* Takes `peers` over; false, and then they are still the caller's, without memory. One caller at a time. */
bool path_set_peers(struct path *path, struct peers *peers);

/* Sums over the threads, since the path was opened. */
void path_counters(const struct path *path, uint64_t sums[COUNTER_COUNT]);

#endif
