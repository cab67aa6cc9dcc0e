#include "peers.h"

#include <stdlib.h>

#define LENGTHS 33

struct entry {
  uint32_t key;
  uint32_t public_ip; /* 0: free */
};

/* Open addressing, at most half full. Without entries its one slot is free. */
struct hash {
  uint32_t mask; /* of the keys' bits that count */
  uint32_t last; /* slots less one; a power of two less one */
  struct entry *slots;
};

struct peers {
  struct hash known;            /* by public address */
  unsigned lengths;             /* that occur */
  struct hash subnets[LENGTHS]; /* longest prefix first */
};

static uint32_t slot_of(const struct hash *hash, uint32_t key) {
  uint64_t product = key * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing: the high bits depend on all of the key */
  return (uint32_t)(product >> 32) & hash->last;
}

/* The key's slot, or the free one where it would be. */
static struct entry *find_slot(const struct hash *hash, uint32_t address) {
  uint32_t key = address & hash->mask;
  uint32_t slot = slot_of(hash, key);
  while (hash->slots[slot].public_ip != 0 && hash->slots[slot].key != key) slot = (slot + 1) & hash->last;
  return &hash->slots[slot];
}

static void put(struct hash *hash, uint32_t address, uint32_t public_ip) {
  *find_slot(hash, address) = (struct entry){.key = address & hash->mask, .public_ip = public_ip};
}

static bool make_hash(struct hash *hash, unsigned length, size_t count) {
  uint32_t slots = 1;
  while (slots < 2 * count + 1) slots *= 2;
  hash->mask = length == 0 ? 0 : UINT32_MAX << (32 - length);
  hash->last = slots - 1;
  hash->slots = calloc(slots, sizeof *hash->slots);
  return hash->slots != NULL;
}

static bool make_hashes(struct peers *peers, const size_t counts[LENGTHS], size_t all, struct hash *by_length[LENGTHS]) {
  for (unsigned length = LENGTHS; length-- > 0;) {
    if (counts[length] == 0) continue;
    by_length[length] = &peers->subnets[peers->lengths++];
    if (!make_hash(by_length[length], length, counts[length])) return false;
  }
  return make_hash(&peers->known, 32, all);
}

struct peers *peers_make(const struct peer *list, size_t count) {
  size_t counts[LENGTHS] = {0};
  struct hash *by_length[LENGTHS] = {NULL};
  for (size_t i = 0; i < count; i++) {
    if (list[i].length >= LENGTHS || list[i].public_ip == 0) return NULL;
    counts[list[i].length]++;
  }
  struct peers *peers = calloc(1, sizeof *peers);
  if (!peers) return NULL;
  if (!make_hashes(peers, counts, count, by_length)) {
    peers_free(peers);
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    put(by_length[list[i].length], list[i].network, list[i].public_ip);
    put(&peers->known, list[i].public_ip, list[i].public_ip);
  }
  return peers;
}

void peers_free(struct peers *peers) {
  if (!peers) return;
  for (unsigned i = 0; i < peers->lengths; i++) free(peers->subnets[i].slots);
  free(peers->known.slots);
  free(peers);
}

uint32_t peers_find(const struct peers *peers, uint32_t address) {
  for (unsigned i = 0; i < peers->lengths; i++) {
    uint32_t public_ip = find_slot(&peers->subnets[i], address)->public_ip;
    if (public_ip != 0) return public_ip;
  }
  return 0;
}

bool peers_know(const struct peers *peers, uint32_t public_ip) {
  return find_slot(&peers->known, public_ip)->public_ip != 0;
}
