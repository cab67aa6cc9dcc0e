#ifndef LODEN_UDP_CLOCK_H
#define LODEN_UDP_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment, never set back. */
static inline int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
