/*
 * A device belongs to one path. The kernel would let any number of processes attach to its queues, and give each of them
 * some of the flows, so that two daemons on one host would lose each other's packets.
 *
 * The claim is the name of an abstract Unix socket: it counts in this network namespace, as the device's own name does,
 * it is taken or refused at once, and it goes with the process however that ends.
 */
#ifndef LODEN_UDP_CLAIM_H
#define LODEN_UDP_CLAIM_H

#include "problem.h"

/* A descriptor that holds the claim until it is closed; -1 with the problem, EBUSY when another path has the device. */
int claim_device(const char *name, struct problem *problem);

#endif
