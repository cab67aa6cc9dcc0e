/** A host that gets its subnet: the steps of `acquire`. What it decides is asked of the functions that `acquire` asks. */

import type { Lease } from '../../../src/lease/lease.js';
import { equalPrefixes, formatPrefix, overlaps, type Prefix } from '../../../src/net/prefix.js';
import { claim, keepAlive, release, WHOLE } from './etcd.js';
import type { At, Steps } from './steps.js';
import type { Host, View } from './world.js';

export function start(steps: Steps, { previous, file }: At<'start'>): void {
  steps.add('starts', { at: 'read', previous, wanted: previous, released: false });
  if (!file || file.sure === 0) return;
  const { lease, sure } = file;
  const keeping = {
    lease,
    sure,
    seen: lease,
    goneUpTo: Number.NEGATIVE_INFINITY,
    table: lease,
    queue: WHOLE,
  };
  steps.add(`starts from its state file with ${formatPrefix(lease.subnet)}`, { at: 'hold', ...keeping });
}

export function read(steps: Steps, { previous, wanted, released }: At<'read'>): void {
  const { leases } = steps.world.etcd;
  const ours = [...leases.values()].filter(
    ({ attributes }) => attributes.publicIp === steps.kind.attributes.publicIp,
  );
  const useless = ours.filter((lease) => isUseless(steps, lease));
  if (useless.length > 0 && !released) {
    steps.add('finds a lease of its own that is of no use', {
      at: 'release useless',
      previous,
      wanted,
      useless,
    });
    return;
  }
  const own = ours
    .filter((lease) => !isUseless(steps, lease))
    .sort(
      (a, b) => rank(steps, b, previous) - rank(steps, a, previous) || a.createRevision - b.createRevision,
    )
    .at(0);
  if (own) {
    const next = { at: 'take up', previous, wanted, lease: own, table: own, queue: [] } as const;
    steps.add(`finds a lease of its own, ${formatPrefix(own.subnet)}`, next);
    return;
  }
  for (const subnet of candidates(steps, wanted)) {
    const next = { at: 'claim', previous, wanted, subnet, table: undefined, queue: [] } as const;
    steps.add(`finds ${formatPrefix(subnet)} free`, next);
  }
}

function isUseless(steps: Steps, lease: Lease): boolean {
  const { fitsPool, olderOverlap } = steps.world.setup.rules;
  return (
    !fitsPool(steps.kind.network, lease.subnet) || olderOverlap(lease, steps.world.etcd.leases) !== undefined
  );
}

function rank(steps: Steps, { attributes, subnet }: Lease, previous: Prefix | undefined): number {
  return (
    (attributes.identity === steps.kind.attributes.identity ? 2 : 0) +
    (previous && equalPrefixes(previous, subnet) ? 1 : 0)
  );
}

/** The subnet it had, or any that the allocation may pick. */
function candidates(steps: Steps, wanted: Prefix | undefined): Prefix[] {
  const { allocate, fitsPool } = steps.world.setup.rules;
  const { network } = steps.kind;
  const taken = [...steps.world.etcd.leases.values()].map(({ subnet }) => subnet);
  if (wanted && fitsPool(network, wanted) && !taken.some((other) => overlaps(other, wanted))) return [wanted];
  const picks = new Map<string, Prefix>();
  for (const random of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const { subnet } = allocate({ network, taken, forbidden: [], random: () => random });
    if (subnet) picks.set(formatPrefix(subnet), subnet);
  }
  return [...picks.values()];
}

export function releaseUseless(steps: Steps, { previous, wanted, useless }: At<'release useless'>): void {
  const [lease, ...rest] = useless;
  const next: Host =
    rest.length > 0
      ? { at: 'release useless', previous, wanted, useless: rest }
      : { at: 'read', previous, wanted, released: true };
  steps.add(`releases ${formatPrefix(lease!.subnet)}`, next, release(steps.world.etcd, lease!));
  steps.addLost(
    `releases ${formatPrefix(lease!.subnet)}`,
    restarted(previous),
    release(steps.world.etcd, lease!),
  );
}

export function takeUp(steps: Steps, { previous, lease, table, queue }: At<'take up'>): void {
  const etcd = keepAlive(steps.world.etcd, lease.leaseId, steps.world.setup.ttl);
  if (etcd)
    steps.add(
      `keeps the lease on ${formatPrefix(lease.subnet)} alive, and holds it`,
      holding(steps, lease, { table, queue }),
      { etcd, events: [] },
    );
  else
    steps.add(`hears that the lease on ${formatPrefix(lease.subnet)} has expired`, {
      at: 'read',
      previous,
      wanted: lease.subnet,
      released: false,
    });
}

export function claimSubnet(steps: Steps, { previous, wanted, subnet, table, queue }: At<'claim'>): void {
  const { etcd } = steps.world;
  const result = claim(etcd, subnet, steps.kind.attributes, steps.world.setup.ttl);
  const again = { at: 'read', previous, wanted, released: false } as const;
  if (!result) {
    steps.add(`claims ${formatPrefix(subnet)}, and is too late`, again);
    return;
  }
  const older = steps.world.setup.rules.overlappingKey(subnet, result.etcd.leases.keys());
  if (older === undefined)
    steps.add(
      `claims ${formatPrefix(subnet)}, and holds it`,
      holding(steps, result.lease, { table, queue }),
      result,
    );
  else
    steps.add(
      `claims ${formatPrefix(subnet)}, and sees ${older}`,
      { at: 'give way', previous, wanted, lease: result.lease },
      result,
    );
  steps.addLost(`claims ${formatPrefix(subnet)}`, restarted(previous), result);
}

export function giveWay(steps: Steps, { previous, wanted, lease }: At<'give way'>): void {
  const outcome = release(steps.world.etcd, lease);
  steps.add(
    `gives ${formatPrefix(lease.subnet)} up`,
    { at: 'read', previous, wanted, released: false },
    outcome,
  );
  steps.addLost(`gives ${formatPrefix(lease.subnet)} up`, restarted(previous), outcome);
}

function holding(steps: Steps, lease: Lease, view: View): Host {
  return {
    at: 'hold',
    lease,
    sure: steps.world.setup.ownTtl,
    seen: lease,
    goneUpTo: Number.NEGATIVE_INFINITY,
    ...view,
  };
}

/** The daemon tries again from the beginning. */
function restarted(previous: Prefix | undefined): Host {
  return { at: 'read', previous, wanted: previous, released: false };
}
