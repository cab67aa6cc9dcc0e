/* sd_notify(3): one datagram to the socket that systemd names in NOTIFY_SOCKET. */
#include "loden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int send_datagram(const struct sockaddr_un *address, socklen_t length, const char *text, size_t size) {
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ssize_t sent;
  do {
    sent = sendto(fd, text, size, MSG_NOSIGNAL, (const struct sockaddr *)address, length);
  } while (sent < 0 && errno == EINTR);
  int error = sent < 0 ? errno : 0;
  close(fd);
  return error;
}

/* notify(path: string, message: string): throws when the datagram could not be sent. */
static napi_value notify(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char message[4096];
  size_t path_length, message_length;
  if (!read_arguments(env, info, 2, arguments)) return NULL;
  if (napi_get_value_string_utf8(env, arguments[0], NULL, 0, &path_length) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[1], NULL, 0, &message_length) != napi_ok) {
    napi_throw_type_error(env, NULL, "notify(path, message)");
    return NULL;
  }
  if (path_length == 0 || path_length >= sizeof address.sun_path) return throw_errno(env, "notify", ENAMETOOLONG);
  if (message_length >= sizeof message) return throw_errno(env, "notify", EMSGSIZE);
  napi_get_value_string_utf8(env, arguments[0], address.sun_path, sizeof address.sun_path, &path_length);
  napi_get_value_string_utf8(env, arguments[1], message, sizeof message, &message_length);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0; /* an abstract name: no file, and no zero at its end */
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length);
  int error = send_datagram(&address, length, message, message_length);
  return error ? throw_errno(env, "notify", error) : NULL;
}

const struct function notify_functions[] = {
    {"notify", notify},
    {NULL, NULL},
};
