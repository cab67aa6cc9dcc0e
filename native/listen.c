/*
 * A netlink socket that listens to what the kernel announces.
 *
 *   kernel ──▶ socket ──▶ thread ──▶ list of blocks ──▶ JavaScript callback, on the event loop
 *
 * The thread empties the socket however busy the event loop is, so that the kernel seldom has to drop anything. It
 * gathers messages in blocks: however many arrive before JavaScript gets to look, one callback takes a whole block.
 */
#include "blocks.h"
#include "loden.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const napi_type_tag listener_kind = {0x6c6f64656e206e6c, 0x6c697374656e6572};

struct listener {
  int fd, stop_fd;
  pthread_t thread;
  bool running;   /* the thread has not been joined */
  int references; /* the JavaScript handle, and the thread-safe function */
  napi_env env;
  napi_threadsafe_function deliver;
  struct blocks blocks;
};

static void release_listener(struct listener *l) {
  if (--l->references > 0) return;
  blocks_free(&l->blocks);
  free(l);
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
    while ((last = blocks_receive(&l->blocks, l->fd)) == RECEIVED_SOME && ++count < 1000) continue;
    if (count > 0 || last == RECEIVE_FAILED) napi_call_threadsafe_function(l->deliver, NULL, napi_tsfn_nonblocking);
    if (last == RECEIVE_FAILED) return NULL;
  }
}

/* On the event loop: callback(bytes) or callback(undefined, errno) */
static void deliver(napi_env env, napi_value callback, void *context, void *data) {
  (void)data;
  struct listener *l = context;
  if (!env) return; /* the environment is going away */
  struct block *block;
  while (l->running && (block = blocks_take(&l->blocks))) {
    napi_value undefined;
    napi_get_undefined(env, &undefined);
    napi_value arguments[2] = {undefined, undefined};
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

static int open_listener(struct listener *l, int protocol, uint32_t groups) {
  l->fd = open_netlink(protocol, groups);
  if (l->fd < 0) return errno;
  l->stop_fd = eventfd(0, EFD_CLOEXEC);
  if (l->stop_fd >= 0) return 0;
  int error = errno;
  close(l->fd);
  return error;
}

/* netlinkListen(protocol: number, groups: number, callback): handle. Listening has begun when it returns. */
static napi_value netlink_listen(napi_env env, napi_callback_info info) {
  napi_value arguments[3], name;
  int32_t protocol;
  uint32_t groups;
  if (!read_arguments(env, info, 3, arguments)) return NULL;
  if (napi_get_value_int32(env, arguments[0], &protocol) != napi_ok ||
      napi_get_value_uint32(env, arguments[1], &groups) != napi_ok) {
    napi_throw_type_error(env, NULL, "netlinkListen(protocol, groups, callback)");
    return NULL;
  }
  struct listener *l = calloc(1, sizeof *l);
  if (!l) return throw_errno(env, "netlink socket", ENOMEM);
  int error = open_listener(l, protocol, groups);
  if (error) {
    free(l);
    return throw_errno(env, "netlink socket", error);
  }
  l->env = env;
  l->references = 2;
  blocks_init(&l->blocks);
  napi_create_string_utf8(env, "loden netlink", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, arguments[2], NULL, name, 0, 1, l, free_function, l, deliver, &l->deliver);
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
  return make_handle(env, &listener_kind, l, free_handle);
}

/* netlinkStopListening(handle): no callback comes after it. Idempotent. */
static napi_value netlink_stop_listening(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  struct listener *l = read_handle(env, arguments[0], &listener_kind);
  if (l)
    stop(l);
  else
    napi_throw_type_error(env, NULL, "netlinkStopListening(listener)");
  return NULL;
}

const struct function listen_functions[] = {
    {"netlinkListen", netlink_listen},
    {"netlinkStopListening", netlink_stop_listening},
    {NULL, NULL},
};
