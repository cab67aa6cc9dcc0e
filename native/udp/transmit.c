#include "transmit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "kernel-names.h"

/* How long a full send buffer may keep what is to be sent; what it cannot take then is dropped. */
static const int PATIENCE_MS = 100;

/* What comes in meanwhile is not made to wait as well. */
static bool wait_for_room(const struct transmitter *t) {
  struct pollfd fds[2] = {{.fd = t->socket, .events = POLLIN | POLLOUT}, {.fd = t->stop_fd, .events = POLLIN}};
  const int64_t end = now_ms() + PATIENCE_MS;
  for (int64_t now = end - PATIENCE_MS; now < end; now = now_ms()) {
    if (poll(fds, 2, (int)(end - now)) <= 0 || fds[1].revents != 0) return false;
    if (fds[0].revents & POLLOUT) return true;
    t->meanwhile(t->context);
  }
  return false;
}

/* Sends the first of `batch`, and as many of the others as go; their number, or -1 with errno. */
static int send_some(struct transmitter *t, struct mmsghdr *batch, unsigned length) {
  for (;;) {
    int sent = sendmmsg(t->socket, batch, length, MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    const bool full = sent < 0 && errno == EAGAIN;
    if (full && !t->stuck && wait_for_room(t)) continue;
    t->stuck = full;
    if (full) errno = EAGAIN; /* waiting may have set another */
    return sent;
  }
}

static void count_sent(const struct transmitter *t, unsigned packets, uint64_t bytes) {
  count(t->counters, SENT_PACKETS, packets);
  count(t->counters, SENT_BYTES, bytes);
}

/* Finds the parts of each packet: all are of the message's size, but for the last. */
static unsigned address_singles(struct transmitter *t, const struct message *message, struct sockaddr_in *to) {
  unsigned packets = 0;
  for (unsigned part = 0; part < message->parts; packets++) {
    struct msghdr *header = &t->singles[packets].msg_hdr;
    *header = (struct msghdr){
        .msg_name = to, .msg_namelen = sizeof *to, .msg_iov = (struct iovec *)&message->part[part]};
    for (size_t length = 0; part < message->parts && length < message->size; part++, header->msg_iovlen++)
      length += message->part[part].iov_len;
  }
  return packets;
}

/* What one of them meets, the rest would meet as well. */
static void send_singly(struct transmitter *t, const struct message *message, struct sockaddr_in *to) {
  unsigned packets = address_singles(t, message, to);
  for (unsigned done = 0; done < packets;) {
    int sent = send_some(t, t->singles + done, packets - done);
    if (sent < 0) {
      count(t->counters, SEND_ERRORS, packets - done);
      return;
    }
    for (int i = 0; i < sent; i++) count_sent(t, 1, t->singles[done + (unsigned)i].msg_len);
    done += (unsigned)sent;
  }
}

static void ask_to_cut(struct transmitter *t, unsigned i, uint16_t size) {
  struct msghdr *header = &t->batch[i].msg_hdr;
  header->msg_control = &t->control[i];
  header->msg_controllen = sizeof t->control[i];
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  control->cmsg_level = IPPROTO_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(control), &size, sizeof size);
}

static void address_batch(struct transmitter *t, const struct outbox *outbox) {
  for (unsigned i = 0; i < outbox->count; i++) {
    const struct message *message = &outbox->message[i];
    t->to[i] = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(t->port), .sin_addr.s_addr = htonl(message->peer)};
    t->batch[i].msg_hdr = (struct msghdr){
        .msg_name = &t->to[i],
        .msg_namelen = sizeof t->to[i],
        .msg_iov = (struct iovec *)message->part,
        .msg_iovlen = message->parts,
    };
    if (message->packets > 1) ask_to_cut(t, i, (uint16_t)message->size);
  }
}

static void count_message(const struct transmitter *t, const struct message *message) {
  count_sent(t, message->packets, message->bytes);
  if (message->packets < 2) return;
  count(t->counters, GSO_SENDS, 1);
  count(t->counters, GSO_PACKETS, message->packets);
}

static bool goes_whole(const struct transmitter *t, const struct message *message) {
  return message->packets == 1 || (t->gso && message->size <= ways_limit(t->ways, message->peer));
}

/* How many messages, from the first that is left, one call may send. */
static unsigned count_whole(const struct transmitter *t, const struct outbox *outbox, unsigned first) {
  unsigned end = first;
  while (end < outbox->count && goes_whole(t, &outbox->message[end])) end++;
  return end - first;
}

/* The message may fare better in pieces. */
static void send_refused(struct transmitter *t, const struct message *message, struct sockaddr_in *to, int error) {
  if (message->packets == 1 || (error != EMSGSIZE && error != EINVAL && error != EIO)) {
    count(t->counters, SEND_ERRORS, message->packets);
    return;
  }
  count(t->counters, GSO_REFUSALS, 1);
  ways_narrow(t->ways, message->peer, error);
  send_singly(t, message, to);
}

void transmit(struct transmitter *t, const struct outbox *outbox) {
  address_batch(t, outbox);
  for (unsigned done = 0; done < outbox->count;) {
    unsigned whole = count_whole(t, outbox, done);
    if (whole == 0) {
      send_singly(t, &outbox->message[done], &t->to[done]);
      done++;
      continue;
    }
    int sent = send_some(t, t->batch + done, whole);
    if (sent < 0) {
      send_refused(t, &outbox->message[done], &t->to[done], errno);
      done++;
    }
    for (int i = 0; i < sent; i++) count_message(t, &outbox->message[done++]);
  }
}
