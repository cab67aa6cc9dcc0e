/*
 * Which host is behind an inner address: an immutable table, made anew for every change.
 *
 *   10.9.7.23 ──┬─ /22: hash of 10.9.4.0 ── none
 *               └─ /24: hash of 10.9.7.0 ── found: 192.0.2.7
 *
 * One hash for each prefix length that occurs, longest first. A network has one length as a rule, so a look-up costs
 * one probe or two however many peers there are: some ten nanoseconds. A hash of the public addresses says whether a
 * sender is a peer at all.
 */
#ifndef LODEN_UDP_PEERS_H
#define LODEN_UDP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
  uint32_t network;
  uint32_t length; /* of the prefix: 0 to 32 */
  uint32_t public_ip;
};

struct peers;

/* NULL without memory, or when a length is above 32 or a public address 0. Of two for one subnet the later counts. */
struct peers *peers_make(const struct peer *list, size_t count);
void peers_free(struct peers *peers);

/* The public address of the host that has this inner address; 0 when none has. */
uint32_t peers_find(const struct peers *peers, uint32_t address);

/* Whether this is the public address of any peer. */
bool peers_know(const struct peers *peers, uint32_t public_ip);

#endif
