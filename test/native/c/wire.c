/*
 * An end of the network for a test, whose packets the test itself makes and reads. Runs in a network namespace:
 *
 *     wire device NAME                 a TUN device without offloads; frames begin with virtio_net_hdr
 *     wire socket ADDRESS PORT PEER    a plain UDP socket, for which PEER on the same port is the only one; datagrams
 *
 *   standard input  ─▶ [length u32][frame] ... ─▶ device or socket
 *   standard output ◀─ [length u32][frame] ... ◀─ device or socket
 *
 * Lengths are in the machine's byte order. The first frame put out is empty: the end is ready. It ends with its input.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM (1 << 17)

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int open_device(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  int fd = open("/dev/net/tun", O_RDWR);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0 || ioctl(fd, TUNSETOFFLOAD, 0) != 0) die(name);
  return fd;
}

static int open_socket(const char *address, const char *port, const char *peer) {
  const int size = 8 << 20;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  struct sockaddr_in other = own;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (inet_pton(AF_INET, address, &own.sin_addr) != 1 || inet_pton(AF_INET, peer, &other.sin_addr) != 1) die("address");
  if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) die("bind");
  if (connect(fd, (struct sockaddr *)&other, sizeof other) != 0) die("connect");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return fd;
}

/* False at the end of the input. */
static bool read_all(void *to, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t got = read(STDIN_FILENO, (char *)to + done, length - done);
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

static void put_out(char *frame, uint32_t length) {
  memcpy(frame, &length, sizeof length);
  for (size_t done = 0; done < sizeof length + length;) {
    ssize_t put = write(STDOUT_FILENO, frame + done, sizeof length + length - done);
    if (put <= 0) exit(0);
    done += (size_t)put;
  }
}

static void carry_in(int fd) {
  static char frame[ROOM];
  uint32_t length;
  if (!read_all(&length, sizeof length) || length > sizeof frame || !read_all(frame, length)) exit(0);
  if (write(fd, frame, length) < 0) perror("a frame was refused");
}

static void carry_out(int fd) {
  static char frame[sizeof(uint32_t) + ROOM];
  ssize_t length = read(fd, frame + sizeof(uint32_t), ROOM);
  if (length >= 0) put_out(frame, (uint32_t)length);
}

int main(int count, char **words) {
  char ready[sizeof(uint32_t)];
  int fd = -1;
  if (count == 3 && strcmp(words[1], "device") == 0) fd = open_device(words[2]);
  if (count == 5 && strcmp(words[1], "socket") == 0) fd = open_socket(words[2], words[3], words[4]);
  if (fd < 0) return 2;
  put_out(ready, 0);
  for (;;) {
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0) die("poll");
    if (fds[0].revents) carry_in(fd);
    if (fds[1].revents) carry_out(fd);
  }
}
