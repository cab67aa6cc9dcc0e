/** What `loden cleanup` may take away from a host. */

import type { CheckedConfig } from '../backend/checked-config.js';
import { findDevices } from '../backend/found-devices.js';
import type { Interface, Kernel, Ownership } from '../kernel/kernel.js';
import type { Lease } from '../lease/lease.js';
import { equalPrefixes, type Prefix } from '../net/prefix.js';

/**
 * By the network's config: its backend's links by name, and what is in its pool or the pool before: our routes, and
 * the devices of an earlier VNI or backend.
 */
export async function ownedByConfig(
  { network, backend, backendOptions }: CheckedConfig,
  previousPool: Prefix | undefined,
  kernel: Kernel,
  signal: AbortSignal,
): Promise<Ownership> {
  const pools = previousPool ? [network.network, previousPool] : [network.network];
  const { links, sysctls } = backend.owns(backendOptions);
  const found = await deviceNames(kernel, pools, signal);
  return { links: [...new Set([...links, ...found])], sysctls, pools, uplink: undefined };
}

/** Without the config: the tunnel devices and our routes that are in the pool. */
export async function ownedByPool(pool: Prefix, kernel: Kernel, signal: AbortSignal): Promise<Ownership> {
  const links = await deviceNames(kernel, [pool], signal);
  return { links, pools: [pool], uplink: undefined, sysctls: [] };
}

async function deviceNames(
  kernel: Kernel,
  pools: readonly Prefix[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  return (await findDevices(kernel, pools, signal)).map(({ name }) => name);
}

/** What tells that a lease is this host's. */
export interface HostMarks {
  /** From the subnet file. */
  readonly subnet: Prefix | undefined;
  readonly identity: string | undefined;
  readonly interfaces: readonly Interface[];
}

/**
 * The lease to release with this host: that of the subnet in its subnet file, if it carries this host's identity or,
 * being a flanneld's, a public IP that this host has. Undefined when there is none; `foreign` when it is another's.
 */
export function leaseToRelease(leases: Iterable<Lease>, marks: HostMarks): Lease | 'foreign' | undefined {
  const { subnet, identity, interfaces } = marks;
  const lease = subnet && [...leases].find((candidate) => equalPrefixes(candidate.subnet, subnet));
  if (!lease) return undefined;
  const { attributes } = lease;
  const isHere = interfaces.some(({ addresses }) =>
    addresses.some(({ address }) => address === attributes.publicIp),
  );
  const isOurs = attributes.identity === undefined ? isHere : attributes.identity === identity;
  return isOurs ? lease : 'foreign';
}
