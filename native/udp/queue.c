#include "queue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "features.h"

/*
 * Frames that are read before they are sent; whichever is reached first. Two or three super-packets together save sends,
 * as one is a little more than one send takes; many would not stay in the cache.
 */
#define BATCH_FRAMES 128
#define BATCH_BYTES (128 << 10)
/* Batches before the other direction has its turn. */
#define ROUND_BATCHES 2
/* Frames lie behind one another, each from the start of a cache line. */
#define FRAMES_ROOM (BATCH_BYTES + FRAME_ROOM + 64)

static void write_to_device(void *to, struct iovec *parts, int count) {
  struct queue *q = to;
  tun_write(&q->tun, parts, count);
}

static void send_outbox(void *to, const struct outbox *outbox) {
  struct queue *q = to;
  transmit(&q->transmitter, outbox);
}

/* An error is one that was waiting in the socket, and is gone with this. */
static bool serve_socket(struct queue *q, struct problem *problem) {
  struct datagram datagram;
  if (inbox_receive(&q->inbox) < 0) {
    if (errno == EBADF || errno == ENOTSOCK) return fail_with(problem, errno, "receive from the uplink");
    if (errno != EAGAIN && errno != EINTR) count(&q->counters, RECEIVE_ERRORS, 1);
    return true;
  }
  while (inbox_next(&q->inbox, &datagram))
    inbound_add(&q->inbound, datagram.bytes, datagram.length, datagram.sender);
  inbound_flush(&q->inbound);
  return true;
}

/* While the outbox waits to be sent. A problem is met again at the socket's next turn. */
static void serve_socket_meanwhile(void *context) {
  struct problem problem;
  serve_socket(context, &problem);
}

static void set_up(struct queue *q, const struct queue_setup *setup) {
  const struct sink device = {write_to_device, q};
  q->number = setup->number;
  q->stop_fd = setup->stop_fd;
  q->roster = setup->roster;
  q->tun = setup->tun;
  q->tun.counters = &q->counters;
  q->ways.socket = q->transmitter.socket = setup->socket;
  q->transmitter.stop_fd = setup->stop_fd;
  q->transmitter.port = setup->port;
  q->transmitter.gso = setup->features & FEATURE_GSO;
  q->transmitter.ways = &q->ways;
  q->transmitter.counters = &q->counters;
  q->transmitter.meanwhile = serve_socket_meanwhile;
  q->transmitter.context = q;
  q->outbound.tunnel_address = setup->tunnel_address;
  q->outbound.ways = &q->ways;
  q->outbound.counters = &q->counters;
  q->outbound.back = device;
  q->outbound.send = send_outbox;
  q->outbound.to = q;
  outbox_empty(&q->outbound.outbox);
  q->inbound.accept_any = setup->accept_any;
  q->inbound.counters = &q->counters;
  q->inbound.coalescer.sink = device;
  q->inbound.coalescer.tcp = setup->features & FEATURE_TSO;
  q->inbound.coalescer.udp = setup->features & FEATURE_USO;
  q->inbound.coalescer.counters = &q->counters;
}

struct queue *queue_make(const struct queue_setup *setup) {
  struct queue *q = aligned_alloc(alignof(struct queue), sizeof *q);
  if (!q) return NULL;
  memset(q, 0, sizeof *q);
  set_up(q, setup);
  q->frames = aligned_alloc(64, FRAMES_ROOM / 64 * 64);
  if (q->frames && inbox_init(&q->inbox, setup->socket, &q->counters)) return q;
  free(q->frames);
  free(q);
  return NULL;
}

void queue_free(struct queue *q) {
  if (!q) return;
  close(q->tun.fd);
  close(q->inbox.socket);
  inbox_free(&q->inbox);
  free(q->frames);
  free(q);
}

/* False when the device has nothing more. */
static bool send_batch(struct queue *q) {
  size_t length = 1, used = 0;
  for (unsigned i = 0; i < BATCH_FRAMES && used < BATCH_BYTES && length > 0; i++) {
    length = tun_read(&q->tun, q->frames + used, FRAME_ROOM);
    if (length > 0) outbound_add(&q->outbound, q->frames + used, length);
    used = (used + length + 63) / 64 * 64;
  }
  outbound_flush(&q->outbound);
  return length > 0;
}

static void serve_device(struct queue *q) {
  for (unsigned i = 0; i < ROUND_BATCHES && send_batch(q); i++) continue;
}

static bool serve(struct queue *q, bool device, bool socket, struct problem *problem) {
  q->outbound.peers = q->inbound.peers = roster_enter(q->roster, q->number);
  if (device) serve_device(q);
  bool fine = !socket || serve_socket(q, problem);
  roster_leave(q->roster, q->number);
  if (q->tun.gone) return fail_with(problem, q->tun.gone, "the device is gone");
  return fine;
}

bool queue_run(struct queue *q, struct problem *problem) {
  struct pollfd fds[3] = {
      {.fd = q->stop_fd, .events = POLLIN},
      {.fd = q->tun.fd, .events = POLLIN},
      {.fd = q->inbox.socket, .events = POLLIN | POLLRDHUP},
  };
  for (;;) {
    if (poll(fds, 3, -1) < 0) {
      if (errno == EINTR) continue;
      return fail_with(problem, errno, "poll");
    }
    if (fds[0].revents) return true;
    /* A device that is down has nothing to read, and is no error. */
    if (fds[1].revents & (POLLERR | POLLNVAL)) return fail_with(problem, EBADFD, "the device is gone");
    /* One that was shut down would be readable for ever. */
    if (fds[2].revents & (POLLNVAL | POLLRDHUP)) return fail_with(problem, EBADF, "the uplink's socket is gone");
    if (!serve(q, fds[1].revents != 0, fds[2].revents != 0, problem)) return false;
  }
}
