/* What the kernel knows of the way to an address: the uplink's MTU, a route's, or a smaller one that a router told of. */
#ifndef LODEN_UDP_PATH_MTU_H
#define LODEN_UDP_PATH_MTU_H

#include <stdint.h>

/* Bytes of the largest IP packet that goes there from the socket's own address without fragments; 0 when it is not told. */
uint32_t path_mtu(int socket, uint32_t address);

#endif
