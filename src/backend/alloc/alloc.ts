import type { Backend } from '../backend.js';

/** Leases a subnet and writes subnet.env; leaves the kernel to others. */
export const alloc: Backend<undefined> = {
  type: 'alloc',
  leaseType: '',
  parseOptions: () => undefined,
  checkUplink: () => undefined,
  mtu: (_options, uplink) => uplink.mtu,
  leaseData: () => undefined,
  refusal: () => undefined,
  owns: () => ({ links: [], sysctls: [] }),
  peerLinks: () => [],
  planSelf: () => [],
  planPeer: () => [],
};
