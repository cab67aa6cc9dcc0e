/**
 * Gets this host its subnet.
 *
 *     snapshot ──▶ a lease of ours that fits? ──yes──▶ keep it alive; publish what changed
 *        ▲            │ no
 *        │            ▼
 *        │         the subnet we had before (subnet.env), if free and fitting; else a free one at random
 *        │            ▼
 *        └──taken── claim ──▶ older overlapping key? ──yes──▶ release, try again
 *         (wait)                │ no: the subnet is ours, unless
 *                               ▼
 *                  another host with our public IP or identity claimed just before us, and lives: TwinHostError
 *
 * A lost race is no failure: another host got on. It ends with a subnet, or with a pool that the latest snapshot shows
 * to be full. Hosts that boot at once lose less often the larger the pool; n hosts on a pool of n take about log n
 * rounds, and the growing random wait spreads those.
 */
import type { Logger } from 'pino';
import type { NetworkConfig } from '../config/network.js';
import { TwinHostError } from '../errors.js';
import { formatPrefix, overlaps, type Prefix } from '../net/prefix.js';
import { allocate, type Forbidden } from './allocate.js';
import { backoffMs } from './backoff.js';
import type { Clock } from './clock.js';
import { leaseKey, parseLeaseKey } from './codec.js';
import { expiries } from './expiries.js';
import { equalAttributes, fitsPool, overlappingKey } from './fit.js';
import { type HostMarks, isReservation, type Lease, type LeaseAttributes } from './lease.js';
import { poolFullError } from './pool-full.js';
import { SettledLeases } from './settled-leases.js';
import type { LeaseKey, LeaseSnapshot, LeaseStore } from './store.js';

const LOST_RACE = { firstMs: 20, capMs: 1_000 };

export interface AcquireInput {
  readonly store: LeaseStore;
  readonly network: NetworkConfig;
  readonly host: HostMarks;
  /** The subnet that subnet.env names. */
  readonly previousSubnet: Prefix | undefined;
  readonly forbidden: readonly Forbidden[];
  /** What to publish, once the subnet is known. */
  readonly attributesFor: (subnet: Prefix) => LeaseAttributes;
  readonly ttlSeconds: number;
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface Acquired {
  readonly lease: Lease;
  /** What was known before; a watch from its revision tells the rest, our own claim included. */
  readonly snapshot: LeaseSnapshot;
}

/** Rejects with PoolFullError, TwinHostError, as LeaseStore does, and with the signal's reason. Calling it again is harmless. */
export async function acquire(input: AcquireInput): Promise<Acquired> {
  let wanted = input.previousSubnet;
  const settled = new SettledLeases(input);
  for (let losses = 0; ; losses++) {
    const { snapshot, own } = await settled.read();
    const lease = own ? await reuse(input, own) : await claim(input, { settled, snapshot, wanted });
    if (lease) return { lease, snapshot };
    // A lease that expired under our hands is claimed again.
    if (own) wanted = own.subnet;
    await input.clock.sleep(backoffMs(losses, LOST_RACE, input.random), input.signal);
  }
}

/** Writes nothing unless something changed. Undefined when the lease is gone meanwhile. */
async function reuse(input: AcquireInput, lease: Lease): Promise<Lease | undefined> {
  const { store, signal, ttlSeconds } = input;
  const attributes = input.attributesFor(lease.subnet);
  let regrant: number | undefined;
  if (!isReservation(lease)) {
    const granted = await store.keepAlive(lease.leaseId, signal);
    if (granted === 0) return undefined;
    if (granted !== ttlSeconds) regrant = ttlSeconds;
  }
  const unchanged = regrant === undefined && equalAttributes(lease.attributes, attributes);
  const kept = unchanged ? lease : await store.publish(lease, attributes, regrant, signal);
  if (kept)
    input.log.info({ subnet: formatPrefix(lease.subnet), reservation: isReservation(lease) }, 'found lease');
  return kept;
}

interface Attempt {
  readonly settled: SettledLeases;
  readonly snapshot: LeaseSnapshot;
  /** The subnet to claim if that can be. */
  readonly wanted: Prefix | undefined;
}

/** Undefined when the race was lost. Rejects with TwinHostError. */
async function claim(
  input: AcquireInput,
  { settled, snapshot, wanted }: Attempt,
): Promise<Lease | undefined> {
  const { store, network, ttlSeconds, signal, log } = input;
  const taken = takenSubnets(snapshot);
  const keeps = wanted && fitsPool(network, wanted) && !taken.some((other) => overlaps(other, wanted));
  // The containers on the subnet we had make it overlap the host's own routes; it is theirs all the same.
  const subnet = keeps ? wanted : await pick(input, snapshot, taken);

  const result = await store.claim(subnet, input.attributesFor(subnet), ttlSeconds, signal);
  const fields = { subnet: formatPrefix(subnet) };
  if (result.kind === 'taken') {
    log.debug(fields, 'another host was faster');
    return undefined;
  }
  const older = overlappingKey(subnet, result.keys);
  if (older !== undefined) {
    log.info({ ...fields, older }, 'giving way to an older lease that overlaps');
    await store.release(result.lease, signal);
    return undefined;
  }
  const own = leaseKey(result.lease);
  const unknown = result.keys.filter((key) => key !== own && !isKnown(snapshot, key));
  if (unknown.length > 0) await refuseTwin(input, settled, result.lease);
  log.info(fields, 'allocated lease');
  return result.lease;
}

function isKnown({ leases, skipped }: LeaseSnapshot, key: LeaseKey): boolean {
  return leases.has(key) || skipped.some((other) => other.key === key);
}

async function refuseTwin({ store, signal }: AcquireInput, settled: SettledLeases, claimed: Lease) {
  try {
    await settled.refuseOlderTwinOf(claimed);
  } catch (error) {
    if (error instanceof TwinHostError) await store.release(claimed, signal);
    throw error;
  }
}

async function pick(input: AcquireInput, snapshot: LeaseSnapshot, taken: readonly Prefix[]): Promise<Prefix> {
  const { network, forbidden, random, log } = input;
  const { subnet, passedOver } = allocate({ network, taken, forbidden, random });
  for (const { text } of passedOver)
    log.info({ route: text }, 'passing over free subnets that overlap a network of this host');
  if (subnet) return subnet;
  const leases = [...snapshot.leases.values()];
  const unreadable = taken.length - leases.length;
  throw poolFullError({ network, leases, unreadable, passedOver, expiries: await expiries(input, leases) });
}

/** A key whose value cannot be read holds its subnet as well: no one can claim it. */
function takenSubnets({ leases, skipped }: LeaseSnapshot): Prefix[] {
  const unreadable = skipped.flatMap(({ key }) => parseLeaseKey(key)?.subnet ?? []);
  return [...leases.values()].map(({ subnet }) => subnet).concat(unreadable);
}
