/**
 * Our key is gone while we run: expired during a long outage, or deleted by hand. Containers live on the subnet, so it
 * is claimed again at once; when another host was faster the containers' addresses are its own now, and only people
 * can settle that.
 */
import { SubnetLostError } from '../errors.js';
import { formatPrefix } from '../net/prefix.js';
import type { Clock } from './clock.js';
import { leaseKey } from './codec.js';
import { isSameHolder, olderOverlap, overlappingKey } from './fit.js';
import { isReservation, type Lease } from './lease.js';
import { Outage, type OutageReport } from './outage.js';
import type { LeaseStore, SkippedKey } from './store.js';

export interface ReclaimInput {
  readonly store: LeaseStore;
  /** As we held it. */
  readonly lease: Lease;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  report(report: OutageReport): void;
  /** Called just before each attempt: what etcd grants in it, it counts from a later moment. */
  onAttempt?(): void;
}

/**
 * Goes on until it knows: the lease, which may have been ours all along with attributes that differ, or
 * SubnetLostError. Rejects with the signal's reason too.
 */
export async function reclaim(input: ReclaimInput): Promise<Lease> {
  const outage = new Outage(input.report, input.random);
  for (;;) {
    let waitMs = 0;
    input.onAttempt?.();
    try {
      const lease = await attempt(input);
      outage.succeeded();
      if (lease) return lease;
    } catch (error) {
      input.signal.throwIfAborted();
      if (error instanceof SubnetLostError) outage.succeeded();
      waitMs = outage.failed(error);
    }
    await input.clock.sleep(waitMs, input.signal);
  }
}

/** Undefined when whoever had the key is gone again. */
async function attempt(input: ReclaimInput): Promise<Lease | undefined> {
  const { store, lease, ttlSeconds, signal } = input;
  const result = await store.claim(lease.subnet, lease.attributes, ttlSeconds, signal);
  if (result.kind === 'claimed' && overlappingKey(lease.subnet, result.keys) === undefined)
    return result.lease;

  const { leases, skipped } = await store.snapshot(signal);
  const key = leaseKey(lease);
  const rubbish = skipped.find((entry) => entry.key === key);
  // It names nobody, so nobody holds the subnet.
  const holder = rubbish ? await overwrite(input, rubbish) : leases.get(key);
  if (!holder) return undefined;
  if (!isSameHolder(holder.attributes, lease.attributes)) throw subnetLost(lease, holder.attributes.publicIp);
  const older = olderOverlap(holder, leases);
  if (older === undefined) return (await isAlive(input, holder)) ? holder : undefined;
  await store.release(holder, signal);
  throw subnetLost(lease, leases.get(older)!.attributes.publicIp);
}

/** What was found may be about to expire: renewed, its whole TTL is ahead, as it is of a claim. */
async function isAlive({ store, signal }: ReclaimInput, lease: Lease): Promise<boolean> {
  return isReservation(lease) || (await store.keepAlive(lease.leaseId, signal)) > 0;
}

/** Puts our value where one stands that cannot be read. Undefined when that has changed meanwhile. */
function overwrite(
  { store, lease, ttlSeconds, signal }: ReclaimInput,
  { createRevision, modRevision }: SkippedKey,
): Promise<Lease | undefined> {
  const ttl = isReservation(lease) ? undefined : ttlSeconds;
  return store.publish({ ...lease, createRevision, modRevision }, lease.attributes, ttl, signal);
}

/** How it was lost, where we saw our key all along. */
export const OVERWRITTEN = 'that is what its key in etcd says since we wrote it';

/** `holder` is a public IP. */
export function subnetLost(
  lease: Lease,
  holder: string,
  how = 'the lease was gone from etcd, and was claimed before we could claim it again',
): SubnetLostError {
  const subnet = formatPrefix(lease.subnet);
  return new SubnetLostError(
    subnet,
    holder,
    `our subnet ${subnet} is now held by ${holder}: ${how}. ` +
      'Containers of this host still use its addresses and are cut off. Stop them, start lodend, which leases ' +
      'another subnet, restart Docker, and start them again; or, if the other host can give the subnet up, delete its ' +
      'key in etcd and start lodend.',
  );
}
