/*
 * A netlink socket that answers requests. A request is a whole batch of messages, sent in one call; what comes back,
 * up to the answer to the batch's last message, is returned as it came, for JavaScript to read. Sending and waiting
 * happen on a thread of the pool, because the kernel works through the batch inside sendto().
 */
#include "loden.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills dump messages up to 32 KB, and what it cannot fit into one recv is lost. */
static const size_t RECEIVE_ROOM = 64 << 10;
/* The kernel answers at once; only a kernel that has lost our request is silent for so long. */
static const int SILENCE_MS = 30000;

static const napi_type_tag socket_kind = {0x6c6f64656e206e6c, 0x736f636b65740000};

struct netlink_socket {
  int fd;
  bool busy; /* a transaction is under way */
  bool closed;
};

struct transaction {
  struct netlink_socket *socket;
  napi_ref handle; /* keeps the socket while we use it */
  napi_deferred deferred;
  napi_async_work work;
  uint32_t until_sequence;
  uint8_t *request;
  size_t request_length;
  uint8_t *reply;
  size_t reply_length, reply_capacity;
  const char *failed_call; /* NULL when all went well */
  int error;
};

static void close_fd(struct netlink_socket *socket) {
  if (socket->fd >= 0) close(socket->fd);
  socket->fd = -1;
}

static void free_socket(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  close_fd(data);
  free(data);
}

static bool fail(struct transaction *t, const char *call, int error) {
  t->failed_call = call;
  t->error = error;
  return false;
}

static bool send_request(struct transaction *t) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  for (;;) {
    ssize_t sent = sendto(t->socket->fd, t->request, t->request_length, 0, (struct sockaddr *)&kernel, sizeof kernel);
    if (sent >= 0) return true;
    if (errno != EINTR) return fail(t, "netlink send", errno);
  }
}

static bool wait_readable(struct transaction *t) {
  struct pollfd fd = {.fd = t->socket->fd, .events = POLLIN};
  for (;;) {
    int ready = poll(&fd, 1, SILENCE_MS);
    if (ready > 0) return true;
    if (ready == 0) return fail(t, "netlink receive", ETIMEDOUT);
    if (errno != EINTR) return fail(t, "netlink poll", errno);
  }
}

/* Appends one datagram to the reply. Returns its length, or 0 on failure. */
static size_t receive(struct transaction *t) {
  if (t->reply_capacity - t->reply_length < RECEIVE_ROOM) {
    size_t capacity = t->reply_capacity * 2 + RECEIVE_ROOM;
    uint8_t *grown = realloc(t->reply, capacity);
    if (!grown) return fail(t, "netlink receive", ENOMEM);
    t->reply = grown;
    t->reply_capacity = capacity;
  }
  for (;;) {
    size_t room = t->reply_capacity - t->reply_length;
    ssize_t got = recv(t->socket->fd, t->reply + t->reply_length, room, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(t, "netlink receive", errno);
    if ((size_t)got > room) return fail(t, "netlink receive", EMSGSIZE);
    t->reply_length += (size_t)got;
    return (size_t)got;
  }
}

/* Whether the last `length` bytes of the reply hold the answer to the batch's last message. */
static bool is_complete(const struct transaction *t, size_t length) {
  const uint8_t *at = t->reply + t->reply_length - length, *end = t->reply + t->reply_length;
  while ((size_t)(end - at) >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header;
    memcpy(&header, at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > (size_t)(end - at)) return false;
    bool final = header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE;
    if (final && header.nlmsg_seq == t->until_sequence) return true;
    size_t step = NLMSG_ALIGN(header.nlmsg_len);
    if (step > (size_t)(end - at)) return false;
    at += step;
  }
  return false;
}

static void run_transaction(napi_env env, void *data) {
  (void)env;
  struct transaction *t = data;
  if (!send_request(t)) return;
  size_t length;
  do {
    if (!wait_readable(t)) return;
    length = receive(t);
    if (length == 0) return;
  } while (!is_complete(t, length));
}

static void finish_transaction(napi_env env, napi_status status, void *data) {
  struct transaction *t = data;
  t->socket->busy = false;
  if (t->socket->closed) close_fd(t->socket);
  if (status == napi_cancelled) fail(t, "netlink", ECANCELED);
  napi_value value;
  if (t->failed_call) {
    napi_reject_deferred(env, t->deferred, make_errno(env, t->failed_call, t->error));
  } else {
    napi_create_buffer_copy(env, t->reply_length, t->reply, NULL, &value);
    napi_resolve_deferred(env, t->deferred, value);
  }
  napi_delete_reference(env, t->handle);
  napi_delete_async_work(env, t->work);
  free(t->request);
  free(t->reply);
  free(t);
}

/* netlinkOpen(): handle */
static napi_value netlink_open(napi_env env, napi_callback_info info) {
  (void)info;
  struct netlink_socket *socket = calloc(1, sizeof *socket);
  if (!socket) return throw_errno(env, "netlink socket", ENOMEM);
  socket->fd = open_netlink(NETLINK_ROUTE, 0);
  if (socket->fd < 0) {
    int error = errno;
    free(socket);
    return throw_errno(env, "netlink socket", error);
  }
  return make_handle(env, &socket_kind, socket, free_socket);
}

/* netlinkTransact(handle, request: Buffer, untilSequence: number): Promise<Buffer> */
static napi_value netlink_transact(napi_env env, napi_callback_info info) {
  napi_value arguments[3], promise, name;
  void *request;
  size_t length;
  uint32_t until;
  if (!read_arguments(env, info, 3, arguments)) return NULL;
  struct netlink_socket *socket = read_handle(env, arguments[0], &socket_kind);
  if (!socket ||
      napi_get_buffer_info(env, arguments[1], &request, &length) != napi_ok ||
      napi_get_value_uint32(env, arguments[2], &until) != napi_ok) {
    napi_throw_type_error(env, NULL, "netlinkTransact(handle, request, untilSequence)");
    return NULL;
  }
  if (socket->closed) return throw_errno(env, "netlink send", EBADF);
  if (socket->busy) return throw_errno(env, "netlink send", EBUSY);
  struct transaction *t = calloc(1, sizeof *t);
  uint8_t *copy = malloc(length ? length : 1);
  if (!t || !copy) {
    free(t);
    free(copy);
    return throw_errno(env, "netlink send", ENOMEM);
  }
  memcpy(copy, request, length);
  *t = (struct transaction){
      .socket = socket, .until_sequence = until, .request = copy, .request_length = length};
  socket->busy = true;
  napi_create_reference(env, arguments[0], 1, &t->handle);
  napi_create_promise(env, &t->deferred, &promise);
  napi_create_string_utf8(env, "loden netlink", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, run_transaction, finish_transaction, t, &t->work);
  napi_queue_async_work(env, t->work);
  return promise;
}

/* netlinkClose(handle): a transaction under way still ends. */
static napi_value netlink_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!read_arguments(env, info, 1, arguments)) return NULL;
  struct netlink_socket *socket = read_handle(env, arguments[0], &socket_kind);
  if (!socket) {
    napi_throw_type_error(env, NULL, "netlinkClose(socket)");
    return NULL;
  }
  socket->closed = true;
  if (!socket->busy) close_fd(socket);
  return NULL;
}

const struct function netlink_functions[] = {
    {"netlinkOpen", netlink_open},
    {"netlinkTransact", netlink_transact},
    {"netlinkClose", netlink_close},
    {NULL, NULL},
};
