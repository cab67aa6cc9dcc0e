/* The addon's entry: exports the functions of every file, and turns errno into JavaScript errors. */
#include "loden.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct function *const tables[] = {netlink_functions, listen_functions, notify_functions, udp_functions,
                                               claim_functions};

napi_value make_errno(napi_env env, const char *what, int error) {
  char text[256];
  napi_value message, object, number;
  snprintf(text, sizeof text, "%s: %s", what, strerror(error));
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, NULL, message, &object);
  napi_create_int32(env, error, &number);
  napi_set_named_property(env, object, "errno", number);
  return object;
}

napi_value throw_errno(napi_env env, const char *what, int error) {
  napi_throw(env, make_errno(env, what, error));
  return NULL;
}

bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given >= count) return true;
  napi_throw_type_error(env, NULL, "too few arguments");
  return false;
}

napi_value make_handle(napi_env env, const napi_type_tag *kind, void *data, napi_finalize free_data) {
  napi_value handle;
  if (napi_create_external(env, data, free_data, NULL, &handle) != napi_ok) return NULL;
  if (napi_type_tag_object(env, handle, kind) == napi_ok) return handle;
  return throw_errno(env, "netlink handle", EINVAL);
}

void *read_handle(napi_env env, napi_value handle, const napi_type_tag *kind) {
  napi_valuetype type;
  bool same = false;
  void *data;
  if (napi_typeof(env, handle, &type) != napi_ok || type != napi_external) return NULL;
  if (napi_check_object_type_tag(env, handle, kind, &same) != napi_ok || !same) return NULL;
  return napi_get_value_external(env, handle, &data) == napi_ok ? data : NULL;
}

NAPI_MODULE_INIT() {
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
    for (const struct function *f = tables[t]; f->name; f++) {
      napi_value value;
      napi_create_function(env, f->name, NAPI_AUTO_LENGTH, f->call, NULL, &value);
      napi_set_named_property(env, exports, f->name, value);
    }
  }
  return exports;
}
