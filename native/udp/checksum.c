#include "checksum.h"

#include <endian.h>
#include <string.h>

/*
 * Every byte that TCP carries is summed here once, so this loop is compiled for what the processor at hand can do. The
 * sanitizers and other C libraries cannot choose at load time.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* Two sums, of the low and of the high halves of the words, so that none overflows and all words go alike. */
FOR_EACH_PROCESSOR
static uint64_t add_words(const uint8_t *bytes, size_t words) {
  uint64_t low = 0, high = 0;
  for (size_t i = 0; i < words; i++) {
    uint64_t word;
    memcpy(&word, bytes + i * sizeof word, sizeof word);
    low += word & 0xffffffff;
    high += word >> 32;
  }
  return low + high;
}

uint64_t checksum_add(const uint8_t *bytes, size_t length) {
  size_t words = length / sizeof(uint64_t);
  size_t rest = length % sizeof(uint64_t);
  uint64_t last = 0;
  memcpy(&last, bytes + length - rest, rest);
  return add_words(bytes, words) + (last & 0xffffffff) + (last >> 32);
}

uint64_t checksum_pseudo(const uint8_t *ip, uint8_t protocol, uint16_t length) {
  uint32_t addresses[2];
  memcpy(addresses, ip + 12, sizeof addresses);
  return (uint64_t)addresses[0] + addresses[1] + htobe16(protocol) + htobe16(length);
}

uint16_t checksum_fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

void checksum_write(uint8_t *field, uint64_t sum) {
  uint16_t checksum = (uint16_t)~checksum_fold(sum);
  memcpy(field, &checksum, sizeof checksum);
}

void checksum_write_udp(uint8_t *field, uint64_t sum) {
  uint16_t checksum = (uint16_t)~checksum_fold(sum);
  if (checksum == 0) checksum = 0xffff;
  memcpy(field, &checksum, sizeof checksum);
}
