#include "udp-options.h"

#include <arpa/inet.h>
#include <string.h>

#include "udp/features.h"

static const struct {
  const char *name;
  enum feature feature;
} FEATURES[] = {
    {"tso", FEATURE_TSO},
    {"uso", FEATURE_USO},
    {"gso", FEATURE_GSO},
    {"gro", FEATURE_GRO},
    {"multi-queue", FEATURE_MULTI_QUEUE},
};
#define FEATURE_COUNT (sizeof FEATURES / sizeof *FEATURES)

static bool read_text(napi_env env, napi_value object, const char *name, char *text, size_t room) {
  napi_value value;
  size_t length;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_string_utf8(env, value, text, room, &length) == napi_ok && length > 0 && length < room - 1;
}

bool read_device(napi_env env, napi_value value, char name[IFNAMSIZ + 1]) {
  size_t length;
  return napi_get_value_string_utf8(env, value, name, IFNAMSIZ + 1, &length) == napi_ok && length > 0 &&
         length < IFNAMSIZ;
}

static bool read_address(napi_env env, napi_value object, const char *name, uint32_t *address) {
  char text[INET_ADDRSTRLEN + 1];
  struct in_addr parsed;
  if (!read_text(env, object, name, text, sizeof text) || inet_pton(AF_INET, text, &parsed) != 1) return false;
  *address = ntohl(parsed.s_addr);
  return true;
}

static bool read_number(napi_env env, napi_value object, const char *name, uint32_t *number) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_uint32(env, value, number) == napi_ok;
}

static bool read_flag(napi_env env, napi_value object, const char *name, bool *flag) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_bool(env, value, flag) == napi_ok;
}

static bool read_feature(napi_env env, napi_value value, unsigned *features) {
  char name[32];
  size_t length;
  if (napi_get_value_string_utf8(env, value, name, sizeof name, &length) != napi_ok) return false;
  for (size_t i = 0; i < FEATURE_COUNT; i++) {
    if (strcmp(name, FEATURES[i].name) != 0) continue;
    *features |= FEATURES[i].feature;
    return true;
  }
  return false;
}

static bool read_without(napi_env env, napi_value object, unsigned *features) {
  napi_value names, name;
  uint32_t length;
  if (napi_get_named_property(env, object, "without", &names) != napi_ok) return false;
  if (napi_get_array_length(env, names, &length) != napi_ok) return false;
  for (uint32_t i = 0; i < length; i++)
    if (napi_get_element(env, names, i, &name) != napi_ok || !read_feature(env, name, features)) return false;
  return true;
}

bool read_options(napi_env env, napi_value object, struct path_wish *wish) {
  uint32_t port;
  bool fine = read_text(env, object, "device", wish->device, sizeof wish->device) &&
              read_address(env, object, "address", &wish->address) && read_number(env, object, "port", &port) &&
              read_address(env, object, "tunnelAddress", &wish->tunnel_address) &&
              read_number(env, object, "queues", &wish->queues) &&
              read_flag(env, object, "acceptAny", &wish->accept_any) && read_without(env, object, &wish->without);
  if (!fine || port == 0 || port > UINT16_MAX) return false;
  wish->port = (uint16_t)port;
  return true;
}

napi_value name_features(napi_env env, unsigned features) {
  napi_value names, name;
  uint32_t used = 0;
  napi_create_array(env, &names);
  for (size_t i = 0; i < FEATURE_COUNT; i++) {
    if (!(features & FEATURES[i].feature)) continue;
    napi_create_string_utf8(env, FEATURES[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, used++, name);
  }
  return names;
}
