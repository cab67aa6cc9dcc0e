/*
 * The packet path of the udp backend, for JavaScript. What it does is in udp/, from udp/path.h on; here are only
 * arguments, and a failure's way from a thread to the event loop.
 */
#include "loden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udp-options.h"
#include "udp/path.h"
#include "udp/tun.h"

static const napi_type_tag path_kind = {0x6c6f64656e207564, 0x7020706174680000};

struct open_path {
  struct path *path; /* NULL when closed */
  int references;    /* the JavaScript handle, and the thread-safe function */
  napi_env env;
  napi_threadsafe_function failed;
  struct problem problem; /* written by the one thread that reports, before the event loop is told */
};

static void release(struct open_path *p) {
  if (--p->references == 0) free(p);
}

/* On a thread of the path. */
static void report_failure(void *context, const struct problem *problem) {
  struct open_path *p = context;
  p->problem = *problem;
  napi_call_threadsafe_function(p->failed, NULL, napi_tsfn_nonblocking);
}

/* On the event loop: onFailed(message, errno) */
static void deliver_failure(napi_env env, napi_value callback, void *context, void *data) {
  (void)data;
  struct open_path *p = context;
  char text[256];
  napi_value undefined, arguments[2];
  if (!env || !p->path) return; /* the environment is going away, or it was closed meanwhile */
  snprintf(text, sizeof text, "%s: %s", p->problem.what, strerror(p->problem.error));
  napi_get_undefined(env, &undefined);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &arguments[0]);
  napi_create_int32(env, p->problem.error, &arguments[1]);
  napi_call_function(env, undefined, callback, 2, arguments, NULL);
}

static void close_path(void *data) {
  struct open_path *p = data;
  if (!p->path) return;
  path_close(p->path);
  p->path = NULL;
}

static void stop(struct open_path *p) {
  if (!p->path) return;
  napi_remove_env_cleanup_hook(p->env, close_path, p);
  close_path(p);
  napi_release_threadsafe_function(p->failed, napi_tsfn_abort);
}

static void free_handle(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  stop(data);
  release(data);
}

static void free_function(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  release(data);
}

static napi_value throw_problem(napi_env env, const struct problem *problem) {
  return throw_errno(env, problem->what, problem->error);
}

static napi_value throw_usage(napi_env env, const char *usage) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, NULL, usage);
  return NULL;
}

/* tunCreate(name: string) */
static napi_value tun_create_device(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  char name[IFNAMSIZ + 1];
  struct problem problem;
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  if (!read_device(env, arguments[0], name)) return throw_usage(env, "tunCreate(name)");
  return tun_create(name, &problem) ? NULL : throw_problem(env, &problem);
}

/* udpOpen(options, onFailed): handle */
static napi_value udp_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2], name;
  struct path_wish wish = {.failed = report_failure};
  struct problem problem;
  if (!read_arguments(env, info, 2, arguments)) return NULL;
  if (!read_options(env, arguments[0], &wish)) return throw_usage(env, "udpOpen(options, onFailed)");
  struct open_path *p = calloc(1, sizeof *p);
  if (!p) return throw_errno(env, "packet path", ENOMEM);
  p->env = env;
  p->references = 2;
  wish.context = p;
  napi_create_string_utf8(env, "loden udp", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, arguments[1], NULL, name, 0, 1, p, free_function, p, deliver_failure,
                                      &p->failed) != napi_ok) {
    free(p);
    return throw_usage(env, "udpOpen(options, onFailed)");
  }
  p->path = path_open(&wish, &problem);
  if (!p->path) {
    p->references = 1;
    napi_release_threadsafe_function(p->failed, napi_tsfn_abort);
    return throw_problem(env, &problem);
  }
  /* A worker may end, or the process, while packets flow: the threads must be gone before the environment is. */
  napi_add_env_cleanup_hook(env, close_path, p);
  return make_handle(env, &path_kind, p, free_handle);
}

