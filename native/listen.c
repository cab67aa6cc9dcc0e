/*
 * A netlink socket that listens to what the kernel announces.
 *
 *   kernel ──▶ socket ──▶ thread ──▶ list of blocks ──▶ JavaScript callback, on the event loop
 *
 * The thread empties the socket however busy the event loop is, so that the kernel seldom has to drop anything. It
 * gathers messages in blocks: however many arrive before JavaScript gets to look, one callback takes a whole block.
 */
#include "loden.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes: some 800 messages, which JavaScript reads in a few milliseconds. */
#define BLOCK_SIZE (96 << 10)
/* Notifications are never larger than the page or two that the kernel allots to them. */
#define RECEIVE_ROOM (32 << 10)

struct block {
  struct block *next;
  int error; /* ENOBUFS: the kernel dropped messages here; another: the socket failed, and nothing follows */
  size_t length;
  uint8_t bytes[BLOCK_SIZE];
};

struct listener {
  int fd, stop_fd;
  pthread_t thread;
  bool running;   /* the thread has not been joined */
  int references; /* the JavaScript handle, and the thread-safe function */
  napi_env env;
  napi_threadsafe_function deliver;
  pthread_mutex_t lock; /* guards the two below */
  struct block *first, *last;
};

static void release_listener(struct listener *l) {
  if (--l->references > 0) return;
  for (struct block *block = l->first, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  pthread_mutex_destroy(&l->lock);
  free(l);
}

static struct block *append_block(struct listener *l, int error) {
  struct block *block = malloc(sizeof *block);
  if (!block) return NULL;
  block->next = NULL;
  block->error = error;
  block->length = 0;
  if (l->last)
    l->last->next = block;
  else
    l->first = block;
  l->last = block;
  return block;
}

enum received { NOTHING, SOME, FAILED };

/* Reads one datagram into the last block, or a new one. */
static enum received receive(struct listener *l) {
  enum received result = SOME;
  pthread_mutex_lock(&l->lock);
  struct block *block = l->last;
  if (!block || block->error || BLOCK_SIZE - block->length < RECEIVE_ROOM) block = append_block(l, 0);
  /* Without memory nothing is read until there is some; the kernel tells by ENOBUFS what it had to drop. */
  if (block) {
    size_t room = BLOCK_SIZE - block->length;
    ssize_t got = recv(l->fd, block->bytes + block->length, room, MSG_DONTWAIT | MSG_TRUNC);
    if (got >= 0 && (size_t)got <= room) {
      block->length += (size_t)got;
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      result = NOTHING;
    } else {
      int error = got < 0 ? errno : ENOBUFS;
      append_block(l, error);
      if (error != ENOBUFS) result = FAILED;
    }
  } else {
    result = NOTHING;
  }
  pthread_mutex_unlock(&l->lock);
  return result;
}

static void *listen_thread(void *data) {
  struct listener *l = data;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the main thread */
  struct pollfd fds[2] = {{.fd = l->fd, .events = POLLIN}, {.fd = l->stop_fd, .events = POLLIN}};
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return NULL;
    if (fds[1].revents) return NULL;
    enum received last;
    int count = 0;
    while ((last = receive(l)) == SOME && ++count < 1000) continue;
    if (count > 0 || last == FAILED) napi_call_threadsafe_function(l->deliver, NULL, napi_tsfn_nonblocking);
    if (last == FAILED) return NULL;
  }
}

/* Takes the first block that holds anything. */
static struct block *take_block(struct listener *l, bool *more) {
  pthread_mutex_lock(&l->lock);
  struct block *block = l->first;
  while (block && block->length == 0 && !block->error && block->next) {
    l->first = block->next;
    free(block);
    block = l->first;
  }
  if (block && block->length == 0 && !block->error) {
    block = NULL; /* the thread is about to fill it */
  } else if (block) {
    l->first = block->next;
    if (!l->first) l->last = NULL;
  }
  *more = block && l->first;
  pthread_mutex_unlock(&l->lock);
  return block;
}

