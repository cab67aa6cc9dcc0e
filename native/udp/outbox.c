#include "outbox.h"

#include <string.h>

void outbox_empty(struct outbox *outbox) {
  outbox->count = 0;
  memset(outbox->last_of_pair, 0, sizeof outbox->last_of_pair);
  memset(outbox->last_of_shape, 0, sizeof outbox->last_of_shape);
}

static uint8_t hash(uint32_t a, uint32_t b) {
  uint64_t product = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint8_t)(product >> 56);
}

static void begin(struct message *message, const struct outgoing *packet) {
  message->peer = packet->peer;
  message->size = packet->length;
  message->bytes = message->packets = message->parts = 0;
  message->full = false;
}

static bool has_room(const struct message *message, const struct outgoing *packet) {
  return !message->full && message->peer == packet->peer && message->packets < MESSAGE_PACKETS &&
         message->bytes + packet->length <= LARGEST_PAYLOAD;
}

static void append(struct message *message, const struct outgoing *packet) {
  for (unsigned i = 0; i < packet->parts; i++) message->part[message->parts++] = packet->part[i];
  message->packets++;
  message->bytes += packet->length;
  if (packet->length < message->size) message->full = true;
}

/*
 * The number, from 1, of a message that the packet may join; 0 when there is none. It is that of the last packet between
 * the same two, or a later one: but as a shorter packet only the former, lest it end the run of others.
 */
static unsigned find_message(const struct outbox *outbox, const struct outgoing *packet, unsigned of_pair,
                             unsigned of_shape) {
  if (of_pair != 0) {
    const struct message *message = &outbox->message[of_pair - 1];
    if (packet->length <= message->size && has_room(message, packet)) return of_pair;
  }
  if (of_shape != 0 && of_shape >= of_pair) {
    const struct message *message = &outbox->message[of_shape - 1];
    if (packet->length == message->size && has_room(message, packet)) return of_shape;
  }
  return 0;
}

bool outbox_add(struct outbox *outbox, const struct outgoing *packet) {
  uint8_t *of_pair = &outbox->last_of_pair[hash(packet->source, packet->destination)];
  uint8_t *of_shape = &outbox->last_of_shape[hash(packet->peer, packet->length)];
  unsigned found = find_message(outbox, packet, *of_pair, *of_shape);
  if (found == 0) {
    if (outbox->count == OUTBOX_MESSAGES) return false;
    begin(&outbox->message[outbox->count], packet);
    found = ++outbox->count;
    *of_shape = (uint8_t)found;
  }
  append(&outbox->message[found - 1], packet);
  *of_pair = (uint8_t)found;
  return true;
}
