/* A claim on a device, for JavaScript; what it is worth is in udp/claim.h. */
#include "loden.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "udp-options.h"
#include "udp/claim.h"

static const napi_type_tag claim_kind = {0x6c6f64656e207564, 0x7020636c61696d00};

struct claim {
  int fd; /* -1 when it was released */
};

static void release(struct claim *claim) {
  if (claim->fd >= 0) close(claim->fd);
  claim->fd = -1;
}

static void free_claim(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  release(data);
  free(data);
}

/* udpClaim(device: string): handle */
static napi_value udp_claim(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  char name[IFNAMSIZ + 1];
  struct problem problem;
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  if (!read_device(env, arguments[0], name)) {
    napi_throw_type_error(env, NULL, "udpClaim(device)");
    return NULL;
  }
  struct claim *claim = malloc(sizeof *claim);
  if (!claim) return throw_errno(env, "claim", ENOMEM);
  claim->fd = claim_device(name, &problem);
  if (claim->fd >= 0) return make_handle(env, &claim_kind, claim, free_claim);
  free(claim);
  return throw_errno(env, problem.what, problem.error);
}

/* udpRelease(claim). Idempotent. */
static napi_value udp_release(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  struct claim *claim = read_handle(env, arguments[0], &claim_kind);
  if (claim)
    release(claim);
  else
    napi_throw_type_error(env, NULL, "udpRelease(claim)");
  return NULL;
}

const struct function claim_functions[] = {{"udpClaim", udp_claim}, {"udpRelease", udp_release}, {NULL, NULL}};
