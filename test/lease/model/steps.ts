/**
 * What a host can do next: one question to etcd, or one look at what the watch tells. Between any two steps of a host
 * all the others may take theirs, time may pass, and a host may take none for as long as it likes: that is a host that
 * is slow, stopped, or cut off.
 *
 * The order of the steps is that of `acquire`, `reclaim` and `OwnLease`; what they decide is asked of the very
 * functions that they ask.
 */
import { leaseKey } from '../../../src/lease/codec.js';
import type { Lease } from '../../../src/lease/lease.js';
import type { LeaseKey } from '../../../src/lease/store.js';
import { equalPrefixes, formatPrefix, overlaps, type Prefix } from '../../../src/net/prefix.js';
import { claim, type Event, keepAlive, type Outcome, release } from './etcd.js';
import type { Step } from './explore.js';
import type { Host, Keeping, Kind, View, World } from './world.js';

type At<Name extends Host['at']> = Name extends unknown ? Extract<Host, { at: Name }> : never;

/** Longer queues are forgotten, as a compaction would have it. */
const QUEUE = 2;

export class HostSteps {
  readonly #world: World;
  readonly #index: number;
  readonly #steps: Step<World>[] = [];

  constructor(world: World, index: number) {
    this.#world = world;
    this.#index = index;
  }

  all(): Step<World>[] {
    const host = this.#world.hosts[this.#index]!;
    switch (host.at) {
      case 'start':
        this.#start(host);
        break;
      case 'read':
        this.#read(host);
        break;
      case 'release useless':
        this.#releaseUseless(host);
        break;
      case 'take up':
        this.#takeUp(host);
        break;
      case 'claim':
        this.#claim(host);
        break;
      case 'give way':
        this.#giveWay(host);
        break;
      case 'hold':
        this.#hold(host);
        break;
      case 'reclaim':
        this.#reclaim(host);
        break;
      case 'look':
        this.#look(host);
        break;
      case 'take back':
        this.#takeBack(host);
        break;
      case 'yield':
        this.#yield(host);
        break;
    }
    return this.#steps;
  }

