/*
 * Where packets for the device go. The first part begins with the ten bytes that tell the kernel what is left to be
 * done for the packet (virtio_net_hdr); all zero, there is nothing. The sink may change the parts, not what they point at.
 */
#ifndef LODEN_UDP_SINK_H
#define LODEN_UDP_SINK_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

struct sink {
  void (*write)(void *to, struct iovec *parts, int count);
  void *to;
};

#endif