/* The handle that is the first argument; NULL, with an exception pending, when it is none or closed. */
static struct open_path *read_path(napi_env env, napi_callback_info info, size_t count, napi_value *arguments,
                                   const char *usage) {
  if (!read_arguments(env, info, count, arguments)) return NULL;
  struct open_path *p = read_handle(env, arguments[0], &path_kind);
  if (!p) throw_usage(env, usage);
  if (p && !p->path) throw_errno(env, "closed packet path", EBADF);
  return p && p->path ? p : NULL;
}

/* udpFeatures(path): { queues: number, features: string[] } */
static napi_value udp_features(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result, queues;
  struct open_path *p = read_path(env, info, 1, arguments, "udpFeatures(path)");
  if (!p) return NULL;
  napi_create_object(env, &result);
  napi_create_uint32(env, path_queues(p->path), &queues);
  napi_set_named_property(env, result, "queues", queues);
  napi_set_named_property(env, result, "features", name_features(env, path_features(p->path)));
  return result;
}

/* udpIsAttached(path): boolean */
static napi_value udp_is_attached(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result;
  struct open_path *p = read_path(env, info, 1, arguments, "udpIsAttached(path)");
  if (!p) return NULL;
  napi_get_boolean(env, path_is_attached(p->path), &result);
  return result;
}

/* udpSetPeers(path, table: Buffer): of struct peer, one after the other */
static napi_value udp_set_peers(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  void *table;
  size_t length;
  struct open_path *p = read_path(env, info, 2, arguments, "udpSetPeers(path, table)");
  if (!p) return NULL;
  if (napi_get_buffer_info(env, arguments[1], &table, &length) != napi_ok || length % sizeof(struct peer) != 0)
    return throw_usage(env, "udpSetPeers(path, table)");
  struct peer *list = malloc(length + 1); /* the table may lie anywhere; a struct must not */
  if (!list) return throw_errno(env, "table of peers", ENOMEM);
  memcpy(list, table, length);
  errno = EINVAL;
  struct peers *peers = peers_make(list, length / sizeof *list);
  int error = errno;
  free(list);
  if (peers && path_set_peers(p->path, peers)) return NULL;
  peers_free(peers);
  return throw_errno(env, "table of peers", peers ? ENOMEM : error);
}

/* udpCounters(path): BigUint64Array, in the order of udpCounterNames */
static napi_value udp_counters(napi_env env, napi_callback_info info) {
  napi_value arguments[1], buffer, result;
  uint64_t *sums;
  struct open_path *p = read_path(env, info, 1, arguments, "udpCounters(path)");
  if (!p) return NULL;
  napi_create_arraybuffer(env, COUNTER_COUNT * sizeof *sums, (void **)&sums, &buffer);
  path_counters(p->path, sums);
  napi_create_typedarray(env, napi_biguint64_array, COUNTER_COUNT, buffer, 0, &result);
  return result;
}

/* udpCounterNames(): string[] */
static napi_value udp_counter_names(napi_env env, napi_callback_info info) {
#define TEXT(name, text) text,
  static const char *const names[] = {COUNTERS(TEXT)};
#undef TEXT
  (void)info;
  napi_value result, name;
  napi_create_array_with_length(env, COUNTER_COUNT, &result);
  for (uint32_t i = 0; i < COUNTER_COUNT; i++) {
    napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, result, i, name);
  }
  return result;
}

/* udpClose(path): no callback comes after it. Idempotent. */
static napi_value udp_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  struct open_path *p = read_handle(env, arguments[0], &path_kind);
  if (!p) return throw_usage(env, "udpClose(path)");
  stop(p);
  return NULL;
}

const struct function udp_functions[] = {
    {"tunCreate", tun_create_device},      {"udpOpen", udp_open},         {"udpFeatures", udp_features},
    {"udpIsAttached", udp_is_attached},    {"udpSetPeers", udp_set_peers}, {"udpCounters", udp_counters},
    {"udpCounterNames", udp_counter_names}, {"udpClose", udp_close},       {NULL, NULL},
};
