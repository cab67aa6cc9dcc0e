/** What `loden cleanup` may take away from a host. */
import type { Interface, Ownership } from '../kernel/kernel.js';
import type { Lease } from '../lease/lease.js';
import { parseIpv4 } from '../net/ipv4.js';
import { contains, equalPrefixes, type Prefix } from '../net/prefix.js';
import type { CheckedConfig } from './checked-config.js';

/** By the network's config: its backend's links by name, and our routes in its pool or the pool before. */
export function ownedByConfig(
  { network, backend, backendOptions }: CheckedConfig,
  previousPool: Prefix | undefined,
): Ownership {
  const pools = previousPool ? [network.network, previousPool] : [network.network];
  return { ...backend.owns(backendOptions), pools, uplink: undefined };
}

/**
 * Without the config: flannel's tunnel devices that have an address in the pool, as those of other networks on this
 * host have not, and our routes in the pool.
 */
export function ownedByPool(pool: Prefix, interfaces: readonly Interface[]): Ownership {
  const links = interfaces
    .filter(({ name }) => /^flannel\.\d+$/.test(name))
    .filter(({ addresses }) => addresses.some(({ address }) => contains(pool, parseIpv4(address)!)))
    .map(({ name }) => name);
  return { links, pools: [pool], uplink: undefined, sysctls: [] };
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
