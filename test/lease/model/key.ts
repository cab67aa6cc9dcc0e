/**
 * A state as a text, equal for states that differ in nothing that matters. Like hosts and like subnets may be swapped.
 * Ids of etcd leases are only compared: they are numbered as they come. So are revisions: `createRevision` among the
 * keys that are there, `modRevision` among all that is known of one key.
 */
import type { Lease } from '../../../src/lease/lease.js';
import type { Prefix } from '../../../src/net/prefix.js';
import type { Etcd, Event } from './etcd.js';
import type { Host, World } from './world.js';

/** A way to look at the world. */
export interface Symmetry {
  /** At each place, the host that comes there. */
  readonly hosts: readonly number[];
  /** All subnets, in the order to look at them in. */
  readonly subnets: readonly Prefix[];
}

export function keyOf(world: World, symmetries: readonly Symmetry[]): string {
  let least: string | undefined;
  const ranks = ranksOf(world);
  for (const symmetry of symmetries) {
    const text = textOf(world, symmetry, ranks);
    if (least === undefined || text < least) least = text;
  }
  return least!;
}

function textOf(world: World, symmetry: Symmetry, ranks: ReadonlyMap<number, number>): string {
  const { backup, budget, etcd } = world;
  const writer = new Writer(world, symmetry, ranks);
  for (const left of Object.values(budget)) writer.text += left;
  writer.etcd(etcd);
  for (const index of symmetry.hosts) writer.host(world.hosts[index]!);
  if (backup) writer.etcd(backup);
  writer.grants(etcd.grants);
  if (backup) writer.grants(backup.grants);
  return writer.text;
}

class Writer {
  text = '';
  readonly #world: World;
  readonly #symmetry: Symmetry;
  readonly #ranks: ReadonlyMap<number, number>;
  readonly #ids: string[] = [];

  constructor(world: World, symmetry: Symmetry, ranks: ReadonlyMap<number, number>) {
    this.#world = world;
    this.#symmetry = symmetry;
    this.#ranks = ranks;
  }

  etcd({ leases }: Etcd): void {
    for (const lease of [...leases.values()].sort((a, b) => a.createRevision - b.createRevision))
      this.#lease(lease);
    this.text += '/';
  }

  /** Of the ids that anybody knows. */
  grants(grants: Etcd['grants']): void {
    for (const id of this.#ids) this.text += grants.get(id) ?? '-';
  }

  host(host: Host): void {
    this.text += `|${host.at}`;
    if ('previous' in host) this.#subnet(host.previous);
    if ('wanted' in host) this.#subnet(host.wanted);
    if ('released' in host) this.text += host.released;
    if ('useless' in host) for (const lease of host.useless) this.#lease(lease);
    if ('subnet' in host) this.#subnet(host.subnet);
    if ('sure' in host) this.#keeping(host);
    else if ('lease' in host) this.#lease(host.lease);
    if ('table' in host) this.#revision(host.table?.modRevision);
    if ('queue' in host) for (const event of host.queue) this.#event(event);
    if ('claimed' in host) this.#lease(host.claimed);
    if ('file' in host && host.file) this.#lease(host.file.lease);
    if ('file' in host && host.file) this.text += host.file.sure;
  }

  #keeping(host: Extract<Host, { sure: number }>): void {
    this.text += `~${host.sure}`;
    if (host.at === 'hold') this.#lease(host.lease);
    else {
      this.#subnet(host.lease.subnet);
      this.#revision(host.lease.modRevision);
    }
    if (isPast(host)) this.text += '=';
    else this.#lease(host.seen);
    this.#revision(host.goneUpTo);
  }

  #event(event: Event): void {
    if (event.kind !== 'put') this.text += event.kind === 'delete' ? '-' : '*';
    else this.#lease(event.lease);
  }

  #lease(lease: Lease | undefined): void {
    this.#subnet(lease?.subnet);
    if (!lease) return;
    const { hosts } = this.#symmetry;
    const holder = this.#world.setup.kinds.findIndex(({ attributes }) => attributes === lease.attributes);
    this.text += `${hosts.indexOf(holder)}${this.#name(lease.leaseId)}`;
    this.#revision(lease.modRevision);
  }

  #subnet(subnet: Prefix | undefined): void {
    const { subnets } = this.#symmetry;
    this.text += subnet
      ? 'abcdef'[subnets.findIndex((s) => s.address === subnet.address && s.length === subnet.length)]
      : '_';
  }

  #name(id: string): number {
    const known = this.#ids.indexOf(id);
    return known >= 0 ? known : this.#ids.push(id) - 1;
  }

  /** Those beyond etcd's own, from before it was restored, by their distance: it will come there again. */
  #revision(revision: number | undefined): void {
    if (revision === undefined) return;
    const ahead = revision - this.#world.etcd.revision;
    this.text += ahead > 0 ? `+${ahead}` : `:${this.#ranks.get(revision) ?? ''}`;
  }
}

/** What was seen is our lease, or was before it. */
function isPast({ seen, lease }: Extract<Host, { sure: number }>): boolean {
  return seen !== undefined && seen.modRevision <= lease.modRevision;
}

/** Each revision's place among those of the same key. */
function ranksOf({ etcd, backup, hosts }: World): ReadonlyMap<number, number> {
  const bySubnet = new Map<number, Set<number>>();
  const add = ({ subnet: { address, length }, modRevision }: Pick<Lease, 'subnet' | 'modRevision'>) => {
    const subnet = address * 64 + length;
    const found = bySubnet.get(subnet);
    if (found) found.add(modRevision);
    else bySubnet.set(subnet, new Set([modRevision]));
  };
  for (const lease of etcd.leases.values()) add(lease);
  if (backup) for (const lease of backup.leases.values()) add(lease);
  for (const host of hosts) forEachLease(host, add);
  const ranks = new Map<number, number>();
  for (const found of bySubnet.values())
    for (const [rank, revision] of [...found].sort((a, b) => a - b).entries()) ranks.set(revision, rank);
  return ranks;
}

function forEachLease(host: Host, tell: (lease: Pick<Lease, 'subnet' | 'modRevision'>) => void): void {
  if ('useless' in host) host.useless.forEach(tell);
  if ('lease' in host) tell(host.lease);
  if ('sure' in host && host.seen && !isPast(host)) tell(host.seen);
  if ('sure' in host) tell({ subnet: host.lease.subnet, modRevision: host.goneUpTo });
  if ('claimed' in host) tell(host.claimed);
  if ('file' in host && host.file) tell(host.file.lease);
  if ('table' in host && host.table) tell(host.table);
  if ('queue' in host) for (const event of host.queue) if (event.kind === 'put') tell(event.lease);
}
