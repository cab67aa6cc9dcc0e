/*
 * A device belongs to one daemon. Two on one host would put it to rights for ever, each undoing the other's work; and as
 * the kernel lets any number of processes attach to its queues, and gives each of them some of the flows, they would
 * lose each other's packets. So who wants to set a device up, or to attach to it, claims it first.
 *
 * The claim is the name of an abstract Unix socket: it counts in this network namespace, as the device's own name does,
 * it is taken or refused at once, and it goes with the process however that ends.
 */
#ifndef LODEN_UDP_CLAIM_H
#define LODEN_UDP_CLAIM_H

#include "problem.h"

/* A descriptor that holds the claim until it is closed; -1 with the problem, EBUSY when it has been claimed. */
int claim_device(const char *name, struct problem *problem);

#endif
