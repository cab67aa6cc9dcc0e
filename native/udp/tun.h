/*
 * The device whose packets we carry. It persists: its address and routes stay while nobody is attached, and a thread
 * that attaches reads and writes one of its queues.
 *
 * A frame is virtio_net_hdr, ten bytes that say what is left to be done for a packet, and the packet. On a kernel or a
 * device without that header it is all zero here, and not there.
 */
#ifndef LODEN_UDP_TUN_H
#define LODEN_UDP_TUN_H

#include <linux/virtio_net.h>
#include <stdint.h>
#include <sys/types.h>

#include "counters.h"
#include "problem.h"
#include "sink.h"

#define FRAME_ROOM (sizeof(struct virtio_net_hdr) + 65536)

struct tun {
  int fd;
  unsigned index; /* of the device among the interfaces, in our network namespace */
  bool bare; /* without the header */
  int gone;  /* errno of a call that found no device behind the descriptor; else 0 */
  struct counters *counters;
};

/* Makes a persistent device. Nothing when there is a TUN device of that name; EEXIST when another kind has it. */
bool tun_create(const char *name, struct problem *problem);

/*
 * Attaches to a queue of a device that is there. `features` comes with those wanted, and leaves with those in use: what
 * the first queue could do without, the others must do without too.
 */
bool tun_attach(struct tun *tun, const char *name, unsigned *features, struct problem *problem);

/*
 * Whether the device of that name is still the one. It need not be removed, which its threads would notice: one that was
 * moved to another network namespace, or renamed, only falls silent.
 */
bool tun_is_attached(const char *name, unsigned index);

/* Reads one frame. 0 when there is none, or when the device is gone. */
size_t tun_read(struct tun *tun, uint8_t *frame, size_t room);

/* Writes one packet; the first part begins with the header. What the device refuses is counted. */
void tun_write(struct tun *tun, struct iovec *parts, int count);

#endif
