/*
 * Two packet paths that carry to each other over the loopback, in a network namespace of their own, while tables of
 * peers are replaced as fast as that goes and counters are read.
 *
 *     soak SECONDS [PACKETS]      for so long, and until so many packets and a thousand tables
 *
 *   sender ─▶ a0 ⇄ path, 127.0.0.1 ══ lo ══ path, 127.0.0.2 ⇄ b0 ◀─ sender
 *
 * It fails when a path does, or when nothing is carried or joined. Then it opens and closes paths while packets flow,
 * and prints what it did, and how much memory and how many descriptors more than after its first second it holds.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <malloc.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "udp/checksum.h"
#include "udp/packet.h"
#include "udp/path.h"
#include "udp/tun.h"

#define PORT 8285
#define SEGMENT 1400
#define LARGEST_TABLE 10000
#define LEAST_SWAPS 1000

struct side {
  const char *device;
  uint32_t address, inner, other_inner, other_address;
  struct path *path;
};

static struct side sides[2] = {
    {"a0", 0x7f000001, 0x0a090107, 0x0a090207, 0x7f000002, NULL},
    {"b0", 0x7f000002, 0x0a090207, 0x0a090107, 0x7f000001, NULL},
};
static atomic_bool done;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void failed(void *context, const struct problem *problem) {
  fprintf(stderr, "%s: %s: %s\n", ((struct side *)context)->device, problem->what, strerror(problem->error));
  exit(1);
}

static void bring_up(const char *device) {
  struct ifreq request = {0};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0) die(device);
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) die(device);
  close(fd);
}

static void open_path(struct side *side) {
  struct path_wish wish = {.address = side->address, .port = PORT, .queues = 2, .failed = failed, .context = side};
  struct problem problem;
  strcpy(wish.device, side->device);
  side->path = path_open(&wish, &problem);
  if (side->path) return;
  fprintf(stderr, "%s: %s\n", problem.what, strerror(problem.error));
  exit(1);
}

/* The other side, at the end, so that it is there in every table; and hosts that nobody is on. */
static void set_peers(struct side *side, unsigned count) {
  static struct peer list[LARGEST_TABLE];
  for (unsigned i = 0; i + 1 < count; i++)
    list[i] = (struct peer){0x0b000000 + (i << 8), 24, 0xc0000000 + (uint32_t)rand() % 65536};
  list[count - 1] = (struct peer){side->other_inner & 0xffffff00, 24, side->other_address};
  struct peers *peers = peers_make(list, count);
  if (!peers || !path_set_peers(side->path, peers)) die("table of peers");
}

