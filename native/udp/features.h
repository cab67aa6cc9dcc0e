/* What of the kernel's help the path uses; it does without any of it, at a price. */
#ifndef LODEN_UDP_FEATURES_H
#define LODEN_UDP_FEATURES_H

enum feature {
  FEATURE_TSO = 1,          /* the device takes and gives TCP super-packets; with it, checksums left to be completed */
  FEATURE_USO = 2,          /* and UDP ones; Linux 6.2 */
  FEATURE_GSO = 4,          /* one send is cut into datagrams; Linux 4.18 */
  FEATURE_GRO = 8,          /* one receive gives datagrams that were joined; Linux 5.0 */
  FEATURE_MULTI_QUEUE = 16, /* several queues of one device */
  FEATURES_ALL = 31,
};

#endif
