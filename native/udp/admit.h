/*
 * Which packets are taken in: from a peer's public address, and only with an inner source in that peer's subnet, or that
 * very address. So a stranger cannot reach containers, nor one host speak for another's.
 *
 * A host's own address is the source of its answers to a container whose packets went to it untranslated, beside the
 * tunnel: the way back to the container's subnet is through it.
 */
#ifndef LODEN_UDP_ADMIT_H
#define LODEN_UDP_ADMIT_H

#include "packet.h"
#include "peers.h"

enum admission { ADMITTED, UNKNOWN_SENDER, WRONG_SOURCE };

/* `accept_any`: the sender's address is not looked at; the inner source must still be some peer's. */
static inline enum admission admit(const struct peers *peers, const struct packet *packet, uint32_t sender,
                                   bool accept_any) {
  uint32_t public_ip = peers_find(peers, packet->source);
  if (public_ip != 0 && (accept_any || public_ip == sender)) return ADMITTED;
  bool known = peers_know(peers, sender);
  if (known && packet->source == sender) return ADMITTED;
  return accept_any || known ? WRONG_SOURCE : UNKNOWN_SENDER;
}

#endif
