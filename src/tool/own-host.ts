import type { NetworkInterfaceInfo } from 'node:os';
import type { Uplink } from '../backend/backend.js';
import { leaseKey } from '../lease/codec.js';
import type { Lease } from '../lease/lease.js';
import { masked, type Prefix, parsePrefix } from '../net/prefix.js';

/** What this machine is in the network. */
export interface OwnHost {
  readonly lease: Lease;
  /** The interface that has the lease's public IP; undefined behind NAT. */
  readonly uplink: Uplink | undefined;
}

/**
 * The lease that this machine holds: that of the subnet in its subnet file. Undefined where the file names none or
 * nobody holds it. `interfaces` is what os.networkInterfaces() says.
 */
export function ownHost(
  subnet: Prefix | undefined,
  leases: Iterable<Lease>,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): OwnHost | undefined {
  const lease = subnet && [...leases].find((candidate) => leaseKey(candidate) === leaseKey({ subnet }));
  return lease && { lease, uplink: uplinkWith(lease.attributes.publicIp, interfaces) };
}

/**
 * Stands for the uplink where this machine is no host: every address is on-link there, so a lease is not refused for
 * where the operator happens to sit.
 */
export const ANY_UPLINK: Uplink = {
  name: 'any',
  index: 0,
  mtu: 1500,
  address: '0.0.0.0',
  networks: [{ address: 0, length: 0 }],
  publicIp: '0.0.0.0',
};

function uplinkWith(
  publicIp: string,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): Uplink | undefined {
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    if (!addresses.some(({ address }) => address === publicIp)) continue;
    const networks = addresses.flatMap(({ cidr }) => parsePrefix(cidr ?? '') ?? []).map(masked);
    return { ...ANY_UPLINK, name, address: publicIp, publicIp, networks };
  }
  return undefined;
}
