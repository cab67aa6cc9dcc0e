/** What makes a lease one that we can use as our own: the right size and place, the right holder, nobody before us. */
import type { NetworkConfig } from '../config/network.js';
import { equalPrefixes, masked, overlaps, type Prefix } from '../net/prefix.js';
import { encodeAttributes, parseLeaseKey } from './codec.js';
import type { Lease, LeaseAttributes } from './lease.js';
import type { LeaseKey } from './store.js';

/** flannel's test (isSubnetConfigCompat): from SubnetMin to SubnetMax, and of SubnetLen. */
export function fitsPool(network: NetworkConfig, subnet: Prefix): boolean {
  return (
    subnet.address >= network.subnetMin &&
    subnet.address <= network.subnetMax &&
    subnet.length === network.subnetLength &&
    equalPrefixes(subnet, masked(subnet))
  );
}

/**
 * Whether two leases are one host's. The public IP is what flannel goes by; two hosts behind one NAT, or a host and
 * its clone, are told apart where both say who they are.
 */
export function isSameHolder(a: LeaseAttributes, b: LeaseAttributes): boolean {
  if (a.publicIp !== b.publicIp) return false;
  return a.identity === undefined || b.identity === undefined || a.identity === b.identity;
}

/** Whether they are of one host between two boots: not so of a host and its clone. */
export function isSameBoot(a: LeaseAttributes, b: LeaseAttributes): boolean {
  return a.boot === undefined || b.boot === undefined || a.boot === b.boot;
}

export function equalAttributes(a: LeaseAttributes, b: LeaseAttributes): boolean {
  return encodeAttributes(a) === encodeAttributes(b);
}

/** Of the keys that were there when a subnet was claimed, one that overlaps it. */
export function overlappingKey(subnet: Prefix, keys: Iterable<LeaseKey>): LeaseKey | undefined {
  for (const key of keys) {
    const other = parseLeaseKey(key)?.subnet;
    if (other && isInTheWay(other, subnet)) return key;
  }
  return undefined;
}

/** A lease that was there before this one, and overlaps it. */
export function olderOverlap(lease: Lease, leases: ReadonlyMap<LeaseKey, Lease>): LeaseKey | undefined {
  for (const [key, other] of leases)
    if (other.createRevision < lease.createRevision && isInTheWay(other.subnet, lease.subnet)) return key;
  return undefined;
}

/** Another subnet, with addresses of this one. */
function isInTheWay(other: Prefix, subnet: Prefix): boolean {
  return !equalPrefixes(other, subnet) && overlaps(other, subnet);
}

/** What is shown of our own key, against what we hold. */
export type OwnKeyState =
  /** As we wrote it, or older; what is seen is the newer of the two when its modRevision is greater. */
  | 'held'
  /** Deleted, or expired: claim it again. */
  | 'gone'
  /** Changed by hand, or by a flanneld on this host: still ours, to be published again. */
  | 'rewritten'
  /** Another host's attributes stand there. */
  | 'taken';

export function ownKeyState(ours: Lease, seen: Lease | undefined): OwnKeyState {
  if (!seen) return 'gone';
  if (seen.modRevision <= ours.modRevision) return 'held';
  // While we run there is no other boot of ours.
  return isSameBoot(ours.attributes, seen.attributes) ? contentState(ours, seen) : 'taken';
}

/** The same where revisions say nothing, as etcd was restored from a backup; `seen` is what stands there now. */
export function contentState(ours: Lease, seen: Lease): Exclude<OwnKeyState, 'gone'> {
  if (!isSameHolder(ours.attributes, seen.attributes)) return 'taken';
  const same = seen.leaseId === ours.leaseId && equalAttributes(seen.attributes, ours.attributes);
  return same ? 'held' : 'rewritten';
}
