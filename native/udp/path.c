#include "path.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../glibc.h"
#include "features.h"
#include "queue.h"
#include "socket.h"
#include "tun.h"

/* More would share the cores with what they carry packets for. */
#define DEFAULT_QUEUES 8

struct worker {
  struct path *path;
  struct queue *queue;
  pthread_t thread;
};

struct path {
  void (*failed)(void *context, const struct problem *problem);
  void *context;
  atomic_flag has_failed;
  char device[IFNAMSIZ + 1];
  unsigned device_index;
  int stop_fd;
  unsigned features, queues, running;
  struct roster roster;
  struct worker workers[ROSTER_READERS];
};

static void *work(void *data) {
  struct worker *worker = data;
  struct path *path = worker->path;
  struct problem problem;
  char name[16];
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are for the main thread */
  snprintf(name, sizeof name, "loden-udp-%u", worker->queue->number);
  prctl(PR_SET_NAME, name);
  if (!queue_run(worker->queue, &problem) && !atomic_flag_test_and_set(&path->has_failed))
    path->failed(path->context, &problem);
  return NULL;
}

static unsigned count_cores(void) {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return (unsigned)CPU_COUNT(&cores);
}

static unsigned queues_for(const struct path_wish *wish, unsigned features) {
  unsigned queues = wish->queues;
  if (!(features & FEATURE_MULTI_QUEUE)) return 1;
  if (queues == 0) queues = count_cores() < DEFAULT_QUEUES ? count_cores() : DEFAULT_QUEUES;
  return queues < ROSTER_READERS ? queues : ROSTER_READERS;
}

static void close_tuns(struct tun *tuns, unsigned count) {
  while (count > 0) close(tuns[--count].fd);
}

/* All queues of the device, or none. */
static bool attach(struct path *path, const struct path_wish *wish, struct tun *tuns, struct problem *problem) {
  path->features = FEATURES_ALL & ~wish->without;
  path->queues = 1;
  for (unsigned i = 0; i < path->queues; i++) {
    if (!tun_attach(&tuns[i], wish->device, &path->features, problem)) {
      close_tuns(tuns, i);
      return false;
    }
    if (i == 0) path->queues = queues_for(wish, path->features);
  }
  return true;
}

static bool make_queues(struct path *path, const struct path_wish *wish, struct tun *tuns, int *sockets) {
  struct queue_setup setup = {
      .stop_fd = path->stop_fd,
      .roster = &path->roster,
      .features = path->features,
      .port = wish->port,
      .tunnel_address = wish->tunnel_address,
      .accept_any = wish->accept_any,
  };
  bool fine = true;
  for (unsigned i = 0; i < path->queues; i++) {
    setup.number = i;
    setup.tun = tuns[i];
    setup.socket = sockets[i];
    path->workers[i] = (struct worker){.path = path, .queue = queue_make(&setup)};
    if (path->workers[i].queue) continue;
    close(tuns[i].fd);
    close(sockets[i]);
    fine = false;
  }
  return fine;
}

static bool open_queues(struct path *path, const struct path_wish *wish, struct problem *problem) {
  struct tun tuns[ROSTER_READERS];
  int sockets[ROSTER_READERS];
  if (!attach(path, wish, tuns, problem)) return false;
  path->device_index = tuns[0].index;
  if (!sockets_open(sockets, path->queues, wish->address, wish->port, &path->features, problem)) {
    close_tuns(tuns, path->queues);
    return false;
  }
  return make_queues(path, wish, tuns, sockets) || fail_with(problem, ENOMEM, "buffers of the packet path");
}

static bool start(struct path *path, struct problem *problem) {
  for (; path->running < path->queues; path->running++) {
    struct worker *worker = &path->workers[path->running];
    int error = pthread_create(&worker->thread, NULL, work, worker);
    if (error) return fail_with(problem, error, "thread of the packet path");
  }
  return true;
}

struct path *path_open(const struct path_wish *wish, struct problem *problem) {
  struct path *path = aligned_alloc(alignof(struct path), sizeof *path);
  if (!path) {
    fail_with(problem, ENOMEM, "packet path");
    return NULL;
  }
  memset(path, 0, sizeof *path);
  path->failed = wish->failed;
  path->context = wish->context;
  memcpy(path->device, wish->device, sizeof path->device);
  atomic_flag_clear(&path->has_failed);
  path->stop_fd = eventfd(0, EFD_CLOEXEC);
  if (!roster_init(&path->roster) || path->stop_fd < 0)
    fail_with(problem, path->stop_fd < 0 ? errno : ENOMEM, "packet path");
  else if (open_queues(path, wish, problem) && start(path, problem))
    return path;
  path_close(path);
  return NULL;
}

void path_close(struct path *path) {
  const uint64_t one = 1;
  while (write(path->stop_fd, &one, sizeof one) < 0 && errno == EINTR) continue;
  while (path->running > 0) pthread_join(path->workers[--path->running].thread, NULL);
  for (unsigned i = 0; i < path->queues; i++) queue_free(path->workers[i].queue);
  roster_free(&path->roster);
  if (path->stop_fd >= 0) close(path->stop_fd);
  free(path);
}

unsigned path_features(const struct path *path) {
  return path->features;
}

unsigned path_queues(const struct path *path) {
  return path->queues;
}

bool path_is_attached(const struct path *path) {
  return tun_is_attached(path->device, path->device_index);
}

bool path_set_peers(struct path *path, struct peers *peers) {
  return roster_publish(&path->roster, peers);
}

void path_counters(const struct path *path, uint64_t sums[COUNTER_COUNT]) {
  for (unsigned c = 0; c < COUNTER_COUNT; c++) {
    sums[c] = 0;
    for (unsigned i = 0; i < path->queues; i++) sums[c] += counted(&path->workers[i].queue->counters, c);
  }
}
