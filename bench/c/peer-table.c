/*
 * What a large table of peers costs: two packet paths over the loopback of a network namespace of their own, and small
 * packets from and to addresses in the subnets of random peers.
 *
 *     peer-table PEERS SECONDS      prints "PACKETS-PER-SECOND NANOSECONDS-PER-LOOK-UP"
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "measure.h"
#include "udp/checksum.h"
#include "udp/packet.h"
#include "udp/path.h"
#include "udp/tun.h"

#define PORT 8285
#define BATCH 64
#define PACKET_LENGTH 92 /* 64 bytes of payload */
#define LOOK_UPS 4000000

enum { NEAR = 0x7f000001, FAR = 0x7f000002 };

static void bring_up(const char *device) {
  struct ifreq request = {0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strcpy(request.ifr_name, device);
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0) die(device);
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) die(device);
}

/* 10.0.0.0/24, 10.0.1.0/24 ..., all on one host, as there is no other. */
static struct peers *make_peers(uint32_t count, uint32_t host) {
  struct peer *list = calloc(count, sizeof *list);
  for (uint32_t i = 0; i < count; i++) list[i] = (struct peer){0x0a000000 + (i << 8), 24, host};
  struct peers *peers = peers_make(list, count);
  free(list);
  if (!peers) die("peers");
  return peers;
}

static uint32_t random_address(uint32_t count) {
  static uint64_t state = 1;
  state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
  return 0x0a000000 + (uint32_t)((state >> 33) % count << 8) + 7;
}

static struct path *open_path(const char *device, uint32_t address, struct peers *peers) {
  struct path_wish wish = {.address = address, .port = PORT, .queues = 1};
  struct problem problem;
  strcpy(wish.device, device);
  if (!tun_create(device, &problem)) die(problem.what);
  bring_up(device);
  struct path *path = path_open(&wish, &problem);
  if (!path || !path_set_peers(path, peers)) die("packet path");
  return path;
}

static uint64_t received(const struct path *path) {
  uint64_t sums[COUNTER_COUNT];
  path_counters(path, sums);
  return sums[RECEIVED_PACKETS];
}

static void write_packet(uint8_t *ip, uint32_t count) {
  memset(ip, 0, PACKET_LENGTH);
  ip[0] = 0x45;
  write16(ip + IPV4_LENGTH, PACKET_LENGTH);
  ip[IPV4_TTL] = 64;
  ip[IPV4_PROTOCOL] = PROTOCOL_UDP;
  write32(ip + IPV4_SOURCE, random_address(count));
  write32(ip + IPV4_DESTINATION, random_address(count));
  checksum_write(ip + IPV4_CHECKSUM, checksum_add(ip, IPV4_HEADER));
  write32(ip + IPV4_HEADER, 0x00010001);
  write16(ip + IPV4_HEADER + UDP_LENGTH, PACKET_LENGTH - IPV4_HEADER);
}

/* Past the kernel's IP, straight into the device. */
static double packets_per_second(uint32_t count, double seconds) {
  static uint8_t packets[BATCH][PACKET_LENGTH];
  struct mmsghdr messages[BATCH] = {0};
  struct iovec parts[BATCH];
  struct path *far = open_path("far0", FAR, make_peers(count, NEAR));
  open_path("near0", NEAR, make_peers(count, FAR));
  struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex("near0")};
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  for (unsigned i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){packets[i], PACKET_LENGTH};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &parts[i], .msg_iovlen = 1};
  }
  while (received(far) == 0) {
    write_packet(packets[0], count);
    sendmmsg(fd, messages, 1, 0);
  }
  const double begun = now();
  const uint64_t before = received(far);
  while (now() < begun + seconds) {
    for (unsigned i = 0; i < BATCH; i++) write_packet(packets[i], count);
    sendmmsg(fd, messages, BATCH, 0);
  }
  return (double)(received(far) - before) / (now() - begun);
}

static double nanoseconds_per_look_up(uint32_t count) {
  const struct peers *peers = make_peers(count, FAR);
  uint32_t sum = 0;
  const double begun = now();
  for (unsigned i = 0; i < LOOK_UPS; i++) sum += peers_find(peers, random_address(count)) != FAR;
  if (sum != 0) die("a peer was not found");
  return (now() - begun) / LOOK_UPS * 1e9;
}

int main(int argument_count, char **words) {
  if (argument_count != 3) return 2;
  const uint32_t count = (uint32_t)atoi(words[1]);
  if (unshare(CLONE_NEWNET) != 0) die("network namespace");
  bring_up("lo");
  const double packets = packets_per_second(count, atof(words[2]));
  printf("%.0f %.2f\n", packets, nanoseconds_per_look_up(count));
  return 0; /* the threads end with the process */
}
