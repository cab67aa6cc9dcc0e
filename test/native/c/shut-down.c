/*
 * Shuts down the UDP sockets of another process, as no command does:
 *
 *     shut-down PID
 *
 * Prints how many there were.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_DESCRIPTORS 1024

/* Linux 5.6; the number is the same on all processors. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int is_udp(int fd) {
  int protocol = 0;
  socklen_t length = sizeof protocol;
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_UDP;
}

int main(int count, char **words) {
  int found = 0;
  if (count != 2) return 2;
  int process = (int)syscall(SYS_pidfd_open, atoi(words[1]), 0);
  if (process < 0) {
    perror(words[1]);
    return 1;
  }
  for (int theirs = 0; theirs < MOST_DESCRIPTORS; theirs++) {
    int fd = (int)syscall(SYS_pidfd_getfd, process, theirs, 0);
    if (fd < 0) continue;
    if (is_udp(fd)) {
      shutdown(fd, SHUT_RDWR); /* says that it is not connected, and does it */
      found++;
    }
    close(fd);
  }
  printf("%d\n", found);
  return 0;
}
