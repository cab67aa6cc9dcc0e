/*
 * Messages on their way from the listening thread to the event loop: a list of blocks, each filled with as many whole
 * messages as fit. A block also says when messages were lost.
 */
#ifndef LODEN_BLOCKS_H
#define LODEN_BLOCKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: some 800 messages, which JavaScript reads in a few milliseconds. */
#define BLOCK_SIZE (96 << 10)

struct block {
  struct block *next;
  int error; /* ENOBUFS: the kernel dropped messages here; another: the socket failed, and nothing follows */
  size_t length;
  uint8_t bytes[BLOCK_SIZE];
};

struct blocks {
  pthread_mutex_t lock;
  struct block *first, *last;
};

enum received { RECEIVED_NOTHING, RECEIVED_SOME, RECEIVE_FAILED };

void blocks_init(struct blocks *blocks);
void blocks_free(struct blocks *blocks);

/* Reads one datagram, if one is there, into the last block or a new one. */
enum received blocks_receive(struct blocks *blocks, int fd);

/* Takes the first block that holds anything, for the caller to free; NULL when none does. */
struct block *blocks_take(struct blocks *blocks);

#endif
