/*
 * What the way to a peer takes whole, where that was found to be less than was sent.
 *
 *   a send to be cut is refused:   EMSGSIZE, EINVAL ─▶ ask for the path MTU ─▶ 1300 - 28 from now on
 *                                  EIO              ─▶ nothing is to be cut ─▶ 0
 *
 * The kernel cuts a send (UDP_SEGMENT) only into datagrams that need no fragments. So what may be cut at will, TCP, is
 * cut to this limit; other messages of larger packets are sent as single datagrams, which the kernel fragments.
 *
 * A limit is asked for again after a second, as the way may have become wider. A peer has one slot, by hash, and takes it
 * from whoever had it: of a hundred peers with limits, one or two pairs would take it from each other.
 */
#ifndef LODEN_UDP_WAYS_H
#define LODEN_UDP_WAYS_H

#include <stdint.h>

#define WAYS_BITS 12
#define WAYS (1 << WAYS_BITS)

struct way {
  uint32_t peer; /* 0: free */
  uint32_t limit;
  int64_t until_ms;
};

struct ways {
  int socket; /* which sends */
  struct way way[WAYS];
};

/* Bytes of payload in the largest datagram that a send to the peer may be cut into; UINT32_MAX when nothing is known. */
uint32_t ways_limit(struct ways *ways, uint32_t peer);

/* A send that was to be cut was refused with this errno. */
void ways_narrow(struct ways *ways, uint32_t peer, int error);

#endif
