/*
 * The floor that the udp backend is compared with where there is no flanneld: the plainest program that does its job.
 * One thread, one packet a system call, no offloads, and a peer is looked for in a list.
 *
 *     one-packet-loop DEVICE ADDRESS PORT NETWORK/LENGTH=PEER...
 *
 * It makes the TUN device, writes "ready" and runs until it is stopped; the device goes with it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_PEERS 256
#define PACKET_SIZE 65536

static struct peer {
  uint32_t network, mask;
  struct sockaddr_in address;
} peers[MOST_PEERS];
static int peer_count;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int open_tun(const char *device) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) die(device);
  return fd;
}

static int open_socket(const char *address, uint16_t port) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (inet_pton(AF_INET, address, &own.sin_addr) != 1) die(address);
  if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) die("bind");
  return fd;
}

/* 10.77.2.0/24=192.168.77.2 */
static void add_peer(char *text, uint16_t port) {
  struct peer *peer = &peers[peer_count++];
  char *length = strchr(text, '/'), *address = strchr(text, '=');
  if (peer_count > MOST_PEERS || !length || !address) die(text);
  *length++ = *address++ = 0;
  peer->mask = htonl(~0u << (32 - atoi(length)));
  peer->network = inet_addr(text);
  peer->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
  peer->address.sin_addr.s_addr = inet_addr(address);
}

static const struct peer *find_peer(uint32_t destination) {
  for (int i = 0; i < peer_count; i++)
    if ((destination & peers[i].mask) == peers[i].network) return &peers[i];
  return NULL;
}

/* One less, with the header's checksum put right (RFC 1624). False when it is used up. */
static int age(uint8_t *packet, ssize_t length) {
  if (length < 20 || packet[8] <= 1) return 0;
  uint32_t sum = (uint32_t)(packet[10] << 8 | packet[11]) + 0x100;
  sum += sum >> 16;
  packet[8]--;
  packet[10] = sum >> 8, packet[11] = sum;
  return 1;
}

static int forward_out(int tun, int sock, uint8_t *packet) {
  ssize_t length = read(tun, packet, PACKET_SIZE);
  if (length < 0) return 0;
  uint32_t destination;
  memcpy(&destination, packet + 16, sizeof destination);
  const struct peer *peer = find_peer(destination);
  if (peer && age(packet, length))
    sendto(sock, packet, length, 0, (const struct sockaddr *)&peer->address, sizeof peer->address);
  return 1;
}

static int forward_in(int tun, int sock, uint8_t *packet) {
  ssize_t length = recv(sock, packet, PACKET_SIZE, 0);
  if (length < 0) return 0;
  if (age(packet, length) && write(tun, packet, length) < 0) return 1; /* the device is full: dropped */
  return 1;
}

int main(int count, char **words) {
  static uint8_t packet[PACKET_SIZE];
  if (count < 5) return 2;
  const uint16_t port = atoi(words[3]);
  for (int i = 4; i < count; i++) add_peer(words[i], port);
  int tun = open_tun(words[1]), sock = open_socket(words[2], port);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd fds[2] = {{.fd = tun, .events = POLLIN}, {.fd = sock, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0) die("poll");
    for (int busy = 1; busy;) busy = forward_out(tun, sock, packet) | forward_in(tun, sock, packet);
  }
}