/* On the event loop: callback(bytes) or callback(undefined, errno) */
static void deliver(napi_env env, napi_value callback, void *context, void *data) {
  (void)data;
  struct listener *l = context;
  if (!env) return; /* the environment is going away */
  bool more = true;
  while (more && l->running) {
    struct block *block = take_block(l, &more);
    if (!block) return;
    napi_value undefined, arguments[2];
    napi_get_undefined(env, &undefined);
    arguments[0] = undefined;
    arguments[1] = undefined;
    if (block->error)
      napi_create_int32(env, block->error, &arguments[1]);
    else
      napi_create_buffer_copy(env, block->length, block->bytes, NULL, &arguments[0]);
    free(block);
    if (napi_call_function(env, undefined, callback, 2, arguments, NULL) != napi_ok) return;
  }
}

static void join_thread(void *data) {
  struct listener *l = data;
  if (!l->running) return;
  l->running = false;
  const uint64_t one = 1;
  while (write(l->stop_fd, &one, sizeof one) < 0 && errno == EINTR) continue;
  pthread_join(l->thread, NULL);
  close(l->fd);
  close(l->stop_fd);
}

static void free_function(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  release_listener(data);
}

static void stop(struct listener *l) {
  if (!l->running) return;
  napi_remove_env_cleanup_hook(l->env, join_thread, l);
  join_thread(l);
  napi_release_threadsafe_function(l->deliver, napi_tsfn_abort);
}

static void free_handle(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  stop(data);
  release_listener(data);
}

static int open_listener(struct listener *l, uint32_t groups) {
  l->fd = open_netlink(groups);
  if (l->fd < 0) return errno;
  l->stop_fd = eventfd(0, EFD_CLOEXEC);
  if (l->stop_fd >= 0) return 0;
  int error = errno;
  close(l->fd);
  return error;
}

/* netlinkListen(groups: number, callback): handle. Listening has begun when it returns. */
static napi_value netlink_listen(napi_env env, napi_callback_info info) {
  napi_value arguments[2], name, handle;
  uint32_t groups;
  if (!read_arguments(env, info, 2, arguments)) return NULL;
  if (napi_get_value_uint32(env, arguments[0], &groups) != napi_ok) {
    napi_throw_type_error(env, NULL, "netlinkListen(groups, callback)");
    return NULL;
  }
  struct listener *l = calloc(1, sizeof *l);
  if (!l) return throw_errno(env, "netlink socket", ENOMEM);
  int error = open_listener(l, groups);
  if (error) {
    free(l);
    return throw_errno(env, "netlink socket", error);
  }
  l->env = env;
  l->references = 2;
  pthread_mutex_init(&l->lock, NULL);
  napi_create_string_utf8(env, "loden netlink", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, arguments[1], NULL, name, 0, 1, l, free_function, l, deliver, &l->deliver);
  error = pthread_create(&l->thread, NULL, listen_thread, l);
  if (error) {
    close(l->fd);
    close(l->stop_fd);
    l->references = 1;
    napi_release_threadsafe_function(l->deliver, napi_tsfn_abort);
    return throw_errno(env, "netlink thread", error);
  }
  l->running = true;
  /* A worker may end, or the process, while we listen: the thread must be gone before the environment is. */
  napi_add_env_cleanup_hook(env, join_thread, l);
  napi_create_external(env, l, free_handle, NULL, &handle);
  return handle;
}

/* netlinkStopListening(handle): no callback comes after it. Idempotent. */
static napi_value netlink_stop_listening(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct listener *l;
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  if (napi_get_value_external(env, arguments[0], (void **)&l) == napi_ok) stop(l);
  return NULL;
}

const struct function listen_functions[] = {
    {"netlinkListen", netlink_listen},
    {"netlinkStopListening", netlink_stop_listening},
    {NULL, NULL},
};
