/*
 * Runs a fuzz target where there is no fuzzer, on inputs that a seed makes: each execution has its own, so that one that
 * fails can be had again.
 *
 *     fuzz EXECUTIONS [SEED [FIRST]]
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Prints how often what was reached. */
void fuzz_report(void);

static uint64_t seed, execution;

/* Also for what a sanitizer finds, as it is built to abort. */
static void tell(int signal) {
  char text[96];
  int length = snprintf(text, sizeof text, "failed; to repeat: fuzz 1 %llu %llu\n", (unsigned long long)seed,
                        (unsigned long long)execution);
  if (write(STDERR_FILENO, text, (size_t)length) < 0) _exit(1);
  _exit(128 + signal);
}

/* splitmix64 */
static uint64_t next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Random bytes, in which parts come again, as packets that follow each other are alike. */
static size_t make_input(uint8_t *bytes) {
  uint64_t state = seed ^ execution * UINT64_C(0xd1342543de82ef95);
  size_t length = 1 + next(&state) % LONGEST;
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)next(&state);
  for (unsigned copies = next(&state) % 16; copies > 0; copies--) {
    size_t from = next(&state) % length, to = next(&state) % length;
    for (size_t n = next(&state) % 32; n > 0 && from < length && to < length; n--) bytes[to++] = bytes[from++];
  }
  return length;
}

int main(int count, char **words) {
  static uint8_t bytes[LONGEST];
  if (count < 2) return 2;
  const uint64_t executions = strtoull(words[1], NULL, 10);
  seed = count > 2 ? strtoull(words[2], NULL, 10) : (uint64_t)time(NULL);
  const uint64_t first = count > 3 ? strtoull(words[3], NULL, 10) : 0;
  signal(SIGABRT, tell);
  for (execution = first; execution < first + executions; execution++) {
    size_t length = make_input(bytes);
    uint8_t *input = malloc(length); /* so that a byte too far is noticed */
    if (!input) return 1;
    for (size_t i = 0; i < length; i++) input[i] = bytes[i];
    LLVMFuzzerTestOneInput(input, length);
    free(input);
  }
  fuzz_report();
  printf("%llu executions, seed %llu\n", (unsigned long long)executions, (unsigned long long)seed);
  return 0;
}