  get #kind(): Kind {
    return this.#world.setup.kinds[this.#index]!;
  }

  #step(text: string, host: Host, outcome?: Outcome, spent: Partial<World['budget']> = {}): void {
    const hosts = this.#world.hosts.with(this.#index, host);
    const { etcd, events } = outcome ?? { etcd: this.#world.etcd, events: [] };
    const budget = { ...this.#world.budget, ...spent };
    const next = { ...this.#world, etcd, hosts: told(hosts, events), budget };
    this.#steps.push({ text: `host ${this.#index + 1} ${text}`, next });
  }

  /** The same step, of whose outcome the host hears nothing. */
  #lost(text: string, host: Host, outcome: Outcome): void {
    const { lostAnswers } = this.#world.budget;
    if (lostAnswers > 0)
      this.#step(`${text}, and the answer is lost`, host, outcome, { lostAnswers: lostAnswers - 1 });
  }

  #start({ previous, file }: At<'start'>): void {
    this.#step('starts', { at: 'read', previous, wanted: previous, released: false });
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
    this.#step(`starts from its state file with ${shown(lease.subnet)}`, { at: 'hold', ...keeping });
  }

  // acquire

  #read({ previous, wanted, released }: At<'read'>): void {
    const { leases } = this.#world.etcd;
    const ours = [...leases.values()].filter(
      ({ attributes }) => attributes.publicIp === this.#kind.attributes.publicIp,
    );
    const useless = ours.filter((lease) => this.#isUseless(lease));
    if (useless.length > 0 && !released) {
      this.#step('finds a lease of its own that is of no use', {
        at: 'release useless',
        previous,
        wanted,
        useless,
      });
      return;
    }
    const own = ours
      .filter((lease) => !this.#isUseless(lease))
      .sort(
        (a, b) => this.#rank(b, previous) - this.#rank(a, previous) || a.createRevision - b.createRevision,
      )
      .at(0);
    if (own) {
      const next = { at: 'take up', previous, wanted, lease: own, table: own, queue: [] } as const;
      this.#step(`finds a lease of its own, ${shown(own.subnet)}`, next);
      return;
    }
    for (const subnet of this.#candidates(wanted)) {
      const next = { at: 'claim', previous, wanted, subnet, table: undefined, queue: [] } as const;
      this.#step(`finds ${shown(subnet)} free`, next);
    }
  }

  #isUseless(lease: Lease): boolean {
    const { fitsPool, olderOverlap } = this.#world.setup.rules;
    return (
      !fitsPool(this.#kind.network, lease.subnet) ||
      olderOverlap(lease, this.#world.etcd.leases) !== undefined
    );
  }

  #rank({ attributes, subnet }: Lease, previous: Prefix | undefined): number {
    return (
      (attributes.identity === this.#kind.attributes.identity ? 2 : 0) +
      (previous && equalPrefixes(previous, subnet) ? 1 : 0)
    );
  }

  /** The subnet it had, or any that the allocation may pick. */
  #candidates(wanted: Prefix | undefined): Prefix[] {
    const { allocate, fitsPool } = this.#world.setup.rules;
    const { network } = this.#kind;
    const taken = [...this.#world.etcd.leases.values()].map(({ subnet }) => subnet);
    if (wanted && fitsPool(network, wanted) && !taken.some((other) => overlaps(other, wanted)))
      return [wanted];
    const picks = new Map<string, Prefix>();
    for (const random of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      const { subnet } = allocate({ network, taken, forbidden: [], random: () => random });
      if (subnet) picks.set(formatPrefix(subnet), subnet);
    }
    return [...picks.values()];
  }

  #releaseUseless({ previous, wanted, useless }: At<'release useless'>): void {
    const [lease, ...rest] = useless;
    const next: Host =
      rest.length > 0
        ? { at: 'release useless', previous, wanted, useless: rest }
        : { at: 'read', previous, wanted, released: true };
    this.#step(`releases ${shown(lease!.subnet)}`, next, release(this.#world.etcd, lease!));
    this.#lost(`releases ${shown(lease!.subnet)}`, restarted(previous), release(this.#world.etcd, lease!));
  }

  #takeUp({ previous, lease, table, queue }: At<'take up'>): void {
    const etcd = keepAlive(this.#world.etcd, lease.leaseId, this.#world.setup.ttl);
    if (etcd)
      this.#step(
        `keeps the lease on ${shown(lease.subnet)} alive, and holds it`,
        this.#holding(lease, { table, queue }),
        { etcd, events: [] },
      );
    else
      this.#step(`hears that the lease on ${shown(lease.subnet)} has expired`, {
        at: 'read',
        previous,
        wanted: lease.subnet,
        released: false,
      });
  }

  #claim({ previous, wanted, subnet, table, queue }: At<'claim'>): void {
    const { etcd } = this.#world;
    const result = claim(etcd, subnet, this.#kind.attributes, this.#world.setup.ttl);
    const again = { at: 'read', previous, wanted, released: false } as const;
    if (!result) {
      this.#step(`claims ${shown(subnet)}, and is too late`, again);
      return;
    }
    const older = this.#world.setup.rules.overlappingKey(subnet, result.etcd.leases.keys());
    if (older === undefined)
      this.#step(
        `claims ${shown(subnet)}, and holds it`,
        this.#holding(result.lease, { table, queue }),
        result,
      );
    else
      this.#step(
        `claims ${shown(subnet)}, and sees ${older}`,
        { at: 'give way', previous, wanted, lease: result.lease },
        result,
      );
    this.#lost(`claims ${shown(subnet)}`, restarted(previous), result);
  }

  #giveWay({ previous, wanted, lease }: At<'give way'>): void {
    const outcome = release(this.#world.etcd, lease);
    this.#step(`gives ${shown(lease.subnet)} up`, { at: 'read', previous, wanted, released: false }, outcome);
    this.#lost(`gives ${shown(lease.subnet)} up`, restarted(previous), outcome);
  }

  // OwnLease

  #holding(lease: Lease, view: View): Host {
    return {
      at: 'hold',
      lease,
      sure: this.#world.setup.ownTtl,
      seen: lease,
      goneUpTo: Number.NEGATIVE_INFINITY,
      ...view,
    };
  }

  #hold(host: At<'hold'>): void {
    this.#watch(host);
    const state = this.#world.setup.rules.ownKeyState(host.lease, host.seen);
    if (state === 'held') this.#renew(host);
    else if (state === 'taken') this.#lose(host, 'sees that its subnet is taken');
    else if (host.seen) this.#step('takes its key as it was rewritten', this.#settled(host, host.seen));
    else
      this.#step('sees that its key is gone', {
        ...host,
        at: 'reclaim',
        sure: 0,
        goneUpTo: Number.NEGATIVE_INFINITY,
      });
  }

  #renew(host: At<'hold'>): void {
    const etcd = keepAlive(this.#world.etcd, host.lease.leaseId, this.#world.setup.ttl);
    if (!etcd) {
      this.#step('hears that its lease has expired', {
        ...host,
        at: 'reclaim',
        sure: 0,
        seen: undefined,
        goneUpTo: Number.NEGATIVE_INFINITY,
      });
      return;
    }
    const outcome = { etcd, events: [] };
    this.#step('renews its lease', { ...host, sure: this.#world.setup.ownTtl }, outcome);
  }

  #watch(host: At<'hold' | 'reclaim' | 'look'>): void {
    const [first, ...rest] = host.queue;
    if (first === undefined || (host.at !== 'hold' && !this.#world.setup.watchAlways)) return;
    const key = leaseKey(host.lease);
    if (first.kind === 'put') {
      this.#step(`is shown ${key} of ${first.lease.attributes.publicIp}`, {
        ...shownPut(host, first.lease),
        queue: rest,
      });
    } else if (first.kind === 'delete') {
      const deleted = shownDelete(host, host.table?.modRevision ?? Number.NEGATIVE_INFINITY);
      this.#step(`is shown that ${key} was deleted`, {
        ...(host.table ? deleted : host),
        queue: rest,
      });
    } else {
      const now = this.#world.etcd.leases.get(key);
      const goneUpTo = now ? host.goneUpTo : Number.POSITIVE_INFINITY;
      this.#step('is shown all leases', { ...host, seen: now, table: now, goneUpTo, queue: [] });
    }
  }

  /** With what settled it, the lease is held again. */
  #settled(host: Keeping, lease: Lease): Host {
    const isGone = host.goneUpTo >= lease.modRevision;
    const seen = host.seen === undefined && !isGone ? lease : host.seen;
    const { table, queue, goneUpTo } = host;
    return { at: 'hold', lease, seen, sure: this.#world.setup.ownTtl, goneUpTo, table, queue };
  }

  #lose(host: Keeping, how: string): void {
    this.#step(`${how}, and ends`, { at: 'start', previous: host.lease.subnet, file: undefined });
  }

  // reclaim

  #reclaim(host: At<'reclaim'>): void {
    this.#watch(host);
    const { subnet } = host.lease;
    const result = claim(this.#world.etcd, subnet, this.#kind.attributes, this.#world.setup.ttl);
    if (!result) {
      this.#step(`finds ${shown(subnet)} taken`, { ...host, at: 'look' });
      return;
    }
    const older = this.#world.setup.rules.overlappingKey(subnet, result.etcd.leases.keys());
    if (older === undefined)
      this.#step(`claims ${shown(subnet)} again`, this.#settled(host, result.lease), result);
    else this.#step(`claims ${shown(subnet)} again, and sees ${older}`, { ...host, at: 'look' }, result);
    this.#lost(`claims ${shown(subnet)} again`, host, result);
  }

  #look(host: At<'look'>): void {
    this.#watch(host);
    const { leases } = this.#world.etcd;
    const { isSameHolder, olderOverlap } = this.#world.setup.rules;
    const holder = leases.get(leaseKey(host.lease));
    if (!holder) this.#step('looks, and its key is free', { ...host, at: 'reclaim' });
    else if (!isSameHolder(holder.attributes, this.#kind.attributes))
      this.#lose(host, 'looks, and its subnet is taken');
    else if (olderOverlap(holder, leases) === undefined)
      this.#step('looks, and its key is its own', { ...host, at: 'take back', claimed: holder });
    else this.#step('looks, and an older lease overlaps its own', { ...host, at: 'yield', claimed: holder });
  }

  #takeBack(host: At<'take back'>): void {
    const { claimed, ...keeping } = host;
    const etcd = keepAlive(this.#world.etcd, claimed.leaseId, this.#world.setup.ttl);
    if (etcd) this.#step('renews that', this.#settled(keeping, claimed), { etcd, events: [] });
    else this.#step('hears that it has expired', { ...keeping, at: 'reclaim' });
  }

  #yield(host: At<'yield'>): void {
    const { claimed, ...keeping } = host;
    const outcome = release(this.#world.etcd, claimed);
    this.#step(
      `gives ${shown(claimed.subnet)} up, and ends`,
      { at: 'start', previous: claimed.subnet, file: undefined },
      outcome,
    );
    this.#lost(`gives ${shown(claimed.subnet)} up`, { ...keeping, at: 'reclaim' }, outcome);
  }
}