/* virtio_net_hdr and a packet: TCP, whole or to be cut; small UDP; or for nobody. */
static size_t make_frame(const struct side *side, uint8_t *frame, unsigned number) {
  uint8_t *ip = frame + sizeof(struct virtio_net_hdr), *transport = ip + IPV4_HEADER;
  bool tcp = number % 4 == 0, cut = number % 8 == 0;
  size_t length = cut ? 40 + 8 * SEGMENT : tcp ? 40 + SEGMENT : 92;
  memset(frame, 0, length + sizeof(struct virtio_net_hdr));
  ip[0] = 0x45;
  write16(ip + IPV4_LENGTH, (uint16_t)length);
  write16(ip + IPV4_ID, (uint16_t)number);
  ip[IPV4_TTL] = 64;
  ip[IPV4_PROTOCOL] = tcp ? PROTOCOL_TCP : PROTOCOL_UDP;
  write32(ip + IPV4_SOURCE, side->inner);
  write32(ip + IPV4_DESTINATION, number % 64 == 1 ? 0x0a094d01 : side->other_inner);
  checksum_write(ip + IPV4_CHECKSUM, checksum_add(ip, IPV4_HEADER));
  write32(transport, 0x00010001 + number % 7);
  uint8_t *field = transport + (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  uint64_t pseudo = checksum_pseudo(ip, ip[IPV4_PROTOCOL], (uint16_t)(length - IPV4_HEADER));
  if (tcp) {
    transport[TCP_DATA_OFFSET] = 0x50;
    transport[TCP_FLAGS] = TCP_ACK;
  } else {
    write16(transport + UDP_LENGTH, (uint16_t)(length - IPV4_HEADER));
  }
  if (!cut) {
    checksum_write_udp(field, pseudo + checksum_add(transport, length - IPV4_HEADER));
  } else {
    uint16_t begun = checksum_fold(pseudo);
    memcpy(field, &begun, sizeof begun);
    struct virtio_net_hdr how = {VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 40, SEGMENT, 20, TCP_CHECKSUM};
    memcpy(frame, &how, sizeof how);
  }
  return sizeof(struct virtio_net_hdr) + length;
}

/* Past the kernel's IP, straight into the device. */
static void *send_frames(void *data) {
  static _Thread_local uint8_t frame[1 << 16];
  const struct side *side = data;
  const int on = 1;
  struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex(side->device)};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0) die("packet socket");
  for (unsigned number = 0; !atomic_load(&done); number++)
    if (sendto(fd, frame, make_frame(side, frame, number), 0, (struct sockaddr *)&to, sizeof to) < 0) sched_yield();
  close(fd);
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned count_descriptors(void) {
  unsigned count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

static uint64_t carried(enum counter which) {
  uint64_t sums[COUNTER_COUNT], both = 0;
  for (unsigned i = 0; i < 2; i++) {
    path_counters(sides[i].path, sums);
    both += sums[which];
  }
  return both;
}

/* At least for so long. */
static unsigned change_peers(double seconds, uint64_t packets) {
  const double end = now() + seconds;
  unsigned swaps = 0;
  for (; now() < end || carried(RECEIVED_PACKETS) < packets || (packets > 0 && swaps < LEAST_SWAPS); swaps++)
    set_peers(&sides[swaps % 2], 1 + (unsigned)rand() % LARGEST_TABLE);
  return swaps;
}

static unsigned reopen_for(double seconds) {
  unsigned times = 0;
  for (double end = now() + seconds; now() < end; times++) {
    path_close(sides[times % 2].path);
    open_path(&sides[times % 2]);
    set_peers(&sides[times % 2], 1);
  }
  return times;
}

/* The least bytes in use within a second, with small tables: a thread that waits for its core still holds a large one. */
static size_t measure(void) {
  size_t least = SIZE_MAX;
  for (double end = now() + 1; now() < end; usleep(1000)) {
    for (unsigned i = 0; i < 2; i++) set_peers(&sides[i], 1);
    struct mallinfo2 in_use = mallinfo2();
    if (in_use.uordblks + in_use.hblkhd < least) least = in_use.uordblks + in_use.hblkhd;
  }
  return least;
}

int main(int count, char **words) {
  if (count < 2 || unshare(CLONE_NEWNET) != 0) die("soak SECONDS [PACKETS], as root");
  const double seconds = atof(words[1]);
  const uint64_t least = count > 2 ? strtoull(words[2], NULL, 10) : 0;
  pthread_t senders[2];
  struct problem problem;
  bring_up("lo");
  for (unsigned i = 0; i < 2; i++) {
    if (!tun_create(sides[i].device, &problem)) die(problem.what);
    bring_up(sides[i].device);
    open_path(&sides[i]);
    set_peers(&sides[i], 1);
  }
  for (unsigned i = 0; i < 2; i++) pthread_create(&senders[i], NULL, send_frames, &sides[i]);
  unsigned swaps = change_peers(1, 0);
  const size_t memory = measure();
  const unsigned descriptors = count_descriptors();
  swaps += change_peers(seconds, least);
  const uint64_t packets = carried(RECEIVED_PACKETS), joined = carried(MERGED_PACKETS), cut = carried(GSO_PACKETS);
  const unsigned reopened = reopen_for(seconds / 4);
  printf("packets %llu joined %llu cut %llu swaps %u reopened %u memory %+lld descriptors %+d\n",
         (unsigned long long)packets, (unsigned long long)joined, (unsigned long long)cut, swaps, reopened,
         (long long)measure() - (long long)memory, (int)count_descriptors() - (int)descriptors);
  atomic_store(&done, true);
  for (unsigned i = 0; i < 2; i++) pthread_join(senders[i], NULL);
  for (unsigned i = 0; i < 2; i++) path_close(sides[i].path);
  return packets == 0 || joined == 0 || cut == 0;
}
