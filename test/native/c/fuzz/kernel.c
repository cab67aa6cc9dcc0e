/* The kernel's part: system calls in place of the real ones, which refuse, shorten and join at the input's word. */
#include <errno.h>
#include <poll.h>

#include "state.h"
#include "udp/admit.h"
#include "udp/path-mtu.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, length) ((void)(at), (void)(length))
#define ASAN_UNPOISON_MEMORY_REGION(at, length) ((void)(at), (void)(length))
#endif

struct list wire, expected;
uint64_t packets_sent, bytes_sent;
bool joins_received;
int64_t now;
uint32_t way_mtu;
struct refusal refusals[2];

static struct refusal *refusal_of(const struct msghdr *message) {
  const struct sockaddr_in *to = message->msg_name;
  return &refusals[to->sin_addr.s_addr == htonl(OWN)];
}

/* What may be cut after a refusal: for a while nothing, if that was its word, and else what the way takes. */
static bool may_be_cut(const struct refusal *refusal, size_t size) {
  if (refusal->error == 0) return true;
  bool nothing = refusal->error == EIO && now < refusal->until;
  return !nothing && size + 28 <= way_mtu;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  (void)clock;
  *time = (struct timespec){.tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000};
  return 0;
}

uint32_t path_mtu(int socket, uint32_t address) {
  CHECK(socket == transmitter.socket && (address == OWN || address == OTHER));
  return way_mtu;
}

static void check_order(const uint8_t *packet) {
  uint16_t id = read16(packet + IPV4_ID), *before = &last_id[pair_of(packet)];
  CHECK((uint16_t)(id - *before) < 0x8000);
  *before = id;
}

/* One packet, or several that are to be cut at a size. */
static void put_on_wire(const struct msghdr *message) {
  static uint8_t whole[1 << 17];
  size_t length = 0, size;
  for (size_t i = 0; i < message->msg_iovlen; i++) {
    CHECK(length + message->msg_iov[i].iov_len <= LARGEST_PAYLOAD);
    memcpy(whole + length, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    length += message->msg_iov[i].iov_len;
  }
  size = length;
  if (message->msg_controllen > 0) {
    uint16_t cut;
    memcpy(&cut, CMSG_DATA(CMSG_FIRSTHDR(message)), sizeof cut);
    size = cut;
    CHECK(size > 0 && size < length && (length + size - 1) / size <= MESSAGE_PACKETS);
    CHECK(may_be_cut(refusal_of(message), size));
  }
  for (size_t at = 0; at < length; at += size, packets_sent++) {
    check_order(whole + at);
    add(&wire, whole + at, length - at < size ? length - at : size, OTHER);
  }
  bytes_sent += length;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  static const int ERRORS[] = {EMSGSIZE, EINVAL, EIO, EAGAIN, EINTR, ENOBUFS, EPERM};
  (void)fd, (void)flags;
  CHECK(count > 0);
  uint8_t whim = take8();
  if (whim >= 224) {
    errno = ERRORS[whim % 7];
    bool about_cutting = errno == EMSGSIZE || errno == EINVAL || errno == EIO;
    if (about_cutting && messages->msg_hdr.msg_controllen > 0)
      *refusal_of(&messages->msg_hdr) = (struct refusal){.error = errno, .until = now + 1000};
    return -1;
  }
  if (whim >= 192) count = 1 + whim % count;
  for (unsigned i = 0; i < count; i++) {
    put_on_wire(&messages[i].msg_hdr);
    messages[i].msg_len = 0;
    for (size_t part = 0; part < messages[i].msg_hdr.msg_iovlen; part++)
      messages[i].msg_len += (unsigned)messages[i].msg_hdr.msg_iov[part].iov_len;
  }
  return (int)count;
}

/* Of the socket alone; whatever was not asked for does not come. */
int poll(struct pollfd *fds, nfds_t count, int timeout) {
  static const short WHIMS[] = {0, POLLIN, POLLOUT, POLLIN | POLLOUT};
  (void)timeout;
  for (nfds_t i = 0; i < count; i++) fds[i].revents = 0;
  fds[0].revents = WHIMS[take8() % 4] & fds[0].events;
  return fds[0].revents != 0;
}

/* What a packet becomes that is let in; the reference is admit() and packet_age(), which other tests hold to account. */
static void expect(const struct bytes *datagram) {
  struct packet packet;
  add(&expected, datagram->at, datagram->length, 0);
  struct bytes *copy = &expected.item[expected.count - 1];
  if (packet_read(&packet, copy->at, copy->length) == PACKET_FINE &&
      admit(in.peers, &packet, datagram->sender, in.accept_any) == ADMITTED && packet_age(&packet))
    return;
  free(copy->at);
  expected.count--;
}

/* Equal sizes from one sender are joined, with a shorter one at the end, as the kernel would. */
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  (void)fd, (void)flags, (void)timeout;
  unsigned used = 0;
  for (; used < count && wire.first < wire.count; used++) {
    struct msghdr *header = &messages[used].msg_hdr;
    struct bytes *first = &wire.item[wire.first], *next = first;
    size_t length = 0;
    ASAN_UNPOISON_MEMORY_REGION(header->msg_iov[0].iov_base, INBOX_ROOM);
    int size = (int)first->length;
    do {
      expect(next);
      memcpy((uint8_t *)header->msg_iov[0].iov_base + length, next->at, next->length);
      length += next->length;
      free(next->at);
      wire.first++;
      if (next->length < first->length) break;
      next++;
    } while (joins_received && size > 0 && wire.first < wire.count && next->sender == first->sender &&
             next->length <= first->length && length + next->length <= UINT16_MAX);
    messages[used].msg_len = (unsigned)length;
    ASAN_POISON_MEMORY_REGION((uint8_t *)header->msg_iov[0].iov_base + length, INBOX_ROOM - length);
    ((struct sockaddr_in *)header->msg_name)->sin_addr.s_addr = htonl(first->sender);
    header->msg_controllen = 0;
    if (length <= (size_t)size) continue;
    header->msg_controllen = CMSG_SPACE(sizeof size);
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof size), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_GRO};
    memcpy(CMSG_DATA(control), &size, sizeof size);
  }
  if (wire.first == wire.count) wire.first = wire.count = 0;
  if (used > 0) return (int)used;
  errno = EAGAIN;
  return -1;
}
