/* The options of a packet path, from JavaScript, and the names that features have there. */
#ifndef LODEN_UDP_OPTIONS_H
#define LODEN_UDP_OPTIONS_H

#include "loden.h"
#include "udp/path.h"

/* False when one is missing, or of another kind. */
bool read_options(napi_env env, napi_value object, struct path_wish *wish);

/* An array of strings. */
napi_value name_features(napi_env env, unsigned features);

#endif
