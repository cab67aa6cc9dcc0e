/*
 * Readers that do nothing but take the table of peers and look one up, while another thread replaces it: in a real path
 * the moment between taking and naming it is too short against a round of packets to be met. For the sanitizers.
 *
 *     roster SECONDS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "udp/roster.h"

#define READERS 3
#define HOST 0xc0a80902

static struct roster roster;
static atomic_bool done;

static void *read_roster(void *number) {
  uintptr_t rounds = 0;
  for (; !atomic_load(&done); rounds++) {
    const struct peers *peers = roster_enter(&roster, (unsigned)(uintptr_t)number);
    if (peers_find(peers, 0x0a090207) != HOST) abort();
    roster_leave(&roster, (unsigned)(uintptr_t)number);
  }
  return (void *)rounds;
}

static void publish(void) {
  const struct peer peer = {0x0a090200, 24, HOST};
  struct peers *peers = peers_make(&peer, 1);
  if (!peers || !roster_publish(&roster, peers)) abort();
}

int main(int count, char **words) {
  pthread_t readers[READERS];
  uintptr_t rounds = 0, swaps = 0;
  void *result;
  if (count != 2 || !roster_init(&roster)) return 2;
  const time_t end = time(NULL) + atoi(words[1]);
  publish();
  for (uintptr_t i = 0; i < READERS; i++) pthread_create(&readers[i], NULL, read_roster, (void *)i);
  for (; time(NULL) < end; swaps++) publish();
  atomic_store(&done, true);
  for (unsigned i = 0; i < READERS; i++) {
    pthread_join(readers[i], &result);
    rounds += (uintptr_t)result;
  }
  roster_free(&roster);
  printf("rounds %llu swaps %llu\n", (unsigned long long)rounds, (unsigned long long)swaps);
  return rounds == 0 || swaps == 0;
}
