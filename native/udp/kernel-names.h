/* Names that the headers of older systems lack; whether the kernel knows them is seen when they are used. */
#ifndef LODEN_UDP_KERNEL_NAMES_H
#define LODEN_UDP_KERNEL_NAMES_H

/* linux/udp.h: Linux 4.18 and 5.0 */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* linux/if_tun.h and linux/virtio_net.h: Linux 6.2 */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#endif
