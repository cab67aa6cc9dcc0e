/* The options of a packet path and the name of its device, from JavaScript, and the names that features have there. */
#ifndef LODEN_UDP_OPTIONS_H
#define LODEN_UDP_OPTIONS_H

#include <net/if.h>

#include "loden.h"
#include "udp/path.h"

/* False when it is no string, or no interface can be called so. */
bool read_device(napi_env env, napi_value value, char name[IFNAMSIZ + 1]);

/* False when one is missing, or of another kind. */
bool read_options(napi_env env, napi_value object, struct path_wish *wish);

/* An array of strings. */
napi_value name_features(napi_env env, unsigned features);

#endif