export const WHOLE: readonly Event[] = [{ kind: 'whole' }];

/** The daemon tries again from the beginning. */
function restarted(previous: Prefix | undefined): Host {
  return { at: 'read', previous, wanted: previous, released: false };
}

function shownPut<H extends Keeping>(host: H, lease: Lease): H {
  return host.table === lease ? host : { ...host, table: lease, seen: lease };
}

function shownDelete<H extends Keeping>(host: H, goneUpTo: number): H {
  const seen = goneUpTo >= host.lease.modRevision ? undefined : host.seen;
  return { ...host, table: undefined, goneUpTo, seen };
}

/** Each host's watch will tell it of its own key. */
export function told(hosts: readonly Host[], events: readonly Event[]): Host[] {
  return hosts.map((host) => {
    if (!('queue' in host) || events.length === 0) return host;
    const key = keyOf(host);
    const news = events.filter((event) => event.kind === 'whole' || event.key === key);
    if (news.length === 0 || host.queue[0]?.kind === 'whole') return host;
    const queue = [...host.queue, ...news];
    return {
      ...host,
      queue: queue.length > QUEUE || news.some(({ kind }) => kind === 'whole') ? WHOLE : queue,
    };
  });
}

function keyOf(host: Extract<Host, View>): LeaseKey {
  return host.at === 'claim' ? leaseKey(host) : leaseKey(host.lease);
}

function shown(subnet: Prefix): string {
  return formatPrefix(subnet);
}
