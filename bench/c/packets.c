/*
 * Small packets, as many as go: what iperf3 cannot send fast enough to tell the contenders apart.
 *
 *     packets receive PORT                        counts until a second passes without one, then prints "COUNT SECONDS"
 *     packets send ADDRESS PORT SECONDS SIZE      datagrams of SIZE bytes, 64 a system call, each a packet of its own
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define BATCH 64
#define MOST_BYTES 2048

static char bytes[BATCH][MOST_BYTES];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static void lay_out(size_t size) {
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){bytes[i], size};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
}

static int open_socket(void) {
  const int size = 8 << 20;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return fd;
}

static int receive(int port) {
  const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
  const struct timeval patience = {.tv_sec = 1};
  int fd = open_socket();
  if (bind(fd, (const struct sockaddr *)&own, sizeof own) != 0) die("bind");
  lay_out(MOST_BYTES);
  int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) die("SO_RCVTIMEO");
  double first = now(), last = first;
  long count = 0;
  while (got > 0) {
    count += got;
    last = now();
    got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
  }
  printf("%ld %f\n", count, last - first);
  return 0;
}

static int send_for(char **words) {
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(words[0]), .sin_port = htons(atoi(words[1]))};
  const double end = now() + atof(words[2]);
  int fd = open_socket();
  if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) die(words[0]);
  lay_out(atoi(words[3]));
  while (now() < end) sendmmsg(fd, messages, BATCH, 0);
  return 0;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "receive") == 0) return receive(atoi(words[2]));
  if (count == 6 && strcmp(words[1], "send") == 0) return send_for(words + 2);
  return 2;
}
