/** A host that has its subnet: the steps of `OwnLease`, and of `reclaim`, with the decisions that they make. */
import { leaseKey } from '../../../src/lease/codec.js';
import type { Lease } from '../../../src/lease/lease.js';
import { formatPrefix } from '../../../src/net/prefix.js';
import { claim, keepAlive, release } from './etcd.js';
import type { At, Steps } from './steps.js';
import type { Host, Keeping } from './world.js';

export function hold(steps: Steps, host: At<'hold'>): void {
  watch(steps, host);
  const state = steps.world.setup.rules.ownKeyState(host.lease, host.seen);
  if (state === 'held') renew(steps, host);
  else if (state === 'taken') lose(steps, host, 'sees that its subnet is taken');
  else if (host.seen) steps.add('takes its key as it was rewritten', settled(steps, host, host.seen));
  else
    steps.add('sees that its key is gone', {
      ...host,
      at: 'reclaim',
      sure: 0,
      goneUpTo: Number.NEGATIVE_INFINITY,
    });
}

function renew(steps: Steps, host: At<'hold'>): void {
  const etcd = keepAlive(steps.world.etcd, host.lease.leaseId, steps.world.setup.ttl);
  if (!etcd) {
    steps.add('hears that its lease has expired', {
      ...host,
      at: 'reclaim',
      sure: 0,
      seen: undefined,
      goneUpTo: Number.NEGATIVE_INFINITY,
    });
    return;
  }
  const outcome = { etcd, events: [] };
  steps.add('renews its lease', { ...host, sure: steps.world.setup.ownTtl }, outcome);
}

function watch(steps: Steps, host: At<'hold' | 'reclaim' | 'look'>): void {
  const [first, ...rest] = host.queue;
  if (first === undefined || (host.at !== 'hold' && !steps.world.setup.watchAlways)) return;
  const key = leaseKey(host.lease);
  if (first.kind === 'put') {
    steps.add(`is shown ${key} of ${first.lease.attributes.publicIp}`, {
      ...shownPut(host, first.lease),
      queue: rest,
    });
  } else if (first.kind === 'delete') {
    const deleted = shownDelete(host, host.table?.modRevision ?? Number.NEGATIVE_INFINITY);
    steps.add(`is shown that ${key} was deleted`, {
      ...(host.table ? deleted : host),
      queue: rest,
    });
  } else {
    const now = steps.world.etcd.leases.get(key);
    const goneUpTo = now ? host.goneUpTo : Number.POSITIVE_INFINITY;
    steps.add('is shown all leases', { ...host, seen: now, table: now, goneUpTo, queue: [] });
  }
}

/** With what settled it, the lease is held again. */
function settled(steps: Steps, host: Keeping, lease: Lease): Host {
  const isGone = host.goneUpTo >= lease.modRevision;
  const seen = host.seen === undefined && !isGone ? lease : host.seen;
  const { table, queue, goneUpTo } = host;
  return { at: 'hold', lease, seen, sure: steps.world.setup.ownTtl, goneUpTo, table, queue };
}

function lose(steps: Steps, host: Keeping, how: string): void {
  steps.add(`${how}, and ends`, { at: 'start', previous: host.lease.subnet, file: undefined });
}

export function reclaim(steps: Steps, host: At<'reclaim'>): void {
  watch(steps, host);
  const { subnet } = host.lease;
  const result = claim(steps.world.etcd, subnet, steps.kind.attributes, steps.world.setup.ttl);
  if (!result) {
    steps.add(`finds ${formatPrefix(subnet)} taken`, { ...host, at: 'look' });
    return;
  }
  const older = steps.world.setup.rules.overlappingKey(subnet, result.etcd.leases.keys());
  if (older === undefined)
    steps.add(`claims ${formatPrefix(subnet)} again`, settled(steps, host, result.lease), result);
  else steps.add(`claims ${formatPrefix(subnet)} again, and sees ${older}`, { ...host, at: 'look' }, result);
  steps.addLost(`claims ${formatPrefix(subnet)} again`, host, result);
}

export function look(steps: Steps, host: At<'look'>): void {
  watch(steps, host);
  const { leases } = steps.world.etcd;
  const { isSameHolder, olderOverlap } = steps.world.setup.rules;
  const holder = leases.get(leaseKey(host.lease));
  if (!holder) steps.add('looks, and its key is free', { ...host, at: 'reclaim' });
  else if (!isSameHolder(holder.attributes, steps.kind.attributes))
    lose(steps, host, 'looks, and its subnet is taken');
  else if (olderOverlap(holder, leases) === undefined)
    steps.add('looks, and its key is its own', { ...host, at: 'take back', claimed: holder });
  else steps.add('looks, and an older lease overlaps its own', { ...host, at: 'yield', claimed: holder });
}

export function takeBack(steps: Steps, host: At<'take back'>): void {
  const { claimed, ...keeping } = host;
  const etcd = keepAlive(steps.world.etcd, claimed.leaseId, steps.world.setup.ttl);
  if (etcd) steps.add('renews that', settled(steps, keeping, claimed), { etcd, events: [] });
  else steps.add('hears that it has expired', { ...keeping, at: 'reclaim' });
}

export function yieldSubnet(steps: Steps, host: At<'yield'>): void {
  const { claimed, ...keeping } = host;
  const outcome = release(steps.world.etcd, claimed);
  steps.add(
    `gives ${formatPrefix(claimed.subnet)} up, and ends`,
    { at: 'start', previous: claimed.subnet, file: undefined },
    outcome,
  );
  steps.addLost(`gives ${formatPrefix(claimed.subnet)} up`, { ...keeping, at: 'reclaim' }, outcome);
}

function shownPut<H extends Keeping>(host: H, lease: Lease): H {
  return host.table === lease ? host : { ...host, table: lease, seen: lease };
}

function shownDelete<H extends Keeping>(host: H, goneUpTo: number): H {
  const seen = goneUpTo >= host.lease.modRevision ? undefined : host.seen;
  return { ...host, table: undefined, goneUpTo, seen };
}
