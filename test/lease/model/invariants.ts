/**
 * What is never to be, whatever happens.
 *
 * A host *uses* its subnet from the moment that its lease is verified until it ends: while etcd is away, and its lease
 * may have expired, it goes on, as packets are not to be dropped for that. So two hosts may use one subnet, and what
 * can be promised is less than that they never do:
 */
import { leaseKey } from '../../../src/lease/codec.js';
import { formatPrefix, overlaps } from '../../../src/net/prefix.js';
import { hostSteps } from './steps.js';
import type { Host, World } from './world.js';

type Holding = Extract<Host, { at: 'hold' }>;

/** No two hosts have overlapping subnets that are both theirs in etcd. Holds without any clock. */
export function overlapInEtcd(world: World): string | undefined {
  return overlapAmong(world, (host) => isCovered(world, host), 'both hold, in etcd too,');
}

/** No two hosts that are within one TTL of what etcd last granted them, by their own clocks, have overlapping subnets. */
export function overlapWithinTtl(world: World): string | undefined {
  return overlapAmong(world, ({ sure }) => sure > 0, 'both are within their TTL and hold');
}

/** What is *not* promised: no two hosts use overlapping subnets. */
export function overlapInUse(world: World): string | undefined {
  return overlapAmong(world, () => true, 'both use');
}

/** Who has seen all there is to see, and whose lease lives, has its key in etcd. */
export function blindHolder(world: World): string | undefined {
  const index = world.hosts.findIndex(
    (host) =>
      host.at === 'hold' &&
      host.queue.length === 0 &&
      world.setup.rules.ownKeyState(host.lease, host.seen) === 'held' &&
      world.etcd.grants.has(host.lease.leaseId) &&
      !isCovered(world, host),
  );
  return index < 0 ? undefined : `host ${index + 1} has nothing more to see, and its key is not there`;
}

/** More than it takes. */
const STEPS = 10;

/** Whoever uses a subnet that is not its own in etcd has its own again, or ends, as soon as it takes its steps. */
export function stubbornHolder(world: World): string | undefined {
  const index = world.hosts.findIndex((host, at) => {
    if (host.at !== 'hold') return false;
    let now = world;
    for (let step = 0; step < STEPS; step++) {
      const self = now.hosts[at]!;
      if (self.at === 'start' || (self.at === 'hold' && isCovered(now, self))) return false;
      now = hostSteps(now, at)[0]!.next;
    }
    return true;
  });
  return index < 0 ? undefined : `host ${index + 1} never gives way`;
}

function isCovered({ etcd }: World, { lease }: Holding): boolean {
  return etcd.leases.get(leaseKey(lease))?.attributes === lease.attributes;
}

function overlapAmong(
  { hosts }: World,
  counts: (host: Holding) => boolean,
  what: string,
): string | undefined {
  const holding = hosts.flatMap((host, index) =>
    host.at === 'hold' && counts(host) ? [{ index, subnet: host.lease.subnet }] : [],
  );
  for (const a of holding)
    for (const b of holding)
      if (a.index < b.index && overlaps(a.subnet, b.subnet))
        return `hosts ${a.index + 1} and ${b.index + 1} ${what} ${formatPrefix(a.subnet)} and ${formatPrefix(b.subnet)}`;
  return undefined;
}
