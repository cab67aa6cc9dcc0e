/* Tables of peers: what is found must be what a list, read from end to end, says. */
#include "state.h"

#define MOST_PEERS 16

static uint32_t find_by_hand(const struct peer *list, unsigned count, uint32_t address) {
  uint32_t found = 0, length = 0;
  for (unsigned i = 0; i < count; i++) {
    uint32_t mask = list[i].length ? UINT32_MAX << (32 - list[i].length) : 0;
    if (((list[i].network ^ address) & mask) != 0 || (found && list[i].length < length)) continue;
    found = list[i].public_ip;
    length = list[i].length;
  }
  return found;
}

void step_peers(void) {
  struct peer list[MOST_PEERS];
  unsigned count = take8() % MOST_PEERS;
  bool fine = true;
  for (unsigned i = 0; i < count; i++) {
    list[i] = (struct peer){(uint32_t)take16() << 16 | take16(), take8() % 34, take8()};
    if (list[i].public_ip % 4 > 0) list[i].network &= 0xc0000000;
    fine = fine && list[i].length <= 32 && list[i].public_ip != 0;
  }
  struct peers *peers = peers_make(list, count);
  CHECK(!peers == !fine);
  for (unsigned i = 0; peers && i < 8; i++) {
    uint32_t address = i < count ? list[i].network ^ (take8() & 1) : (uint32_t)take16() << 16;
    bool known = false;
    CHECK(peers_find(peers, address) == find_by_hand(list, count, address));
    for (unsigned k = 0; k < count; k++) known = known || list[k].public_ip == i;
    CHECK(peers_know(peers, i) == known);
  }
  peers_free(peers);
}
