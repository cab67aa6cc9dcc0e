#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel-names.h"

/* The kernel shortens lengths to what it wrote. */
static void prepare(struct inbox *inbox, unsigned i) {
  inbox->parts[i] = (struct iovec){inbox->room + (size_t)i * INBOX_ROOM, INBOX_ROOM};
  inbox->headers[i].msg_hdr = (struct msghdr){
      .msg_name = &inbox->from[i],
      .msg_namelen = sizeof inbox->from[i],
      .msg_iov = &inbox->parts[i],
      .msg_iovlen = 1,
      .msg_control = &inbox->control[i],
      .msg_controllen = sizeof inbox->control[i],
  };
}

bool inbox_init(struct inbox *inbox, int socket, struct counters *counters) {
  inbox->socket = socket;
  inbox->counters = counters;
  inbox->received = inbox->buffer = 0;
  inbox->room = aligned_alloc(4096, (size_t)INBOX_BUFFERS * INBOX_ROOM);
  if (!inbox->room) return false;
  for (unsigned i = 0; i < INBOX_BUFFERS; i++) prepare(inbox, i);
  return true;
}

void inbox_free(struct inbox *inbox) {
  free(inbox->room);
}

/* The size of each datagram in a buffer; the last may be shorter. */
static size_t size_in(struct inbox *inbox, unsigned i) {
  struct mmsghdr *received = &inbox->headers[i];
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&received->msg_hdr); c; c = CMSG_NXTHDR(&received->msg_hdr, c)) {
    int size;
    if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
    memcpy(&size, CMSG_DATA(c), sizeof size);
    if (size <= 0 || (unsigned)size >= received->msg_len) continue;
    count(inbox->counters, GRO_RECEIVES, 1);
    count(inbox->counters, GRO_PACKETS, (received->msg_len + (unsigned)size - 1) / (unsigned)size);
    return (size_t)size;
  }
  return received->msg_len;
}

int inbox_receive(struct inbox *inbox) {
  for (unsigned i = 0; i < inbox->received; i++) prepare(inbox, i);
  inbox->received = inbox->buffer = 0;
  inbox->offset = 0;
  int received = recvmmsg(inbox->socket, inbox->headers, INBOX_BUFFERS, MSG_DONTWAIT, NULL);
  if (received > 0) inbox->received = (unsigned)received;
  return received;
}

bool inbox_next(struct inbox *inbox, struct datagram *datagram) {
  while (inbox->buffer < inbox->received) {
    size_t length = inbox->headers[inbox->buffer].msg_len;
    if (inbox->offset == 0) inbox->size = size_in(inbox, inbox->buffer);
    if (inbox->offset < length) {
      size_t left = length - inbox->offset;
      datagram->bytes = (uint8_t *)inbox->parts[inbox->buffer].iov_base + inbox->offset;
      datagram->length = left < inbox->size ? left : inbox->size;
      datagram->sender = ntohl(inbox->from[inbox->buffer].sin_addr.s_addr);
      inbox->offset += datagram->length;
      return true;
    }
    if (length == 0) count(inbox->counters, DROPPED_NOT_IPV4, 1);
    inbox->buffer++;
    inbox->offset = 0;
  }
  return false;
}
