#include "roster.h"

#include <stdlib.h>

bool roster_init(struct roster *roster) {
  roster->retired = NULL;
  for (unsigned i = 0; i < ROSTER_READERS; i++) atomic_init(&roster->readers[i].in_use, NULL);
  struct peers *none = peers_make(NULL, 0);
  atomic_init(&roster->current, none);
  return none != NULL;
}

static bool is_in_use(struct roster *roster, const struct peers *peers) {
  for (unsigned i = 0; i < ROSTER_READERS; i++)
    if (atomic_load(&roster->readers[i].in_use) == peers) return true;
  return false;
}

static void free_unused(struct roster *roster) {
  for (struct retired **link = &roster->retired; *link;) {
    struct retired *retired = *link;
    if (is_in_use(roster, retired->peers)) {
      link = &retired->next;
      continue;
    }
    *link = retired->next;
    peers_free(retired->peers);
    free(retired);
  }
}

void roster_free(struct roster *roster) {
  free_unused(roster);
  peers_free(atomic_load(&roster->current));
}

bool roster_publish(struct roster *roster, struct peers *peers) {
  struct retired *retired = malloc(sizeof *retired);
  if (!retired) return false;
  *retired = (struct retired){.next = roster->retired, .peers = atomic_exchange(&roster->current, peers)};
  roster->retired = retired;
  free_unused(roster);
  return true;
}

/* Either the publisher sees the name in the slot, or the second look here sees that the table has been replaced. */
const struct peers *roster_enter(struct roster *roster, unsigned reader) {
  struct peers *peers;
  do {
    peers = atomic_load(&roster->current);
    atomic_store(&roster->readers[reader].in_use, peers);
  } while (peers != atomic_load(&roster->current));
  return peers;
}

void roster_leave(struct roster *roster, unsigned reader) {
  atomic_store_explicit(&roster->readers[reader].in_use, NULL, memory_order_release);
}
