/*
 * One thread, with one queue of the device and one socket, which serves both directions by turns:
 *
 *              ┌─▶ read a round of frames ─▶ outbound ─▶ outbox ─▶ transmit ─┐
 *   device ◀──▶│                                                            │◀──▶ socket
 *              └── write ◀── coalescer ◀── inbound ◀── receive a round ◀────┘
 *
 * It sleeps in poll() when neither has anything. A round is large enough to share the cost of calls, and small enough
 * to stay in the processor's cache. Nothing is allocated after the start.
 */
#ifndef LODEN_UDP_QUEUE_H
#define LODEN_UDP_QUEUE_H

#include "inbound.h"
#include "inbox.h"
#include "outbound.h"
#include "roster.h"
#include "transmit.h"
#include "tun.h"

struct queue {
  unsigned number; /* its reader's number in the roster */
  int stop_fd;
  struct roster *roster;
  struct tun tun;
  struct counters counters;
  struct ways ways;
  struct transmitter transmitter;
  struct outbound outbound;
  struct inbox inbox;
  struct inbound inbound;
  uint8_t *frames; /* what was read in a round */
};

struct queue_setup {
  unsigned number;
  int stop_fd, socket;
  struct tun tun;
  struct roster *roster;
  unsigned features;
  uint16_t port;
  uint32_t tunnel_address;
  bool accept_any;
};

/* NULL without memory. The descriptors remain the caller's then, and are the queue's otherwise. */
struct queue *queue_make(const struct queue_setup *setup);
void queue_free(struct queue *queue);

/* Runs until stop_fd is readable; false with the problem when it cannot go on. */
bool queue_run(struct queue *queue, struct problem *problem);

#endif
