/*
 * What the addon's files share. Each file fills in one table of functions, which addon.c exports to JavaScript; a new
 * file adds its table here and there, and its name to the Makefile.
 */
#ifndef LODEN_H
#define LODEN_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "glibc.h"

struct function {
  const char *name; /* NULL ends a table */
  napi_callback call;
};

extern const struct function netlink_functions[];
extern const struct function listen_functions[];
extern const struct function notify_functions[];
extern const struct function udp_functions[];
extern const struct function claim_functions[];

/* Leaves a JavaScript exception pending `{ message: "what: strerror", errno }` and returns NULL. */
napi_value throw_errno(napi_env env, const char *what, int error);
/* The same as an Error value, for rejecting a promise. */
napi_value make_errno(napi_env env, const char *what, int error);

/* Reads up to `count` arguments; false, with an exception pending, when there are fewer. */
bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

/* A handle for JavaScript that holds `data` and is of one kind; NULL, with an exception pending, when there is none. */
napi_value make_handle(napi_env env, const napi_type_tag *kind, void *data, napi_finalize free_data);
/* What a handle of that kind holds; NULL for any other value. */
void *read_handle(napi_env env, napi_value handle, const napi_type_tag *kind);

/* A netlink socket with buffers of 8 MB, bound to multicast groups (a mask as in sockaddr_nl); -1 and errno. */
int open_netlink(int protocol, uint32_t groups);

#endif
