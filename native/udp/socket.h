/* The sockets on the uplink: one a thread, all bound to one address and port, between which the kernel spreads peers. */
#ifndef LODEN_UDP_SOCKET_H
#define LODEN_UDP_SOCKET_H

#include <stdint.h>

#include "problem.h"

/* Leaves `features` with those in use. On failure none is open. */
bool sockets_open(int *sockets, unsigned count, uint32_t address, uint16_t port, unsigned *features,
                  struct problem *problem);

#endif
