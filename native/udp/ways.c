#include "ways.h"

#include <errno.h>

#include "clock.h"
#include "path-mtu.h"

static const int BELIEVED_MS = 1000;
/* 20 IP + 8 UDP */
static const uint32_t OUTER_HEADERS = 28;

static struct way *slot_of(struct ways *ways, uint32_t peer) {
  return &ways->way[peer * UINT32_C(0x9e3779b1) >> (32 - WAYS_BITS)];
}

static void set(struct way *way, uint32_t peer, uint32_t mtu) {
  *way = (struct way){
      .peer = peer, .limit = mtu > OUTER_HEADERS ? mtu - OUTER_HEADERS : 0, .until_ms = now_ms() + BELIEVED_MS};
}

uint32_t ways_limit(struct ways *ways, uint32_t peer) {
  struct way *way = slot_of(ways, peer);
  if (way->peer != peer) return UINT32_MAX;
  if (now_ms() >= way->until_ms) set(way, peer, path_mtu(ways->socket, peer));
  return way->limit;
}

void ways_narrow(struct ways *ways, uint32_t peer, int error) {
  set(slot_of(ways, peer), peer, error == EIO ? 0 : path_mtu(ways->socket, peer));
}
