#include "blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Notifications are never larger than the page or two that the kernel allots to them. */
#define RECEIVE_ROOM (32 << 10)

void blocks_init(struct blocks *blocks) {
  pthread_mutex_init(&blocks->lock, NULL);
  blocks->first = blocks->last = NULL;
}

void blocks_free(struct blocks *blocks) {
  for (struct block *block = blocks->first, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  pthread_mutex_destroy(&blocks->lock);
}

static struct block *append(struct blocks *blocks, int error) {
  struct block *block = malloc(sizeof *block);
  if (!block) return NULL;
  block->next = NULL;
  block->error = error;
  block->length = 0;
  if (blocks->last)
    blocks->last->next = block;
  else
    blocks->first = block;
  blocks->last = block;
  return block;
}

static bool has_room(const struct block *block) {
  return block && !block->error && BLOCK_SIZE - block->length >= RECEIVE_ROOM;
}

static enum received receive_locked(struct blocks *blocks, int fd) {
  struct block *block = has_room(blocks->last) ? blocks->last : append(blocks, 0);
  /* Without memory nothing is read until there is some; the kernel tells by ENOBUFS what it had to drop. */
  if (!block) return RECEIVED_NOTHING;
  size_t room = BLOCK_SIZE - block->length;
  ssize_t got = recv(fd, block->bytes + block->length, room, MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return RECEIVED_NOTHING;
  if (got >= 0 && (size_t)got <= room) {
    block->length += (size_t)got;
    return RECEIVED_SOME;
  }
  int error = got < 0 ? errno : ENOBUFS;
  append(blocks, error);
  return error == ENOBUFS ? RECEIVED_SOME : RECEIVE_FAILED;
}

enum received blocks_receive(struct blocks *blocks, int fd) {
  pthread_mutex_lock(&blocks->lock);
  enum received result = receive_locked(blocks, fd);
  pthread_mutex_unlock(&blocks->lock);
  return result;
}

static bool is_empty(const struct block *block) {
  return block->length == 0 && !block->error;
}

struct block *blocks_take(struct blocks *blocks) {
  pthread_mutex_lock(&blocks->lock);
  struct block *block = blocks->first;
  while (block && is_empty(block) && block->next) {
    blocks->first = block->next;
    free(block);
    block = blocks->first;
  }
  if (block && is_empty(block)) block = NULL; /* the thread is about to fill it */
  if (block) {
    blocks->first = block->next;
    if (!blocks->first) blocks->last = NULL;
  }
  pthread_mutex_unlock(&blocks->lock);
  return block;
}
